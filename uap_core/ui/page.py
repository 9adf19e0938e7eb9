"""The page: one tab a question, and below them the bar of choices, always in view."""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import threading
import time
from pathlib import Path

import gradio as gr

from uap_core.experiments.first_view import Opening, load_opening
from uap_core.i18n import _
from uap_core.models.allocator import give_back_freed_memory
from uap_core.models.zoo import Zoo
from uap_core.settings import limits
from uap_core.ui import choosing, sidebar
from uap_core.ui.around import api, glossary, links, presenter
from uap_core.ui.runtime import downloads
from uap_core.ui.said import SAID
from uap_core.ui.selection import usual
from uap_core.ui.serving.launching import launch
from uap_core.ui.serving.pictures import OPENERS
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs import compare as compare_tab
from uap_core.ui.tabs import epsilon as epsilon_tab
from uap_core.ui.tabs import lab
from uap_core.ui.tabs import training_images as samples_tab
from uap_core.ui.tabs import transfer as transfer_tab
from uap_core.ui.tabs.apply import tab as apply_tab
from uap_core.ui.tabs.craft import tab as craft_tab
from uap_core.ui.tabs.defences import tab as defences_tab
from uap_core.ui.tabs.why import tab as why_tab
from uap_core.ui.theme import CSS, THEME
from uap_core.ui.widgets import DOWNLOADS, QUICK, keep_for_good, status

TITLE = _("Universal adversarial perturbations")
STYLES = CSS + links.CSS + glossary.CSS
SCRIPT_FILES = (
    *("links", "refresh", "pictures", "first_view", "dots", "slide", "presenter", "bar", "accessibility", "sideways", "next"),
    *("charts", "countdown", "learning_net", "learning_field", "learning", "duel_core", "duel", "maker", "polygon", "digits"),
    *("geometry_drawing", "geometry"),
)
# What scripts say goes ahead of them, so that all texts of the page stand in Python and are translated there.
WORDS = json.dumps(SAID).replace("<", "\\u003c")  # nothing in them ends the script
SCRIPTS = f"<script>window.uapTexts = {WORDS};</script>" + "".join(
    f"<script>{(Path(__file__).parent / 'static' / f'{name}.js').read_text(encoding='utf-8')}</script>" for name in SCRIPT_FILES
)
QUICK_EVENTS = 60  # that Gradio may hold, beside the runs in our own line
# Seconds that the first page may load alone before torch is imported beside it: at most, and after its first question, when
# its pictures are on their way.
HEAD_START, LOADING = 8.0, 1.0
THREADS = 40  # of which a run that waits takes one from time to time
BETWEEN = 10  # seconds from one look at the memory to the next
GOING = 1  # second that answers under way get when the app is told to go


def build(studio: Studio) -> gr.Blocks:
    """The whole page, filled with a first view; nothing heavy is imported here."""
    opening, first = load_opening(), usual(studio)
    if opening and (opening.photo, opening.network, opening.pattern) != (first.photo, first.network, first.pattern):
        opening = None
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 7200)) as demo:
        # Nobody jumps the queue by asking another address. Said while the page is empty: each time Gradio builds a server anew.
        demo.queue(max_size=QUICK_EVENTS + limits().waiting, api_open=False)
        with gr.Row(elem_id="header"):
            gr.HTML(f"<h1>{TITLE}</h1>", elem_id="title")
            with gr.Row(elem_id="header-buttons"):
                presenter.build(demo)
                links.build_button()
        note = links.build_note()
        if missing := studio.missing():
            gr.HTML(status(missing), elem_id="missing")
        main = gr.Column(elem_id="main")
        bar = sidebar.build(studio, demo)
        with main:
            tabs, rooms = _tabs(studio, bar.setup, opening)
        choosing.wire(studio, bar, demo)
        _wire_ways(bar.setup, tabs, rooms)
        links.wire(studio, bar.setup, demo, tabs, rooms, note)
        presenter.wire(studio, bar.setup)
        demo.load(lambda: studio.looked_at.set(), None, None, **QUICK)
        api.offer_calls(studio, demo)
    keep_for_good()
    return demo


def _tabs(studio: Studio, setup: Setup, opening: Opening | None) -> tuple[gr.Tabs, gr.Tabs]:
    """All tabs in the order of the path, and those inside the Lab."""
    with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:  # all stand in one row (static/layout.css)
        with gr.Tab(_("Apply"), id="apply") as tab:
            apply_tab.build(studio, setup, opening, tab)
        with gr.Tab(_("Epsilon"), id="epsilon") as tab:
            epsilon_tab.build(studio, setup, tab)
        with gr.Tab(_("Training images"), id="samples") as tab:
            samples_tab.build(studio, setup, tab)
        with gr.Tab(_("Compare"), id="compare") as tab:
            compare_tab.build(studio, setup, tab)
        with gr.Tab(_("Craft"), id="craft") as tab:
            craft_tab.build(studio, setup, opening, tab)
        with gr.Tab(_("Transfer"), id="transfer") as tab:
            transfer_tab.build(studio, setup, tab)
        with gr.Tab(_("Why"), id="why") as tab:
            why_tab.build(studio, setup, tab)
        with gr.Tab(_("Defences"), id="defences") as tab:
            defences_tab.build(studio, setup, tab)
        with gr.Tab(_("Lab"), id="lab"):
            rooms = lab.build(studio, setup, tabs)
    return tabs, rooms


def _wire_ways(setup: Setup, tabs: gr.Tabs, rooms: gr.Tabs) -> None:
    """Buttons that nobody sees open each tab: what says data-go in the page presses them (next.js)."""
    inside = [tab.id for tab in rooms.children if isinstance(tab, gr.Tab)]
    for tab in [tab.id for tab in tabs.children if isinstance(tab, gr.Tab)] + inside:
        with setup.unseen:
            go = gr.Button("", elem_id=f"go-{tab}")
        nested = {tabs: gr.update(selected="lab"), rooms: gr.update(selected=tab)}
        selected = nested if tab in inside else {tabs: gr.update(selected=tab)}
        go.click(lambda selected=selected: selected, None, [tabs, rooms], **QUICK)


def serve(models: Path | None, images: Path | None, host: str | None, port: int | None, share: bool) -> None:
    """Build the page and serve it until interrupted."""
    # With a proxy set, as in many classrooms, Gradio's own start-up check would be sent to the proxy and fail.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name, ""), "localhost,127.0.0.1"]))
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    studio = Studio(Zoo([models] if models else None), images)
    demo = build(studio)
    launch(
        demo,
        limits(),
        host,
        port,
        share,
        theme=THEME,
        css=STYLES,
        head=SCRIPTS,
        max_threads=THREADS + limits().waiting,
        footer_links=["api", "gradio"],
        allowed_paths=[str(DOWNLOADS)],
    )
    threading.Thread(target=attend, args=(studio,), daemon=True).start()
    # Whoever stops it by a signal, as containers are stopped, gets what Ctrl-C does: files made for visitors go.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    demo.server.config.timeout_graceful_shutdown = GOING  # a page that is open listens for as long as it is open
    demo.block_thread()


def attend(studio: Studio) -> None:
    """Make the first clicks quick, then keep the server's memory small."""
    if studio.looked_at.wait(HEAD_START):
        time.sleep(LOADING)
    gc.enable()  # cli/serving.py put it off
    warm(studio)
    while True:
        time.sleep(BETWEEN)
        give_back_freed_memory()


def warm(studio: Studio) -> None:
    """Import and load what the first clicks need, while the visitor is still reading, and tidy up after others."""
    from uap_core.images.reading import from_array

    first = usual(studio)
    studio.classifier(first.network)(from_array(studio.pixels(first.photo, studio.card(first.network))))
    import uap_core.experiments.compare
    import uap_core.experiments.defences
    import uap_core.plots.epsilon  # noqa: F401
    from uap_core.models.robust_variants import trained_twins

    trained_twins(studio.zoo, first.network)
    downloads.sweep()
    OPENERS.start()
    tidy_often()


def tidy_often() -> None:
    """What is in memory now stays there: let Python not search it for waste any more, and the little that comes after often.

    It would put off a search of so much, let the waste of thousands of clicks pile up, and then hold all of them up.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # so Python learns that little is left to search
    gc.set_threshold(*gc.get_threshold()[:2], 2)  # every hundred clicks or two
