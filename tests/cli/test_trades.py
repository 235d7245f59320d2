"""`stresslab trades`: exit codes, what is said and what is written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Command
from tests.make.bars import make_bars
from tests.make.trades import random_places, trades_at


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """TradingView's list of trades, and the bars."""
    bars = make_bars(300)
    frame = pd.DataFrame(bars.values[:, :5], columns=["open", "high", "low", "close", "volume"], index=bars.timestamps)
    frame.rename_axis("date").to_csv(tmp_path / "bars.csv")
    rows = ["Trade #,Type,Date and time,Price,Qty,Net PnL,Cumulative PnL"]
    trades = trades_at(bars, random_places(300, 1))
    for at in range(len(trades)):
        side = "long" if trades.side[at] > 0 else "short"
        end = f"{trades.profit[at]},0"
        rows.append(f"{at + 1},Exit {side},{trades.left[at]},{trades.exit_price[at]},1,{end}")
        rows.append(f"{at + 1},Entry {side},{trades.entered[at]},{trades.entry_price[at]},1,{end}")
    (tmp_path / "list.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path / "list.csv", tmp_path / "bars.csv"


SMALL = (
    "--generator",
    "bootstrap",
    "--universes",
    "40",
    "--horizon",
    "30",
    "--permutations",
    "99",
    "--accounts",
    "100",
)


def test_a_list_is_studied(files: tuple[Path, Path], tmp_path: Path, command: Command) -> None:
    """Exit 0, the answers on stdout, page and figures where they are asked for."""
    trades, bars = files
    found = command("trades", trades, "--data", bars, *SMALL, "--limits", "mandate", "--out", tmp_path / "out")
    assert found.code == 0, found.err
    assert "of TradingView" in found.out
    assert "A list cannot be run again" in found.out
    assert (tmp_path / "out" / "trades.html").is_file()
    assert (tmp_path / "out" / "trades.json").is_file()


def test_refusals_spell_flags(files: tuple[Path, Path], command: Command) -> None:
    """Exit 2 with one line: no list, no bars, and a clock that is another one."""
    trades, bars = files
    for words, said in (
        (("trades", "none.csv", "--data", bars), "none.csv: no such file"),
        (("trades", trades), "--data"),
        (("trades", bars, "--data", bars), "holds no list of trades in a known form"),
        (("trades", trades, "--data", bars, "--init-cash", "0.5", *SMALL), "--init-cash 0.5 cannot pay for the list"),
        (("trades", trades, "--data", "sample:crypto5"), "names 5 symbols"),
        (("trades", "--data", bars), "no LIST is given; see stresslab trades --help"),
    ):
        found = command(*words)
        assert found.code == 2
        assert said in found.err
        assert found.err.count("\n") == 1
