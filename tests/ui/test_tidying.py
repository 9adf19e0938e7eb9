"""What stands in memory once the page is warm is not searched for waste again and again; in a process of its own, since it
cannot be taken back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

WASTE = """
import gc
from collections import deque
from uap_core.ui.page import tidy_often

class Link:
    pass

networks = [[] for _ in range(500_000)]  # and all else that stays
gc.collect()
tidy_often()
in_use = deque(maxlen=3000)  # as what an answer needs is until it is sent: old enough by then to be passed over at first
for _ in range(200_000):
    link = Link()
    link.itself = link  # only a search finds that nobody needs it
    in_use.append(link)
print(gc.get_freeze_count(), sum(isinstance(found, Link) for found in gc.get_objects()))
"""


def test_waste_is_found_soon_and_nothing_else_is_searched() -> None:
    run = subprocess.run([sys.executable, "-c", WASTE], cwd=ROOT, capture_output=True, text=True, check=True)
    kept, left = map(int, run.stdout.split())
    assert kept > 50_000
    assert left < 30_000, "of 200 000"


START = """
import gc
import threading
from uap_core.cli import serving
from uap_core.ui import page
from uap_core.ui.state import Studio

found, over = [], threading.Event()
page.serve = lambda *options: found.append(gc.isenabled())
page.warm = lambda studio: (found.append(gc.isenabled()), over.set())
page.HEAD_START = 0.1
serving.serve()
threading.Thread(target=page.attend, args=(Studio(),), daemon=True).start()
over.wait(20)
print(*found)
"""


def test_the_start_does_not_stop_to_search_and_what_comes_after_does() -> None:
    run = subprocess.run([sys.executable, "-c", START], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"], "while the page is built, and once somebody has seen it"
