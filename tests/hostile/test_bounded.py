"""A small server: its disk and its sessions keep to their bounds, and whichever way it ends, nothing of it is left."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from pictures import encoded, noise
from running import running
from visitor import Visitor

BOUNDS = {"UAP_SESSIONS": "3", "UAP_DISK_MB": "12", "UAP_VISITOR_MB": "6", "UAP_UPLOAD_MB": "2"}
PATTERN = "resnet64-linf10.safetensors"


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill like this one")
def test_disk_and_sessions_are_bounded_and_no_server_leaves_anything(tmp_path: Path) -> None:
    """The first is killed; the next tidies up after it, and takes its own files with it when it is told to go."""
    (tmp_path / "gradio").mkdir()
    (tmp_path / "gradio").chmod(0o500)  # another user of this machine ran Gradio first
    environment = {**BOUNDS, "TMPDIR": str(tmp_path)}
    with running(env=environment) as app:
        first = Visitor(app.address)
        mine = first.upload("mine.png", encoded(noise(5)))
        folder = Path(mine["path"]).parents[1]
        at_first = megabytes(folder)
        assert "Your picture" in first.call("accept", [mine, "resnet64"]).text
        assert "picture-eps9" in first.look("resnet64", PATTERN).text
        elsewhere = {"x-forwarded-for": "192.0.2.7"}
        kept = first.http.post(
            "/gradio_api/upload", files={"files": ("far.png", os.urandom(500_000))}, headers=elsewhere
        ).json()
        for number in range(8):
            assert (
                first.http.post("/gradio_api/upload", files={"files": (f"{number}.png", os.urandom(1_900_000))}).status_code
                == 200
            )
            assert megabytes(folder) < at_first + 6.6
        assert Path(kept[0]).exists(), "one who fills the disk pushes out nobody else's"
        for _ in range(3):
            assert Visitor(app.address, first.config).look("resnet64", PATTERN).success
        assert "running-eps9" in first.look("resnet64", PATTERN).text, "the session that was not used for longest is new again"
        app.process.send_signal(signal.SIGKILL)
        app.process.wait(20)
    assert folder.exists()
    killed = set(tmp_path.glob("uap-downloads-*"))  # tidied away when the page has opened
    with running(env=environment) as app:
        deadline = time.monotonic() + 5
        while folder.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not folder.exists()
        visitor = Visitor(app.address, first.config)
        assert visitor.look("resnet64", PATTERN).success
        visitor.upload("1.png", b"x")
        made = [path.name for path in tmp_path.rglob("*") if path.is_file()]
        assert "picture.png" in made
        assert "1.png" in made
    assert not list(tmp_path.rglob("1.png")), "a visitor's own picture"
    assert set(tmp_path.glob("uap-downloads-*")) <= killed
