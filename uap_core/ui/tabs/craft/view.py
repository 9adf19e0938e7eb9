"""What the Craft tab shows of a pattern: its picture, the photograph under it, its numbers, and the words about a run."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from uap_core.crafting.menu import called
from uap_core.experiments.apply import amplified
from uap_core.i18n import _
from uap_core.perturbations.library import verdict
from uap_core.ui.html.numbers import facts, size_in_words
from uap_core.ui.widgets import picture_file

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit
    from uap_core.experiments.crafting_curve import Point
    from uap_core.experiments.evaluation import Evaluation

NOT_KNOWN = _("not known")


def pattern_picture(values: np.ndarray) -> str:
    """A pattern (3,S,S), amplified, as a file for an image component."""
    return picture_file(amplified(values.transpose(1, 2, 0)))


def before_and_now(view: Exhibit, network: str) -> str:
    """What ``network`` says of the photograph with the pattern and without it: always two lines, so that nothing jumps."""
    (was, sure), (now, now_sure) = view.before[0], view.after[0]
    kind = "fooled" if view.fooled else "held" if view.linf else "plain"
    said = _("Now: <b>{label}</b>, {sure:.0%} sure").format(label=escape(now), sure=now_sure)
    before = _("Before: {label}, {sure:.0%} sure. According to {network}.").format(
        label=escape(was), sure=sure, network=escape(network)
    )
    holds = " " + _("This photograph holds: try another.") if kind == "held" else ""
    return f'<div class="verdict {kind}">{said}<small>{before}{holds}</small></div>'


def numbers(name: str, provenance: dict[str, Any], linf: float, l2: float, held_out: str = "", signs: str = "") -> str:
    """Where a pattern comes from and what it does, always in the same rows. Without ``held_out`` and ``signs``, what was
    measured while it came into being, those are what its provenance states."""
    seconds, stated = provenance.get("seconds"), provenance.get("held_out", {}).get("random_signs")
    signs = signs or (_("not measured") if stated is None else f"{stated:.1%}")
    cost = _("{cost} image-gradients in {seconds:.1f} s") if seconds else _("{cost} image-gradients")
    known = "image_gradients" in provenance
    spent = cost.format(cost=provenance["image_gradients"], seconds=seconds) if known else NOT_KNOWN
    seed = _(", seed {seed}").format(seed=provenance["seed"]) if "seed" in provenance else ""
    rows = [
        (_("pattern"), name),
        (_("crafted on"), f"{provenance['craft_set']}{seed}" if "craft_set" in provenance else NOT_KNOWN),
        (_("network"), str(provenance.get("network", NOT_KNOWN))),
        (_("method"), called(provenance) or NOT_KNOWN),
        (_("cost"), spent),
        (_("images it was not made from"), held_out or verdict(provenance) or _("not measured")),
        (_("random noise of the same strength"), signs),
        *size_in_words(linf, l2),
    ]
    return facts(rows)


def sizes(values: np.ndarray) -> tuple[float, float]:
    """l_inf and l2 norm of a pattern (3,S,S), in units of [0,1]."""
    return float(np.abs(values).max()), float(np.sqrt(np.square(values, dtype=np.float64).sum()))


def last_measured(points: list[Point]) -> str:
    """What was last measured on the watched images, in few words."""
    if not points:
        return _("not measured yet")
    return _("{rate:.1%} of {count}").format(rate=points[-1].aimed_at.value, count=points[-1].aimed_at.total)


def conclusion(found: Evaluation, images: str, target: str) -> str:
    """What a pattern does to the held-out ``images``, in words."""
    if found.target_rate is not None:
        return _(
            "Turns {rate} of the {images} that it was not made from into {target!r}; changes {changed:.1%} of all answers;"
            " random noise of the same strength fools {signs:.1%}."
        ).format(
            rate=found.target_rate,
            images=images,
            target=target,
            changed=found.universal.value,
            signs=found.random_signs.value,
        )
    return _(
        "Fools {rate} of the {images} that it was not made from; random noise of the same strength fools {signs:.1%}."
        " {share:.0%} of all answers are now {label!r}."
    ).format(
        rate=found.universal,
        images=images,
        signs=found.random_signs.value,
        share=found.dominant_share.value,
        label=found.dominant_label,
    )
