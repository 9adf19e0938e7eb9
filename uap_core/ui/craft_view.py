"""What the Craft tab shows of a pattern: its picture, the photograph under it, its numbers, and the words about a run."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from uap_core.crafting.menu import called
from uap_core.experiments.exhibit import amplified
from uap_core.library import verdict
from uap_core.ui.widgets import facts, picture_file, size_in_words

if TYPE_CHECKING:
    from uap_core.experiments.evaluation import Evaluation
    from uap_core.experiments.evolution import Stage
    from uap_core.experiments.exhibit import Exhibit

NOT_KNOWN = "not known"


def pattern_picture(values: np.ndarray) -> str:
    """A pattern (3,S,S), amplified, as a file for an image component."""
    return picture_file(amplified(values.transpose(1, 2, 0)))


def before_and_now(view: Exhibit) -> str:
    """What the network says of the photograph without the pattern and with it: always two lines, so that nothing jumps."""
    (was, sure), (now, now_sure) = view.before[0], view.after[0]
    kind = "fooled" if view.fooled else "held" if view.linf else "plain"
    return (
        f'<div class="verdict {kind}">Now: <b>{escape(now)}</b>, {now_sure:.0%} sure'
        f"<small>Before: {escape(was)}, {sure:.0%} sure.</small></div>"
    )


def numbers(name: str, provenance: dict[str, Any], linf: float, l2: float, held_out: str = "", signs: str = "") -> str:
    """Where a pattern comes from and what it does, always in the same rows. Without ``held_out`` and ``signs``, what was
    measured while it came into being, those are what its provenance states."""
    seconds, stated = provenance.get("seconds"), provenance.get("held_out", {}).get("random_signs")
    signs = signs or ("not measured" if stated is None else f"{stated:.1%}")
    took = f" in {seconds:.1f} s" if seconds else ""
    spent = f"{provenance['image_gradients']} image-gradients{took}" if "image_gradients" in provenance else NOT_KNOWN
    seed = f", seed {provenance['seed']}" if "seed" in provenance else ""
    rows = [
        ("pattern", name),
        ("crafted on", f"{provenance['craft_set']}{seed}" if "craft_set" in provenance else NOT_KNOWN),
        ("network", str(provenance.get("network", NOT_KNOWN))),
        ("method", called(str(provenance.get("method", ""))) or NOT_KNOWN),
        ("cost", spent),
        ("held-out", held_out or verdict(provenance) or "not measured"),
        ("random signs of its size", signs),
        *size_in_words(linf, l2),
    ]
    return facts(rows)


def sizes(values: np.ndarray) -> tuple[float, float]:
    """l_inf and l2 norm of a pattern (3,S,S), in units of [0,1]."""
    return float(np.abs(values).max()), float(np.sqrt(np.square(values, dtype=np.float64).sum()))


def under_way(stage: Stage, budget: int, said: str) -> str:
    """How far a run is, and what was last ``said`` of the watched images."""
    progress = stage.progress
    spent = f"{progress.image_gradients} of {budget} image-gradients, {progress.seconds:.1f} s"
    if progress.share >= 1 and not progress.done:
        return f"{spent}. The last step is done: a final touch, if the method has one, and a look at all craft images…"
    return f"{spent}. {said}"


def conclusion(found: Evaluation, images: str, target: str) -> str:
    """What a pattern does to the held-out ``images``, in words."""
    beside = f"random signs of its size fool {found.random_signs.value:.1%}"
    most = f"{found.dominant_share.value:.0%} of all answers are now {found.dominant_label!r}"
    if found.target_rate is not None:
        changed = f"changes {found.universal.value:.1%} of all answers"
        return f"Turns {found.target_rate} of the held-out {images} into {target!r}; {changed}; {beside}."
    return f"Fools {found.universal} of the held-out {images}; {beside}. {most[0].upper()}{most[1:]}."
