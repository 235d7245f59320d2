"""Every command of the README and the guide runs, with fewer universes and steps than it says."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.readme import COMMANDS, GUIDE, README, ROOT
from tests.make.bars import make_bars
from tests.make.clusters import served

REMOTE = ("yf:", "ccxt:")
"""Data that others serve."""
FEWER = {
    "run": "--universes 40 --horizon 20 --realism-origins 0 --permutations 9",
    "realism": "--universes 8 --horizon 20 --realism-origins 12",
    "sample": "--universes 10",
    "train": "--steps 3",
}
STORED = re.compile(r"reports/20\d{6}-\d{6}-\w+-\w+")
"""A run that they name."""


def stresslab(words: list[str], place: Path) -> str:
    """What a command that works prints."""
    done = subprocess.run(
        [sys.executable, "-m", "stresslab", *words], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bars, a strategy file, the strategies, two runs, and a run that was stopped."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "strategies").symlink_to(ROOT / "strategies")
    (code,) = re.findall(r"```python\n(# my_strategy.py\n.*?)```", README, re.DOTALL)
    (folder / "my_strategy.py").write_text(code)
    frame = make_bars(1200).frame
    frame.index = pd.bdate_range(end="2025-06-30", periods=len(frame))
    frame.to_csv(folder / "prices.csv", index_label="date")
    (folder / "my_bars").mkdir()
    for seed in range(3):
        make_bars(1500, seed=seed).frame.to_csv(folder / "my_bars" / f"bars{seed}.csv", index_label="date")
    _offered(folder)
    few = FEWER["run"].split()
    for name in dict.fromkeys(STORED.findall(GUIDE)):
        out = folder / "made" / Path(name).name
        stresslab(["run", "strategies/sma_cross.py", "--data", "sample:nasdaq", *few, "--out", str(out)], folder)
        (made,) = out.glob("2*/")
        (folder / "reports").mkdir(exist_ok=True)
        made.rename(folder / name)
    return folder


def _offered(folder: Path) -> None:
    """Months as an exchange packs them, and tables of databases."""
    (folder / "months").mkdir()
    frame = make_bars(1440).frame.drop(columns="amount")
    frame.index = pd.date_range("2024-01-01", periods=len(frame), freq="h")
    for month, rows in frame.groupby(frame.index.month):
        name = f"BTCUSDT-1h-2024-{month:02d}"
        with zipfile.ZipFile(folder / "months" / f"{name}.zip", "w") as packed:
            packed.writestr(f"{name}.csv", rows.to_csv(index_label="open_time"))
    shutil.copy(folder / "months" / "BTCUSDT-1h-2024-01.zip", folder)
    series = {name: make_bars(1200, seed=seed).frame for seed, name in enumerate(("KO", "PEP"))}
    days = pd.concat([frame.rename_axis("date").reset_index().assign(symbol=name) for name, frame in series.items()])
    with contextlib.closing(sqlite3.connect(folder / "market.db")) as base:
        days.to_sql("prices", base, index=False)
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(folder / "market.duckdb")) as base:
        base.register("days", days)
        base.execute("CREATE TABLE prices AS SELECT * FROM days")


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in COMMANDS if not any(word in line for word in REMOTE)])
def test_it_runs(line: str, place: Path) -> None:
    """After those that make the model that it uses, where they have not run."""
    for before in COMMANDS[: COMMANDS.index(line)]:
        if "my_model" in before and "my_model" in line and not (place / f"{COMMANDS.index(before)}.done").exists():
            run(before, place)
    run(line, place)


def run(line: str, place: Path) -> None:
    """The command with fewer universes or steps; what stands for something of the reader's own is put in."""
    words = shlex.split(line, comments=True)[1:]
    words += FEWER.get(words[0], "").split()
    if "resume" in words:
        words[-1] = str(stopped(place))
    if "--scheduler" in words:
        with served(workers=1) as (address, _):
            words[words.index("--scheduler") + 1] = address
            stresslab(words, place)
    else:
        stresslab(words, place)
    (place / f"{COMMANDS.index(line)}.done").touch()


@pytest.mark.network
@pytest.mark.parametrize("line", [line for line in COMMANDS if any(word in line for word in REMOTE)])
def test_it_runs_on_the_data_of_others(line: str, place: Path) -> None:
    """Yahoo's and an exchange's."""
    stresslab([*shlex.split(line, comments=True)[1:], *FEWER["run"].split()], place)


def stopped(place: Path) -> Path:
    """The folder of universes of a run that was killed."""
    words = ["run", "my_strategy.py", "--data", "prices.csv", "--out", "killed", "--universes", "100000"]
    words += ["--generator", "bootstrap", "--horizon", "20", "--realism-origins", "0", "--permutations", "9"]
    words += ["--memory", "600MB", "--jobs", "1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-m", "stresslab", *words], cwd=place, **quiet) as process:
        while process.poll() is None and not list(place.glob("killed/.*.work/outcome-*.npz")):
            time.sleep(0.01)
        process.kill()
    (work,) = place.glob("killed/.*.work")
    return work
