"""Flags of execution: taken, recorded where they are set, shown, and refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.make.flags import SMALL

FLAGS = {
    "fixed_fee": "1.5", "slippage_volatility": "0.1", "borrow_fee": "0.02", "funding": "0.05", "min_trade": "50",
    "sizing": "fraction=0.5", "stop_loss": "0.05", "take_profit": "0.2", "trailing_stop": "0.1", "max_leverage": "2",
    "risk_free": "0.03",
}  # fmt: skip


def test_every_term_is_recorded_and_shown(command: Command, strategy: Path, csv: Path, tmp_path: Path) -> None:
    """What is set stands in the run's settings and in the assumptions that are printed; the accounts feel it."""
    words = [word for name, value in FLAGS.items() for word in (f"--{name.replace('_', '-')}", value)]
    done = command("run", strategy, "--data", csv, "--out", tmp_path / "out", *SMALL, "-v", *words)
    assert done.code == 0, done.err
    (run,) = (tmp_path / "out").glob("*/")
    content = json.loads((run / "result.json").read_text())
    settings = content["run"]["config"]
    assert {name: settings[name] for name in FLAGS} == {
        name: value if name == "sizing" else float(value) for name, value in FLAGS.items()
    }
    printed = " ".join(done.out.split())
    for words_shown in (
        "1.50 an order", "borrowing 2.0% a year", "funding 5.0% a year", "no orders below 50", "sizing fraction=0.5",
        "stop loss 5.0%", "take profit 20.0%", "trailing stop 10.0%", "up to 2.00 times", "interest 3.0% a year",
    ):  # fmt: skip
        assert words_shown in printed, words_shown
    assert content["strategies"][0]["universes"]["measures"]["pnl"]["mean"] is not None


def test_what_is_not_set_is_recorded_but_not_printed(
    command: Command, strategy: Path, csv: Path, tmp_path: Path
) -> None:
    """The record holds all terms, so that a later default changes no old run; the summary names those that matter."""
    done = command("run", strategy, "--data", csv, "--out", tmp_path / "out", *SMALL, "-v")
    assert done.code == 0, done.err
    (run,) = (tmp_path / "out").glob("*/")
    settings = json.loads((run / "result.json").read_text())["run"]["config"]
    assert (settings["fees"], settings["borrow_fee"], settings["stop_loss"]) == (0.0005, 0.0, None)
    printed = " ".join(done.out.split())
    assert "fees 0.05%, slippage 0.05%" in printed
    for words in ("an order", "borrowing", "funding", "no orders below", "sizing", "times the equity", "interest"):
        assert words not in printed, words


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--sizing", "half"], "sizing 'half' is not known"),
        (["--sizing", "fraction=2"], "sizing fraction=2.0 is beyond max_leverage=1"),
        (["--stop-loss", "5"], "stop_loss=5.0 is refused"),
        (["--max-leverage", "0.5"], "max_leverage=0.5 is refused"),
        (["--borrow-fee", "-0.1"], "borrow_fee=-0.1 is refused"),
        (["--fixed-fee", "200000"], "fixed_fee=200000 is not below init_cash=100000"),
        (["--risk-free", "three"], "'three' is not a number"),
    ],
)
def test_wrong_terms_are_refused(command: Command, strategy: Path, csv: Path, words: list[str], told: str) -> None:
    """One line on stderr, exit code 2, before any work is done."""
    done = command("run", strategy, "--data", csv, *SMALL, *words)
    assert done.code == 2
    assert told in " ".join(done.err.split())
    assert "Traceback" not in done.err
