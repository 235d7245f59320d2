"""`stresslab new`: a file to start from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.make.refused import assert_refused


@pytest.mark.parametrize("form", ["blank", "freqtrade", "backtrader"])
def test_a_start_is_written(command: Command, tmp_path: Path, form: str) -> None:
    """The file, and what to do next."""
    done = command("new", tmp_path / "mine", "--from", form)
    assert done.code == 0
    assert (tmp_path / "mine.py").is_file()
    assert f"stresslab check {tmp_path / 'mine.py'}" in done.out


def test_an_unknown_form_is_refused(command: Command, tmp_path: Path) -> None:
    """The nearest one is named."""
    assert_refused(command("new", tmp_path / "mine", "--from", "zipline"), "there is no start 'zipline'")
