"""Layout of the room: a field of points, two buttons with one formula, the weights (static/learning.js does the rest)."""

from __future__ import annotations

from html import escape

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.html.lesson import lesson, next_line

QUESTION = _("How does a network learn, and how is it fooled?")
ANSWER = _("By the same formula. One letter differs: learning moves the weights down the loss, an attack moves the picture up.")
EXPLAIN = _(r"""
**What is this?** A network of two inputs, one hidden layer and two answers, $p = \mathrm{softmax}(W_2\, f(W_1 x + b_1) +
b_2)$, taught to tell blue circles from orange squares (two moons). $f$ is the activation, and $\mathrm{softmax}(z)_c =
e^{z_c} / \sum_k e^{z_k}$ makes probabilities of scores. The background is what it says everywhere; the line is where it
changes its mind. The loss is the cross-entropy $J = -\sum_c y_c \log p_c$ with the right answer as $y = (1, 0)$ or $(0, 1)$
(*one-hot*): what is left of the sum is $-\log p$ of the right answer, small where the network is sure of it. $\partial
J/\partial W$ and $\partial J/\partial x$ come out of one and the same backward pass: training uses the first and throws the
second away, an attack does the opposite.

**What do the balls mean?** All places at most so far from where $x$ began: the circle in $\ell_2$, the square in
$\ell_\infty$. An attack that must stay within is put back after each step. On photographs the same is done with 150 528
numbers in place of two; that is why changes can be so small there.

**And the learning rate?** It is $\eta$ in both formulas. Too large a rate makes learning diverge: try 100 with ReLU.
""")
MATH: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


def build() -> None:
    """Lay out the room."""
    gr.HTML(lesson(QUESTION, ANSWER))
    gr.HTML(_room(), elem_id="learning", js_on_load="window.uapLearning.begin(element);")
    gr.Markdown(EXPLAIN, latex_delimiters=MATH, elem_classes="explain")
    gr.HTML(next_line("small", _("Does a trick for one network work on another?")))


def _room() -> str:
    field = escape(
        _("The field: what the network says at each place. Press a place to put x there; the arrow keys move it by a tenth.")
    )
    learn, attack = _act("learn", _("Learn: move W down"), "W", "−", 10), _act("attack", _("Attack: move x up"), "x", "+", 1)
    mean, own = _bar("mean", _("Loss over all points")), _bar("own", _("Loss of x"))
    back, again = _("x back to its start"), _("A new network")
    return (
        '<div class="learning"><div>'
        f'<canvas data-part="field" tabindex="0" role="application" aria-label="{field}"></canvas>{_choices()}</div>'
        f'<div><div class="two">{learn}{attack}</div>'
        '<p class="verdict" data-part="verdict" role="status"></p><p class="said" data-part="said" role="alert" hidden></p>'
        f"{mean}{own}"
        f'<div class="choices"><button type="button" data-do="back">{escape(back)}</button>'
        f'<button type="button" data-do="again">{escape(again)}</button></div></div>{_weights()}</div>'
    )


def _act(kind: str, title: str, letter: str, sign: str, steps: int) -> str:
    """One of the two: its formula, and its buttons for some steps and ten times as many."""
    formula = f"<b>{letter}</b> ← <b>{letter}</b> {sign} η ∂J/∂<b>{letter}</b>"
    few = escape(_("{count} steps").format(count=steps) if steps > 1 else _("1 step"))
    many = escape(_("{count} steps").format(count=10 * steps))
    return (
        f'<div class="act {kind}"><h3>{escape(title)}</h3><p class="formula">{formula}</p>'
        f'<button type="button" class="first" data-do="{kind} {steps}">{few}</button>'
        f'<button type="button" data-do="{kind} {10 * steps}">{many}</button></div>'
    )


def _bar(name: str, title: str) -> str:
    kind = ' class="own"' if name == "own" else ""
    return (
        f'<div class="loss"><strong>{escape(title)}</strong> <span data-part="{name}"></span>'
        f'<div class="track"><i{kind} data-part="{name}-bar"></i></div></div>'
    )


def _choices() -> str:
    activations = (("relu", _("ReLU")), ("sigmoid", _("sigmoid")), ("tanh", _("tanh")))
    balls = (("", _("anywhere")), ("l2", _("in the l2 ball")), ("linf", _("in the l_inf ball")))
    rate = '<input type="number" name="learning-rate" value="0.2" min="0" step="0.1">'
    hidden = '<input type="number" name="learning-hidden" value="16" min="1" max="64" step="1">'
    radius = '<input type="range" name="learning-radius" min="0.05" max="1.5" step="0.05" value="0.5">'
    parts = (
        (_("learning rate η"), rate),
        (_("activation"), _select("activation", activations)),
        (_("hidden units"), hidden),
        (_("x may go"), _select("ball", balls)),
        (_("radius"), radius + ' <span data-part="radius"></span>'),
        (_("arrows of ∂J/∂x"), '<input type="checkbox" name="learning-arrows">'),
    )
    labels = "".join(f"<label>{escape(words)} {field}</label>" for words, field in parts)
    return f'<div class="choices">{labels}</div>'


def _select(name: str, choices: tuple[tuple[str, str], ...]) -> str:
    options = "".join(f'<option value="{key}">{escape(words)}</option>' for key, words in choices)
    return f'<select name="learning-{name}">{options}</select>'


def _weights() -> str:
    title = escape(_("The weights: blue below zero, orange above"))
    return (
        f'<div class="weights"><strong>{title}</strong><div class="scroll">'
        f'<table data-part="weights" aria-label="{title}"></table></div>'
        '<p class="derivative" data-part="derivative" role="status"></p></div>'
    )
