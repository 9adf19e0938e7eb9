from __future__ import annotations

import pytest
import torch
from torch import Tensor
from toys import SIDE, VALUES, pictures

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.run import AttackRun

LOGITS = {"far": [5.0, 0.0], "near": [1.0, 0.0], "just": [0.0, 0.5], "sure": [0.0, 3.0]}  # towards class 1


@pytest.fixture
def run(linear) -> AttackRun:
    return AttackRun(linear(torch.zeros(2, VALUES)), pictures(2).float() / 255, Criterion(torch.tensor([1, 1]), True))


def offer(run: AttackRun, value: float, logits: str, size: float, which: int = 0, margin: float = 0.0) -> bool:
    x = torch.full((1, 3, SIDE, SIDE), value)
    return bool(run.offer(x, torch.tensor([LOGITS[logits]]), torch.tensor([size]), torch.tensor([which]), margin))


def held(run: AttackRun) -> Tensor:
    return run.adversarial[0, 0, 0, 0]


def test_the_closest_failure_is_kept_until_something_works(run: AttackRun) -> None:
    assert not offer(run, 0.1, "far", 1.0)
    assert not offer(run, 0.2, "near", 9.0)
    assert not offer(run, 0.3, "far", 0.5)
    assert held(run) == pytest.approx(0.2)
    assert run.success.tolist() == [False, False]
    assert offer(run, 0.4, "sure", 5.0)
    assert held(run) == pytest.approx(0.4)
    assert not offer(run, 0.5, "near", 0.1)
    assert held(run) == pytest.approx(0.4), "no failure follows a success"


def test_the_smallest_success_is_kept(run: AttackRun) -> None:
    assert offer(run, 0.1, "sure", 5.0)
    assert offer(run, 0.2, "just", 4.0)
    assert offer(run, 0.3, "sure", 4.5)
    assert held(run) == pytest.approx(0.2)
    assert run.labels.tolist() == [1, -1]


def test_a_success_passes_the_margin(run: AttackRun) -> None:
    assert not offer(run, 0.1, "just", 1.0, margin=1.0)
    assert run.success.tolist() == [False, False]
    assert offer(run, 0.2, "sure", 2.0, margin=1.0)
    assert held(run) == pytest.approx(0.2)


def test_images_do_not_share_what_is_found(run: AttackRun) -> None:
    offer(run, 0.1, "sure", 1.0, which=1)
    assert run.success.tolist() == [False, True]
    assert torch.equal(run.adversarial[0], run.images[0])


def test_norms_are_those_of_the_picture_that_is_returned(run: AttackRun) -> None:
    x = run.images.clone()
    x[0, 0, 0, 0] += torch.tensor(0.25)
    x[0, 1, 0, 0] -= torch.tensor(0.25)
    x[0, 2, 5, 5] += torch.tensor(0.5)
    run.settle(x, torch.tensor([LOGITS["sure"], LOGITS["far"]]), run.all)
    result = run.result()
    torch.testing.assert_close(result.linf, torch.tensor([0.5, 0.0]))
    torch.testing.assert_close(result.l2, torch.tensor([0.375**0.5, 0.0]))
    assert result.l0.tolist() == [2, 0], "pixels, not values"
    assert result.success.tolist() == [True, False]
    assert result.labels.tolist() == [1, 0]
