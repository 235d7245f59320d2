from __future__ import annotations

import os
from pathlib import Path

import pytest

from stresslab.core.cache import FOLDER, SUFFIX
from tests.cli.conftest import Command
from tests.make.flags import SMALL


def cache_folder() -> Path:
    """The cache of this test."""
    return Path(os.environ[FOLDER])


def test_it_shows_and_clears_what_runs_kept(command: Command, strategy: Path, csv: Path, tmp_path: Path) -> None:
    """`show` counts entries by kind, `clear` removes them and says how many there were."""
    assert command("run", strategy, "--data", csv, "--out", tmp_path / "out", *SMALL).code == 0
    count = len(list(cache_folder().glob(f"*{SUFFIX}")))
    assert count > 0
    shown = command("cache")
    assert shown.code == 0
    assert str(cache_folder()) in shown.out
    assert "of at most 2.0 GB" in shown.out
    assert f"universes: {count}" in shown.out
    cleared = command("cache", "clear")
    assert cleared.code == 0
    assert f"{count} " in cleared.out
    assert not list(cache_folder().glob("*"))
    assert command("cache", "show").code == 0


def test_another_word_is_refused(command: Command) -> None:
    """The line names the two that there are."""
    outcome = command("cache", "empty")
    assert outcome.code == 2
    assert "neither show nor clear" in outcome.err


@pytest.mark.slow
def test_without_the_cache_nothing_is_kept_or_read(command: Command, strategy: Path, csv: Path, tmp_path: Path) -> None:
    """--no-cache leaves the folder empty, reads nothing from a full one, and changes no byte of the metrics."""
    words = ("run", strategy, "--data", csv, *SMALL)
    assert command(*words, "--out", tmp_path / "a", "--no-cache").code == 0
    assert not list(cache_folder().glob("*"))
    assert command(*words, "--out", tmp_path / "b").code == 0
    assert "from the cache" in command(*words, "--out", tmp_path / "c").err
    assert "from the cache" not in command(*words, "--out", tmp_path / "d", "--no-cache").err
    contents = {(next((tmp_path / name).glob("*/metrics.parquet"))).read_bytes() for name in "abcd"}
    assert len(contents) == 1
