from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from uap_core.errors import SettingError
from uap_core.limits import Limits

ROOT = Path(__file__).resolve().parents[1]


def test_what_the_environment_names_counts_and_the_rest_stays() -> None:
    found = Limits.named({"UAP_SECONDS": "7", "UAP_WAITING": "", "OTHER": "x"})
    assert (found.seconds, found.waiting) == (7, Limits().waiting)


@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5", "٣", "1e3", "nan"])
def test_nonsense_is_a_sentence(value: str) -> None:
    with pytest.raises(SettingError, match="UAP_SECONDS must be a whole number above 0"):
        Limits.named({"UAP_SECONDS": value})


def test_the_front_door_says_it_all_and_refuses_nonsense() -> None:
    def door(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "app.py", *options]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    said = door("--help", UAP_SECONDS="7").stdout
    for word in ("--host", "--port", "--images", "--models", "--share", "UAP_SECONDS=7", "UAP_WAITING=20", "UAP_DEVICE"):
        assert word in said
    refused = door("--help", UAP_SECONDS="soon")
    assert refused.returncode
    assert refused.stderr.startswith("error: UAP_SECONDS must be a whole number")
