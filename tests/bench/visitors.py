"""Thirty visitors at once: `python tests/bench/visitors.py --minutes 5`

Each has a pattern and a photograph of its own, clicks every few seconds, and now and then asks for a long run (crafting, a
sweep), of which one runs at a time. That a visitor gets its own and nobody else's result is told by content: each one's
pattern is a flat colour of its own, and below the middle its negative, so the change that it downloads must be that; and it
crafts under a seed of its own, which no other run may name. Prints errors, wrong results and waiting times.

With --attacks two strangers do their worst meanwhile (attackers.py).
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

from attackers import SlowPictures, UnreadRuns
from clicks import megabytes
from running import running
from visitor import Answer, Visitor

GREY, SIZE, EPSILON = 128, 64, 25
LEVELS = range(16, EPSILON + 1)
THINKING = (1.0, 6.0)  # seconds between two clicks
LONG_EVERY = 12  # clicks
PATIENCE = 20.0  # seconds after the end: who waits for a long run then leaves


class Pupil(threading.Thread):
    """One of the visitors; ``number`` tells its colour."""

    def __init__(self, number: int, address: str, until: float) -> None:
        super().__init__(daemon=True)
        self.number, self.until, self.visitor = number, until, Visitor(address)
        self.draw = random.Random(number)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self.wrong: list[str] = []
        self.refused = 0
        self.level = 0
        self.values = {part["id"]: part["props"].get("value") for part in self.visitor.config["components"]}
        self.own_photo = False

    @property
    def colour(self) -> np.ndarray:
        """A change in 255ths, (3,): first ``EPSILON``, then two unlike those of any other visitor, at each of ``LEVELS``."""
        return np.array([EPSILON, self.number - 15, (7 * self.number) % 31 - 15])

    def _change(self, level: float, height: int = SIZE, width: int = SIZE) -> np.ndarray:
        """The pattern at a strength, in 255ths (H,W,3): the colour, and below the middle its negative."""
        change = np.broadcast_to(np.rint(self.colour * level / EPSILON), (height, width, 3)).copy()
        change[height // 2 :] *= -1
        return change

    def run(self) -> None:
        """Bring a photograph and a pattern, then click until the time is over."""
        try:
            self._bring()
            clicks = 0
            while time.monotonic() < self.until:
                clicks += 1
                if (clicks + self.number) % LONG_EVERY == 0:
                    self._run_long()
                else:
                    self._click()
                time.sleep(self.draw.uniform(*THINKING))
        except Exception as error:  # a visitor that fails is counted, the others go on
            self.errors.append(repr(error))

    def _bring(self) -> None:
        self._show_own()
        values = (self._change(EPSILON) / 255).astype(np.float32).transpose(2, 0, 1)
        pattern = io.BytesIO()
        np.save(pattern, np.ascontiguousarray(values))
        file = self.visitor.upload(f"pattern{self.number}.npy", pattern.getvalue())
        answer = self._ask("pattern", "open_pattern", [file, "resnet64", None])
        if f"own:pattern{self.number}" not in str(answer.data):
            self.wrong.append(f"pattern: {answer.text[-200:]}")

    def _show_own(self) -> None:
        answer = self._ask("photo", "accept", [self.visitor.upload(f"{self.number}.png", self._photo()), "resnet64"])
        self.own_photo = answer.success

    def _click(self) -> None:
        kind = self.draw.choice(("apply", "apply", "epsilon", "photo"))
        if kind == "epsilon":
            self._ask(kind, "check", ["resnet64", f"own:pattern{self.number}", None, self.draw.randint(0, 32)])
            return
        if kind == "photo":
            self._ask(
                kind,
                "pick_photo",
                ["resnet64", ""],
                {"photo": self.draw.choice(("sample:lion", "sample:cat", "sample:espresso"))},
            )
            self._follow_up()
            self._show_own()
            return
        if not self.own_photo:  # the last upload was turned away
            self._show_own()
            return
        others = [level for level in LEVELS if level != self.level]  # what is shown already is not sent again
        self.level = self.draw.choice(others)
        answer = self._ask(kind, "look_apply", [None, None, "resnet64", f"own:pattern{self.number}", None, self.level])
        if not answer.success:
            return
        found = re.search(r'"path": ?"([^"]*picture-eps[^"]*\.png)"', answer.text)
        if not found:
            self.errors.append(f"no picture: {answer.text[-200:]}")
            return
        pixels = np.asarray(Image.open(io.BytesIO(self.visitor.http.get(f"/gradio_api/file={found[1]}").content)))
        change = pixels.astype(int) - GREY
        if not np.array_equal(change, self._change(self.level, *pixels.shape[:2])):
            self.wrong.append(f"picture: {change[0, 0]} for {self.colour} at {self.level}")

    def _follow_up(self) -> None:
        """What the page asks for by itself after a choice: the views of the open tab, which is not the same for all visitors,
        and what comes later (refresh.js)."""
        started, parts, values = time.monotonic(), self.visitor.config["components"], self.values
        names = {part["id"]: part["props"].get("elem_id", "") for part in parts}
        turns = {number: name.partition("--")[0] for number, name in names.items() if name.startswith("turn-")}
        tabs = sorted(set(turns.values()) - {"turn-later"})
        for turn in (tabs[self.number % len(tabs)], "turn-later"):
            for view in self.visitor.config["dependencies"]:
                # What the page's own script does asks the server nothing.
                if view["backend_fn"] and any(turns.get(target) == turn for target, _ in view["targets"]):
                    name = view["api_name"].rstrip("_0123456789")
                    answer = self._ask(f"after it: {name}", view["id"], [values[number] for number in view["inputs"]])
                    values.update(said_by(view["outputs"], answer.data))
        self.seconds["all that follows a photograph"].append(time.monotonic() - started)

    def _photo(self) -> bytes:
        photo = io.BytesIO()
        Image.new("RGB", (SIZE, SIZE), (GREY,) * 3).save(photo, format="PNG")
        return photo.getvalue()

    def _run_long(self) -> None:
        mine = f"own:pattern{self.number}"
        if self.draw.random() < 0.5:
            seed = self.number + 1
            crafting = self.visitor.handler_with("craft", "craft-cost")
            chosen = {"network": "resnet64", "pattern": mine, "epsilon": EPSILON, "craft_images": 100}
            order = self.visitor.filled(crafting, **chosen, craft_cost=800, craft_seed=seed, craft_until=0)
            answer = self._ask("long: craft", crafting, order)
            others = {int(found) for found in re.findall(r", seed (\d+)", answer.text)} - {seed}
            self.wrong += [f"seed {other} for {seed}: {answer.text[-200:]}" for other in others]
        else:
            self._ask("long: sweep", "measure", [None, "resnet64", mine, None, EPSILON])

    def _ask(self, kind: str, handler: str | int, data: list, event: object = None) -> Answer:
        started = time.monotonic()
        answer = self.visitor.call(handler, data, event)
        if answer.status == 503 or "runs are waiting already" in answer.text:
            self.refused += 1  # the waiting room is full, and says so
        else:
            self.seconds[kind].append(time.monotonic() - started)
            if not answer.success or 'role=\\"alert\\"' in answer.text:
                told = re.search(r'role=\\"alert\\">(.*?)<', answer.text)
                self.errors.append(f"{handler}: {told[1] if told else answer.text[-300:]}")
        return answer


def said_by(outputs: list[int], data: list[Any]) -> dict[int, Any]:
    """The values that an answer gives to components: not those that it leaves alone."""
    updates = {number: one for number, one in zip(outputs, data, strict=False) if isinstance(one, dict) and "__type__" in one}
    plain = {number: one for number, one in zip(outputs, data, strict=False) if number not in updates}
    return plain | {number: one["value"] for number, one in updates.items() if "value" in one}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--attacks", action="store_true")
    options = parser.parse_args()
    with running() as app:
        opened = Visitor(app.address).look("resnet64", "resnet64-linf10.safetensors")
        assert opened.success, "the teacher's page, before the class has opened theirs"
        until = time.monotonic() + 60 * options.minutes
        pupils = [Pupil(number, app.address, until) for number in range(options.visitors)]
        kinds = (SlowPictures, UnreadRuns) if options.attacks else ()
        attackers = [kind(app.address, until, pupils[0].visitor.config) for kind in kinds]
        for visitor in (*pupils, *attackers):
            visitor.start()
        for pupil in pupils:
            pupil.join(max(0.0, until + PATIENCE - time.monotonic()))
        wrong = [found for pupil in pupils for found in pupil.wrong]
        waiting = sum(pupil.is_alive() for pupil in pupils)
        errors = [error for pupil in pupils for error in pupil.errors]
        memory, peak = (megabytes(app.process.pid, name) for name in ("VmRSS", "VmHWM"))
        alive = app.process.poll() is None
    seconds: dict[str, list[float]] = defaultdict(list)
    for pupil in pupils:
        for kind, values in pupil.seconds.items():
            seconds[kind] += values
    light = [value for kind in ("apply", "epsilon", "photo") for value in seconds[kind]]
    print("| what | number | 50 % | 95 % | longest, s |\n|---|---|---|---|---|")
    for kind, values in (*sorted(seconds.items()), ("all light clicks", light)):
        middle, high = np.percentile(values, (50, 95))
        print(f"| {kind} | {len(values)} | {middle:.2f} | {high:.2f} | {max(values):.2f} |")
    print(f"\n{len(errors)} errors, {len(wrong)} results of somebody else,", end=" ")
    print(f"{sum(pupil.refused for pupil in pupils)} turned away by a full waiting room,", end=" ")
    print(f"{waiting} in a long run or its line at the end; alive then: {alive};", end=" ")
    print(f"memory {memory:.0f} MB, peak {peak:.0f} MB")
    for attacker in attackers:
        print(f"{type(attacker).__name__}: {dict(attacker.did)}")
    for found in (*wrong[:5], *errors[:5]):
        print(found)


if __name__ == "__main__":
    main()
