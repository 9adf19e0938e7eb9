"""How the page looks: a bundled theme, so that no font is asked of another host, and style sheets beside this file.

``tokens.css`` names colours by what they mean, and sizes; light and dark differ there alone. ``layout.css`` says where things
stand, ``components.css`` dresses the HTML that the page writes itself, ``tabs.css`` that of some tabs.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors

THEME = gr.themes.Default(
    primary_hue="blue",
    neutral_hue="slate",
    font=[gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)), "ui-sans-serif", "system-ui", "sans-serif"],
    font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"],
).set(
    # Gradio's own greys have too little contrast for small type (WCAG asks for 4.5 to 1).
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    block_label_text_color="*neutral_600",
    block_label_text_color_dark="*neutral_200",
    input_placeholder_color="*neutral_500",
    input_placeholder_color_dark="*neutral_400",
    block_shadow="none",
    block_shadow_dark="none",
    button_cancel_background_fill="*background_fill_primary",
    button_cancel_background_fill_dark="*background_fill_primary",
    button_cancel_background_fill_hover=colors.red.c50,  # Gradio leaves the text under the pointer as it is
    button_cancel_background_fill_hover_dark=colors.red.c950,
    button_cancel_text_color=colors.red.c700,
    button_cancel_text_color_dark=colors.red.c300,
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_hover_dark="*primary_800",
)

SHEETS = (
    *("tokens", "layout", "components", "bar", "first_view", "dots", "presenter", "tabs", "craft", "compare", "charts"),
    *("learning", "games", "geometry", "around", "feels"),
)
CSS = "".join((Path(__file__).parent / "static" / f"{name}.css").read_text(encoding="utf-8") for name in SHEETS)
