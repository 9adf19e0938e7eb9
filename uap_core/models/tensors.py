"""A file of weights as named tensors. Nothing that could run code is ever unpickled."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from uap_core.models.caffe_squeezenet import read_caffe

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params", "model_state")
PUT_BEFORE = ("module.", "_orig_mod.")  # every name, by training on several devices and by torch.compile


class UnfitError(ValueError):
    """A file of weights is not those of one network alone; it says why, as a sentence that follows another one."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, of torch's .pth, or of the Caffe SqueezeNet's .pkl (whose hash the caller checked).

    Raises what safetensors and torch raise, or pickle.UnpicklingError, for any other file.
    """
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return state_dict(load_file(path))
    if path.suffix == ".pkl":
        return read_caffe(path)
    return state_dict(torch.load(path, weights_only=True, map_location="cpu"))


def state_dict(held: object) -> dict[str, Tensor]:
    """The weights in what torch.load gave: bare, or under one of the usual names; without what PUT_BEFORE every name; floats
    of 16 and 64 bits as 32-bit ones.

    Raises UnfitError when there are no tensors by name, or those of two networks, such as one and its running mean.
    """
    for _depth in range(len(WRAPPERS)):  # a file may hold itself
        # Beside the weights there may be other tensors: an accuracy, say. Within a network's own there is no dictionary.
        chosen = next((name for name in WRAPPERS if isinstance(held.get(name), dict)), None) if isinstance(held, dict) else None
        if chosen is None or not isinstance(held, dict):
            break
        weights = _named(held[chosen])
        once = {id(value): (name, value) for name, value in held.items()}  # by however many names
        for name, other in once.values():
            if other is not held[chosen] and _is_another(weights, _named(other)):
                raise UnfitError(f"It holds two networks, {chosen!r} and {str(name)!r}. Save the one that is meant alone.")
        held = held[chosen]
    if not (tensors := _named(held)):
        raise UnfitError("It holds no tensors by name. Save the state dict alone: torch.save(model.state_dict(), file).")
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}


def fitting(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """``tensors`` by the names of ``own``: where all of them have something more before, as in "model.conv1.weight", without.

    Raises UnfitError for whole numbers where the network has others, and for a network that is only a part of the file.
    """
    if not set(own) <= set(tensors):
        last = next(reversed(own), "")
        before = {name.removesuffix(last) for name in tensors if name.endswith(f".{last}")}
        parts = sorted(part for part in before if all(part + name in tensors for name in own))
        if len(parts) == 1 and len(tensors) == len(own):
            tensors = {name: tensors[parts[0] + name] for name in own}
        elif parts:
            raise UnfitError(
                f"The network is a part of it, {' or '.join(map(repr, parts))}. Save the state dict of that alone."
            )
    for name, value in own.items():
        if name in tensors and value.is_floating_point() and not tensors[name].is_floating_point():
            kind = str(tensors[name].dtype).rpartition(".")[2]
            raise UnfitError(f"{name} holds {kind}: it is quantised. Save the weights as floats.")
    return tensors


def _named(held: object) -> dict[str, Tensor]:
    """The tensors of a dictionary, without what stands before every name."""
    named = {str(name): value for name, value in held.items() if isinstance(value, Tensor)} if isinstance(held, dict) else {}
    while before := next((word for word in PUT_BEFORE if named and all(name.startswith(word) for name in named)), ""):
        named = {name.removeprefix(before): value for name, value in named.items()}
    return named


def _is_another(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether ``other`` has the names of ``one``, and other values."""
    return bool(one) and set(one) == set(other) and not all(torch.equal(value, other[name]) for name, value in one.items())
