"""The command line in this process, and a small CSV of real-looking bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stresslab.cli import main
from tests.make.bars import make_bars


@dataclass(frozen=True)
class Outcome:
    """What a command line left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Call `main` with arguments, on a terminal of 100 columns without colours."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 daily bars as a CSV file."""
    path = tmp_path_factory.mktemp("bars") / "walk.csv"
    make_bars(400).frame.to_csv(path, index_label="date")
    return path


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """A strategy file: long while the close is above its mean."""
    path = tmp_path / "above_mean.py"
    path.write_text(
        '"""Long while the close is above its moving average."""\n\n\n'
        "def signals(bars, window=20):\n"
        "    above = bars.close > bars.close.rolling(window).mean()\n"
        "    return above, ~above\n"
    )
    return path
