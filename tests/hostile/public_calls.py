"""Calls of the public API with values that no program should hand over: wrong types, wrong ranges, wrong shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from toys import SIDE, VALUES, pictures, seeded, smooth_network, toy_set

import uap_core
from uap_core.attacks.menu import MENU as ATTACKS
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import method_class

NETWORK = smooth_network(0)
X = pictures(4).float() / 255
Y = NETWORK(X).argmax(dim=1)
BALL = uap_core.Ball("linf", 0.1)
PATTERN = uap_core.Perturbation("grey", torch.full((3, SIDE, SIDE), 0.1), BALL)
ODD: tuple[Any, ...] = (None, True, -1, 0.5, 10**400, math.nan, math.inf, "x", "", b"x", [], {}, 1j, object(), (1, 2))


@dataclass(frozen=True)
class Call:
    """A call by its name. ``right`` looks at what it gave, where it gave something; None: it must be refused."""

    name: str
    call: Callable[[], Any]
    right: Callable[[Any], bool] | None = None


class Broken(nn.Module):
    """A network one of whose scores is always ``score``."""

    def __init__(self, score: float) -> None:
        super().__init__()
        self.linear, self.score = nn.Linear(VALUES, 5), score

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1)).index_fill(1, torch.tensor([2]), self.score)


def calls() -> Iterator[Call]:
    """All of them."""
    yield from _pixels()
    yield from _labels()
    yield from _scores()
    yield from _settings()
    yield from _arguments()


def _spoilt(value: float) -> Tensor:
    spoilt = X.clone()
    spoilt[1, 2, 3, 4] = value
    return spoilt


# Each with the share of a level by which results may differ from those of the plain pictures; None: to be refused.
PIXELS: dict[str, tuple[Any, bool]] = {
    **{f"{value} in one": (_spoilt(value), False) for value in (math.nan, math.inf, -math.inf, 1.01, -0.01, 255.0)},
    "0 to 255": (X * 255, False),
    "normalised": ((X - 0.45) / 0.225, False),
    "from -1 to 1": (2 * X - 1, False),
    "divided twice": (X / 255, False),
    "float64": (X.double(), True),
    "half": (X.half(), True),
    "bfloat16": (X.bfloat16(), True),
    "a hair above": (X * 1.000001 + 0.0000005, True),
    "a hair below": (X - 1e-7, True),
    "with a graph": (X.clone().requires_grad_(), True),
    "not in a row": (X.transpose(2, 3).contiguous().transpose(2, 3), True),
    **{str(kind): (pictures(4).to(kind), False) for kind in (torch.int64, torch.int32, torch.int16, torch.complex64)},
    "truth values": (X > 0.5, False),
    "no batch": (X[0], False),
    "channels last": (X.permute(0, 2, 3, 1), False),
    "grey": (X[:, :1], False),
    "four colours": (torch.cat([X, X[:, :1]], dim=1), False),
    "another size": (torch.rand(4, 3, SIDE + 1, SIDE), False),
    "sparse": (X.to_sparse(), False),
    "NumPy": (X.numpy(), False),
    "a list": (X.tolist(), False),
    **{f"{value!r:.20}": (value, False) for value in (None, 3, "photo.png", {}, object)},
}


def _pixels() -> Iterator[Call]:
    doors: dict[str, Callable[[Any], Any]] = {
        "FGSM": lambda x: uap_core.FGSM(0.05)(NETWORK, x, Y).adversarial,
        "PGD": lambda x: uap_core.PGD(0.05, steps=2)(NETWORK, x, Y).adversarial,
        "DeepFool": lambda x: uap_core.DeepFool(iterations=2)(NETWORK, x, Y).adversarial,
        "stream": lambda x: list(uap_core.Square(0.05, 4).stream(NETWORK, x, Y))[-1].adversarial,
        "attack": lambda x: uap_core.attack(NETWORK, x, Y, method="fgsm", epsilon=0.05).adversarial,
        "craft": lambda x: uap_core.craft(NETWORK, x, budget=8, method="spgd").pattern,
        "SPGD": lambda x: list(uap_core.SPGD(budget=8).craft(NETWORK, x, BALL, seeded(0)))[-1].perturbation,
        "evaluate": lambda x: uap_core.evaluate(NETWORK, PATTERN, x).universal.value,
        "Perturbation.apply": PATTERN.apply,
        "apply": lambda x: uap_core.apply(x, PATTERN.pattern),
        "ImageSet": lambda x: uap_core.ImageSet("x", x, ("",) * 4, tuple("abcd")).images(),
    }
    for door, call in doors.items():
        usual = torch.as_tensor(call(X)).double()
        for name, (x, fits) in PIXELS.items():
            if (door, name) != ("ImageSet", "another size"):  # a set is of no network
                yield Call(f"{door} of pixels, {name}", partial(call, x), partial(_near, usual) if fits else None)


def _near(usual: Tensor, found: Any) -> bool:
    """The same up to the precision of 16-bit floats; where the sign of a tiny gradient decides, for nearly all values."""
    differs = (torch.as_tensor(found).double() - usual).abs() > 0.01
    return float(differs.double().mean()) < 0.05


LABELS: dict[str, tuple[Any, bool]] = {
    **{str(kind): (Y.to(kind), True) for kind in (torch.int8, torch.int16, torch.int32, torch.uint8, torch.uint16)},
    **{str(kind): (Y.to(kind), False) for kind in (torch.float32, torch.complex64, torch.bool)},
    "too few": (Y[:2], False),
    "a column": (Y[:, None], False),
    "below": (Y - 9, False),
    "above": (Y + 9, False),
    "one of each class": (torch.eye(5)[Y], False),
    "NumPy": (Y.numpy(), False),
    "a list": (Y.tolist(), False),
    **{f"{value!r:.20}": (value, False) for value in ODD[1:] if value != "x"},
}


def _labels() -> Iterator[Call]:
    usual = uap_core.FGSM(0.05)(NETWORK, X, Y).adversarial.double()
    into = uap_core.FGSM(0.05)(NETWORK, X, Y, True).adversarial.double()
    for name, (y, fits) in LABELS.items():
        right = partial(_near, usual) if fits else None
        yield Call(f"labels, {name}", lambda y=y: uap_core.FGSM(0.05)(NETWORK, X, y).adversarial, right)
        yield Call(
            f"target, {name}",
            lambda y=y: uap_core.attack(NETWORK, X, target=y, method="fgsm", epsilon=0.05).adversarial,
            partial(_near, into) if fits else None,
        )
        yield Call(f"craft into, {name}", lambda y=y: uap_core.craft(NETWORK, X, budget=8, method="spgd", target=y))


def _scores() -> Iterator[Call]:
    doors: dict[str, Callable[[nn.Module], Any]] = {
        **{key: partial(_attacked, key) for key in ATTACKS},
        **{key: partial(_crafted, key) for key in METHODS if key != "singular"},
        "evaluate": lambda network: uap_core.evaluate(network, PATTERN, X),
    }
    for score in (math.nan, math.inf, -math.inf):
        for door, call in doors.items():
            yield Call(f"{door} of a network with {score}", partial(call, Broken(score)))


def _attacked(key: str, network: nn.Module) -> Any:
    attack = ATTACKS[key].build(0.05, 1, False)
    return attack(network, X, Y, attack.targeted_only)


def _crafted(key: str, network: nn.Module) -> Any:
    return uap_core.craft(network, X, budget=8, method=key)


def _settings() -> Iterator[Call]:
    kinds = {type(item.build(0.1, 1, False)) for item in ATTACKS.values()} | {method_class(key) for key in METHODS}
    for kind in sorted(kinds, key=lambda kind: kind.__name__):
        for field in fields(kind):
            for value in ODD:
                if field.init:
                    name = f"{kind.__name__}({field.name}={value!r:.20})"
                    yield Call(name, partial(kind, **{field.name: value}), partial(_of_its_type, field.name, str(field.type)))


def _of_its_type(name: str, stated: str, made: Any) -> bool:
    value, kinds = getattr(made, name), stated.split(" | ")
    if value is None or isinstance(value, (bool, str)):
        return {None: "None", True: "bool", False: "bool"}.get(value, "str") in kinds
    if isinstance(value, tuple):
        return stated == "tuple[int, ...]" and all(type(one) is int for one in value)
    whole = isinstance(value, int) and abs(value) < 2**63
    return whole or (isinstance(value, float) and "float" in kinds and (math.isfinite(value) or name == "p"))


def _arguments() -> Iterator[Call]:
    held = toy_set("set", 4, 0)
    photo = uap_core.open_image(uap_core.png_bytes(X[:1]))
    for value in ODD:
        shown = f"{value!r:.20}"
        for name, call in {
            "Ball radius": lambda v: uap_core.Ball("linf", v),
            "Ball p": lambda v: uap_core.Ball(v, 0.1),
            "craft epsilon": lambda v: uap_core.craft(NETWORK, X, v, budget=8, method="spgd"),
            "craft p": lambda v: uap_core.craft(NETWORK, X, p=v, budget=8),
            "craft method": lambda v: uap_core.craft(NETWORK, X, method=v, budget=8),
            "craft budget": lambda v: uap_core.craft(NETWORK, X, budget=v, method="spgd"),
            "craft networks": lambda v: uap_core.craft(v, X, budget=8),
            "attack network": lambda v: uap_core.attack(v, X),
            "attack method": lambda v: uap_core.attack(NETWORK, X, method=v),
            "evaluate network": lambda v: uap_core.evaluate(v, PATTERN, held),
            "evaluate pattern": lambda v: uap_core.evaluate(NETWORK, v, held),
            "evaluate images": lambda v: uap_core.evaluate(NETWORK, PATTERN, v),
            "Perturbation pattern": lambda v: uap_core.Perturbation("v", v, BALL),
            "Perturbation ball": lambda v: uap_core.Perturbation("v", PATTERN.pattern, v),
            "apply pattern": lambda v: uap_core.apply(X, v),
            "wrap module": lambda v: uap_core.wrap(v),
            "wrap mean": lambda v: uap_core.wrap(NETWORK.network, mean=v),
            "open_image": uap_core.open_image,
            "open_image_set": lambda v: uap_core.open_image_set(v, None, 8, 8),
            "load_model": uap_core.load_model,
            "load_perturbation": uap_core.load_perturbation,
            "save_perturbation": lambda v: uap_core.save_perturbation(PATTERN, v),
            "preprocess resize": lambda v: uap_core.preprocess(photo, v, 8),
            "preprocess interpolation": lambda v: uap_core.preprocess(photo, 8, 8, v),
            "png_bytes": uap_core.png_bytes,
            "compare keys": lambda v: list(islice(uap_core.compare(NETWORK, X[:1], PATTERN, v), 1)),
            "epsilon_sweep": lambda v: list(islice(uap_core.epsilon_sweep(NETWORK, PATTERN, held, seeded(0), (v,)), 1)),
        }.items():
            yield Call(f"{name}: {shown}", partial(call, value), _something if _meant(name, value) else None)


# What of ODD is right in its place after all.
MEANT: dict[str, tuple[Any, ...]] = {
    "Ball radius": (0.5,),
    "craft epsilon": (0.5,),
    "epsilon_sweep": (0.5,),
    "compare keys": ([],),
}


def _meant(name: str, value: Any) -> bool:
    return any(type(value) is type(one) and value == one for one in MEANT.get(name, ()))


def _something(found: Any) -> bool:
    return found is not None
