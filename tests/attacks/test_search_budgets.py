"""The menu's searches for the least c come within 1.15 of what they find with many times the effort.

FOUND are the l2 lengths into the runner-up on sample photographs, the least of each attack with 14 values of c and 80 or 120
steps for each (12 and 30 or 60 on Lite0): minutes of work, done once.
"""

from __future__ import annotations

import math

import pytest
import torch

from uap_core import load_model
from uap_core.attacks.criterion import Criterion, runner_up
from uap_core.attacks.menu import MENU
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import preprocess

ENOUGH = 1.15
PHOTOGRAPHS = ("running", "lion")
FOUND = {
    ("resnet64", "lbfgs"): (0.0113, 0.1067),
    ("resnet64", "penalty"): (0.0114, 0.1067),
    ("resnet64", "hinge"): (0.0087, 0.1013),
    ("resnet64", "carlini-wagner"): (0.0086, 0.1013),
    ("efficientnet_lite0", "lbfgs"): (0.2484,),
    ("efficientnet_lite0", "penalty"): (0.2530,),
    ("efficientnet_lite0", "hinge"): (0.2377,),
}


@pytest.mark.parametrize(("network", "key"), FOUND, ids=lambda word: word)
def test_a_search_of_the_menu_is_nearly_converged(network: str, key: str) -> None:
    classifier, found = load_model(network), FOUND[network, key]
    named = {photo.key: photo for photo in sample_photos()}
    photos = [named[name] for name in PHOTOGRAPHS[: len(found)]]
    x = torch.cat([preprocess(photo.open(), classifier.card.resize_size, classifier.size) for photo in photos])
    with torch.no_grad():
        criterion = Criterion.into(runner_up(classifier(x)))
    result = MENU[key].build(10 / 255, 1, False)(classifier, x, criterion)
    assert result.success.all()
    ratios = [float(length) / least for length, least in zip(result.l2, found, strict=True)]
    assert math.prod(ratios) ** (1 / len(ratios)) < ENOUGH, ratios


@pytest.mark.parametrize("key", ["lbfgs", "penalty", "hinge", "carlini-wagner"])
def test_thorough_multiplies_the_values_of_c_too(key: str) -> None:
    quick, thorough = (MENU[key].build(0.1, effort, False) for effort in (1, 4))
    assert thorough.search_steps == 2 * quick.search_steps
    assert thorough.search_steps * thorough.iterations == 4 * quick.search_steps * quick.iterations
