"""What the linear layers of a network give: for modules and exported programs alike, since the operations are watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier

LINEAR = ("conv2d", "convolution", "linear", "addmm")  # torch's names: of layers, and of the operations of exported programs


def layer_outputs(network: Classifier, images: Tensor) -> list[Tensor]:
    """Outputs (n,...) of all convolutions and fully connected layers on ``images`` (n,3,H,W), in the order of their use.

    They are as the pass leaves them: of a network that rectifies in place the rectified ones. Raises SettingError for a network
    that has no such layers.
    """
    return answers_and_outputs(network, images)[1]


def answers_and_outputs(network: Classifier, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The logits (n,K) on ``images`` (n,3,H,W) and, from the same pass, what ``layer_outputs`` gives. Raises as that does."""
    with _Watched() as watched:
        logits = network(images)
    if not watched.outputs:
        raise SettingError(
            f"{network.card.name} has no convolutions or fully connected layers, so there is nothing to make louder. Choose a "
            "method that looks at the answers."
        )
    return logits, watched.outputs


class _Watched(TorchFunctionMode):
    """Keeps the results of linear layers that are computed inside the context."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: list[Tensor] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "").partition(".")[0] in LINEAR:
            self.outputs.append(result)
        return result
