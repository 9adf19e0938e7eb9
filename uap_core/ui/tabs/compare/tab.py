"""The tab Compare: what an attack that is made for one picture does, beside the pattern that is the same for all."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from uap_core.attacks.menu import ANY, GOALS, attack_name
from uap_core.i18n import _
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.named_outputs import filling, given
from uap_core.ui.runtime.run import Run
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.compare import handlers, steps, twin
from uap_core.ui.tabs.compare.answer import QUESTION, answer
from uap_core.ui.tabs.compare.handlers import EFFORTS, EVERY, ITSELF, MATCHED, NORMS, USUAL_NORM
from uap_core.ui.tabs.compare.pace import Pace
from uap_core.ui.widgets import QUICK, awaited, chart, download

EXPLAIN = _(r"""
**What is compared?** The *universal* pattern and *random noise* know nothing of this photograph. All others are made for it,
with more or less knowledge of the network. *White box*: gradients. FGSM takes one step, $x' = x +
\varepsilon\,\mathrm{sign}\,\nabla_x J(x, k(x))$; I-FGSM (BIM) takes small ones, $x'_i =
\mathrm{clip}_\varepsilon\big(x'_{i-1} + \alpha\,\mathrm{sign}\,\nabla J(x'_{i-1})\big)$, PGD from a random start, MI-FGSM
with momentum; DeepFool walks to the nearest boundary as a linear network would have it. L-BFGS and the penalty minimise
$\|x'-x\|_2^2 + c\,L(x', t)$ with $c$ as small as works; Carlini & Wagner replace $L$ by a hinge on the logits, $\max(\max_{j
\ne t} Z_j - Z_t,\, -\kappa)$, which stops pulling once the class is reached. Their general form (Carlini & Wagner, 2017,
section IV.A), the row *Hinge on probabilities*, is $\min_\delta \|\delta\|_p + c\,\big(\max_{i \ne t} F_i(x') -
F_t(x')\big)^+$ with $\delta = x' - x$, any $p$ and probabilities $F$. Each of these searches for $c$: ten times more while
nothing works, a tenth while everything does, then between the two; the chart of the searches has every value tried. *Black
box*: Square only asks for scores. *Grey box*: let another network judge, and see what is left.

An attack that needs a target and is given none aims at the runner-up. A *query* is one forward pass, a *gradient* one
backward pass. What a file holds is rounded to 8 bits, in which very small changes are lost: so each row says whether the saved
PNG still fools.
""")
WORDS = _(
    "Length of the change (l2): the root of the sum of all squared changes, in levels of 0 to 255. A pass: once forward or once"
    " backward through the network. Fooled: the answer is another one than before. Held: the attack did not reach its goal."
    " A near miss: the new answer is a class of the same kind as the old one."
)
# What the handlers fill; the first takes sentences.
PLACES = ("state", "lesson", "run", "figure", "rows", "every", "searches", "archive", "numbers", "target", "judge")
FORMULAS: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it."""
    parts = _head(studio) | _details()
    with parts["fold"]:
        steps.build(studio, setup, parts["fold"], parts["goal"], parts["target"])
        twin.build(studio, setup, parts["fold"], parts["goal"], parts["target"])
        gr.Markdown(EXPLAIN, latex_delimiters=FORMULAS, elem_classes="explain")
    gr.HTML(next_line("craft", _("Make one")))
    _wire(studio, setup, tab, parts)


def _head(studio: Studio) -> dict[str, Any]:
    """Question and answer, the button, the chart and the short table."""
    network = studio.first_network()
    found: dict[str, Any] = {"lesson": gr.HTML(lesson(QUESTION, answer(studio, network)), elem_id="compare-lesson")}
    with gr.Row(elem_id="compare-controls", equal_height=True):
        words = _("Run all {count}").format(count=len(EVERY))
        found["run"] = gr.Button(words, variant="primary", scale=0, min_width=230, elem_id="compare-run")
        found["stop"] = gr.Button(_("Stop"), variant="stop", scale=0, min_width=90, visible=False, elem_id="compare-stop")
        found["goal"] = gr.Radio(
            [(_("into {goal}").format(goal=_(name)), key) for key, name in GOALS.items()],
            value=ANY,
            label=_("Goal"),
            show_label=False,
            container=False,
            elem_id="goal",
            elem_classes="chips",
        )
        found["target"] = gr.Dropdown(
            studio.labels(network),
            value=None,
            label=_("Class to reach: type its name"),
            show_label=False,
            container=False,
            min_width=170,
            visible=False,
            elem_id="target",
        )
    found["state"] = gr.HTML(awaited(), elem_id="compare-status")
    found["figure"] = chart("compare-chart")
    found["rows"] = gr.HTML(elem_id="contenders")
    gr.HTML(f'<p class="explain">{escape(WORDS)}</p>', elem_id="compare-words")
    return found


def _details() -> dict[str, Any]:
    """Which attacks, how strong, judged by whom; all numbers; downloads; formulas."""
    found: dict[str, Any] = {}
    with gr.Accordion(_("For researchers"), open=False, elem_id="compare-details") as found["fold"]:
        found["keys"] = gr.CheckboxGroup(
            [(attack_name(key), key) for key in EVERY], value=list(EVERY), label=_("Attacks"), elem_id="attacks"
        )
        with gr.Row(equal_height=False):
            found["matched"] = gr.Radio(
                list(MATCHED), value=next(iter(MATCHED)), label=_("Strength of bounded attacks"), elem_id="matched"
            )
            found["effort"] = gr.Radio(
                list(EFFORTS), value=next(iter(EFFORTS)), label=_("Budget of attacks that search"), elem_id="effort"
            )
            found["p"] = gr.Radio(list(NORMS), value=USUAL_NORM, label=_("Norm of the hinge, p"), elem_id="hinge-p")
            found["judge"] = gr.Dropdown([ITSELF], value=ITSELF, label=_("Judged by"), elem_id="judge")
        found["every"] = gr.HTML(elem_id="compare-all")
        found["searches"] = chart("compare-searches")
        with gr.Row():
            found["archive"] = download(_("Pictures and numbers (.zip)"), "compare-zip")
            found["numbers"] = download(_("These numbers (.csv)"), "compare-csv")
    return found


def _wire(studio: Studio, setup: Setup, tab: gr.Tab, parts: dict[str, Any]) -> None:
    pace = Pace()
    places = {name: parts[name] for name in PLACES}
    settings = [parts[name] for name in ("keys", "matched", "effort", "p")]
    inputs = [*setup.inputs, parts["goal"], parts["target"], *settings, parts["judge"]]
    run = Run(studio, setup, parts["run"], parts["stop"])
    run.wire(given(handlers.attack, studio, pace), inputs, places, _("Stopped. What was found so far stays."))
    also = [parts["target"], parts["judge"], *settings]
    keep_fresh(setup, tab, given(handlers.preview, studio, pace), setup.inputs, places, also=also)
    price, outputs = filling(handlers.price, places, studio, pace), list(places.values())
    for setting in settings:
        setting.change(price, [setup.network, *settings], outputs, trigger_mode="always_last", **QUICK)
    parts["goal"].change(handlers.show_target, parts["goal"], parts["target"], **QUICK)
