"""The Lab: what goes beyond the path of the tabs, a room each."""

from __future__ import annotations

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.around import attack_map, glossary
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs import learning as learning_tab
from uap_core.ui.tabs import library as library_tab
from uap_core.ui.tabs import networks as networks_tab
from uap_core.ui.tabs import small_networks as small_tab
from uap_core.ui.tabs.games import patterns as patterns_tab
from uap_core.ui.tabs.games import tab as games_tab
from uap_core.ui.tabs.geometry import tab as geometry_tab


def build(studio: Studio, setup: Setup, tabs: gr.Tabs) -> gr.Tabs:
    """All rooms, in the order in which one learns; returns them."""
    with gr.Tabs(elem_id="lab-tabs", overflow_behavior="wrap") as rooms:
        with gr.Tab(_("Library"), id="library") as tab:
            library_tab.build(studio, setup, tabs, tab)
        with gr.Tab(_("Networks"), id="networks") as tab:
            networks_tab.build(studio, setup, tabs, tab)
        with gr.Tab(_("From learning to attacking"), id="learning"):
            learning_tab.build()
        with gr.Tab(_("Small networks"), id="small") as tab:
            small_tab.build(studio, setup, tab)
        with gr.Tab(_("Two networks"), id="games") as tab:
            games_tab.build(studio, setup, tab)
        with gr.Tab(_("Patterns on demand"), id="generator") as tab:
            patterns_tab.build(studio, setup, tab)
        with gr.Tab(_("Beyond pictures"), id="geometry") as tab:
            geometry_tab.build(studio, setup, tab)
        with gr.Tab(_("Map and words"), id="words"):
            attack_map.build()
            glossary.build()
    return rooms
