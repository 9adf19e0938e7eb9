"""Every handler of the running app under values that its page would never send."""

from __future__ import annotations

import json
import random
import site
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from itertools import product
from typing import Any

import httpx
import pytest
from pictures import encoded, noise
from running import PWN, ROOT, Running
from visitor import Answer, Visitor

from uap_core.models.zoo import PAGE_MODEL
from uap_core.ui.serving.choices import WRONG_CHOICE
from uap_core.ui.widgets import UNEXPECTED

ROUNDS = 20
SEED = 0
DEEP: Any = None
for _ in range(200):
    DEEP = [DEEP]
PATHS = [
    "upload:/etc/passwd",
    "upload:../../etc/passwd",
    "sample:../../x",
    "dream:-1",
    "dream:²",
    "own:somebody",
    "file:///etc/passwd",
]
WORDS = [
    "x",
    "nobody",
    "__class__",
    "{0.__class__}",
    "%s%n",
    "../..",
    "resnet64",
    "resnet64-linf10.safetensors",
    "random-signs",
]
NUMBERS = (0, -1, 0.1, 1e308, -1e308, float("nan"), float("inf"), -float("inf"), 2**63, 10**400)
FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
FILES = (FILE, [FILE], {"path": "/etc/passwd"}, {"path": 5}, {"path": None}, {"url": "http://127.0.0.1:1/x"})
LISTS = ([], [None], [[]], {}, {"a": {"b": [1, {"c": None}]}}, DEEP, list(range(5000)), [PWN], ["resnet64"] * 300)
TEXTS = ("", " ", PWN, "x" * 100_000, "\x00", "\ud800", "\u202e", "'; DROP TABLE x")
ODD = (None, True, False, {"__type__": "update", "value": 1}, *NUMBERS, *TEXTS, *WORDS, *PATHS, *FILES, *LISTS)
INDICES = (-1, 10**9, "x", [0, 0], None)
EVENTS: tuple[Any, ...] = (None, None, {}, [], "x", 3, *({"index": index} for index in INDICES))
# What takes a minute of work however it is asked for, or would ask another host.
LONG = ("measure", "craft", "attack", "learn", "detect", "cross", "regularise", "walk", "get_it", "get_them")
# What draws charts or computes, some tenths of a second if all is right: asked less often.
DRAWING = ("stored", "look", "fill", "curves", "apply")
# The Networks tab says on purpose where weights belong.
PLACES = ("describe",)


def is_harmless(answer: Answer, name: str) -> bool:
    """Whether an answer shows nothing of the program behind it."""
    shown = answer.text
    places = () if name.startswith(PLACES) else (str(ROOT), *site.getsitepackages())
    return (
        "Traceback" not in shown
        and 'File "' not in shown
        and "root:x:0" not in shown
        and not any(map(shown.__contains__, places))
    )


def handlers(visitor: Visitor) -> list[dict[str, Any]]:
    """All that run something on the server, named or not; of equal ones a few."""
    found: dict[str, list[dict[str, Any]]] = {}
    for handler in visitor.config["dependencies"]:
        if handler["backend_fn"]:
            kind = handler["api_name"].rstrip("_0123456789")
            found.setdefault(f"{kind} {handler['inputs']}", []).append(handler)
    return [handler for equal in found.values() for handler in equal[:2]]


def odd_call(draw: random.Random, visitor: Visitor, handler: dict[str, Any]) -> tuple[list[Any], Any]:
    """Arguments for a handler: some right, the others odd, at times too few or too many."""
    parts = {part["id"]: part for part in visitor.config["components"]}
    data = [parts[number]["props"].get("value") if draw.random() < 0.4 else draw.choice(ODD) for number in handler["inputs"]]
    if draw.random() < 0.1:
        data = data[: len(data) // 2] if draw.random() < 0.5 else [*data, *draw.choices(ODD, k=9)]
    return data, draw.choice(EVENTS)


def test_odd_calls_neither_break_the_app_nor_show_its_inside(app: Running) -> None:
    config = Visitor(app.address).config
    known = [found for found in handlers(Visitor(app.address, config)) if not found["api_name"].startswith(LONG)]
    assert len(known) > 40

    def call_them(number: int) -> int:
        draw, visitor, calls = random.Random(number), Visitor(app.address, config), 0
        for handler in known[number % 4 :: 4]:
            if handler["api_name"].startswith(DRAWING) and number // 4 % 9:
                continue
            calls += 1
            data, event = odd_call(draw, visitor, handler)
            answer = visitor.call(handler["id"], data, event)
            assert is_harmless(answer, handler["api_name"]), (handler["api_name"], data, answer.text)
            assert answer.status in (200, 400, 422, 500), (handler["api_name"], data, answer)
        return calls

    with ThreadPoolExecutor(8) as visitors:
        calls = sum(visitors.map(call_them, range(ROUNDS)))
    assert calls >= 300
    assert app.process.poll() is None
    assert_answers_rightly(app)


def choices_of(visitor: Visitor, handler: dict[str, Any], kinds: tuple[str, ...]) -> list[int]:
    """Places of the lists and chips among what a handler takes."""
    parts = {part["id"]: part["type"] for part in visitor.config["components"]}
    return [place for place, number in enumerate(handler["inputs"]) if parts[number] in kinds]


def test_choices_of_another_kind_are_refused_in_a_sentence(app: Running) -> None:
    """A list or an object is no key: no handler that takes a choice ever gets one, and no trace is left."""
    visitor, logged = Visitor(app.address), len(app.lines)
    asked = set()
    for handler in handlers(visitor):
        for place in choices_of(visitor, handler, ("dropdown", "radio", "checkboxgroup")):
            for odd in ([["resnet64"]], {"a": 1}, True, ["resnet64", {}]):
                data = visitor.filled(handler["id"])
                data[place] = odd
                answer = visitor.call(handler["id"], data)
                assert (answer.status, answer.text) == (422, WRONG_CHOICE), (handler["api_name"], place, odd)
                asked.add(handler["api_name"].rstrip("_0123456789"))
    assert {"switch", "fit", "look_apply", "ahead", "offer", "craft", "attack", "measure", "about_method"} <= asked
    assert not [line for line in app.lines[logged:] if "Traceback" in line or "Error" in line]
    assert_answers_rightly(app)


def test_choices_that_no_list_offers_are_met_in_a_sentence(app: Running) -> None:
    """A text may be anybody's key: handlers look it up, and miss it without a trace."""
    visitor, logged = Visitor(app.address), len(app.lines)
    asked = set()
    for handler in handlers(visitor):
        if handler["api_name"].startswith(LONG):
            continue
        for place in choices_of(visitor, handler, ("dropdown", "radio")):
            data = visitor.filled(handler["id"])
            data[place] = "nobody"
            answer = visitor.call(handler["id"], data, {"index": 0})
            assert answer.success or answer.text == WRONG_CHOICE, (handler["api_name"], place, answer.text)
            assert UNEXPECTED not in answer.text, (handler["api_name"], place)
            asked.add(handler["api_name"].rstrip("_0123456789"))
    assert {"switch", "fit", "look_apply", "use_own", "about_method", "follow", "ended", "keep", "dream"} <= {
        name.lstrip("_") for name in asked
    }
    assert not [line for line in app.lines[logged:] if "Traceback" in line]


def test_chips_and_boxes_that_are_sent_as_something_else(app: Running) -> None:
    """Gradio checks none of them: chips are refused where they are of another kind, and each handler says a sentence of its own
    on the rest, also once a session has copies of them."""
    visitor, logged = Visitor(app.address), len(app.lines)
    parts = {part["id"]: part for part in visitor.config["components"]}
    asked = set()
    for handler in handlers(visitor):
        name = handler["api_name"]
        chips = [number for number in handler["inputs"] if parts[number]["type"] in ("radio", "checkboxgroup", "textbox")]
        if name.startswith(("measure", "list", "apply")):  # without a check of its own it measures what is left
            continue
        for number, odd in product(chips, (None, 5, [[]], {"a": 1}, "x", [PWN])):
            data = visitor.filled(handler["id"])
            data[handler["inputs"].index(number)] = odd
            answer = visitor.call(handler["id"], data)
            assert answer.success or answer.text == WRONG_CHOICE, (name, odd, answer.text)
            assert UNEXPECTED not in answer.text, (name, odd)
            asked.add(name.rstrip("_0123456789"))
    assert {"attack", "craft", "price", "read_again", "hit", "look_domain", "keep_it"} <= asked
    assert not [line for line in app.lines[logged:] if "unexpected error" in line]


def test_odd_calls_of_what_takes_long(app: Running) -> None:
    """They refuse what they are given, or begin and are called off."""
    draw = random.Random(SEED)
    visitor = Visitor(app.address)
    for handler in handlers(visitor):
        name = handler["api_name"]
        if not name.startswith(LONG) or not handler["inputs"]:
            continue
        for _ in range(4):
            data = [draw.choice(ODD) for _ in handler["inputs"]]
            if visitor_would_wait(visitor, handler, data):
                continue
            answer = visitor.call(handler["id"], data)
            assert is_harmless(answer, name), (name, data, answer.text)
    assert_answers_rightly(app)


def visitor_would_wait(visitor: Visitor, handler: dict[str, Any], data: list[Any]) -> bool:
    """Whether a run would begin after all: its network and all other choices are ones that there are."""
    networks = next(part for part in visitor.config["components"] if part["props"].get("elem_id") == "network")
    place = handler["inputs"].index(networks["id"]) if networks["id"] in handler["inputs"] else None
    return (
        place is None
        or data[place] in [value for _, value in networks["props"]["choices"]]
        or handler["api_name"].startswith("get")
    )


def assert_answers_rightly(app: Running) -> None:
    visitor = Visitor(app.address)
    answer = visitor.look(PAGE_MODEL, f"{PAGE_MODEL}-linf10.safetensors")
    assert answer.success
    view = json.loads(unescape(answer.data[2].partition('data-view="')[2].rpartition('"')[0]))
    assert view["clean"][0] == "cheetah"
    assert view["says"]["pattern"]["9"][2] == "changed"


def test_states_cannot_be_sent(app: Running) -> None:
    """Photograph, patterns and wishes are kept by the server for each session; what programs send instead is dropped."""
    visitor = Visitor(app.address)
    states = [part["id"] for part in visitor.config["components"] if part["type"] == "state"]
    pattern = {"mine": {"name": "mine", "values": [[[1]]], "p": "linf", "radius": 1}}
    for photo in (*PATHS, f"upload:{ROOT / 'assets' / 'screenshot-craft.png'}", "dream:0"):
        answer = Visitor(app.address, visitor.config).look("resnet64", "resnet64-linf10.safetensors", 9, photo, pattern)
        assert "running-eps9.png" in answer.text, "the session's own photograph is the cheetah"
    own = visitor.look("resnet64", "own:mine", 9, None, pattern)
    assert own.success
    assert "no longer there. Choose another one." in own.data[1]
    assert "running-eps9" not in own.text
    handler = next(found for found in visitor.config["dependencies"] if found["api_name"] == "take")
    assert set(handler["inputs"]) & set(states)
    answer = visitor.call("take", [["own:somebody", 9], "resnet64", pattern])
    assert not answer.success or "own:somebody" not in str(answer.data)


def test_sessions_are_kept_apart(app: Running) -> None:
    first, second = Visitor(app.address), Visitor(app.address)
    assert "Your picture" in first.call("accept", [first.upload("mine.png", encoded(noise(7))), "resnet64"]).text
    assert "picture-eps9.png" in first.look("resnet64", "resnet64-linf10.safetensors").text
    assert "running-eps9.png" in second.look("resnet64", "resnet64-linf10.safetensors").text


def test_no_address_jumps_the_queue(visitor: Visitor) -> None:
    for address in ("run/apply", "api/apply", "run/list_networks", "api/predict", "run/craft"):
        answer = visitor.http.post(f"/gradio_api/{address}", json={"data": [], "fn_index": visitor.handler("look_apply")})
        assert answer.status_code == 404
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"fn_index": 1e400}', b"\xff\xfe", b'{"data": "x"}', b"[" * 100_000]
)
def test_requests_that_are_none(visitor: Visitor, app: Running, body: bytes) -> None:
    for address in ("queue/join", "call/apply", "call/apply_pattern", "call/nobody", "upload", "reset", "cancel"):
        where = f"{app.address}/gradio_api/{address}"  # on a connection of its own: after an error the server ends it
        answer = httpx.post(where, content=body, headers={"content-type": "application/json"}, timeout=30)
        assert answer.status_code >= 400
        assert "Traceback" not in answer.text, address
        assert str(ROOT) not in answer.text, address
    unknown = visitor.http.post(
        "/gradio_api/queue/join", json={"fn_index": 10**6, "data": [], "session_hash": uuid.uuid4().hex}
    )
    assert unknown.status_code >= 400
    assert app.process.poll() is None


def test_answers_after_all_this(app: Running) -> None:
    started = time.monotonic()
    assert_answers_rightly(app)
    assert time.monotonic() - started < 10
