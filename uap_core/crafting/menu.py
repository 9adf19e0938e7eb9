"""Every method of crafting by name, as the Craft tab offers it: whose it is, its idea in a line, how it is made for a budget.

Nothing heavy is imported here, so that the page can list them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from uap_core.crafting import method_class
from uap_core.texts import N_, _

if TYPE_CHECKING:
    from uap_core.crafting.loop import Crafter


@dataclass(frozen=True)
class Item:
    """One method. ``settings`` are what differs from its own hyper-parameters; ``targets``: whether it can aim at a class."""

    key: str
    name: str
    source: str
    line: str
    targets: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


MENU = {
    item.key: item
    for item in (
        Item(
            "default",
            N_("Ours"),
            N_("this project"),
            N_(
                "Makes the clean label unlikely and turns the logits away, with Adam on moving views; the ball shrinks to"
                " epsilon."
            ),
        ),
        Item(
            "transfer",
            N_("Ours, for networks never seen"),
            N_("this project; input diversity: Xie et al., CVPR 2019"),
            N_("As ours, with the perturbed picture enlarged and shifted at random: weaker here, stronger elsewhere."),
        ),
        Item(
            "deepfool",
            N_("DeepFool, in batches"),
            "Moosavi-Dezfooli et al., CVPR 2017",
            N_("The paper's own: adds the shortest steps over a decision boundary, here the mean of eight images times 400."),
            settings={"batch_size": 8, "gain": 400.0},
        ),
        Item(
            "spgd",
            "SPGD",
            "Shafahi et al., AAAI 2020; Mummadi et al., ICCV 2019",
            N_("Sign steps on a clipped cross-entropy: training's gradient descent, with the pattern in place of the weights."),
        ),
        Item(
            "margin",
            "DF-UAP",
            "Zhang et al., CVPR 2020",
            N_("Pushes the clean label's lead over the best other label below zero, with Adam."),
        ),
        Item(
            "cosine",
            "Cos-UAP",
            "Zhang et al., ICCV 2021",
            N_("Turns the logits away from the clean ones: no label is needed."),
            targets=False,
        ),
        Item(
            "sga",
            "SGA",
            "Liu et al., ICCV 2023",
            N_("Looks ahead in small batches, then moves by what they agree on; here 40 images a move, gone through once."),
            settings={"batch_size": 40, "passes": 1},
        ),
        Item(
            "singular",
            "SV-UAP",
            "Khrulkov & Oseledets, CVPR 2018",
            N_("The direction that moves a hidden layer most, by the power method: no loss, no labels."),
            targets=False,
        ),
    )
}


def build(key: str, budget: int) -> Crafter:
    """The method called ``key`` for at most ``budget`` image-gradients, in 16 bits where that is faster and it can.

    Raises SettingError for a method that is not known, or a budget below 1.
    """
    from uap_core.crafting.first_order import FirstOrder
    from uap_core.models.precision import has_fast_bf16

    kind = method_class(key)
    faster = {"bf16": has_fast_bf16()} if issubclass(kind, FirstOrder) else {}
    return kind(budget=budget, **MENU[key].settings, **faster)


def called(provenance: Mapping[str, Any]) -> str:
    """What people call the method that a provenance states; an unknown one is called as it is there."""
    method = str(provenance.get("method", ""))
    return _(MENU[method].name) if method in MENU else method
