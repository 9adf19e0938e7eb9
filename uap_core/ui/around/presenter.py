"""Presenter mode: larger type and pictures for a projector, without explanations and side notes."""

from __future__ import annotations

import gradio as gr

from uap_core.i18n import _

# The page's own sizes are in rem, Gradio's in variables. Gradio adds every rule a second time, for inside its container alone,
# where it weighs more: so what competes with the theme says !important.
CSS = """
#present[aria-pressed=true] { background: var(--button-primary-background-fill); color: var(--button-primary-text-color); }
html.present { font-size: 20px; }
.present .gradio-container { width: 100%; max-width: 100vw !important; --text-xs: 15px; --text-sm: 17px; --text-md: 19px;
  --text-lg: 22px; --body-text-size: 18px; --input-text-size: 18px; --button-small-text-size: 16px;
  --button-large-text-size: 20px; --block-label-text-size: 16px; --block-title-text-size: 16px; --block-info-text-size: 16px;
  --checkbox-label-text-size: 18px; }
.present main.contain { padding: .2rem .5rem !important; }
.present :is(.explain, #title p, #map, #glossary, #own-photo, #own-pattern, footer) { display: none !important; }
.present :is(#photo-note, #network-note, #pattern-note) .note { display: none; }
.present #title h1 { font-size: 1.4rem !important; margin: 0 !important; }
.present #header { align-items: center !important; }
.present #tabs button[role=tab] { font-size: 1rem; padding-inline: .5rem !important; flex-shrink: 0; }
.present .column:has(> #before-after) { flex-grow: 7 !important; }
.present #before-after img { max-height: calc(100vh - 9rem) !important; }
.present .bars .row { grid-template-columns: minmax(5rem, 8.5rem) 1fr 3.4rem !important; padding: .05rem 0 !important; }
.present :is(.bouts img, .bouts .swap) { width: 130px !important; height: 130px !important; background-size: cover !important; }
"""


def build(demo: gr.Blocks) -> None:
    """The button; presenter.js does the rest."""
    button = gr.Button(_("Presenter"), size="sm", scale=0, min_width=0, elem_id="present")
    button.click(None, None, None, js="() => uapPresenter.toggle()")
    demo.load(None, None, None, js="() => uapPresenter.mark()")
