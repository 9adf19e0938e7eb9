from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from uap_core.ui.runtime.named_outputs import answering, given
from uap_core.ui.selection import Selection, of_selection


def test_answers_come_in_the_order_of_the_places_and_the_rest_stays() -> None:
    def handler(first: str, asked: str) -> dict[str, Any]:
        return {"second": asked, "first": first}

    fill = answering(["first", "left", "second"], given(handler, "given"))
    assert fill("asked") == ("given", gr.skip(), "asked")
    assert fill.__name__ == "handler"


def test_a_stream_is_one_and_is_closed_with_it() -> None:
    closed = []

    def handler() -> Iterator[dict[str, Any]]:
        try:
            yield {"a": 1}
            yield {}
        finally:
            closed.append(True)

    steps = answering(["a", "b"], handler)()
    assert next(steps) == (1, gr.skip())
    steps.close()
    assert closed == [True]


def test_a_place_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="elsewhere"):
        answering(["a"], lambda: {"elsewhere": 1})()


def test_what_is_chosen_comes_as_one() -> None:
    @of_selection
    def handler(studio: str, chosen: Selection, more: int) -> dict[str, Any]:
        return {"a": (studio, chosen.photo, chosen.epsilon, more)}

    fill = answering(["a"], given(handler, "studio"))
    assert fill("sample:lion", "resnet64", "v", {}, 10, 7) == (("studio", "sample:lion", 10, 7),)


def test_components_can_be_their_own_names() -> None:
    with gr.Blocks():
        first, second = gr.HTML(), gr.HTML()
    assert answering([first, second], lambda: {second: "b"})() == (gr.skip(), "b")
