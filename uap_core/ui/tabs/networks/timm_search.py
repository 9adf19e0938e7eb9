"""Finding one of timm's networks by typing: the names that match, each with what it takes, its download and its accuracy."""

from __future__ import annotations

from typing import Any

import gradio as gr

from uap_core.i18n import _, ngettext
from uap_core.models.timm_table import PREFIX, search, table
from uap_core.ui.html.words import number
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.widgets import QUICK, status

MOST_HITS = 12


def build() -> gr.Radio:
    """Lay out a box to type in and, below it, the hits as keys to choose from."""
    typed = gr.Textbox(
        label=_("Or find one of timm’s {count} by name").format(count=number(len(table().rows))),
        placeholder=_("for instance: resnet18, vit tiny, convnext"),
        max_lines=1,
        elem_id="timm-typed",
    )
    said = gr.HTML(elem_id="timm-said")
    hits = gr.Radio([], label=_("Networks found"), show_label=False, container=False, visible=False, elem_id="timm-hits")
    places = {"said": said, "hits": hits}
    typed.change(filling(_found, places), typed, list(places.values()), trigger_mode="always_last", **QUICK)
    return hits


def _found(typed: str | None) -> dict[str, Any]:
    """A sentence, and the first hits."""
    asked = str(typed or "").strip()
    names = search(asked) if asked else []
    if not names:
        said = status(_("No network of timm has this in its name.")) if asked else ""
        return {"said": said, "hits": gr.update(choices=[], value=None, visible=False)}
    said = ngettext("{count} network. Click it to see it.", "{count} networks. Click one to see it.", len(names))
    more = _("The first {shown} are shown: type more of the name.") if len(names) > MOST_HITS else ""
    sentence = f"{said.format(count=len(names))} {more.format(shown=MOST_HITS)}"
    choices = [(_hit(name), PREFIX + name) for name in names[:MOST_HITS]]
    return {"said": status(sentence.strip()), "hits": gr.update(choices=choices, value=None, visible=True)}


def _hit(name: str) -> str:
    row = table().rows[name]
    accuracy = _("top-1 {top1:.1f}%").format(top1=row["top1"]) if row["top1"] else _("accuracy not published")
    return f"{name} · {row['input']} px · {row['megabytes']:.0f} MB · {accuracy}"
