"""Two strangers who do to a running app what they can, at an address of their own: for visitors.py --attacks."""

from __future__ import annotations

import io
import os
import threading
import time
import uuid
from collections import Counter

import httpx
from PIL import Image, features
from visitor import Visitor

FROM = {"x-forwarded-for": "192.0.2.66"}  # heeded from this machine, as from any proxy that is trusted


def slow_picture() -> bytes:
    """49 megapixels in a few kilobytes."""
    picture = io.BytesIO()
    Image.new("RGB", (7000, 7000), (3, 50, 7)).save(picture, "JPEG2000" if features.check("jpg_2000") else "TIFF")
    return picture.getvalue()


PICTURE = slow_picture()  # before anything is measured: encoding it holds up this whole process


class Attacker(threading.Thread):
    """One who goes on until ``until``; ``did`` counts what came of it."""

    def __init__(self, address: str, until: float, config: dict) -> None:
        super().__init__(daemon=True)
        self.address, self.until, self.config, self.did = address, until, config, Counter[str]()

    def run(self) -> None:
        """Again and again."""
        while time.monotonic() < self.until:
            try:
                self.attack()
            except httpx.HTTPError as error:
                self.did[type(error).__name__] += 1
            time.sleep(0.05)

    def attack(self) -> None:
        """Once."""
        raise NotImplementedError

    def visitor(self) -> Visitor:
        """A new session."""
        visitor = Visitor(self.address, self.config)
        visitor.http.headers.update(FROM)
        return visitor


class SlowPictures(Attacker):
    """Sends pictures of 49 megapixels that take seconds to decode."""

    def attack(self) -> None:
        """One of them, new each time."""
        visitor = self.visitor()
        large = visitor.upload("large", PICTURE + os.urandom(8))  # what comes after the end of a picture is passed over
        said = visitor.call("accept", [large, "resnet64"]).text
        self.did["opened" if "Your picture" in said else "turned away"] += 1


class UnreadRuns(Attacker):
    """Asks for long runs and never looks at them."""

    def attack(self) -> None:
        """Twenty-one of them."""
        with httpx.Client(base_url=self.address, headers=FROM, timeout=60) as client:
            asker = Visitor(self.address, self.config)
            number = asker.handler_with("craft", "craft-cost")
            for seed in range(21):
                chosen = {"network": "resnet64", "pattern": "resnet64-linf10.safetensors"}
                data = asker.filled(number, **chosen, craft_cost=4000, craft_seed=seed, craft_until=0)
                asked = {"fn_index": number, "data": data, "session_hash": uuid.uuid4().hex}
                self.did[f"answered {client.post('/gradio_api/queue/join', json=asked).status_code}"] += 1
