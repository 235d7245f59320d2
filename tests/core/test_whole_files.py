"""Files are there whole or not at all, and no link is written through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stresslab.core.errors import InputError
from stresslab.core.whole_files import PARTIAL, alone, held, put, put_text, staged, sweep


def full(path: Path) -> None:
    """Write half a file, then find the disk full."""
    path.write_text("half")
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """What was begun is taken away; what was there before stays."""
    with pytest.raises(InputError, match="No space left on device"):
        put(tmp_path / "file", full)
    assert list(tmp_path.iterdir()) == []
    put_text(tmp_path / "file", "whole")
    with pytest.raises(InputError, match="No space left on device"):
        put(tmp_path / "file", full)
    assert (tmp_path / "file").read_text() == "whole"


def test_a_link_is_replaced_not_written_through(tmp_path: Path) -> None:
    """A hard or symbolic link to a file elsewhere leaves that file alone."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    os.link(secret, tmp_path / "hard")
    os.symlink(secret, tmp_path / "soft")
    for name in ("hard", "soft"):
        put_text(tmp_path / name, "theirs")
    with staged(tmp_path / "folder") as partial:
        (partial / "new").write_text("new")
    os.link(secret, tmp_path / "folder" / "report.html")
    with staged(tmp_path / "folder") as partial:
        (partial / "report.html").write_text("theirs")
    assert secret.read_text() == "mine"
    assert (tmp_path / "folder" / "report.html").read_text() == "theirs"
    assert (tmp_path / "folder" / "new").read_text() == "new"


def test_staged_files_come_all_or_none(tmp_path: Path) -> None:
    """After an error the folder is as it was; folders in it are kept and filled."""
    (tmp_path / "a").mkdir()
    put_text(tmp_path / "a" / "old", "old")

    def fill() -> None:
        with staged(tmp_path) as partial:
            (partial / "new").write_text("new")
            full(partial / "other")

    with pytest.raises(InputError, match="No space left"):
        fill()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "old"]
    with staged(tmp_path) as partial:
        (partial / "a").mkdir()
        (partial / "a" / "new").write_text("new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "new", "old"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """A hidden folder that nobody holds goes; one that somebody writes in stays."""
    dead, alive = tmp_path / f"{PARTIAL}dead", tmp_path / f"{PARTIAL}alive"
    dead.mkdir()
    (dead / "half").touch()
    alive.mkdir()
    with held(alive):
        sweep(tmp_path)
        assert list(tmp_path.iterdir()) == [alive]
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second one is refused, and can begin after the first."""
    with alone(tmp_path), pytest.raises(InputError, match="another process works in"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass
