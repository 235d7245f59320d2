"""`stresslab run`: what it prints, writes and exits with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.runs import stress_test
from tests.cli.conftest import Command
from tests.make.flags import SMALL


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, csv: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A run of two strategies in a process of its own, and the folder that it was told to write to."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "up.py").write_text("def weights(bars, share=1.0):\n    return bars.close * 0 + share\n")
    (folder / "down.py").write_text("def weights(bars, share=1.0):\n    return bars.close * 0 - share\n")
    words = [
        "run",
        folder / "up.py",
        folder / "down.py",
        "--data",
        csv,
        "--param",
        "share=0.5",
        "--out",
        folder / "out",
    ]
    command = [sys.executable, "-m", "stresslab", *words, *SMALL, "--realism-origins", "2"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return done, folder / "out"


def test_run_prints_the_verdict_and_where_the_report_is(
    finished: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """Verdicts on stdout, progress on stderr, the report's path last."""
    done, out = finished
    assert done.returncode == 0, done.stderr
    (run,) = out.glob("*/")
    assert done.stdout.splitlines()[-1] == f"report: {run / 'report.html'}"
    assert (run / "report.html").is_file()
    assert "up" in done.stdout
    assert "down" in done.stdout
    stages = [line.split(":")[0] for line in done.stderr.splitlines()]
    before = ["loading", "look-ahead check", "realism", "real bars"]
    assert stages == [*before, "sampling", "backtest", "evidence", "studies", "report"]


def test_run_writes_what_was_asked_for(finished: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """The run's folder holds both strategies over the same universes, with the flags as its settings."""
    (run,) = finished[1].glob("*/")
    result = json.loads((run / "result.json").read_text())
    assert [entry["name"] for entry in result["strategies"]] == ["up", "down"]
    assert result["run"]["universes"] == 20
    assert result["run"]["horizon"] == 10
    assert result["strategies"][0]["parameters"] == {"share": 0.5}
    metrics = pd.read_parquet(run / "metrics.parquet")
    assert len(metrics) == 40


def test_show_prints_all_that_the_run_did_not(
    finished: tuple[subprocess.CompletedProcess[str], Path], command: Command
) -> None:
    """The run prints what decides; `show` prints all evidence, the table first."""
    done, out = finished
    (run,) = out.glob("*/")
    outcome = command("show", run)
    assert outcome.code == 0
    table, *_ = done.stdout.split("\n\n")
    assert outcome.out.startswith(table)
    assert "Maximum drawdown" in outcome.out
    assert "Maximum drawdown" not in done.stdout
    assert f"all of it: stresslab show {run}" in done.stdout
    assert len(done.stdout.splitlines()) <= 24


def test_fail_on_exits_with_4(command: Command, strategy: Path, csv: Path, tmp_path: Path) -> None:
    """A verdict that is named gives 4 after the run is saved; another gives 0."""
    every = "robust,fragile,lucky,losing,inconclusive"
    arguments = ("run", strategy, "--data", csv, *SMALL)
    outcome = command(*arguments, "--out", tmp_path / "a", "--fail-on", every)
    assert outcome.code == 4
    (run,) = (tmp_path / "a").glob("*/")
    found = json.loads((run / "result.json").read_text())["strategies"][0]["verdict"]["label"]
    others = ",".join(label for label in every.split(",") if label != found)
    assert command(*arguments, "--out", tmp_path / "b", "--fail-on", others).code == 0


def test_the_same_seed_gives_the_same_metrics(command: Command, strategy: Path, csv: Path, tmp_path: Path) -> None:
    """`metrics.parquet` is the same byte for byte twice, with another --jobs, and from a config file."""
    config = tmp_path / "run.yaml"
    config.write_text(
        f"strategies: {strategy}\ndata: {csv}\ngenerator: bootstrap\nuniverses: 20\nhorizon: 10\n"
        "warmup: 100\nrealism-origins: 0\n"
    )
    runs = [
        ("run", strategy, "--data", csv, *SMALL, "--jobs", "1", "--out", tmp_path / "a"),
        ("run", strategy, "--data", csv, *SMALL, "--jobs", "2", "--out", tmp_path / "b"),
        ("run", "--config", config, "--out", tmp_path / "c"),
    ]
    contents = set()
    for arguments in runs:
        outcome = command(*arguments)
        assert outcome.code == 0, outcome.err
        (run,) = Path(str(arguments[-1])).glob("*/")
        contents.add((run / "metrics.parquet").read_bytes())
    assert len(contents) == 1


def test_a_maker_s_rebate_is_paid_on_both_fills(command: Command, csv: Path, tmp_path: Path) -> None:
    """With a fee of -0.02% who buys all and sells it has (1 + 0.02%) / (1 - 0.02%) times what is left without fees."""
    hold = tmp_path / "hold.py"
    hold.write_text("def signals(bars):\n    return bars.close > 0, bars.close < 0\n")
    settings = ("--data", csv, "--generator", "bootstrap", "--universes", "20", "--horizon", "10", "--jobs", "1",
                "--realism-origins", "0", "--permutations", "0", "--slippage", "0")  # fmt: skip
    wealth = []
    for name, fees in (("free", "0"), ("rebate", "-0.0002")):
        outcome = command("run", hold, *settings, "--fees", fees, "--out", tmp_path / name)
        assert outcome.code == 0, outcome.err
        (stored,) = (tmp_path / name).glob("2*/metrics.parquet")
        wealth.append(1 + pd.read_parquet(stored)["total_return"].to_numpy())
    np.testing.assert_allclose(wealth[1] / wealth[0], 1.0002 / 0.9998, rtol=1e-12)
    (again,) = (tmp_path / "rebate").glob("2*/")
    assert command("rerun", again).code == 0
    refused = command("run", hold, *settings, "--fees", "-0.02", "--out", tmp_path / "large")
    assert refused.code == 2
    assert "fees=-0.02" in refused.err
    assert len(refused.err.splitlines()) == 1


def test_run_refuses_a_peek_unless_it_is_allowed(command: Command, csv: Path, tmp_path: Path) -> None:
    """`run` checks too, and goes on with --allow-lookahead."""
    peek = tmp_path / "peek.py"
    peek.write_text("def signals(bars):\n    up = bars.close.shift(-1) > bars.close\n    return up, ~up\n")
    arguments = ("run", peek, "--data", csv, "--out", tmp_path / "out", *SMALL)
    outcome = command(*arguments)
    assert outcome.code == 2
    assert "--allow-lookahead" in outcome.err
    assert not (tmp_path / "out").exists()
    assert command(*arguments, "--allow-lookahead").code == 0


@pytest.mark.slow
def test_the_generator_sweep_has_every_setting(command: Command, csv: Path, strategy: Path, tmp_path: Path) -> None:
    """With the bundled Kronos: every setting has its figures and its realism, and the page its maps."""
    flags = ("--universes", "16", "--horizon", "4", "--context", "64", "--realism-origins", "0", "--permutations", "0")
    assert command("run", strategy, "--data", csv, "--out", tmp_path / "out", "--generator-sweep", *flags).code == 0
    (run,) = (tmp_path / "out").glob("*/")
    result = json.loads((run / "result.json").read_text())
    settings = result["studies"]["generator_sweep"]["settings"]
    rows = result["strategies"][0]["studies"]["generator_sweep"]
    assert len(rows) == len(settings) == 30
    assert [(row["temperature"], row["top_p"], row["context"]) for row in rows if row["own"]] == [(1.0, 1.0, 64)]
    assert all(0.1 < row["volatility_ratio"] < 10 for row in settings)
    assert "strategy-1-knobs-volatility" in (run / "report.html").read_text()


def test_the_verdict_is_printed_before_the_studies(
    command: Command, monkeypatch: pytest.MonkeyPatch, strategy: Path, csv: Path, tmp_path: Path
) -> None:
    """It stands there once, although the studies that follow it are stopped."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stress_test, "study_strategies", stopped)
    outcome = command("run", strategy, "--data", csv, "--out", tmp_path / "out", *SMALL)
    assert outcome.code == 3
    assert outcome.out.count("Verdict") == 1
    assert "above_mean" in outcome.out
    assert "stresslab resume" in outcome.err


def test_a_study_that_fails_after_the_verdict_is_told(command: Command, csv: Path, tmp_path: Path) -> None:
    """The code fails where a gap is laid over its universes: all that is printed is printed again with the note."""
    path = tmp_path / "fragile.py"
    path.write_text(
        "def signals(bars):\n    moves = bars.open / bars.close.shift(1) - 1\n"
        "    if (moves.abs() > 0.15).any(axis=None):\n        raise ValueError('such a gap was never seen')\n"
        "    return bars.close > bars.open, bars.close < bars.open\n"
    )
    once = command("run", path, "--data", csv, "--out", tmp_path / "once", *SMALL, "--allow-lookahead")
    assert once.code == 0, once.err
    assert once.out.count("Verdict") == 1
    twice = command("run", path, "--data", csv, "--out", tmp_path / "out", "-v", *SMALL, "--allow-lookahead")
    assert twice.code == 0, twice.err
    _, known, after = twice.out.split("Before you rely on it")
    assert "such a gap was never seen" not in known
    assert "such a gap was never seen" in after
