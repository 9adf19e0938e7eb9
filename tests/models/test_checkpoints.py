"""How checkpoints of others really look: wrapped, of other types, of more or fewer classes; and what programs give."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from uap_core.errors import ModelError
from uap_core.models.card import Card
from uap_core.models.libraries import import_torchvision
from uap_core.models.loaders import load
from uap_core.models.tensors import state_dict

SIDE, CLASSES = 64, 4
State = dict[str, Tensor]


def _holding_itself() -> dict[str, Any]:
    held: dict[str, Any] = {}
    held["model"] = held
    return held


WRAPPED: dict[str, Callable[[State], Any]] = {
    "16 bits": lambda state: {name: value.half() for name, value in state.items()},
    "bfloat16": lambda state: {name: value.bfloat16() for name, value in state.items()},
    "module.": lambda state: {f"module.{name}": value for name, value in state.items()},
    "state_dict": lambda state: {"state_dict": state, "epoch": 3},
    "an accuracy beside it": lambda state: {"state_dict": state, "best_acc1": torch.tensor(76.1), "epoch": 3},
    "compiled": lambda state: {f"module._orig_mod.{name}": value for name, value in state.items()},
    "lightning": lambda state: {"state_dict": {f"model.{name}": value for name, value in state.items()}, "epoch": 3},
    "a twin of equal weights": lambda state: {
        "model": state,
        "best": {f"module.{name}": value for name, value in state.items()},
    },
    "model, module.": lambda state: {"model": {f"module.{name}": value.half() for name, value in state.items()}},
}
UNFIT: dict[str, tuple[Callable[[State], Any], str]] = {
    "a NumPy number": (lambda state: {"state_dict": state, "best": np.float64(1)}, "holds more than tensors"),
    "fewer classes": (
        lambda state: {name: value[:3] if name.startswith("classifier") else value for name, value in state.items()},
        r"has the shape \[3.*in the network \[4.*number of classes",
    ),
    "its mean beside it": (
        lambda state: {"model": state, "ema": {name: value * 0.5 for name, value in state.items()}},
        "holds two networks, 'model' and 'ema'",
    ),
    "a part of a network": (
        lambda state: {f"1.{name}": value for name, value in state.items()} | {"0.mean": torch.zeros(3)},
        r"The network is a part of it, '1\.'",
    ),
    "itself": (lambda state: _holding_itself(), "holds no tensors by name"),
    "8 bits": (lambda state: {name: value.to(torch.int8) for name, value in state.items()}, "holds int8: it is quantised"),
    "a list": (lambda state: [state], "holds no tensors by name"),
    "a layer less": (lambda state: dict(list(state.items())[1:]), r"lacks features\.0\.weight"),
    "a layer more": (lambda state: state | {"more.bias": torch.zeros(1)}, r"network has no more\.bias"),
}


def squeezenet() -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = import_torchvision().models.squeezenet1_1(weights=None, num_classes=CLASSES)
    return network


def card(path: Path, kind: str, **more: Any) -> Card:
    classes = [{"name": str(i)} for i in range(CLASSES)]
    common = {"key": "mine", "name": "Mine", "licence": "", "source": "", "input_size": SIDE, "resize_size": SIDE}
    return Card(**common, kind=kind, weights=path.name, folder=path.parent, classes=classes, **more)


def opened(held: Any, tmp_path: Path) -> Tensor:
    torch.save(held, tmp_path / "w.pth")
    network = load(card(tmp_path / "w.pth", "torchvision", architecture="squeezenet1_1", options={"num_classes": CLASSES}))
    return network(torch.full((1, 3, SIDE, SIDE), 0.5))


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_wrapped_state_dict_is_the_same_network(kind: str, tmp_path: Path) -> None:
    state = squeezenet().state_dict()
    found = opened(WRAPPED[kind](state), tmp_path)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, opened(state, tmp_path), rtol=0.05, atol=0.01)


@pytest.mark.parametrize("kind", UNFIT)
def test_what_does_not_fit_is_named(kind: str, tmp_path: Path) -> None:
    change, sentence = UNFIT[kind]
    with pytest.raises(ModelError, match=sentence):
        opened(change(squeezenet().state_dict()), tmp_path)


class Program(nn.Module):
    """Scores, given as ``gives`` makes them."""

    def __init__(self, gives: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, CLASSES, 8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.gives = gives

    def forward(self, x: Tensor) -> Any:
        return self.gives(self.layers(x))


@pytest.mark.parametrize(
    ("gives", "dtype", "sentence"),
    [
        (lambda y: {"boxes": y, "scores": y}, torch.float32, "gives a dict where its scores"),
        (lambda y: (y, 2 * y), torch.float32, "gives a tuple where its scores"),
        (lambda y: y, torch.float16, r"computes in float16, .*model\.float\(\)"),
    ],
    ids=["dict", "tuple", "16 bits"],
)
def test_an_exported_program_that_gives_or_wants_something_else(
    gives: Callable[[Tensor], Any], dtype: torch.dtype, sentence: str, tmp_path: Path
) -> None:
    x, batch = torch.rand(2, 3, SIDE, SIDE, dtype=dtype), torch.export.Dim("batch", min=1, max=512)
    program = torch.export.export(Program(gives).eval().to(dtype), (x,), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "w.pt2")
    with pytest.raises(ModelError, match=sentence):
        load(card(tmp_path / "w.pt2", "exported"))


@pytest.mark.parametrize("gives", [lambda y: {"logits": y}, lambda y: (y,)], ids=["dict", "tuple"])
def test_an_exported_program_whose_scores_stand_alone(gives: Callable[[Tensor], Any], tmp_path: Path) -> None:
    x, batch = torch.rand(2, 3, SIDE, SIDE), torch.export.Dim("batch", min=1, max=512)
    module = Program(gives).eval()
    torch.export.save(torch.export.export(module, (x,), dynamic_shapes=({0: batch},)), tmp_path / "w.pt2")
    torch.testing.assert_close(load(card(tmp_path / "w.pt2", "exported"))(x), module.layers(x))


def test_one_that_stands_under_many_names_is_looked_at_once() -> None:
    weights = {str(number): torch.zeros(1) for number in range(3_000)}
    other = {f"other {number}": torch.zeros(1) for number in range(3_000)}
    started = time.process_time()
    assert len(state_dict({"model": weights, **{f"copy {number}": other for number in range(3_000)}})) == 3_000
    assert time.process_time() - started < 2
