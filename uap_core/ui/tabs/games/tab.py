"""The room "Two networks": one makes, the other judges; in one dimension, with drawn digits, and as a defence."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.games import defence, digits, duel
from uap_core.ui.widgets import chart

TITLE = _("Two networks against each other: who wins?")
ANSWER = _("Played well, neither: what one makes can no longer be told from the real thing, and the other is left guessing.")
BRIDGE = _(
    "What has it to do with the pattern? Whoever crafts a pattern plays against a network that stands still. Here both"
    " learn: the third part lets a network learn against a pattern that moves with it, and in the next room a network makes"
    " the patterns."
)
THEORY = _(r"""
**The score** (Goodfellow et al., NeurIPS 2014, equation 1): $V(G, D) = \mathbb{E}_{x \sim p_{\mathrm{real}}}[\log D(x)] +
\mathbb{E}_{z}[\log(1 - D(G(z)))]$, played for $\min_G \max_D V(G, D)$.

Both terms are at most 0. The first is high where D recognises the real as real, the second where it recognises what is made. D
raises their sum; G can move the second alone, and lowers it.

**Why its top is 2 JS − log 4, and why G should make the real data:**

1. What G makes has the density $p_g$, so $V = \int p_{\mathrm{real}}(x) \log D(x) + p_g(x) \log(1 - D(x))\, dx$.
2. At each $x$ by itself, $p \log a + q \log(1 - a)$ has the slope $p/a - q/(1-a)$, which falls and is 0 at $a = p/(p+q)$: the
   best D is $D^*(x) = p_{\mathrm{real}}(x) / (p_{\mathrm{real}}(x) + p_g(x))$.
3. With it, $V(G, D^*) = \int p_{\mathrm{real}} \log \frac{p_{\mathrm{real}}}{p_{\mathrm{real}} + p_g} + p_g \log
   \frac{p_g}{p_{\mathrm{real}} + p_g}\, dx$.
4. $\rho = (p_{\mathrm{real}} + p_g)/2$ takes a $\log 2$ out of each: $V(G, D^*) = -\log 4 + \mathrm{KL}(p_{\mathrm{real}} \|
   \rho) + \mathrm{KL}(p_g \| \rho)$.
5. By the definition of JS that is $-\log 4 + 2\, \mathrm{JS}(p_{\mathrm{real}}, p_g)$.
6. JS is at least 0, and 0 only for two equal densities: G does best with $p_g = p_{\mathrm{real}}$. Then $D^* = 1/2$, and
   $V = -\log 4$.

This holds for a D that is perfect before every step of G. The networks here take turns, hence mode collapse and circling. G may
raise $\log D(G(z))$ instead (*non-saturating*, same paper): the same goal with steeper slopes while D still wins.
""")
LINE, DIGITS, DEFENCE = "line", "digits", "defence"  # the parts of the room, of which one is shown (games.css)
MATH: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the room and wire it. No chart is drawn before ``tab`` is chosen."""
    gr.HTML(lesson(TITLE, ANSWER))
    gr.HTML(f'<p class="explain">{escape(BRIDGE)}</p>')
    choices = [(_("in one dimension"), LINE), (_("with drawn digits"), DIGITS), (_("as a defence"), DEFENCE)]
    gr.Radio(choices, value=LINE, label=_("Show"), show_label=False, container=False, interactive=True, elem_id="games-which")
    with gr.Column(elem_id="games-part-line"):
        duel.build()
        with gr.Accordion(_("For researchers"), open=False, elem_id="games-more"):
            gr.Markdown(THEORY, latex_delimiters=MATH, elem_classes="explain")
    with gr.Column(elem_id="games-part-digits"):
        digits.build(studio)
    with gr.Column(elem_id="games-part-defence"):
        gr.HTML(defence.link(studio))
        curve = chart("games-twin-chart")
        gr.HTML(defence.onward())

    def draw_twin() -> dict[str, Any]:
        """The learning of the twin that played this game."""
        return {"curve": defence.curve(studio)}

    keep_fresh(setup, tab, draw_twin, [], {"curve": curve})
    gr.HTML(next_line("generator", _("Can a network learn to make the patterns?")))
