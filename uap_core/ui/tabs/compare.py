"""The tab Compare: one photograph under the universal pattern and under every attack that was made for one picture."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from uap_core.attacks.menu import ANY, BASELINES, GOALS, HELD, MENU, RUNNER_UP, TARGET, VERDICTS, attack_name
from uap_core.experiments.apply import GAIN, amplified
from uap_core.i18n import _
from uap_core.ui.gallery import photo_name
from uap_core.ui.html.tables import head, wide
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.sidebar import Setup, chosen
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.widgets import (
    QUICK,
    awaited,
    chart,
    download,
    hide,
    offer,
    picture_link,
    png_of,
    progress_note,
    show,
    status,
)

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.experiments.compare import Budget, Contender
    from uap_core.models.classifier import Classifier

EXPLAIN = _(r"""
**What is compared?** The *universal* pattern and *random signs* know nothing of this photograph. All others are made for it,
with more or less knowledge of the network. *White box*: gradients. FGSM takes one step, $x' = x +
\varepsilon\,\mathrm{sign}\,\nabla_x J(x, k(x))$; its iterates take small ones, $x'_i = \mathrm{clip}_\varepsilon\big(x'_{i-1}
+ \alpha\,\mathrm{sign}\,\nabla J(x'_{i-1})\big)$; DeepFool walks to the nearest boundary as a linear network would have it.
L-BFGS and the penalty minimise $\|x'-x\|_2^2 + c\,L(x', t)$ with $c$ as small as works; Carlini & Wagner replace $L$ by a
hinge on the logits, $\max(\max_{j \ne t} Z_j - Z_t,\, -\kappa)$, which stops pulling once the class is reached; the lecture's
general form has $\|\delta\|_p$ and probabilities. *Black box*: Square only asks for scores. *Grey box*: let another network
judge, and see what is left.

An attack that needs a target and is given none aims at the runner-up. A *query* is one forward pass, a *gradient* one
backward pass. What a file holds is rounded to 8 bits: very small changes die of it, so each row says whether the saved PNG
still fools. Rest the pointer on a picture to see the photograph as it was.
""")
INVITATION = _("Three answer at once, measured live. Choose more attacks and press the button.")
ITSELF = _("the network itself")
PAUSE = 0.25  # seconds between two sentences about an attack under way
EFFORTS = {_("quick"): 1, _("thorough, 4 times the steps"): 4}
MATCHED = {_("the same epsilon for all"): True, _("each its own smallest"): False}
HEAD = (
    _("Picture"),
    _("Change"),
    _("Attack, aim"),
    _("Label"),
    _("Verdict"),
    "l_inf",
    "l2 (0-255)",
    _("Pixels"),
    "PSNR, SSIM",
    _("Cost"),
    _("As PNG"),
)


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it."""
    first = studio.labels(studio.first_network())
    listed = [(attack_name(key), key) for key in (*BASELINES, *MENU)]
    with gr.Row(equal_height=False):
        goal = gr.Radio([(_(name), key) for key, name in GOALS.items()], value=ANY, label=_("Goal"), scale=3, elem_id="goal")
        target = gr.Dropdown(
            first, value=None, label=_("Class to reach: type its name"), scale=2, visible=False, elem_id="target"
        )
    keys = gr.CheckboxGroup(
        listed,
        value=[*BASELINES, *(key for key, item in MENU.items() if item.chosen)],
        label=_("Attacks"),
        elem_id="attacks",
    )
    with gr.Row(equal_height=False):
        matched = gr.Radio(list(MATCHED), value=next(iter(MATCHED)), label=_("Strength of bounded attacks"), elem_id="matched")
        effort = gr.Radio(list(EFFORTS), value=next(iter(EFFORTS)), label=_("Budget of attacks that search"), elem_id="effort")
        judge = gr.Dropdown([ITSELF], value=ITSELF, label=_("Judged by"), elem_id="judge")
    with gr.Row(equal_height=False):
        run = gr.Button(_("Attack the photograph"), variant="primary", elem_id="compare-run")
        stop = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="compare-stop")
    state = gr.HTML(awaited(), elem_id="compare-status")
    rows = gr.HTML(elem_id="contenders")
    figure = chart("compare-chart")
    with gr.Row():
        archive = download(_("Pictures and numbers (.zip)"), "compare-zip")
        numbers = download(_("These numbers (.csv)"), "compare-csv")
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")

    def preview(
        photo: str,
        network: str,
        pattern: str,
        own: dict[str, Pattern],
        epsilon: float,
        target_now: str | None,
        judge_now: str,
    ) -> tuple[Any, ...]:
        """The three that answer at once, and what can be aimed at and who can judge now."""
        from uap_core.experiments.compare import compare

        image, perturbation = studio.image(photo, network), chosen(studio, network, pattern, own, epsilon)
        classifier = studio.classifier(network)
        found = list(compare(classifier, image, perturbation, [*BASELINES, "fgsm"]))
        before = _before(photo, network)
        about = _caption(photo, classifier.card.name)
        table = _table(picture_link(before), about, [_line(before, row) for row in found])
        choices = _targets(studio, network, classifier, image, target_now), _judges(studio, network, judge_now)
        return status(INVITATION), table, hide(), hide(), hide(), *choices

    def attack(
        photo: str,
        network: str,
        pattern: str,
        own: dict[str, Pattern],
        epsilon: float,
        goal_now: str,
        target_now: str | None,
        keys_now: list[str],
        matched_now: str,
        effort_now: str,
        judge_now: str,
    ) -> Iterator[tuple[Any, ...]]:
        from uap_core.errors import SettingError
        from uap_core.experiments.compare import Bout, compare
        from uap_core.plots.comparison import comparison_figure

        if not keys_now:
            raise SettingError(_("Tick at least one attack."))
        yield progress_note(_("Opening the network…"), 0), *(gr.skip(),) * 4
        classifier = studio.classifier(network)
        other = None if judge_now == ITSELF else studio.classifier(judge_now)
        image, perturbation = studio.image(photo, network), chosen(studio, network, pattern, own, epsilon)
        wanted = classifier.index_of(target_now) if target_now and goal_now == TARGET else None
        bout = Bout(goal_now, wanted, MATCHED[matched_now], EFFORTS[effort_now])
        ordered = [key for _, key in listed if key in keys_now]
        before, name = _before(photo, network), (other or classifier).card.name
        photograph, about, lines = picture_link(before), _caption(photo, name), list[str]()
        finished: list[Contender] = []
        pictures = {"photograph.png": png_of(before)}
        shown = 0.0
        for contender in compare(classifier, image, perturbation, ordered, bout, other):
            if not contender.done and time.monotonic() - shown < PAUSE:
                continue  # to tell of each step would take as long as the step
            shown = time.monotonic()
            share = (len(finished) + contender.share) / len(ordered)
            note = progress_note(f"{attack_name(contender.key)}: {contender.seconds:.1f} s…", share)
            if contender.done:
                finished.append(contender)
                lines.append(_line(before, contender))
            if not contender.done:
                yield note, *(gr.skip(),) * 4
                continue
            pictures |= _pictures(before, contender)
            archived, table = show(offer("comparison.zip", _zip(pictures, finished))), _csv(finished).encode()
            yield note, _table(photograph, about, lines), hide(), archived, show(offer("comparison.csv", table))
        said = _("Done: measured live on {photograph}, made on {maker}, judged by {judge}.").format(
            photograph=photo_name(photo), maker=classifier.card.name, judge=name
        )
        picture = show(comparison_figure(finished, _("{network}: how far, at what price").format(network=name)))
        yield status(said), gr.skip(), picture, gr.skip(), gr.skip()

    def _before(photo: str, network: str) -> np.ndarray:
        return studio.pixels(photo, studio.card(network))

    outputs = [state, rows, figure, archive, numbers]
    inputs = [*setup.inputs, goal, target, keys, matched, effort, judge]
    stopped = _("Stopped. What was found so far stays.")
    run_until_stopped(run, stop, studio.heavy(len(outputs), 0)(attack), inputs, outputs, stopped)
    keep_fresh(setup, tab, preview, setup.inputs, [*outputs, target, judge], also=[target, judge])
    goal.change(lambda now: gr.update(visible=now == TARGET), goal, target, **QUICK)


def _targets(studio: Studio, network: str, classifier: Classifier, image: Tensor, current: str | None) -> Any:
    """All classes but the one that the network sees now."""
    from uap_core.metrics import predict

    seen = classifier.labels[int(predict(classifier, [image]))]
    labels = [label for label in studio.labels(network) if label != seen]
    return gr.update(choices=labels, value=current if current in labels else None)


def _judges(studio: Studio, network: str, current: str) -> Any:
    """Networks of the same size and classes, beside the one that is attacked."""
    own = studio.card(network)
    others = [
        (studio.card(key).name, key)
        for _, key in studio.networks()
        if key != network and studio.card(key).input_size == own.input_size and studio.card(key).classes == own.classes
    ]
    return gr.update(choices=[ITSELF, *others], value=current if current in [key for _, key in others] else ITSELF)


def _caption(photo: str, judge: str) -> str:
    return _("{photograph}, judged by {network}").format(photograph=photo_name(photo), network=judge)


def _table(photograph: str, caption: str, lines: list[str]) -> str:
    """One line an attack; the photograph (its link) lies behind every picture and shows when the pointer rests on it."""
    return wide(
        _("Attacks on the photograph"),
        f'<table class="bouts" style="--photograph:url(\'{photograph}\')">'
        f"<caption>{escape(caption)}</caption>{head(HEAD)}{''.join(lines)}</table>",
    )


def _line(before: np.ndarray, contender: Contender) -> str:
    change = amplified((contender.picture.astype(float) - before) / 255)
    home = _small(_("failed even where it was made")) if contender.at_home is False else ""
    beyond = _small(_("beyond epsilon")) if contender.within is False else ""
    item = MENU.get(contender.key)
    name, about = escape(attack_name(contender.key)), _("knows nothing of the photograph")
    if item:
        kind = _("bounded in {norm}") if item.bounded else _("smallest in {norm}")
        about = f"{_(item.source)}; {_(item.knows)}; {kind.format(norm=item.norm)}"
    aim = _("aim: {aim}").format(aim=escape(_aim(contender)))
    budget = _small(_("up to {budget}").format(budget=_spent(contender.budget))) if contender.budget else ""
    gradients = _small(_("gradients {count}").format(count=contender.gradients))
    queries = _small(_("queries {count}").format(count=contender.queries))
    sure = _small(_("{sure:.0%} sure").format(sure=contender.probability))
    in_units = _small(_("{size:.3g} in [0,1]").format(size=contender.l2))
    after = _("picture after {attack}").format(attack=name)
    stronger = _("its change, {gain} times stronger").format(gain=GAIN)
    cells = (
        f'<span class="swap" tabindex="0"><img alt="{after}" src="{picture_link(contender.picture)}"></span>',
        f'<img alt="{stronger}" src="{picture_link(change)}">',
        f'<b title="{escape(about)}">{name}</b><small>{aim}</small>{budget}',
        f"{escape(contender.label)} {sure}",
        f"{_verdict(contender.verdict)}{home}",
        f"{contender.linf * 255:.3g}/255{beyond}",
        f"{contender.l2 * 255:.0f}{in_units}",
        f"{contender.l0}<small>{contender.l0 / before[..., 0].size:.0%}</small>",
        f"{contender.psnr:.1f} dB<small>{contender.ssim:.3f}</small>",
        f"{_time(contender.seconds)}{gradients}{queries}",
        f"{_verdict(contender.png_verdict)}<small>{escape(contender.png_label)}</small>",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _aim(contender: Contender) -> str:
    if contender.aim == ANY:
        return _(GOALS[ANY])
    form = _("“{label}”, the runner-up") if contender.aim == RUNNER_UP else "“{label}”"
    return form.format(label=contender.into)


def _spent(budget: Budget) -> str:
    if budget.searches > 1:
        return _("{searches} x {count} iterations").format(searches=budget.searches, count=budget.count)
    form = _("{count} queries") if budget.unit == "queries" else _("{count} steps")
    return form.format(count=budget.count)


def _small(text: str) -> str:
    return f"<small>{text}</small>"


def _verdict(verdict: str) -> str:
    return f'<span class="{"held" if verdict == HELD else "hit"}">{_(VERDICTS[verdict])}</span>'


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _csv(found: list[Contender]) -> str:
    stream = io.StringIO()
    left_out = ("key", "picture", "share", "done")
    rows = [
        {"key": row.key, "name": attack_name(row.key)}
        | {name: value for name, value in vars(row).items() if name not in left_out}
        for row in found
    ]
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _pictures(before: np.ndarray, contender: Contender) -> dict[str, bytes]:
    """The attacked picture and its change, as files by their names."""
    change = (contender.picture.astype(float) - before) / 255
    return {
        f"{contender.key}.png": png_of(contender.picture),
        f"{contender.key}-change-{GAIN}-times.png": png_of(amplified(change)),
    }


def _zip(pictures: dict[str, bytes], found: list[Contender]) -> bytes:
    """The photograph, each attacked picture with its change, and the numbers."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in pictures.items():
            archive.writestr(name, content)
        archive.writestr("comparison.csv", _csv(found))
    return stream.getvalue()
