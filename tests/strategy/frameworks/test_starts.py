"""Files to start from: each runs, decides something and does not look ahead."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.core.errors import InputError
from stresslab.strategy import load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.starts import STARTS, write_start
from stresslab.strategy.lookahead.check import find_lookahead
from tests.make.bars import make_bars

BARS = make_bars(700)


@pytest.mark.parametrize("form", sorted(STARTS))
def test_every_start_runs(form: str, tmp_path: Path) -> None:
    """As it is written, with a class that is called like the file."""
    if form in ("backtrader", "backtesting"):
        pytest.importorskip(form)
    path = write_start(str(tmp_path / "my_rule"), form)
    assert ("class MyRule" in path.read_text()) is (form != "blank")
    (strategy,) = load_strategies(str(path), {})
    strategy = detect_call_style(strategy, BARS)
    report = find_lookahead(strategy, BARS, patience=1.0)
    assert (report.found, report.inconclusive) == ([], False)


@pytest.mark.parametrize(("name", "form", "text"), [
    ("my_rule", "freqtrad", "did you mean 'freqtrade'"), ("2nd", "blank", "not a name of Python"),
    ("no_such_folder/mine", "blank", "is not a folder"),
])  # fmt: skip
def test_what_cannot_be_written(name: str, form: str, text: str, tmp_path: Path) -> None:
    """Each in one line."""
    with pytest.raises(InputError, match=text):
        write_start(str(tmp_path / name), form)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that exists stays as it is."""
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n")
    with pytest.raises(InputError, match="exists already"):
        write_start(str(path), "blank")
    assert path.read_text() == "x = 1\n"
