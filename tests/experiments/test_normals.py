from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import SIDE, VALUES, seeded, smooth_network, toy_set

from uap_core.attacks.deepfool import cross_boundary
from uap_core.errors import DatasetError
from uap_core.experiments.normals import (
    FULL,
    NORMALS,
    RANDOM,
    SPAN,
    SingularRow,
    lengths,
    singular_vectors,
    spectrum,
    steepness,
    subspace_rates,
    unit_normals,
)
from uap_core.metrics import predict

IMAGES = toy_set("some", 20, 3)


def rows_of(values: list[SingularRow], kind: str) -> list[float]:
    assert [row.index for row in values if row.kind == kind] == list(range(1, sum(row.kind == kind for row in values) + 1))
    return [row.value for row in values if row.kind == kind]


def test_two_classes_of_a_linear_network_have_one_normal(linear) -> None:
    network = linear(torch.randn(2, VALUES, generator=seeded(0)) * 0.1)
    labels = predict(network, IMAGES.batches())
    normals = torch.cat(list(unit_normals(network, IMAGES)))
    assert len(normals) == 20
    assert 0 < int(labels.sum()) < 20, "both sides of the boundary are there"
    values = rows_of(spectrum(normals, seeded(1)), NORMALS)
    assert values[0] == pytest.approx(20**0.5, rel=1e-4)
    assert max(values[1:]) < 1e-3
    straight = network.network[1].weight[1] - network.network[1].weight[0]
    _, basis = singular_vectors(normals)
    assert abs(float(basis[0].flatten() @ straight / straight.norm())) == pytest.approx(1, abs=1e-4)


def test_a_normal_is_the_deepfool_step_of_unit_length() -> None:
    network = smooth_network(0)
    (first, *_) = unit_normals(network, IMAGES)
    found = cross_boundary(network, IMAGES.images(slice(0, 8)))
    assert found.crossed.all()
    assert torch.allclose(first, found.steps / found.steps.flatten(1).norm(dim=1)[:, None, None, None], atol=1e-5)


def test_a_network_without_boundaries_is_refused(linear) -> None:
    flat = linear(torch.zeros(2, VALUES), torch.tensor([1.0, 0.0]))
    with pytest.raises(DatasetError, match="no boundary"):
        list(unit_normals(flat, IMAGES))


@settings(deadline=None, max_examples=25)
@given(count=st.integers(1, 30), side=st.integers(1, 5), rank=st.integers(1, 30), seed=st.integers(0, 99))
def test_the_way_by_the_gram_matrix_is_the_singular_value_decomposition(count: int, side: int, rank: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(count, rank)) @ random.normal(size=(rank, 3 * side * side))
    vectors = torch.from_numpy(mixed).float()
    values, basis = singular_vectors(vectors.view(count, 3, side, side))
    direct = np.linalg.svd(vectors.double().numpy(), compute_uv=False)
    top = direct[0]
    assert values[: len(direct)].tolist() == pytest.approx(direct.tolist(), abs=1e-6 * top)
    assert values[len(direct) :].tolist() == pytest.approx([0] * (count - min(count, len(direct))), abs=1e-6 * top)
    flat = basis.flatten(1).double()
    assert torch.allclose(flat @ flat.T, torch.eye(len(flat), dtype=torch.double), atol=1e-3)
    assert torch.allclose(vectors.double() @ flat.T @ flat, vectors.double(), atol=1e-3 * top)


def test_random_vectors_are_the_baseline_and_the_seed_decides() -> None:
    normals = torch.cat(list(unit_normals(smooth_network(0), IMAGES)))
    values = spectrum(normals, seeded(4))
    drawn = torch.randn(len(normals), VALUES, generator=seeded(4)).double()
    direct = np.linalg.svd((drawn / drawn.norm(dim=1, keepdim=True)).numpy(), compute_uv=False)
    assert rows_of(values, RANDOM) == pytest.approx(direct.tolist(), rel=1e-4)
    assert values == spectrum(normals, seeded(4))
    assert rows_of(values, RANDOM) != rows_of(spectrum(normals, seeded(5)), RANDOM)
    for kind in (NORMALS, RANDOM):  # unit vectors, so the squares add up to their number
        assert sum(value**2 for value in rows_of(values, kind)) == pytest.approx(len(normals), rel=1e-4)


def test_steepness_is_the_first_over_the_last() -> None:
    rows = [
        SingularRow(1, 6.0, NORMALS),
        SingularRow(2, 2.0, NORMALS),
        SingularRow(1, 1.0, RANDOM),
        SingularRow(2, 1.0, RANDOM),
    ]
    assert steepness(rows) == {NORMALS: 3.0, RANDOM: 1.0}


def test_on_a_linear_network_the_span_of_one_normal_fools_where_the_full_space_does_not(linear) -> None:
    network = linear(torch.randn(2, VALUES, generator=seeded(0)) * 0.1)
    normals = torch.cat(list(unit_normals(network, IMAGES)))
    others = toy_set("others", 100, 8)
    clean = predict(network, others.batches())
    rows = list(subspace_rates(network, normals, others, clean, (0.0, 3.0), seeded(0), (1, 2, 5)))
    assert [(row.space, row.dimension, row.norm) for row in rows] == [
        (space, dimension, norm) for norm in (0.0, 3.0) for space, dimension in ((FULL, VALUES), (SPAN, 1))
    ], "no more dimensions than the normals span"
    assert [row.fooling_rate.count for row in rows[:2]] == [0, 0]
    full, span = (row.fooling_rate.value for row in rows[2:])
    assert span > 0.3
    assert span > 2 * full
    again = subspace_rates(network, normals, others, clean, (0.0, 3.0), seeded(0), (1, 2, 5))
    assert list(again) == rows


def test_lengths_are_the_papers_and_half_of_it_for_small_pictures() -> None:
    assert lengths(224) == (2000 / 255,)
    assert lengths(64) == (1000 / 255, 2000 / 255)
    assert lengths(SIDE) == lengths(64)
