"""I-FGSM one step after the other: how long a step is, how many there are, and what loss and size do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.attacks.menu import GOALS, LEAST, TARGET
from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.run import run_row
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.uploads import is_among
from uap_core.ui.widgets import chart, download, offer, progress_note, show, status

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.attacks.criterion import Criterion
    from uap_core.experiments.iterates import StepRow
    from uap_core.models.classifier import Classifier

MOST, SECONDS = 50, (5.0, 20.0)
QUESTION = _(r"""
#### One step, or many small ones
FGSM takes one step of length $\varepsilon$, I-FGSM $x'_i = \mathrm{clip}_\varepsilon\big(x'_{i-1} +
\alpha\,\mathrm{sign}\,\nabla_x J(x'_{i-1})\big)$: $\alpha$ is how far a step goes, the sign says where to. The clip holds
every pixel within $\varepsilon$, the strength of the bar. With $\alpha = \varepsilon$ and one step it is FGSM.
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    studio: Studio

    @of_selection
    def take(self, chosen: Selection, goal: str, target: str | None, alpha: Any, steps: Any) -> Iterator[dict[str, Any]]:
        """The steps, their chart and their numbers."""
        from uap_core.experiments.compare import matched_epsilon
        from uap_core.experiments.iterates import step_rows
        from uap_core.plots.iterates import steps_figure

        alpha, steps = checked(alpha, steps)
        yield {"said": progress_note(_("Opening the network…"), 0)}
        classifier, image = self.studio.classifier(chosen.network), self.studio.image(chosen.photo, chosen.network)
        epsilon = matched_epsilon(chosen.perturbation(self.studio))
        rows = step_rows(classifier, image, epsilon, alpha / 255, steps, goal_of(classifier, image, goal, target))
        title = _("{network}: steps of {alpha:g}/255 within {epsilon:g}/255").format(
            network=plain(classifier.card.name), alpha=alpha, epsilon=round(epsilon * 255, 4)
        )
        yield {
            "said": status(told(rows)),
            "chart": show(steps_figure(rows, epsilon, title)),
            "csv": show(offer("steps.csv", to_csv(rows).encode())),
        }


def checked(alpha: Any, steps: Any) -> tuple[float, int]:
    """The sliders' values. Raises SettingError for what no slider holds."""
    if not isinstance(alpha, (int, float)) or not 0 < alpha <= 255:
        raise SettingError(_("A step is longer than 0 and at most 255/255."))
    if not isinstance(steps, (int, float)) or steps != steps or not 1 <= steps <= MOST or steps != int(steps):
        raise SettingError(_("The number of steps is a whole number from 1 to {most}.").format(most=MOST))
    return float(alpha), int(steps)


def goal_of(classifier: Classifier, image: Tensor, goal: str, target: str | None) -> Criterion | None:
    """What the visitor aims at; None for any other label. Raises SettingError for another goal, or without a
    class where one is to be reached."""
    import torch

    from uap_core.attacks.criterion import Criterion, least_likely

    if not is_among(goal, GOALS):
        raise SettingError(_("Choose a goal among those that are offered."))
    if goal == TARGET and not target:
        raise SettingError(_("Choose the class that the attacks should reach."))
    if goal == TARGET and target:
        return Criterion.into(torch.tensor([classifier.index_of(target)]))
    if goal == LEAST:
        with torch.inference_mode():
            logits = classifier(image)
        return Criterion.into(least_likely(logits).clone())
    return None


def told(rows: list[StepRow]) -> str:
    """When the label turned, and what the last step left."""
    first = next((row for row in rows if row.reached), None)
    last = rows[-1]
    held = _("After {steps} steps the network still says {label}; the loss went from {before:.2g} to {after:.2g}.")
    turned = _("Step {step} turns the label to {label}; after {steps} steps the loss went from {before:.2g} to {after:.2g}.")
    return (turned if first else held).format(
        step=first.step if first else 0,
        label=first.label if first else last.label,
        steps=last.step,
        before=rows[0].loss,
        after=last.loss,
    )


def build(studio: Studio, setup: Setup, fold: gr.Accordion, goal: gr.Radio, target: gr.Dropdown) -> None:
    """Lay out the view inside the fold that calls it, and wire it; it aims as the tab does."""
    gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
    with gr.Row():
        alpha = gr.Slider(0.1, 32, 1, step=0.1, label=_("Length of a step, α (of 255)"), elem_id="step-alpha")
        count = gr.Slider(1, MOST, 10, step=1, label=_("Steps"), elem_id="step-count")
    run = run_row(studio, setup, fold, "steps", _("Take the steps ({time})"), SECONDS, lambda _network: "")
    said = gr.HTML(elem_id="steps-status")
    figure = chart("steps-chart")
    places = {"said": said, "chart": figure, "csv": download(_("The steps (.csv)"), "steps-csv")}
    run.wire(Views(studio).take, [*setup.inputs, goal, target, alpha, count], places, _("Stopped."))
