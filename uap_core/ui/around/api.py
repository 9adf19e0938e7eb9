"""The page for programs: three calls that stay as they are. All other handlers serve the page alone and are listed nowhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from uap_core.errors import ImageError, SettingError, UapError
from uap_core.experiments.apply import exhibit
from uap_core.i18n import _
from uap_core.images.reading import from_array, png_bytes
from uap_core.perturbations.library import library
from uap_core.ui.selection import Selection
from uap_core.ui.state import Studio
from uap_core.ui.widgets import QUICK, UNEXPECTED, offer

log = logging.getLogger("uap_core.ui")


def offer_calls(studio: Studio, demo: gr.Blocks) -> None:
    """List these calls under /gradio_api/info and on the page "Use via API", and nothing else of the page."""
    for handler in demo.fns.values():
        handler.api_visibility = "private"

    def list_networks() -> list[dict[str, Any]]:
        """The networks whose weights are here: key, name, size (pixels a side) and the number of classes."""
        cards = [studio.card(key) for _, key in studio.networks()]
        return [
            {
                "key": card.key,
                "name": card.name,
                "size": card.input_size,
                "classes": len(card.classes) if isinstance(card.classes, list) else 1000,
            }
            for card in cards
        ]

    def list_patterns(network: str) -> list[dict[str, Any]]:
        """The ready-made patterns that fit a network: key, name, norm ("linf" or "l2") and epsilon in 255ths."""
        _check_words(network=network)
        found, names = [], {entry.key: entry.name for entry in library()}
        for listed, key in studio.patterns(network, {}):
            ball = studio.perturbation(key, network, {}).ball
            found.append({"key": key, "name": names.get(key, listed), "norm": ball.p, "epsilon": round(ball.radius * 255, 2)})
        return found

    def apply_pattern(photo: gr.FileData, network: str, pattern: str, epsilon: float) -> tuple[dict[str, Any], gr.FileData]:
        """Add a pattern to a picture and ask the network about both.

        Takes a picture file, keys from list_networks and list_patterns, and epsilon in 255ths. Gives before and after
        (the five likeliest labels with their probabilities), fooled and the size of the change (linf and l2 in 255ths);
        and the changed picture as the network saw it, a PNG of its size.
        """
        if not isinstance(photo, dict) or not isinstance(photo.get("path"), str):
            raise ImageError(_("Send a picture as a file: handle_file(PATH) in gradio_client."))
        _check_words(network=network, pattern=pattern)
        perturbation = Selection(str(photo["path"]), network, pattern, {}, epsilon).perturbation(studio)
        view = exhibit(studio.classifier(network), studio.image(f"upload:{photo['path']}", network), perturbation)
        said = {
            "fooled": view.fooled,
            "before": dict(view.before),
            "after": dict(view.after),
            "linf": round(view.linf * 255, 3),
            "l2": round(view.l2 * 255, 1),
        }
        file = offer("perturbed.png", png_bytes(from_array(view.perturbed)))
        return said, gr.FileData(path=file, orig_name="perturbed.png").model_dump()

    lane = {name: QUICK[name] for name in ("concurrency_id", "concurrency_limit")}
    for call in (list_networks, list_patterns, apply_pattern):
        gr.api(_said(call), api_name=call.__name__, **lane)


def _check_words(**given: Any) -> None:
    """Raise SettingError for a key that is none: Gradio hands over whatever a program sends."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise SettingError(_("The {name} must be words: a key that is listed.").format(name=name))


def _said(call: Callable[..., Any]) -> Callable[..., Any]:
    """Our errors reach the caller as their sentence; anything unexpected goes to the log, and the caller is told that."""

    @wraps(call)
    def guarded(*args: Any) -> Any:
        try:
            return call(*args)
        except UapError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except Exception as error:
            log.exception("unexpected error in %s", call.__name__)
            raise gr.Error(UNEXPECTED, print_exception=False) from error

    return guarded
