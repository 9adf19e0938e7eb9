"""A visitor's files: the right mesh, cloud or graph, or a sentence."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from test_shapes import sphere

from uap_core.errors import DatasetError
from uap_core.geometric.files.clouds import open_cloud
from uap_core.geometric.files.edges import open_edges
from uap_core.geometric.files.formats import read_polygons
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
        order = "<" if "little" in style else ">"
        body = points.astype(f"{order}f4").tobytes()
        body += b"".join(struct.pack(f"{order}Biii", 3, *map(int, face)) for face in faces)
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
        ("c.ply", ply(POINTS, FACES, "binary_big_endian")),
        ("d.ply", ply(POINTS, FACES, "ascii").replace(b"element face", b"comment no end_header yet\nelement face")),
        ("b.obj", "\ufeff" + obj(POINTS, FACES)),
        ("c.obj", obj(POINTS, FACES).encode("utf-16")),
        ("d.obj", obj(POINTS, FACES).replace("/1 ", "/1 \\\n", 5)),
        ("e.obj", re.sub(r"(\d+)/1", lambda found: str(int(found[1]) - 81), obj(POINTS, FACES))),
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


def test_corners_that_triangles_do_not_share_are_joined_and_triangles_are_there_once(tmp_path: Path) -> None:
    apart = obj(POINTS[FACES].reshape(-1, 3), np.arange(3 * len(FACES)).reshape(-1, 3))
    mesh = open_mesh(written(tmp_path, "a.obj", apart))
    assert (len(mesh.points), len(mesh.faces), mesh.open_edges, mesh.unused) == (80, len(FACES), 0, 0)
    assert mesh.joined == 3 * len(FACES) - 80
    mesh = open_mesh(written(tmp_path, "b.obj", obj(POINTS, np.concatenate([FACES, FACES[:, ::-1]]))))
    assert (len(mesh.faces), mesh.repeated, mesh.open_edges) == (len(FACES), len(FACES), 0)


def test_a_vertex_where_two_parts_meet_in_a_point_is_told(tmp_path: Path) -> None:
    points = np.concatenate([POINTS, 2 * POINTS[0] - POINTS[1:]])
    other = np.where(FACES == 0, 0, FACES + 79)
    mesh = open_mesh(written(tmp_path, "a.off", off(points, np.concatenate([FACES, other]))))
    assert (len(mesh.points), mesh.pieces, mesh.pinched) == (159, 1, 1)


def test_a_negative_corner_counts_back_from_the_last_vertex_so_far(tmp_path: Path) -> None:
    """As the format has it: two tetrahedra, the first written before the second has vertices."""
    four = ["v 0 0 0", "v 1 0 0", "v 0 1 0", "v 0 0 1", "f -4 -3 -2", "f -4 -2 -1", "f -4 -1 -3", "f -3 -1 -2"]
    _points, polygons = read_polygons(written(tmp_path, "a.obj", "\n".join(four + four)))
    assert [sorted(polygon) for polygon in polygons[4:]] == [[4, 5, 6], [4, 6, 7], [4, 5, 7], [5, 6, 7]]


NAN = POINTS.copy()
NAN[3, 1] = np.nan
BAD = {
    "not a number": ("a.obj", obj(NAN, FACES), "not numbers"),
    "not a surface": (
        "a.obj",
        obj(POINTS, np.concatenate([FACES, [[*FACES[0, :2], 70], [*FACES[0, :2], 71]]])),
        "more than two triangles",
    ),
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
    "a vertex 0": ("a.obj", obj(POINTS, FACES).replace("f ", "f 0 ", 1), "not there"),
    "a number too large": ("a.obj", obj(POINTS, FACES) + "\nf 1 2 99999999999999999999", "too large"),
    "fewer corners than announced": ("a.off", off(POINTS, FACES).replace("\n3 ", "\n9 ", 1), "announces 9 corners"),
    "a length below 0": ("a.ply", ply(POINTS, FACES, "ascii").replace(b"\n3 ", b"\n-3 ", 1), "does not hold"),
    "many rows of nothing": ("a.ply", b"ply\nformat ascii 1.0\n" + b"element x 100000\n" * 9 + b"end_header\n", "too many"),
    "one polygon of many": ("a.obj", "v 0 0 0\nf " + "1 " * 60_010, "at most 60000"),
    "packed": ("a.obj", gzip.compress(obj(POINTS, FACES).encode()), "compressed"),
    "tiny": ("a.obj", obj(POINTS * 1e-40, FACES), "scale it up"),
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
    rows = "\n".join(f"{x};{y};{z}".replace(".", ",") for x, y, z in POINTS)
    for name, content in (("c.csv", rows), ("d.pts", "80\n" + "\n".join(" ".join(map(str, p)) for p in POINTS))):
        mine = open_cloud(written(tmp_path, name, content), 256, 0)[0]
        assert mine == pytest.approx((POINTS - POINTS.mean(0)) / np.linalg.norm(POINTS - POINTS.mean(0), axis=1).max())
    for head, line in (("id,z,x,y", "7,{z},{x},{y}"), ('"X" "Y" "Z" "r"', "{x} {y} {z} 9")):
        rows = "\n".join(line.format(x=x, y=y, z=z) for x, y, z in POINTS)
        named = open_cloud(written(tmp_path, "e.csv", f"{head}\n{rows}"), 256, 0)[0]
        assert named == pytest.approx(mine), "columns are where their names are"
    with pytest.raises(DatasetError, match="at least 16"):
        open_cloud(written(tmp_path, "b.xyz", "0 0 0\n1 1 1"), 256, 0)


MATRIX = "\n".join(" ".join("01"[(i + j) % 2] for j in range(9)) for i in range(9))


def test_a_list_of_edges_loses_loops_repeats_and_small_pieces(tmp_path: Path) -> None:
    ring = [f"n{i} n{(i + 1) % 9}" for i in range(9)]
    graph = open_edges(written(tmp_path, "a.txt", "\n".join([*ring, "n1 n0", "n3 n3", "far away"])))
    assert (len(graph.graph), graph.loops, graph.pieces) == (9, 1, 3 - 1)
    assert graph.graph.degrees.tolist() == [2] * 9
    assert (graph.repeated, graph.more) == (1, False)
    for content, said in (("one\ntwo", "two names"), ("a b\nb c", "at least 8"), (b"\0\0a b", "binary"), (MATRIX, "a matrix")):
        with pytest.raises(DatasetError, match=said):
            open_edges(written(tmp_path, "b.txt", content))


RING = [(f"Ann {i}", f"Ann {(i + 1) % 9}") for i in range(9)]
LISTS = {
    "columns with a head, names in quotes": "source,target,weight\n" + "\n".join(f'"{a}","{b}",0.5' for a, b in RING),
    "semicolons": "\n".join(f"{a};{b}" for a, b in RING),
    "tabs and comments": "# Nodes: 9\n% 9 9\n" + "\n".join(f"{a}\t{b}" for a, b in RING),
    "a mark of UTF-8": "\ufeff" + "\n".join(f"{a};{b}" for a, b in RING),
    "Matrix Market": "%%MatrixMarket matrix coordinate pattern\n9 9 9\n"
    + "\n".join(f"{i + 1} {(i + 1) % 9 + 1}" for i in range(9)),
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_as_programs_write_them_are_the_same_ring(kind: str, tmp_path: Path) -> None:
    graph = open_edges(written(tmp_path, "a.csv", LISTS[kind]))
    assert graph.graph.degrees.tolist() == [2] * 9
    assert (graph.pieces, graph.loops, graph.more) == (1, 0, "columns" in kind)
    assert set(graph.names) == ({str(i + 1) for i in range(9)} if "Market" in kind else {a for a, _b in RING})
