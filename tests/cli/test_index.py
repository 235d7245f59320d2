"""`stresslab index`."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.cli import main
from tests.make.decided import decided_run


def test_it_lists_runs_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs, one page beside them."""
    decided_run(tmp_path)
    run = decided_run(tmp_path, "--fees", "0.002")
    capsys.readouterr()
    assert main(["index", str(run.parent)]) == 0
    told = capsys.readouterr().out
    assert "2 runs, 2 strategies" in told
    assert str(run.parent / "index.html") in told


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without runs."""
    assert main(["index", str(tmp_path)]) == 2
    assert "holds no runs" in capsys.readouterr().err
