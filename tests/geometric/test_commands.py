"""The commands for graphs, clouds and shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from uap_core.errors import SettingError
from uap_core.geometric.clouds.solids import CLASSES, clouds
from uap_core.geometric.shapes.stored import bodies, stored_shapes


def test_a_member_of_the_club_is_turned(capsys: pytest.CaptureFixture[str]) -> None:
    from uap_core.cli.geometric import attack_graph

    attack_graph("17")
    said = capsys.readouterr().out
    assert "edge 17 - 34 added" in said
    assert "better ones refused" in said
    assert said.strip().endswith("fooled")
    with pytest.raises(SettingError, match="no node 'x'"):
        attack_graph("x")
    with pytest.raises(SettingError, match="--block"):
        attack_graph("17", kind="words")


def test_an_option_that_would_do_nothing_is_refused(tmp_path: Path) -> None:
    from uap_core.cli.geometric import attack_cloud, attack_graph

    cloud, edges = tmp_path / "cloud.xyz", tmp_path / "edges.txt"
    np.savetxt(cloud, clouds(1, 7)[0][0].numpy())
    edges.write_text("\n".join(f"n{i} n{(i + step) % 12}" for i in range(12) for step in (1, 5)), encoding="utf-8")
    with pytest.raises(SettingError, match="--edges and --block name two graphs"):
        attack_graph("n0", edges=edges, block=True)
    with pytest.raises(SettingError, match="leave --budget out"):
        attack_graph("1289", block=True, kind="anchors", budget=3)
    for measure in ("chamfer", "foo"):
        with pytest.raises(SettingError, match="leave --measure out"):
            attack_cloud(cloud, measure=measure)
    with pytest.raises(SettingError, match="leave --points out"):
        attack_cloud(cloud, kind="shifted", measure="l2", points=4)


def test_a_cloud_and_a_mesh_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from uap_core.cli.geometric import attack_cloud, attack_shape

    given, kinds = clouds(1, 7)
    np.savetxt(tmp_path / "cloud.xyz", given[0].numpy())
    attack_cloud(tmp_path / "cloud.xyz", kind="shifted", measure="l2")
    said = capsys.readouterr().out
    assert f"{CLASSES[int(kinds[0])]} -> " in said
    assert "fooled" in said
    with pytest.raises(SettingError, match="2, 4, 8 and 12"):
        attack_cloud(tmp_path / "cloud.xyz", points=5)
    points, faces = stored_shapes().mesh(0, bodies(1, 9)[0][1])
    lines = [f"v {x} {y} {z}" for x, y, z in points] + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    (tmp_path / "horse.obj").write_text("\n".join(lines), encoding="utf-8")
    attack_shape(tmp_path / "horse.obj", own=True)
    assert "horse -> " in capsys.readouterr().out
