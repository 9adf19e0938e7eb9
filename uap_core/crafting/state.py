"""The state of a crafting run, in one file: a run that was stopped continues to the same result."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from uap_core.errors import PerturbationError
from uap_core.io.atomic import whole_file

COUNTERS = ("step", "image_gradients", "seconds", "reached", "seen", "pass_end")


@dataclass
class State:
    """What changes while a pattern is crafted.

    pattern: (3,H,W) in units of [0,1]. memory: what a method carries from step to step, its momentum say. generator: the only
    source of randomness. order: the indices (n,) that this pass over the images has still to see. reached: the rate aimed at
    was measured, so the run is over before its budget is spent. seen, pass_end: of methods that count passes, the images seen,
    and those at the end of this pass.
    """

    pattern: Tensor
    generator: torch.Generator
    memory: dict[str, Tensor] = field(default_factory=dict)
    order: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.long))
    step: int = 0
    image_gradients: int = 0
    seconds: float = 0.0
    reached: bool = False
    seen: int = 0
    pass_end: int = 0

    def next_batch(self, count: int, size: int) -> Tensor:
        """The next ``size`` of ``count`` images, reshuffled at every pass; a smaller set comes whole.

        A pass that does not divide by ``size`` ends with the rest, filled up from the next pass, so no image is left out.
        """
        if count <= size:
            return torch.arange(count)
        if len(self.order) < size:
            fresh = torch.randperm(count, generator=self.generator)
            rest = self.order
            # Images already in this batch go to the end of the new pass: no batch holds an image twice.
            self.order = torch.cat([rest, fresh[~torch.isin(fresh, rest)], rest])
        batch, self.order = self.order[:size], self.order[size:]
        return batch


def save_state(state: State, path: Path, fingerprint: str) -> None:
    """Write atomically, so that a process killed while saving keeps the last whole file.

    ``fingerprint`` names the run, so that another one is not continued by mistake. Raises PerturbationError with the reason
    when the disk does not take it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save

    tensors = {"pattern": state.pattern, "generator": state.generator.get_state(), "order": state.order}
    tensors |= {f"memory.{name}": value for name, value in state.memory.items()}
    counters = {name: getattr(state, name) for name in COUNTERS}
    data = save(
        {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()},
        {"fingerprint": fingerprint, "counters": json.dumps(counters)},
    )
    try:
        with whole_file(path) as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PerturbationError(
            f"The run's state could not be saved to {path.name!r}: {reason}. Make room, then go on."
        ) from error


def load_state(path: Path, fingerprint: str, generator: torch.Generator, device: torch.device) -> State:
    """Read what ``save_state`` wrote, to ``device``; ``generator`` is set to where the run left it.

    Raises PerturbationError for the state of another run, or a file that is not a state.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as archive:
            header = archive.metadata() or {}
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 - not a dict
        if header.get("fingerprint") != fingerprint:
            raise PerturbationError(
                f"{path.name!r} holds another run: its method, settings, images, networks or seed differ. Choose "
                "another file, or delete it to start again."
            )
        generator.set_state(tensors.pop("generator"))
        pattern, order = tensors.pop("pattern").to(device), tensors.pop("order")
        memory = {name.removeprefix("memory."): value.to(device) for name, value in tensors.items()}
        return State(pattern, generator, memory, order, **json.loads(header["counters"]))
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise PerturbationError(f"{path.name!r} is not the saved state of a run.") from error
