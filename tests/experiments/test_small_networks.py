"""The first table of Szegedy et al. (2014) in small: who misreads what was made on another."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import mean

import pytest
import torch

from uap_core.attacks.lbfgs import LBFGS
from uap_core.experiments.small_networks import learners, szegedy
from uap_core.experiments.small_networks.crossing import GAUSSIAN, CrossRow, crossed, louder, read_by_all
from uap_core.experiments.small_networks.learners import HALVES, SIX, Taught, taught
from uap_core.experiments.transfer_examples import distortion


def test_learners_and_whoever_watches_draw_from_generators_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "TAUGHT", 200)
    monkeypatch.setattr(learners, "CODE_LESSON", replace(learners.CODE_LESSON, epochs=1))
    coded = replace(SIX[-1], lesson=replace(SIX[-1].lesson, epochs=1))
    assert coded.code, "its last layer is drawn once the others have learnt"
    found = []
    for draws in (False, True):
        torch.manual_seed(5)
        for step in taught([coded]):
            if draws:
                found.append(float(torch.rand(())))
            if isinstance(step, Taught):
                network = step.classifier.state_dict()
        if not draws:
            before = network
    assert all(torch.equal(value, network[name]) for name, value in before.items())
    torch.manual_seed(5)
    assert found == [float(torch.rand(())) for _ in found]


@pytest.fixture(scope="module")
def rows() -> list[CrossRow]:
    """The three FC10 on 12 digits."""
    networks = [step.classifier for step in taught(SIX[:3]) if isinstance(step, Taught)]
    images = read_by_all(networks, 12)
    assert len(images) == 12
    return [step for step in crossed(networks, images, LBFGS(6, 25), (0.1,), 0) if isinstance(step, CrossRow)]


def test_the_most_decayed_ones_examples_fool_the_others_most(rows: list[CrossRow]) -> None:
    on_others = {
        key: mean(row.fooled.value for row in rows if row.made_on == key != row.network)
        for key in ("fc10-weak", "fc10-middle", "fc10-strong")
    }
    assert all(less < more for less, more in pairwise(on_others.values())), on_others
    sizes = {row.made_on: row.distortion for row in rows}
    assert sizes["fc10-strong"] > sizes["fc10-weak"], "they are larger, too"


def test_each_is_fooled_by_its_own_and_hardly_by_noise_that_is_larger(rows: list[CrossRow]) -> None:
    assert all(row.fooled.value == 1 for row in rows if row.made_on == row.network)
    noise = [row for row in rows if row.made_on == GAUSSIAN]
    assert all(row.distortion > 0.05 for row in noise)
    assert mean(row.fooled.value for row in noise) < 0.2


def test_a_change_made_louder_is_as_large_as_said() -> None:
    x = torch.full((3, 3, 28, 28), 0.5)
    changed = x + 0.01 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(distortion(louder(x, changed, 0.1) - x), torch.tensor(0.1), atol=1e-3)


def test_the_paper_has_a_share_for_each_column() -> None:
    for table, taught_ones in ((szegedy.SIX, SIX), (szegedy.HALVES, HALVES)):
        for learner in taught_ones:
            assert len(table[learner.key, None]) == len(taught_ones) + 1
            assert table[learner.key, None][[other.key for other in taught_ones].index(learner.key)] == 1.0
