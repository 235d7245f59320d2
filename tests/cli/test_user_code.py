"""Strategies on the command line: grids, time, failures, printing, and what a failing one leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stresslab.strategy.parameters import literal
from tests.cli.conftest import Command

SMALL = ("--generator", "bootstrap", "--universes", "30", "--horizon", "20", "--realism-origins", "0", "--jobs", "1")
SLOW = "def weights(bars):\n    while bars.close.shape[1] > {most}:\n        pass\n    return bars.close * 0 + 1\n"


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A file that ends on one universe and never on more than two."""
    path = tmp_path / "slow.py"
    path.write_text(SLOW.format(most=2))
    return path


def test_a_grid_runs_every_set(command: Command, csv: Path, strategy: Path, tmp_path: Path) -> None:
    """One run holds a result for each set, its settings hold the grid, and the sizes are told on stderr."""
    flags = ("--grid", "window=10:20:5", "--out", tmp_path / "runs")
    done = command("run", strategy, "--data", csv, *SMALL, *flags)
    assert done.code == 0, done.err
    assert "grid: in 0.0 s, window 3" in done.err
    (folder,) = (tmp_path / "runs").glob("*/")
    stored = json.loads((folder / "result.json").read_text())
    names = [one["name"] for one in stored["strategies"]]
    assert names == [f"above_mean[window={window}]" for window in (10, 15, 20)]
    assert stored["run"]["config"]["grid"] == {"window": [10, 15, 20]}
    assert "above_mean[window=15]" in done.out
    assert command("rerun", folder, "--jobs", "1").out.startswith("the same")


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("window", "not of the form name=values"),
        ("windw=1,2", "did you mean 'window'?"),
        ("window=1:100000", "more than 1,000 values"),
    ],
)
def test_wrong_grids(grid: str, words: str, command: Command, csv: Path, strategy: Path, tmp_path: Path) -> None:
    """A grid that is none ends with 2 and one line, before anything is sampled."""
    done = command("run", strategy, "--data", csv, *SMALL, "--grid", grid, "--out", tmp_path / "runs")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert words in done.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_grid_in_a_file(command: Command, csv: Path, strategy: Path, tmp_path: Path) -> None:
    """A settings file gives a grid as lists or as the flag's text."""
    settings = tmp_path / "run.yaml"
    settings.write_text("grid:\n  window: '10:20:10'\n")
    done = command("run", strategy, "--data", csv, *SMALL, "--config", settings, "--out", tmp_path / "runs")
    assert done.code == 0, done.err
    assert "above_mean[window=20]" in done.out
    settings.write_text("grid:\n  window: 10:20:10\n")  # a number to base 60, says YAML
    refused = command("run", strategy, "--data", csv, *SMALL, "--config", settings, "--out", tmp_path / "runs")
    assert refused.code == 2
    assert "or '5:20:5', in quotes" in refused.err


@pytest.mark.parametrize("name", ["check", "run"])
def test_a_loop_without_end_ends(name: str, command: Command, csv: Path, tmp_path: Path) -> None:
    """A strategy that never ends is stopped by --strategy-timeout, with its line and exit code 2."""
    path = tmp_path / "forever.py"
    path.write_text(SLOW.format(most=0))
    more = () if name == "check" else (*SMALL, "--out", tmp_path / "runs")
    done = command(name, path, "--data", csv, *more, "--strategy-timeout", "0.3")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "took longer than 0.3 s, at forever.py line" in done.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_the_others_are_saved(command: Command, csv: Path, strategy: Path, slow: Path, tmp_path: Path) -> None:
    """One strategy that fails on the universes leaves the others' run on disk; then the command ends with 2."""
    flags = ("--strategy-timeout", "0.3", "--out", tmp_path / "runs")
    done = command("run", slow, strategy, "--data", csv, *SMALL, *flags)
    assert done.code == 2
    assert "strategy 'slow' took longer than 0.3 s" in done.err.splitlines()[-1]
    (folder,) = (tmp_path / "runs").glob("*/")
    assert str(folder) in done.err.splitlines()[-1]
    assert [one["name"] for one in json.loads((folder / "result.json").read_text())["strategies"]] == ["above_mean"]
    assert "above_mean" in done.out
    assert command("verify", folder).code == 0
    alone = command("run", slow, "--data", csv, *SMALL, "--strategy-timeout", "0.3", "--out", tmp_path / "other")
    assert alone.code == 2
    assert not (tmp_path / "other").exists()


def test_failures_are_allowed_by_number(command: Command, csv: Path, tmp_path: Path) -> None:
    """A strategy that fails in a few universes ends the run with their ids; with leave, the report counts them."""
    path = tmp_path / "fragile.py"
    path.write_text(
        "def weights(bars):\n    if {7, 9} & set(bars.close.columns):\n        raise ValueError('no')\n"
        "    return bars.close * 0 + 1\n"
    )
    run = ("run", path, "--data", csv, *SMALL, "--out", tmp_path / "runs")
    refused = command(*run)
    assert refused.code == 2
    assert (
        "fails in 2 of 30 universes (7, 9); in universe 7: raised ValueError: no, at fragile.py line 3" in refused.err
    )
    assert "--allow-failures 2" in refused.err
    assert not (tmp_path / "runs").exists()
    allowed = command(*run, "--allow-failures", "2", "-v")
    assert allowed.code == 0
    assert "2 of 30 universes (7, 9)" in " ".join(allowed.out.split())


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("1.5", 1.5), ("True", True), ("none", None), ("a b", "a b")])
def test_values_of_flags(text: str, value: object) -> None:
    """Text of a flag is what it looks like."""
    assert literal(text) == value
