"""How much of the disk visitors may fill, and whose files go. No server runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from uap_core.ui.serving.room import LEFT, Room


def test_the_disk_keeps_to_its_bounds_and_the_page_to_its_files(tmp_path: Path) -> None:
    page = tmp_path / "abc" / "page.png"
    page.parent.mkdir()
    page.write_bytes(bytes(400_000))
    os.utime(page, (0, 0))
    room = Room(tmp_path, 1_000_000, 600_000)

    def upload(name: str, address: str, size: int = 250_000) -> Path:
        assert room.admit(address, size)
        path = tmp_path / name / "x.png"
        path.parent.mkdir()
        path.write_bytes(bytes(size))
        room.settle(address, size, [path])
        return path

    other = upload("other", "b")
    mine = [upload(str(number), "a") for number in range(4)]
    assert [path.exists() for path in mine] == [False, False, True, True]
    assert other.exists()
    assert room.used() <= 1_000_000
    assert not room.admit("a", 700_000)
    loose = tmp_path / "tmp123"
    loose.write_bytes(b"")
    room.tidy()
    assert loose.exists(), "it may be in use"
    room_later = pytest.MonkeyPatch()
    room_later.setattr("uap_core.ui.serving.room.time.time", lambda: os.stat(loose).st_ctime + LEFT + 1)
    room.tidy()
    room_later.undo()
    assert not loose.exists()
    assert page.exists()


def test_what_two_visitors_sent_stays_while_one_of_them_may_keep_it(tmp_path: Path) -> None:
    """Equal files lie at one path."""
    room, handout = Room(tmp_path, 3_000_000, 600_000), tmp_path / "handout.png"

    def upload(path: Path, address: str) -> None:
        assert room.admit(address, 250_000)
        path.write_bytes(bytes(250_000))
        room.settle(address, 250_000, [path])

    for address in "ab":
        upload(handout, address)
    for number in range(4):
        upload(tmp_path / f"b{number}.png", "b")
    assert handout.exists(), "the second sender's limit does not reach it"
    for number in range(4):
        upload(tmp_path / f"a{number}.png", "a")
    assert not handout.exists(), "nobody has room for it any more"


def test_a_folder_that_goes_while_it_is_looked_at_costs_nobody_their_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, scandir = Room(tmp_path, 1_000_000, 600_000), os.scandir
    (tmp_path / "abc").mkdir()
    (tmp_path / "abc" / "x.png").write_bytes(bytes(900_000))
    room.tidy()

    def going(path: str | Path) -> object:
        if Path(path).name == "going":
            raise FileNotFoundError(path)
        return scandir(path)

    (tmp_path / "going").mkdir()
    monkeypatch.setattr(os, "scandir", going)
    for _ in range(20):
        assert room.admit("a", 500_000)
        room.settle("a", 500_000, [])
