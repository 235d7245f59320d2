"""Bad input: exit code 2, one line that names the value, the rule and the remedy, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Outcome
from tests.make.bars import make_bars
from tests.make.refused import assert_refused

SMALL = ("--generator", "bootstrap", "--universes", "20", "--horizon", "10", "--jobs", "1")


def junk(path: Path) -> None:
    """Bytes that are no table."""
    path.write_bytes(bytes(range(256)) * 20)


def without_close(path: Path) -> None:
    """A table that lacks the close."""
    make_bars(400).frame.drop(columns="close").to_csv(path, index_label="date")


def negative(path: Path) -> None:
    """A table with a price below zero."""
    frame = make_bars(400).frame.copy()
    frame.iloc[123, 2] = -5.0
    frame.to_csv(path, index_label="date")


def text(content: str) -> Callable[[Path], None]:
    """A file with this content."""
    return lambda path: Path(path).write_text(content) and None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (None, ["bars.csv"]),
        (text(""), ["bars.csv", "empty"]),
        (junk, ["bars.csv"]),
        (without_close, ["bars.csv", "close"]),
        (negative, ["-5"]),
        (text("date,open,high,low,close\n2020-01-01,1,1,1,1\n"), ["bars"]),
        (Path.mkdir, ["bars.csv"]),
    ],
    ids=["missing", "empty", "junk", "no close", "negative price", "one bar", "a folder"],
)
def test_bars(
    command: Command, strategy: Path, tmp_path: Path, make: Callable[[Path], None] | None, words: list[str]
) -> None:
    """Files that hold no bars are refused by every command that reads them."""
    path = tmp_path / "bars.csv"
    if make is not None:
        make(path)
    before = set(tmp_path.rglob("*"))
    assert_refused(command("run", strategy, "--data", path, "--out", tmp_path / "out", *SMALL), *words)
    assert_refused(command("sample", "--data", path, "--out", tmp_path / "out", *SMALL), *words)
    assert_refused(command("check", strategy, "--data", path), *words)
    assert set(tmp_path.rglob("*")) == before


SIGNALS = "def signals(bars):\n    close = bars.close\n"


CASES = {
    "missing": (None, ["bad.py"]),
    "syntax error": ("def signals(bars:\n", ["bad.py", "line 1"]),
    "import error": ("import nothing_of_this_name\n", ["bad.py", "nothing_of_this_name"]),
    "no strategy": ("x = 1\n", ["bad.py", "signals"]),
    "wrong shape": (SIGNALS + "    return (close > 0).iloc[:5], (close < 0).iloc[:5]\n", ["shape"]),
    "one frame": (SIGNALS + "    return close > 0\n", ["signals"]),
    "raises": (SIGNALS + "    raise ValueError('no idea')\n", ["no idea", "line 3"]),
    "raises later": (SIGNALS + "    assert len(close) < 200\n    return close > 0, close < 0\n", ["line 3"]),
    "NaN": (SIGNALS + "    return close * 0 / 0, close < 0\n", ["NaN"]),
    "key error": (SIGNALS + "    return close['nonsense'], close < 0\n", ["nonsense", "line 3"]),
    "exit": ("import sys\nsys.exit(0)\n", ["bad.py"]),
    "infinite weights": ("def weights(bars):\n    return bars.close / 0\n", ["inf"]),
}


@pytest.mark.parametrize(("content", "words"), CASES.values(), ids=CASES)
def test_strategies(command: Command, csv: Path, tmp_path: Path, content: str | None, words: list[str]) -> None:
    """A strategy that cannot be loaded or that fails is refused with its own line of code, by `run` and by `check`."""
    path = tmp_path / "bad.py"
    if content is not None:
        path.write_text(content)
    before = set(tmp_path.rglob("*"))
    assert_refused(command("run", path, "--data", csv, "--out", tmp_path / "out", *SMALL), *words)
    assert_refused(command("check", path, "--data", csv), *words)
    assert {found for found in tmp_path.rglob("*") if "__pycache__" not in found.parts} == before


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--horizon", "0"], ["horizon=0", "--horizon"]),
        (["--horizon", "1000000000"], ["horizon=1000000000", "--horizon"]),
        (["--horizon", "390"], ["--horizon"]),
        (["--universes", "0"], ["universes=0"]),
        (["--universes", "-5"], ["universes=-5"]),
        (["--temperature", "0"], ["temperature=0", "--temperature"]),
        (["--temperature", "-1"], ["temperature=-1"]),
        (["--temperature", "nan"], ["temperature=nan"]),
        (["--top-p", "0"], ["top_p=0", "--top-p"]),
        (["--top-p", "1.5"], ["top_p=1.5"]),
        (["--top-k", "-1"], ["top_k=-1"]),
        (["--context", "0"], ["context=0"]),
        (["--generator", "magic"], ["magic", "bootstrap"]),
        (["--temperature", "0.5"], ["temperature", "bootstrap"]),
        (["--generator-sweep"], ["bootstrap", "--generator-sweep"]),
        (["--fees", "1.5"], ["fees=1.5"]),
        (["--slippage", "-0.1"], ["slippage=-0.1"]),
        (["--init-cash", "0"], ["init_cash=0"]),
        (["--seed", "-1"], ["seed=-1"]),
        (["--position", "sideways"], ["sideways", "carry"]),
        (["--origin", "yesterday"], ["yesterday"]),
        (["--origin", "1901-01-01"], ["1901-01-01"]),
        (["--since", "2099-01-01"], ["2099"]),
        (["--since", "soon"], ["soon"]),
        (["--param", "nonsense=3"], ["nonsense"]),
        (["--config", "nowhere.yaml"], ["nowhere.yaml"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_settings(
    command: Command, strategy: Path, csv: Path, tmp_path: Path, flags: list[str], words: list[str]
) -> None:
    """A setting outside its range, or of nothing that exists, is named."""
    before = set(tmp_path.rglob("*"))
    assert_refused(command("run", strategy, "--data", csv, "--out", tmp_path / "out", *SMALL, *flags), *words)
    assert {found for found in tmp_path.rglob("*") if "__pycache__" not in found.parts} == before


@pytest.mark.parametrize("name", ["nanno", "no/such/folder", "NeoQuasar/", ""])
def test_an_unknown_model_is_named(command: Command, strategy: Path, csv: Path, tmp_path: Path, name: str) -> None:
    """A model that is neither bundled, nor a folder, nor an id of the hub is refused without a download."""
    arguments = ("--data", csv, "--model", name, "--universes", "4", "--horizon", "4")
    assert_refused(command("run", strategy, *arguments, "--out", tmp_path / "out"), "model")
    assert not (tmp_path / "out").exists()


def test_an_output_folder_without_a_name(command: Command, strategy: Path, csv: Path) -> None:
    """An empty name is not the working folder."""
    for arguments in (("run", strategy, "--data", csv, *SMALL), ("sample", "--data", csv, *SMALL), ("rerun", "run")):
        assert_refused(command(*arguments, "--out", ""), "--out '' names no folder")


@pytest.mark.parametrize("place", ["file/out", "file"])
def test_an_output_folder_that_cannot_be_written(
    command: Command, strategy: Path, csv: Path, tmp_path: Path, place: str
) -> None:
    """It is found before any work is done."""
    (tmp_path / "file").touch()
    for arguments in (("run", strategy), ("sample",)):
        outcome = command(*arguments, "--data", csv, "--out", tmp_path / place, *SMALL)
        assert_refused(outcome, str(tmp_path / place), "--out")


def test_sample_does_not_mix_universes(command: Command, csv: Path, tmp_path: Path) -> None:
    """A folder that holds other universes is left alone; the same command finds nothing left to do."""
    arguments = ("sample", "--data", csv, "--out", tmp_path / "universes", *SMALL)
    assert command(*arguments).code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "universes").iterdir()}
    assert_refused(command(*arguments, "--seed", "1"), "holds other work", "seed is 0, not 1")
    assert command(*arguments).code == 0
    assert {path: path.read_bytes() for path in (tmp_path / "universes").iterdir()} == before
    (tmp_path / "universes" / "plan.json").unlink()
    assert_refused(command(*arguments), "already holds such files")


@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"format_version": 99}', "nonsense"])
def test_what_is_not_a_run_is_not_shown(command: Command, tmp_path: Path, content: str | None) -> None:
    """A folder that is not a run, or a damaged one, is named."""
    if content is not None:
        for name in ("result.json", "manifest.json"):
            (tmp_path / name).write_text(content)
    assert_refused(command("show", tmp_path), str(tmp_path))


def test_in_a_process_of_its_own(strategy: Path, csv: Path, tmp_path: Path) -> None:
    """The same as the user's shell sees it: code 2, one line on stderr, nothing on stdout."""
    strategy.write_text("def signals(bars):\n    return 1 / 0\n")
    command = [sys.executable, "-m", "stresslab", "run", strategy, "--data", csv, "--out", tmp_path / "out", *SMALL]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert_refused(Outcome(done.returncode, done.stdout, done.stderr), "ZeroDivisionError", "return 1 / 0")
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["run", "x.py", "--data", "a.csv", "--walk-forward", "--out", "r"],
            ["--walk-forward", "--out", "WHEN"],
        ),
        (["train", "model", "--steps", "--seed", "3"], ["--steps", "--seed"]),
    ],
)
def test_a_flag_that_follows_is_not_taken_for_a_value(command: Command, words: list[str], said: list[str]) -> None:
    """A flag without its value is named, with the flag that stands in its place."""
    assert_refused(command(*words), *said)
