"""Make a classifier of any network of your own: the door for modules that no card describes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from uap_core.checks import check_number, check_type, check_whole, shown
from uap_core.errors import ModelError, SettingError
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Normalise

BLACK, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def wrap(
    module: nn.Module,
    mean: Sequence[float] = BLACK,
    std: Sequence[float] = ONE,
    labels: Sequence[str] = (),
    size: int | tuple[int, int] | None = None,
    name: str = "",
) -> Classifier:
    """Make a classifier of any module that maps an image batch (N,3,H,W) to logits (N,K).

    The module stays yours: its weights are not copied, and it is in evaluation mode and frozen only while it is asked. Ask one
    in training mode from one thread at a time: another would see it put back in the middle.
    Attacks and crafting methods take a bare module too and wrap it themselves; wrap it once where it is asked often.

    Args:
        module: your network, on any device.
        mean: per channel, red, green, blue; pixels in [0,1] become (x - mean) / std before ``module`` sees them.
        std: per channel. Without ``mean`` and ``std`` the module takes pixels in [0,1].
        labels: the K names of the classes; numbers when left out.
        size: side of the square input in pixels, or (height, width). Left out, images of any size are handed on.
        name: what provenance and messages call it; the module's class when left out.

    Raises:
        SettingError: ``mean``, ``std`` or ``size`` is no such thing.
        ModelError: ``module`` does not take images of ``size``, or gives other than one score for each label.

    Example:
        >>> import torch, uap_core
        >>> module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 6, 2))
        >>> mine = uap_core.wrap(module, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), labels=("cat", "dog"), size=(4, 6))
        >>> mine.labels[int(mine(torch.rand(1, 3, 4, 6)).argmax())] in ("cat", "dog")
        True
    """
    check_type("a network", module, nn.Module, "a torch.nn.Module that maps pixels to logits")
    for listed, called in ((mean, "mean"), (std, "std"), (labels, "labels")):
        check_type(called, listed, (tuple, list), "a tuple or a list")
    check_type("name", name, str, "a text")
    shape = _shape(size)
    title = name or type(module).__name__
    card = Card(title, title, "wrapped", "", shape[0] if shape and shape[0] == shape[1] else 0, 0, "", "a module of its user")
    network = nn.Sequential(_normaliser(module, mean, std), module) if (*mean, *std) != (*BLACK, *ONE) else module
    wrapped = Wrapped(network, card, tuple(labels))
    wrapped.shape = shape
    if shape:
        wrapped.ask(shape)
    return wrapped


def as_classifier(network: nn.Module) -> Classifier:
    """A classifier unchanged; any other module wrapped. Raises SettingError for what is no module."""
    check_type("a network", network, nn.Module, "a torch.nn.Module that maps pixels to logits")
    return network if isinstance(network, Classifier) else wrap(network)


def as_classifiers(networks: nn.Module | Sequence[nn.Module]) -> tuple[Classifier, ...]:
    """One network or several as classifiers. Raises SettingError for none, and for what is no module."""
    if not isinstance(networks, nn.Module):
        check_type("networks", networks, Iterable, "a torch.nn.Module or several")
    found = tuple(map(as_classifier, (networks,) if isinstance(networks, nn.Module) else networks))
    if not found:
        raise SettingError("A pattern needs a network, or several that take images of the same size.")
    return found


class Wrapped(Classifier):
    """A wrapped module that is never changed: evaluation mode and freezing last for a forward pass only."""

    def _hold_still(self) -> None:
        """Nothing is set for good."""

    def forward(self, images: Tensor) -> Tensor:
        """See ``Classifier.forward``. Raises ModelError for anything but logits, one for each label."""
        with held_still(self.network):
            found = scores_in(self.network(self.fitting(images).clone()))  # networks of others may write into what they get
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(images) or not found.is_floating_point():
            raise ModelError(
                f"{self.card.name} must return logits, one row of scores a picture, and gives {_given(found)}. Wrap a module "
                "that returns only those."
            )
        if found.shape[1] < 2:
            raise ModelError(f"{self.card.name} gives one score a picture; a classifier has at least two classes.")
        if self.labels and found.shape[1] != len(self.labels):
            raise ModelError(
                f"{self.card.name} gives {found.shape[1]} scores a picture, and {len(self.labels)} labels were named."
            )
        self.labels = self.labels or tuple(map(str, range(found.shape[1])))
        return self.checked(found).to(images.device)

    def learn_classes(self, images: Tensor) -> None:
        """See ``Classifier.learn_classes``: asks the network about one black picture, unless it was asked before."""
        if not self.labels:
            self.ask((images.shape[2], images.shape[3]))

    @torch.no_grad()
    def ask(self, shape: tuple[int, int]) -> None:
        """Raise ModelError unless the network takes images of ``shape`` (H,W) as its wrapping says."""
        try:
            found = self(torch.zeros(2, 3, *shape, dtype=self.dtype))
            if found.min() >= 0 and bool(((found.double().sum(dim=1) - 1).abs() < 1e-3).all()):
                raise ModelError(
                    f"{self.card.name} seems to give probabilities, of which attacks learn little. Wrap it without its last "
                    "softmax."
                )
        except ModelError:
            raise
        except Exception as error:  # an unknown network may raise anything
            if len(kinds := {weight.dtype for weight in self.parameters() if weight.is_floating_point()}) > 1:
                raise ModelError(
                    f"{self.card.name} has weights of {_kinds(kinds)} and does not convert what goes from one to the "
                    f"other: {error}. Give it in one precision, as `module.float()`."
                ) from error
            raise ModelError(f"{self.card.name} does not take images of 3 x {shape[0]} x {shape[1]} values: {error}") from error

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the present weights."""
        digest = hashlib.sha256()
        for name, tensor in self.network.state_dict().items():
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    @weights_hash.setter
    def weights_hash(self, value: str) -> None:
        """Compute it from the present weights."""


def scores_in(found: object) -> object:
    """What a network returned, or its scores where it is clear which those are: called "logits", or alone in a row."""
    named = found.get("logits") if isinstance(found, dict) else getattr(found, "logits", None)
    if isinstance(named, Tensor):
        return named
    held = list(found.values()) if isinstance(found, dict) else found
    return held[0] if isinstance(held, (tuple, list)) and len(held) == 1 else found


class OnlyScores(nn.Module):
    """A network of which ``scores_in`` finds the scores."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> object:
        """The scores (N,K)."""
        return scores_in(self.network(x))


@contextmanager
def held_still(module: nn.Module) -> Iterator[None]:
    """Put ``module`` into evaluation mode and freeze it inside the context; restore every part afterwards.

    What a forward pass records of the graph stays recorded: gradients reach the images later, and never the weights.
    """
    training = [part for part in module.modules() if part.training]
    learning = [weight for weight in module.parameters() if weight.requires_grad]
    for part in training:
        part.training = False
    for weight in learning:
        weight.requires_grad = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
        for weight in learning:
            weight.requires_grad = True


def _given(found: object) -> str:
    """What a network returned, in words."""
    if isinstance(found, Tensor):
        return f"{tuple(found.shape)} of {str(found.dtype).rpartition('.')[2]}"
    if isinstance(found, dict):
        return f"a dictionary of {', '.join(map(repr, list(found)[:4]))}"
    return f"{shown(found)} of {len(found)}" if isinstance(found, (tuple, list)) else shown(found)


def _kinds(kinds: set[torch.dtype]) -> str:
    """Their names, as "float16 and float32"."""
    return " and ".join(sorted(str(kind).rpartition(".")[2] for kind in kinds))


def _shape(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2:
        raise SettingError(f"A size is a number of pixels, or (height, width), not {len(sides)} numbers.")
    for side in sides:
        check_whole("a size in pixels", side, least=1)
    return int(sides[0]), int(sides[1])


def _normaliser(module: nn.Module, mean: Sequence[float], std: Sequence[float]) -> nn.Module:
    for value in (*mean, *std):
        check_number("a mean or std", value)
    values = [float(value) for value in (*mean, *std)]
    if len(mean) != 3 or len(std) != 3 or not all(map(math.isfinite, values)) or min(values[3:]) <= 0:
        raise SettingError("Mean and std are three numbers each, for red, green and blue in [0,1], and std above 0.")
    like = next((tensor for tensor in module.parameters() if tensor.is_floating_point()), torch.empty(0))
    return Normalise(tuple(values[:3]), tuple(values[3:])).to(like)
