"""Transformers of torchvision and timm take the same way as convolutional networks: load, fold, craft, evaluate, bound.

Their weights are made here, at random; of torchvision's twelve blocks two are built, to save time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision_names import tv_models
from toys import pictures

from uap_core import craft, evaluate
from uap_core.bounds.network import layers
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.models.features import features_at
from uap_core.models.fusion import fold_batch_norm
from uap_core.models.libraries import import_timm
from uap_core.models.loaders import load
from uap_core.models.weights import file_hash

SIDE = 32
CLASSES = [{"name": name, "wnid": ""} for name in "abcde"]
Loaded = tuple[Classifier, nn.Module]


def card_of(kind: str, architecture: str, options: dict[str, int], path: Path) -> Card:
    stated = {"licence": "none", "source": "made in a test", "classes": CLASSES, "options": options}
    named = {"architecture": architecture, "sha256": file_hash(path), "folder": path.parent}
    return Card("mine", architecture, kind, path.name, SIDE, SIDE, **stated, **named)


def spread(network: nn.Module) -> nn.Module:
    """Random weights large enough that answers differ from picture to picture: heads begin at zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                weight.copy_(torch.randn(weight.shape, generator=generator) * weight[0].numel() ** -0.5)
    return network.eval()


@pytest.fixture(scope="module", params=["torchvision", "timm"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    path = tmp_path_factory.mktemp("transformer") / "w.pth"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "torchvision":
            module, options = tv_models.vision_transformer, {"image_size": SIDE, "num_classes": 5}
            whole: Callable[..., nn.Module] = module.VisionTransformer
            patch.setattr(module, "VisionTransformer", lambda **told: whole(**(told | {"num_layers": 2})))
            name, build = "vit_b_16", partial(tv_models.get_model, "vit_b_16", weights=None)
        else:
            name, options = "vit_tiny_patch16_224", {"img_size": SIDE, "num_classes": 5}
            build = partial(import_timm().create_model, name, pretrained=False)
        theirs = spread(build(**options))
        torch.save(theirs.state_dict(), path)
        return load(card_of(request.param, name, options, path)), theirs


def images(count: int = 32) -> Tensor:
    return pictures(count, seed=1, side=SIDE)


def test_it_answers_as_the_librarys_own(loaded: Loaded) -> None:
    network, theirs = loaded
    x = images(4).float() / 255
    with torch.inference_mode():
        torch.testing.assert_close(network(x), theirs(network.network[0](x)), rtol=1e-3, atol=1e-3)


def test_there_is_nothing_to_fold_and_nothing_is_lost(loaded: Loaded) -> None:
    _, theirs = loaded
    before = [name for name, _ in theirs.named_modules()]
    assert [name for name, _ in fold_batch_norm(theirs).named_modules()] == before


def test_a_pattern_is_crafted_and_evaluated(loaded: Loaded) -> None:
    network, _ = loaded
    pattern = craft(network, images(16), epsilon=20 / 255, budget=64)
    found = evaluate(network, pattern, images(16))
    assert pattern.norms.linf <= 20 / 255 + 1e-6
    assert found.universal.value > 0.2


def test_its_last_maps_are_its_patches(loaded: Loaded) -> None:
    """After them there are tokens, which lie on no grid: methods that look at a hidden layer look at these."""
    network, _ = loaded
    maps = features_at(network, 16)(images(2).float() / 255)
    assert maps.shape[2:] == (2, 2)


def test_no_bound_is_known_of_attention_and_the_row_says_so(loaded: Loaded) -> None:
    network, _ = loaded
    first = next(row for row in layers(network.network, SIDE) if row.reason)  # the rest takes seconds and cannot undo it
    assert "two things that depend on the picture" in first.reason or "operation" in first.reason
    assert first.running == float("inf")
