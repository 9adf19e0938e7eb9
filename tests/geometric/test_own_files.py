"""A visitor's files: the right mesh, cloud or graph, or a sentence."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from test_shapes import sphere

from uap_core.errors import DatasetError
from uap_core.geometric.files.clouds import open_cloud
from uap_core.geometric.files.edges import open_edges
from uap_core.geometric.files.meshes import open_mesh

POINTS, FACES = sphere(80)


def obj(points: np.ndarray, faces: np.ndarray) -> str:
    lines = [f"v {x} {y} {z}" for x, y, z in points] + [f"f {a + 1}/1 {b + 1}/1 {c + 1}/1" for a, b, c in faces]
    return "\n".join(["# a comment", *lines])


def off(points: np.ndarray, faces: np.ndarray) -> str:
    lines = [" ".join(map(str, row)) for row in points] + [f"3 {a} {b} {c}" for a, b, c in faces]
    return "\n".join(["OFF", f"{len(points)} {len(faces)} 0", *lines])


def ply(points: np.ndarray, faces: np.ndarray, style: str) -> bytes:
    head = f"ply\nformat {style} 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\n"
    head += f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    if style == "ascii":
        body = "\n".join([*(" ".join(map(str, p)) for p in points), *(f"3 {a} {b} {c}" for a, b, c in faces)]).encode()
    else:
        body = points.astype("<f4").tobytes() + b"".join(struct.pack("<Biii", 3, *map(int, face)) for face in faces)
    return head.encode() + body


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.obj", obj(POINTS, FACES)),
        ("a.off", off(POINTS, FACES)),
        ("a.ply", ply(POINTS, FACES, "ascii")),
        ("b.ply", ply(POINTS, FACES, "binary_little_endian")),
    ],
)
def test_every_format_gives_the_same_mesh(name: str, content: str | bytes, tmp_path: Path) -> None:
    mesh = open_mesh(written(tmp_path, name, content))
    assert mesh.points == pytest.approx(POINTS, abs=1e-6)
    assert (mesh.faces == FACES).all()
    assert (mesh.unused, mesh.flat, mesh.pieces, mesh.open_edges) == (0, 0, 1, 0)


def test_what_can_be_mended_is_and_is_told(tmp_path: Path) -> None:
    points = np.concatenate([POINTS, [[9, 9, 9]], POINTS[:4] + 20])
    faces = np.concatenate([FACES[1:], [[0, 0, 1]], [[81, 82, 83]]])
    mesh = open_mesh(written(tmp_path, "a.obj", obj(points, faces)))
    assert (len(mesh.points), mesh.unused, mesh.flat, mesh.pieces, mesh.open_edges) == (80, 2, 1, 2, 3)


NAN = POINTS.copy()
NAN[3, 1] = np.nan
BAD = {
    "not a number": ("a.obj", obj(NAN, FACES), "not numbers"),
    "not a surface": ("a.obj", obj(POINTS, np.concatenate([FACES, [FACES[0]], [FACES[0]]])), "more than two triangles"),
    "no faces": ("a.obj", obj(POINTS, FACES[:0]), "a cloud, not a mesh"),
    "a vertex too far": ("a.off", off(POINTS, FACES + 5), "not there"),
    "huge": ("a.obj", obj(POINTS * 1e12, FACES), "scale the shape down"),
    "too many": ("a.xyz", "\n".join(["1 2 3"] * 20_001), "at most 20000"),
    "one place": ("a.obj", obj(POINTS * 0, FACES), "at one place"),
    "empty": ("a.obj", "  ", "empty"),
    "cut short": ("a.off", off(POINTS, FACES)[:200], "ends before"),
    "cut short, binary": ("a.ply", ply(POINTS, FACES, "binary_little_endian")[:400], "ends early"),
    "lies about its size": ("a.ply", ply(POINTS, FACES, "ascii").replace(b"vertex 80", b"vertex 999999999"), "too many"),
    "a picture": ("a.obj", b"\x89PNG\0\0\0", "binary file"),
    "another ending": ("a.stl", "solid", "cannot be opened"),
    "words": ("a.obj", "v one two three", "numbers should stand"),
    "big-endian": ("a.ply", ply(POINTS, FACES, "binary_big_endian"), "little-endian"),
    "few": ("a.obj", obj(*sphere(20)), "at least 50"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_mesh_is_a_sentence(case: str, tmp_path: Path) -> None:
    name, content, said = BAD[case]
    with pytest.raises(DatasetError, match=said):
        open_mesh(written(tmp_path, name, content))


def test_a_cloud_is_brought_to_radius_one_and_thinned(tmp_path: Path) -> None:
    text = "x,y,z\n" + "\n".join(f"{x * 50 + 3},{y * 50},{z * 50}" for x, y, z in sphere(600)[0])
    points, count = open_cloud(written(tmp_path, "a.csv", text), 256, 0)
    assert (points.shape, count) == ((256, 3), 600)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1)
    with pytest.raises(DatasetError, match="at least 16"):
        open_cloud(written(tmp_path, "b.xyz", "0 0 0\n1 1 1"), 256, 0)


def test_a_list_of_edges_loses_loops_repeats_and_small_pieces(tmp_path: Path) -> None:
    ring = [f"n{i} n{(i + 1) % 9}" for i in range(9)]
    graph = open_edges(written(tmp_path, "a.txt", "\n".join([*ring, "n1 n0", "n3 n3", "far away"])))
    assert (len(graph.graph), graph.loops, graph.pieces) == (9, 1, 3 - 1)
    assert graph.graph.degrees.tolist() == [2] * 9
    for content, said in (("one\ntwo", "two names"), ("a b\nb c", "at least 8"), (b"\0\0a b", "binary")):
        with pytest.raises(DatasetError, match=said):
            open_edges(written(tmp_path, "b.txt", content))
