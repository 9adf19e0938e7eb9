"""Visitors compute while others load networks: neither is disturbed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from uap_core.models.classifier import Classifier
from uap_core.models.zoo import Zoo

KEYS = ("resnet64", "separable64", "vgg64")


def test_a_network_computes_while_others_are_loaded(classifier: Classifier) -> None:
    """Loading traces a network, for which torch replaces what every layer of every network is called by."""
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    call, over = nn.Module.__call__, threading.Event()
    with torch.inference_mode():
        expected = classifier(picture)

    def compute() -> int:
        times = 0
        while not over.is_set():
            with torch.inference_mode():
                assert torch.equal(classifier(picture), expected)
            times += 1
        return times

    def load(number: int) -> torch.Tensor:
        with torch.inference_mode():
            return Zoo().load(KEYS[number % 3])(picture)

    with ThreadPoolExecutor(4) as visitors:
        computing = visitors.submit(compute)
        try:
            found = list(visitors.map(load, range(18)))
        finally:
            over.set()
        assert computing.result() > 10
    assert nn.Module.__call__ is call
    for number, scores in enumerate(found):
        assert scores.numpy() == pytest.approx(found[number % 3].numpy(), abs=1e-5)
