"""The sample photographs: what each network says of them, as they are, under random signs, and under its own pattern."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest
import torch

from uap_core.images.photographs import SAMPLE_PHOTOS, first_photo, sample_photos
from uap_core.images.reading import preprocess
from uap_core.models.zoo import PAGE_MODEL, load_model
from uap_core.norms import LINF, Ball
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation

IN_WHEELS = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "squeezenet1_1_caffe")
BALL = Ball(LINF, 10 / 255)
FALLING = {"running", "espresso", "cat", "tripod", "motorcycle"}
# Of the 100 classes of the 64-pixel networks few are shown; which of these each names rightly.
NAMED_AT_64 = {
    "resnet64": {"espresso", "lion", "cat", "hopper"},
    "vgg64": {"espresso", "cat", "hopper"},
    "separable64": {"espresso", "lion", "cat", "hopper"},
    "resnet64_robust": {"espresso", "lion", "hopper"},
    "resnet64_universal": {"espresso", "lion", "cat", "hopper"},
}
WITH_A_PATTERN = [*IN_WHEELS, *(key for key in NAMED_AT_64 if key != "resnet64_universal")]


@dataclass(frozen=True)
class Said:
    """Labels and whether a person accepts them: as it is, under random signs, under the network's own pattern if any."""

    labels: tuple[str, ...]
    right: tuple[bool, ...]
    sure: float


def own_pattern(key: str) -> torch.Tensor:
    """The one that the page chooses for a network: skipping none, so that a network without its pattern fails here."""
    own = [entry for entry in library() if entry.networks == (key,)]
    assert own, f"{key} has no pattern of its own in assets/perturbations"
    assert own[0].ball == BALL
    return load_perturbation(own[0].path).pattern


@cache
def answers(key: str) -> dict[str, Said]:
    """What the network ``key`` says of each photograph."""
    network, found = load_model(key), {}
    card = network.card
    changes = [torch.zeros(3, network.size, network.size)]
    changes.append(BALL.random_signs(changes[0].shape, torch.Generator().manual_seed(0)))
    changes += [own_pattern(key)] if key in WITH_A_PATTERN else []
    for photo in sample_photos():
        image = preprocess(photo.open(), card.resize_size, card.input_size, card.interpolation)
        shown = ((image + torch.stack(changes)).clamp(0, 1) * 255).round() / 255
        with torch.inference_mode():
            sure, indices = network(shown).softmax(dim=1).max(dim=1)
        labels = tuple(network.labels[i] for i in indices)
        found[photo.key] = Said(labels, tuple(network.class_ids[i] in photo.shows for i in indices), float(sure[0]))
    return found


def test_there_are_eight_from_installed_packages_with_their_licences() -> None:
    photos = sample_photos()
    assert len(photos) >= 8
    assert photos == list(SAMPLE_PHOTOS)
    for photo in photos:
        assert any(word in photo.credit for word in ("CC0", "Apache-2.0", "public domain", "Middlebury")), photo.key
        assert min(photo.open().size) >= 100
        assert photo.shows


@pytest.mark.parametrize("key", IN_WHEELS)
def test_an_imagenet_network_names_them_all_rightly_and_random_signs_leave_that(key: str) -> None:
    assert {photo: said.labels[:2] for photo, said in answers(key).items() if not all(said.right[:2])} == {}


@pytest.mark.parametrize("key", IN_WHEELS)
def test_at_least_five_lose_their_name_under_each_networks_own_pattern(key: str) -> None:
    assert {photo: said.labels for photo, said in answers(key).items() if photo in FALLING and said.right[2]} == {}
    assert len(FALLING) >= 5


@pytest.mark.parametrize("key", WITH_A_PATTERN)
def test_those_that_withstand_are_named_so(key: str) -> None:
    hold = {photo for photo, said in answers(key).items() if said.right[0] and said.labels[0] == said.labels[2]}
    assert {photo.key for photo in SAMPLE_PHOTOS if key in photo.withstands} == hold


def test_one_that_withstands_the_first_pattern_is_kept() -> None:
    assert any(PAGE_MODEL in photo.withstands for photo in SAMPLE_PHOTOS)


@pytest.mark.parametrize("key", NAMED_AT_64)
def test_what_the_small_networks_name_rightly(key: str) -> None:
    assert {photo for photo, said in answers(key).items() if said.right[0]} == NAMED_AT_64[key]


def test_the_page_opens_with_a_sure_answer_that_is_lost() -> None:
    first = first_photo(PAGE_MODEL, None)
    said = answers(PAGE_MODEL)[first.key]
    assert said.right == (True, True, False)
    assert said.sure >= 0.9


def test_a_network_of_few_classes_is_shown_one_of_them_that_falls() -> None:
    classes = {"n02129165", "n07920052"}  # lion, espresso
    assert first_photo("resnet64", classes).key == "lion", "it withstands on the espresso"
    assert first_photo("somebody's", classes).key == "espresso"
    assert first_photo("somebody's", {"n00000000"}).key == SAMPLE_PHOTOS[0].key
