"""Networks with one fault each, and the line that names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from toys import convolutional_network

from uap_core.experiments import model_check as rooms
from uap_core.experiments.model_check import checkup
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.classifier import Classifier, Normalise


class Through(nn.Module):
    """A network whose pixels or scores are changed on the way."""

    def __init__(self, network: nn.Module, before: Callable[[Tensor], Tensor], after: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network, self.before, self.after = network, before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.network(self.before(x)))


@pytest.fixture(autouse=True)
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST", 60)


def same(x: Tensor) -> Tensor:
    return x


def findings(
    monkeypatch: pytest.MonkeyPatch,
    good: Classifier,
    before: Callable[[Tensor], Tensor] = same,
    after: Callable[[Tensor], Tensor] = same,
    source: Path | None = None,
) -> list[rooms.Finding]:
    faulty = Classifier(Through(good.network, before, after), good.card, good.labels, good.class_ids, "0" * 64)
    monkeypatch.setattr(rooms, "load", lambda card: faulty)
    return list(checkup(good.card, source))


def wrong(found: list[rooms.Finding]) -> list[str]:
    return [finding.text for finding in found if not finding.good]


def test_a_good_network(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(monkeypatch, classifier)
    assert not wrong(found)
    assert len(found) == 5
    assert "64 x 64 pixels to 100 classes" in str(found[0])
    assert "4 of 4) right on the sample photographs; name more with --data" in str(found[-1])


noise = torch.Generator().manual_seed(0)
FAULTS = {
    "probabilities": (same, lambda z: z.softmax(dim=1), "It gives probabilities"),
    "not numbers": (same, lambda z: z / 0, "NaN or infinite"),
    "constant": (same, lambda z: 0 * z + torch.arange(5.0), "same scores for different pictures"),
    "dropout": (same, lambda z: z + torch.rand(z.shape, generator=noise), "differently when asked again"),
    "batch statistics": (same, lambda z: z - z.mean(dim=0), "depends on the other pictures of the batch"),
    "no gradient": (torch.Tensor.detach, same, "No gradient reaches the pixels"),
    "rounding": (torch.Tensor.round, same, "No gradient reaches the pixels"),
    "gradient not a number": (same, lambda z: z + (z - z).sqrt(), "gradient holds values that are not numbers"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, sentence = FAULTS[fault]
    found = wrong(findings(monkeypatch, convolutional_network(), before, after))
    assert any(sentence in text for text in found), found


def test_without_a_fault_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(monkeypatch, convolutional_network())
    assert not wrong(found)
    assert "name some with --data" in found[-1].text


@pytest.mark.parametrize(
    ("before", "reading"),
    [
        (lambda x: x / 255, "from 0 to 255"),
        (lambda x: (x + 1) / 2, "from -1 to 1"),
        (lambda x: x * Normalise().std + Normalise().mean, "normalised outside"),
    ],
)
def test_another_input_range_is_found_out(
    before: Callable[[Tensor], Tensor], reading: str, classifier: Classifier, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = wrong(findings(monkeypatch, classifier, before, source=shared / "data" / "tiny-imagenet-100.zip"))
    assert len(found) == 1
    assert f"It seems to take pixels {reading}: " in found[0]


def test_three_photographs_do_not_clear_a_network(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "sample_photos", lambda: SAMPLE_PHOTOS[1:4])
    found = wrong(findings(monkeypatch, classifier, lambda x: x / 255))
    assert len(found) == 1
    assert "0 of 3) right on the sample photographs, 3 with pixels from 0 to 255: too few to tell" in found[0]


def test_classes_in_another_order(classifier: Classifier, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = wrong(
        findings(monkeypatch, classifier, after=lambda z: z.roll(7, dims=1), source=shared / "data" / "tiny-imagenet-100.zip")
    )
    assert len(found) == 1
    assert "no better than chance, however pixels are read" in found[0]


def test_a_network_that_fails_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(x: Tensor) -> Tensor:
        raise ZeroDivisionError("nothing to divide by")

    assert wrong(findings(monkeypatch, convolutional_network(), fail)) == [
        "It fails on some pictures: ZeroDivisionError: nothing to divide by"
    ]


def test_accuracy_far_below_the_cards_is_said(classifier: Classifier, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boastful = replace(classifier.card, measured={"top1": 0.99})
    monkeypatch.setattr(
        rooms, "load", lambda card: Classifier(classifier.network, card, classifier.labels, classifier.class_ids)
    )
    found = wrong(list(checkup(boastful, shared / "data" / "tiny-imagenet-100.zip")))
    assert len(found) == 1
    assert "its card says 99.0%" in found[0]


def test_weights_that_are_not_there_end_it(classifier: Classifier) -> None:
    found = list(checkup(replace(classifier.card, weights="none.safetensors")))
    assert [finding.good for finding in found] == [False]
    assert "not on this machine" in str(found[0])


@pytest.mark.parametrize(("gained", "lost", "told"), [(9, 0, True), (4, 0, False), (9, 6, False)])
def test_few_pictures_tell_when_all_differences_point_one_way(
    gained: int, lost: int, told: bool, classifier: Classifier
) -> None:
    """Of 30 pictures: the sign test's tail is 1/512 for 9 of 9, 1/16 for 4 of 4, 0.30 for 9 of 15."""
    ours = [True] * 12 + [False] * 18
    other = [True] * (12 - lost) + [False] * lost + [True] * gained + [False] * (18 - gained)
    found = rooms._verdict({"from 0 to 1": ours, "from -1 to 1": other}, classifier, "photographs")
    assert found.text.startswith("It seems to take pixels from -1 to 1") == told
