"""The command line in this process, and a small CSV of real-looking bars."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.runs.folder import save_run
from tests.make.bars import make_bars
from tests.make.results import make_result
from tests.make.runs import stored_run


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


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two sets of parameters, stored by the command; not to be changed."""
    flags = ("--generator", "bootstrap", "--grid", "window=10,20", "--jobs", "2")
    return stored_run(tmp_path_factory.mktemp("stored"), *flags)


@pytest.fixture
def copied(stored: Path, tmp_path: Path) -> Path:
    """A copy of that run, which may be changed."""
    return Path(shutil.copytree(stored, tmp_path / stored.name))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A run, the same universes at other costs, and other universes."""
    folder = tmp_path_factory.mktemp("stored")
    one = make_result("follow", universes=30, horizon=20)
    costly = replace(one, config=one.config | {"fees": 0.01})
    other = make_result("follow", universes=30, horizon=20, seed=4)
    first, second, third = (save_run(result, folder) for result in (one, costly, other))
    return first, second, third
