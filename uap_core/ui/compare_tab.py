"""Tab 4, Compare: the same photograph under the universal pattern, FGSM, and targeted Carlini & Wagner."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.experiments.exhibit import GAIN, amplified
from uap_core.ui.setup_panel import Setup, chosen
from uap_core.ui.studio import Pattern, Studio
from uap_core.ui.widgets import LONG, QUICK, download, enlarge, guarded, hide, inline_png, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.comparison import Contender

EXPLAIN = r"""
The *universal* pattern knows nothing of this photograph. *FGSM* takes one gradient step made for it,
$x' = x + \varepsilon\,\mathrm{sign}\,\nabla_x J(x, k(x))$ (Goodfellow et al., 2015). *Carlini & Wagner* (2017) looks
for the smallest change that reaches the class you choose:
$\min\ \|x'-x\|_2^2 + c\,\max\big(\max_{j \ne t} Z_j(x') - Z_t(x'),\, -\kappa\big)$, with $c$ found by binary search.
The price of knowing the photograph is time; the reward is a change many times smaller, and the choice of the new label.
Success is judged on the 8-bit picture, after rounding.
"""
FIRST_TARGET = "goldfish"
INVITATION = "Two attacks answer at once. Press the button for Carlini & Wagner, which takes some seconds."


def build(studio: Studio, setup: Setup) -> None:
    """Lay out the tab and wire it."""
    first = _labels(studio, studio.networks()[0][1])
    with gr.Row(equal_height=False):
        target = gr.Dropdown(
            first,
            value=FIRST_TARGET if FIRST_TARGET in first else first[0],
            label="Carlini & Wagner should reach",
            scale=2,
            elem_id="target",
        )
        with gr.Column(scale=3), gr.Row():
            run = gr.Button("Attack the photograph", variant="primary", elem_id="compare-run")
            stop = gr.Button("Stop", variant="stop", scale=0, min_width=120, elem_id="compare-stop")
    state = gr.HTML(elem_id="compare-status")
    cards = gr.HTML(elem_id="contenders")
    csv = download("These numbers (.csv)", "compare-csv")
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")

    def preview(photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> tuple[Any, Any, Any]:
        """The two attacks that answer at once."""
        from uap_core.experiments.comparison import quick_contenders

        image, perturbation = studio.image(photo, network), chosen(studio, network, pattern, own, epsilon)
        found = list(quick_contenders(studio.classifier(network), image, perturbation))
        return status(INVITATION), _cards(found), hide()

    def attack(
        photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float, target_now: str | None
    ) -> Iterator[tuple[Any, Any, Any]]:
        from uap_core.attacks.carlini_wagner import CarliniWagner
        from uap_core.errors import SettingError
        from uap_core.experiments.comparison import compare

        if not target_now:
            raise SettingError("Choose a target class for Carlini & Wagner first.")
        yield progress_note("Opening the network…", 0), gr.skip(), gr.skip()
        classifier = studio.classifier(network)
        image, perturbation = studio.image(photo, network), chosen(studio, network, pattern, own, epsilon)
        found: dict[str, Contender] = {}
        for contender in compare(classifier, image, perturbation, classifier.index_of(target_now), CarliniWagner()):
            found[contender.attack] = contender
            note = progress_note(f"{contender.attack}: {contender.seconds:.1f} s…", contender.share)
            yield note, _cards(list(found.values())), gr.skip()
        rows = offer("comparison.csv", _csv(list(found.values())).encode())
        yield status("Done: measured live on this photograph."), _cards(list(found.values())), show(rows)

    outputs = [state, cards, csv]
    running = run.click(guarded(3, 0)(attack), [*setup.inputs, target], outputs, **LONG)
    stop.click(None, None, None, cancels=[running]).then(lambda: status("Stopped. What was found so far stays."), None, state)
    for event in setup.changed:
        event.then(guarded(3, 0)(preview), setup.inputs, outputs, **QUICK)

    def new_labels(network: str, current: str | None) -> Any:
        labels = _labels(studio, network)
        return gr.update(choices=labels, value=current if current in labels else labels[0])

    setup.network.input(new_labels, [setup.network, target], target, **QUICK)


def _labels(studio: Studio, network: str) -> list[str]:
    """Class names of a network, from its card when it lists them (that needs no torch)."""
    classes = studio.card(network).classes
    if isinstance(classes, list):
        return sorted({entry["name"] for entry in classes})
    return sorted(set(studio.classifier(network).labels))


def _cards(contenders: list[Contender]) -> str:
    return f'<div class="contenders">{"".join(_card(contender) for contender in contenders)}</div>'


def _card(contender: Contender) -> str:
    from uap_core.experiments.comparison import CW

    view = contender.exhibit
    change = (view.perturbed.astype(float) - view.clean) / 255
    label, probability = view.after[0]
    words = ("reached", "not reached") if contender.attack == CW else ("fooled", "not fooled")
    outcome = ("yes", words[0]) if contender.success else ("no", words[1] if contender.done else "searching…")
    return (
        f'<div class="contender"><h3>{escape(contender.attack)}</h3><div class="aim">aim: {escape(contender.aim)}</div>'
        f'<div class="pair"><img alt="picture after {escape(contender.attack)}" src="{inline_png(enlarge(view.perturbed))}">'
        f'<img alt="its change, {GAIN} times stronger" src="{inline_png(enlarge(amplified(change)))}"></div>'
        f'<div class="label">{escape(label)} <small>{probability:.0%}</small></div>'
        f'<div class="{outcome[0]}">{outcome[1]} (before: {escape(view.before[0][0])})</div>'
        f'<table class="facts"><tr><th>l_inf</th><td>{view.linf * 255:.3g}/255</td></tr>'
        f"<tr><th>l2</th><td>{view.l2 * 255:.0f} (0-255) = {view.l2:.2f}</td></tr>"
        f"<tr><th>time</th><td>{_time(contender.seconds)}</td></tr></table></div>"
    )


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _csv(contenders: list[Contender]) -> str:
    lines = ["attack,aim,label,probability,success,linf,l2,seconds"]
    for contender in contenders:
        view = contender.exhibit
        label, probability = view.after[0]
        numbers = f"{probability:.4f},{contender.success},{view.linf:.6f},{view.l2:.6f},{contender.seconds:.3f}"
        lines.append(f'{contender.attack},"{contender.aim}","{label}",{numbers}')
    return "\n".join(lines) + "\n"
