"""How the page looks: a bundled theme, so that no font is asked of another host, and a little CSS."""

from __future__ import annotations

import gradio as gr

THEME = gr.themes.Default(
    primary_hue="blue",
    neutral_hue="slate",
    font=[gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)), "ui-sans-serif", "system-ui", "sans-serif"],
    font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"],
).set(
    button_cancel_background_fill="#b42318",
    button_cancel_background_fill_hover="#912018",
    button_cancel_text_color="#ffffff",
    button_primary_background_fill="#1d4ed8",
    button_primary_background_fill_hover="#1e40af",
)

CSS = """
.gradio-container { max-width: min(1320px, 100vw) !important; margin: 0 auto; }
.gradio-container > .main, .gradio-container > .main > .wrap, main.contain, main.contain > .column { min-width: 0;
  max-width: 100%; }
#title h1 { font-size: 1.9rem; margin: .2rem 0 .1rem; letter-spacing: -.01em; }
#title p { font-size: 1.05rem; color: var(--body-text-color); margin: 0; max-width: 60rem; }
.pixels img { image-rendering: pixelated; }
.html-container { padding: 0 !important; }
#gallery .grid-wrap { min-height: 0; height: auto !important; max-height: none; padding: 4px; overflow: visible; }
#gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; gap: 6px; }
#gallery .caption-label { font-size: .72rem; padding: 0 4px; max-width: 100%; }
.explain { font-size: .98rem; color: var(--body-text-color); line-height: 1.55; max-width: 62rem; }
.verdict { font-size: 1.25rem; line-height: 1.35; padding: .7rem .9rem; border-radius: 8px; border-left: 6px solid; }
.verdict small { display: block; font-size: .9rem; opacity: .85; margin-top: .2rem; }
.verdict b, .verdict small { color: inherit !important; }
.verdict.fooled { background: #fdecea; border-color: #c2410c; color: #7c2d12; }
.verdict.held { background: #e8f4ee; border-color: #047857; color: #064e3b; }
.verdict.problem, .note.problem { background: #fff7e0; border-color: #b45309; color: #713f12; }
.verdict.plain { background: var(--background-fill-secondary); border-color: #64748b; color: var(--body-text-color); }
.note { font-size: .92rem; padding: .35rem .6rem; border-left: 4px solid #94a3b8; border-radius: 4px; }
.bars { width: 100%; }
.bars .head { font-weight: 700; margin-bottom: .3rem; }
.bars .row { display: grid; grid-template-columns: minmax(7rem, 10.5rem) 1fr 3.6rem; gap: .5rem; align-items: center;
  font-size: .95rem; padding: .12rem 0; }
.bars .track { background: var(--background-fill-secondary); border-radius: 3px; height: 1rem; }
.bars .bar { height: 100%; border-radius: 3px; background: #94a3b8; }
.bars .was .bar { background: #0072B2; } .bars .new .bar { background: #D55E00; }
.bars .was .name, .bars .new .name { font-weight: 700; }
.bars .value { text-align: right; font-variant-numeric: tabular-nums; }
.facts, .facts tr, .facts th, .facts td { border: none !important; background: none !important; }
.facts { border-collapse: collapse; font-size: .92rem; width: 100%; }
.facts th { text-align: left; font-weight: 400; color: var(--body-text-color); padding: .18rem .8rem .18rem 0; }
.facts td { text-align: right; font-variant-numeric: tabular-nums; padding: .18rem 0; }
.wide { overflow-x: auto; margin-bottom: 1rem; }
#tabs, #tabs .column, #tabs .block { min-width: 0; max-width: 100%; }
#pattern input, #network input { text-overflow: ellipsis; padding-right: 1.8rem; }
.wide .facts td { text-align: left; } .wide .facts th { white-space: nowrap; vertical-align: top; }
.matrix { border-collapse: separate; border-spacing: 2px; font-size: .92rem; border: none !important; }
.matrix th { text-align: left; font-weight: 400; padding: .2rem .6rem .2rem 0; border: none !important; }
.matrix tr:first-child th + th { text-align: right; padding: .2rem .5rem; }
.matrix td { text-align: right; padding: .2rem .5rem; border: none !important; border-radius: 4px;
  font-variant-numeric: tabular-nums; background: color-mix(in srgb, #D55E00 calc(var(--rate) * .45), transparent); }
.matrix td.own { outline: 2px solid var(--body-text-color); outline-offset: -2px; font-weight: 700; }
#library-gallery .grid-wrap { min-height: 0; height: auto !important; max-height: none; overflow: visible; padding: 4px; }
#library-gallery .grid-container { grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)) !important; }
#library-gallery .caption-label { font-size: .75rem; max-width: 100%; white-space: normal; }
.listing { border-collapse: collapse; font-size: .92rem; width: 100%; }
.listing, .listing tr { border: none !important; background: none !important; }
.listing th, .listing td { text-align: left; padding: .28rem .9rem .28rem 0; border: none !important; white-space: nowrap; }
.listing th { font-weight: 700; border-bottom: 1px solid var(--border-color-primary) !important; }
.listing td:nth-child(n+2):nth-child(-n+4), .listing th:nth-child(n+2):nth-child(-n+4) { text-align: right;
  font-variant-numeric: tabular-nums; }
.listing td:last-child::before { content: "●"; margin-right: .4rem; color: #94a3b8; }
.listing .here td:last-child::before { color: #047857; } .listing .other td:last-child::before { color: #b45309; }
.bouts { border-collapse: collapse; font-size: .92rem; width: 100%; border: none !important; }
.bouts caption { text-align: left; font-size: .88rem; padding: .2rem 0; }
.bouts tr { border: none !important; background: none !important; }
.bouts th, .bouts td { text-align: left; vertical-align: middle; padding: .35rem .7rem .35rem 0; border: none !important;
  border-bottom: 1px solid var(--border-color-primary) !important; font-variant-numeric: tabular-nums; }
.bouts th { font-weight: 700; white-space: nowrap; }
.bouts small { display: block; font-size: .82rem; opacity: .85; }
.defences td { min-width: 6.6rem; } .defences td:nth-child(3) { min-width: 8rem; }
.bouts td:nth-child(n+6):nth-child(-n+10) { white-space: nowrap; }
.bouts img { width: 84px; height: 84px; min-width: 84px; image-rendering: pixelated; border-radius: 4px; display: block; }
.bouts .swap { display: block; width: 84px; background-image: var(--before); background-size: 84px 84px;
  image-rendering: pixelated; border-radius: 4px; }
.bouts .swap:hover img, .bouts .swap:focus img { opacity: 0; }
.bouts .hit { color: #9a3412; font-weight: 700; } .bouts .held { color: #065f46; font-weight: 700; }
.dark .bouts .hit { color: #fdba74; } .dark .bouts .held { color: #6ee7b7; }
.rates label { font-size: .88rem; } .rates caption { text-align: left; font-size: .88rem; padding: .2rem 0; }
.rates .more { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.rates:has(input:checked) .more { position: static; width: auto; height: auto; clip-path: none; display: block;
  white-space: normal; font-size: .8rem; font-weight: 400; max-width: 9rem; margin-left: auto; }
.layers { border-collapse: collapse; font-size: .92rem; }
.layers, .layers tr { border: none !important; background: none !important; }
.layers th, .layers td { text-align: left; padding: .22rem .9rem .22rem 0; border: none !important;
  border-bottom: 1px solid var(--border-color-primary) !important; white-space: nowrap; }
.layers td:nth-child(n+5), .layers th:nth-child(n+5) { text-align: right; font-variant-numeric: tabular-nums; }
.layers small { display: block; white-space: normal; }
.map-box h4 { margin: .7rem 0 0; } .map-box p { margin: 0 0 .3rem; }
.map-column { font-weight: 700; margin: 0 0 .2rem; }
.map-stop { align-items: center; flex-wrap: nowrap !important; margin-bottom: .25rem; }
.meter { background: var(--background-fill-secondary); border-radius: 4px; height: .55rem; margin-top: .35rem; }
.meter div { background: #1d4ed8; border-radius: 4px; height: 100%; }
input[type=range] + span, .min_value, .max_value { color: var(--body-text-color) !important; opacity: 1; }
#craft-status { min-height: 3.6rem; }
.downloads { gap: .5rem; }
footer { opacity: .8; }
"""
