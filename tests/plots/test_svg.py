"""Figures as SVG inside a page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from figure_rows import sweep_rows
from test_every_figure import FIGURES

from uap_core.plots.epsilon import sweep_figure
from uap_core.plots.for_screen import widened
from uap_core.plots.svg import svg_of

NAMESPACES = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.replace("<svg", f"<svg{NAMESPACES}", 1))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_one_element_of_text_and_page_colours(name: str) -> None:
    svg = svg_of(FIGURES[name](), "wide", "in words")
    root = parsed(svg)
    assert root.get("aria-label") == "in words"
    assert not re.search(r"<style|<metadata|<\?xml|font-family|DejaVu", svg), "nothing that is for a file of its own"
    assert re.findall(r"(?:fill|stroke): #(?!ffffff)", svg) == [], "colours are the page's, but for white on a colour"
    assert all(text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if not len(text)), "letters are text"
    assert len(svg) < 40_000


def test_ids_are_of_this_figure_alone_and_all_are_asked_for() -> None:
    first, second = (svg_of(FIGURES[name](), "wide", "") for name in ("sweep", "photo"))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, mine in zip((first, second), ids, strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', svg)) == mine


def test_the_ground_is_the_pages() -> None:
    assert "#ffffff" not in svg_of(sweep_figure(sweep_rows(), ""), "wide", "")


def test_the_place_of_epsilon_is_told_where_it_is_the_axis() -> None:
    figure = sweep_figure(sweep_rows(), "", 32)
    widened(figure)
    (place,) = re.findall(r'data-epsilon="([^"]+)"', svg_of(figure, "wide", ""))
    left, right, top, bottom, most = map(float, place.split())
    assert most > 32
    assert 0 < left < right <= 1
    assert 0 < top < bottom < 1
    axes = figure.axes[0]
    at_10 = figure.transFigure.inverted().transform(axes.transData.transform((10, 0)))[0]
    assert left + (right - left) * 10 / most == pytest.approx(at_10, abs=1e-3)
    assert "data-epsilon" not in svg_of(FIGURES["sample"](), "wide", "")


def test_what_is_written_keeps_its_digits_and_bands_their_strength() -> None:
    svg = svg_of(FIGURES["detector"](), "wide", "")
    assert "AUC 0.75 (0.40-0.90)" in svg
    svg = svg_of(sweep_figure(sweep_rows(), ""), "wide", "")
    assert "fill-opacity: 0.15" in svg
    assert not re.search(r' (?:d|x|y)="[^"]*\.\d{2}', svg), "places need no more than a tenth of a point"
