from __future__ import annotations

import pytest
import torch
from torch import Tensor
from toys import SIDE, VALUES, pictures

from uap_core.attacks.criterion import Aim
from uap_core.attacks.run import Subject

LOGITS = {"far": [5.0, 0.0], "near": [1.0, 0.0], "just": [0.0, 0.5], "sure": [0.0, 3.0]}  # towards class 1


@pytest.fixture
def subject(linear) -> Subject:
    return Subject(linear(torch.zeros(2, VALUES)), pictures(2).float() / 255, Aim(torch.tensor([1, 1]), True))


def offer(subject: Subject, value: float, logits: str, size: float, which: int = 0, margin: float = 0.0) -> bool:
    x = torch.full((1, 3, SIDE, SIDE), value)
    return bool(subject.offer(x, torch.tensor([LOGITS[logits]]), torch.tensor([size]), torch.tensor([which]), margin))


def held(subject: Subject) -> Tensor:
    return subject.adversarial[0, 0, 0, 0]


def test_the_closest_failure_is_kept_until_something_works(subject: Subject) -> None:
    assert not offer(subject, 0.1, "far", 1.0)
    assert not offer(subject, 0.2, "near", 9.0)
    assert not offer(subject, 0.3, "far", 0.5)
    assert held(subject) == pytest.approx(0.2)
    assert subject.success.tolist() == [False, False]
    assert offer(subject, 0.4, "sure", 5.0)
    assert held(subject) == pytest.approx(0.4)
    assert not offer(subject, 0.5, "near", 0.1)
    assert held(subject) == pytest.approx(0.4), "no failure follows a success"


def test_the_smallest_success_is_kept(subject: Subject) -> None:
    assert offer(subject, 0.1, "sure", 5.0)
    assert offer(subject, 0.2, "just", 4.0)
    assert offer(subject, 0.3, "sure", 4.5)
    assert held(subject) == pytest.approx(0.2)
    assert subject.labels.tolist() == [1, -1]


def test_a_success_passes_the_margin(subject: Subject) -> None:
    assert not offer(subject, 0.1, "just", 1.0, margin=1.0)
    assert subject.success.tolist() == [False, False]
    assert offer(subject, 0.2, "sure", 2.0, margin=1.0)
    assert held(subject) == pytest.approx(0.2)


def test_images_do_not_share_what_is_found(subject: Subject) -> None:
    offer(subject, 0.1, "sure", 1.0, which=1)
    assert subject.success.tolist() == [False, True]
    assert torch.equal(subject.adversarial[0], subject.images[0])


def test_norms_are_those_of_the_picture_that_is_returned(subject: Subject) -> None:
    x = subject.images.clone()
    x[0, 0, 0, 0] += torch.tensor(0.25)
    x[0, 1, 0, 0] -= torch.tensor(0.25)
    x[0, 2, 5, 5] += torch.tensor(0.5)
    subject.settle(x, torch.tensor([LOGITS["sure"], LOGITS["far"]]), subject.all)
    result = subject.result()
    torch.testing.assert_close(result.linf, torch.tensor([0.5, 0.0]))
    torch.testing.assert_close(result.l2, torch.tensor([0.375**0.5, 0.0]))
    assert result.l0.tolist() == [2, 0], "pixels, not values"
    assert result.success.tolist() == [True, False]
    assert result.labels.tolist() == [1, 0]
