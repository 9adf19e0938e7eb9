"""Shapes: spectra against closed forms, gradients against differences, and what ships."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from uap_core.errors import SettingError
from uap_core.geometric.shapes.bodies import CLASSES, FAMILIES
from uap_core.geometric.shapes.classifier import EIGENVALUES
from uap_core.geometric.shapes.deform import moved, shape_of, with_spectrum
from uap_core.geometric.shapes.distortion import distortion
from uap_core.geometric.shapes.laplacian import scale_free, scale_free_slopes, spectrum
from uap_core.geometric.shapes.measured import NEW_BODIES, RANDOM, SEEN, UNIVERSAL, ShapeRow, random_like
from uap_core.geometric.shapes.own import own_change
from uap_core.geometric.shapes.posing import Body, posed, rotation
from uap_core.geometric.shapes.stored import bodies, in_new_poses, stored_shapes
from uap_core.io.paths import GEOMETRIC
from uap_core.io.results import read_table


def sphere(count: int) -> tuple[np.ndarray, np.ndarray]:
    i = np.arange(count) + 0.5
    down, around = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    points = np.stack([np.cos(around) * np.sin(down), np.sin(around) * np.sin(down), np.cos(down)], 1)
    return points, ConvexHull(points).simplices.astype(np.int64)


def flat_torus(long: int, short: int) -> tuple[np.ndarray, np.ndarray]:
    """A thin torus: nearly that of a flat sheet of 2 pi by 2 pi r."""
    a, b = np.meshgrid(np.arange(long) * 2 * np.pi / long, np.arange(short) * 2 * np.pi / short, indexing="ij")
    r = 0.1
    points = np.stack([(1 + r * np.cos(b)) * np.cos(a), (1 + r * np.cos(b)) * np.sin(a), r * np.sin(b)], -1).reshape(-1, 3)
    number = np.arange(long * short).reshape(long, short)
    right, down = np.roll(number, -1, 0), np.roll(number, -1, 1)
    both = np.roll(right, -1, 1)
    faces = np.concatenate(
        [np.stack([number, right, both], -1).reshape(-1, 3), np.stack([number, both, down], -1).reshape(-1, 3)]
    )
    return points, faces


def animal(kind: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return stored_shapes().mesh(kind, bodies(8 + kind, seed)[kind][1])


def test_a_spheres_eigenvalues() -> None:
    found = spectrum(*sphere(900), 16).values
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert found[1:4] == pytest.approx([2] * 3, rel=0.02)
    assert found[4:9] == pytest.approx([6] * 5, rel=0.03)
    assert found[9:16] == pytest.approx([12] * 7, rel=0.04)


def test_a_thin_toruss_eigenvalues() -> None:
    found = spectrum(*flat_torus(90, 16), 9).values
    assert found[1:9] == pytest.approx([1, 1, 4, 4, 9, 9, 16, 16], rel=0.03)


def test_slopes_are_those_of_differences() -> None:
    points, faces = sphere(300)
    points = points * [1, 0.8, 0.6]  # so that no two eigenvalues coincide
    values, found = scale_free(points, faces, 12)
    slopes = scale_free_slopes(points, faces, found, np.eye(len(points)))
    way, step = np.random.default_rng(0).standard_normal(points.shape), 1e-5
    differences = (scale_free(points + step * way, faces, 12)[0] - scale_free(points - step * way, faces, 12)[0]) / (2 * step)
    assert (slopes * way.T).sum((1, 2)) == pytest.approx(differences, rel=1e-4, abs=1e-4 * np.abs(differences).max())
    assert values.shape == (12,)


def test_turning_moving_scaling_and_numbering_change_nothing() -> None:
    points, faces = animal(0)
    net, before = stored_shapes().net, scale_free(points, faces, EIGENVALUES)[0]
    turned = 3.7 * points @ rotation(np.array([0.3, -1.0, 0.5])).T + [5, -2, 1]
    order = np.random.default_rng(0).permutation(len(points))
    new = np.empty(len(points), dtype=np.int64)
    new[order] = np.arange(len(points))
    after = scale_free(turned[order], new[faces], EIGENVALUES)[0]
    assert after == pytest.approx(before, rel=1e-5)
    assert net.logits(after) == pytest.approx(net.logits(before), abs=1e-3)


def test_the_networks_slopes_are_those_of_differences() -> None:
    net, values = stored_shapes().net, scale_free(*animal(1), EIGENVALUES)[0]
    slopes = net.slopes(values)
    for place in (0, 7, EIGENVALUES - 1):
        other = values.copy()
        other[place] *= np.exp(1e-6)
        assert (net.logits(other) - net.logits(values)) / 1e-6 == pytest.approx(slopes[:, place], abs=1e-3)


def test_templates_are_closed_surfaces_and_bodies_keep_their_bones() -> None:
    assert len(CLASSES) >= 6
    for points, faces in stored_shapes().templates.values():
        sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
        edges, uses = np.unique(sides, axis=0, return_counts=True)
        assert (uses == 2).all()
        assert len(points) - len(edges) + len(faces) == 2, "a sphere, seen from topology"
        assert 200 <= len(points) <= 1000
    bones = FAMILIES["horse"]
    still = Body(np.ones(len(bones)), np.ones(len(bones)), np.zeros((len(bones), 3)))
    points, _faces = stored_shapes().templates["horse"]
    assert posed(points, bones, still) == pytest.approx(points, abs=1e-9)


def test_new_poses_keep_proportions() -> None:
    given = bodies(8, 3)
    again = in_new_poses(given, 4)
    assert all((a.length == b.length).all() and (a.turns != b.turns).any() for (_, a), (_, b) in zip(given, again, strict=True))


def test_a_wanted_spectrum_is_shown_by_a_smooth_deformation() -> None:
    shape = shape_of(*animal(2), EIGENVALUES)
    assert with_spectrum(shape, shape.values)[0] == pytest.approx(0, abs=1e-9)
    other = moved(shape, 0.1 * np.random.default_rng(0).standard_normal(3 * shape.waves.shape[1]))
    wanted = scale_free(other, shape.faces, EIGENVALUES)[0]  # of a shape that there is
    coefficients, values = with_spectrum(shape, wanted)
    assert np.abs(np.log(values / wanted)).mean() < 0.2 * np.abs(np.log(shape.values / wanted)).mean()
    anew = scale_free(moved(shape, coefficients), shape.faces, EIGENVALUES)[0]
    assert anew == pytest.approx(values, rel=1e-6)


def test_distortion_of_known_changes() -> None:
    points, faces = sphere(300)
    none, twice = distortion(points, points, faces), distortion(points, 2 * points, faces)
    assert (none.displacement, none.edges, none.areas, none.curvature) == pytest.approx((0, 0, 0, 0), abs=1e-12)
    assert (twice.displacement, twice.edges, twice.areas, twice.curvature) == pytest.approx((1, 1, 3, 0.5), rel=0.02)


def test_a_change_of_its_own_fools_and_is_smaller() -> None:
    stored, shape = stored_shapes(), shape_of(*animal(3), EIGENVALUES)
    coefficients, values = own_change(stored.net, shape)
    assert stored.net.logits(values).argmax() != stored.net.logits(shape.values).argmax()
    assert np.linalg.norm(coefficients) < np.linalg.norm(with_spectrum(shape, shape.values * (1 + stored.rho))[0])


def test_a_random_change_has_the_length_of_the_universal_one() -> None:
    rho = stored_shapes().rho
    other = random_like(rho, np.random.default_rng(0))
    assert np.linalg.norm(np.log1p(other)) == pytest.approx(np.linalg.norm(np.log1p(rho)))
    assert np.abs(np.log1p(rho)).max() <= max(-np.log(0.6), np.log(1.4)) + 1e-6


def test_the_table_reaches_what_is_wanted_on_disjoint_sets() -> None:
    found = read_table(GEOMETRIC / "shapes.json", ShapeRow)
    row = {(one.on, one.change, one.scale): one for one in found.rows}
    assert row[SEEN, UNIVERSAL, 1.0].fooled.value >= 0.8
    assert row[NEW_BODIES, UNIVERSAL, 1.0].fooled.value >= 0.5
    assert row[NEW_BODIES, RANDOM, 1.0].fooled.value < row[NEW_BODIES, UNIVERSAL, 1.0].fooled.value / 2
    assert found.provenance["accuracy"] >= 0.9


def test_a_mesh_without_area_has_no_spectrum() -> None:
    points, faces = sphere(100)
    with pytest.raises(SettingError, match="no area"):
        spectrum(points * [1, 0, 0], faces, 5)
