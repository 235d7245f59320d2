"""A list of trades from its file to a page."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.runs.trades_run import TradeSettings, trades_run
from tests.make.bars import make_bars
from tests.make.trades import random_places, trades_at


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A list of trades and the bars of its market."""
    folder, bars = tmp_path_factory.mktemp("lists"), make_bars(400)
    frame = pd.DataFrame(bars.values[:, :5], columns=["open", "high", "low", "close", "volume"], index=bars.timestamps)
    frame.rename_axis("date").to_csv(folder / "bars.csv")
    trades = trades_at(bars, random_places(400, 1), units=2)
    pd.DataFrame({
        "entry_time": trades.entered, "exit_time": trades.left, "size": trades.units * trades.side,
        "entry_price": trades.entry_price, "exit_price": trades.exit_price, "pnl": trades.profit,
    }).to_csv(folder / "trades.csv", index=False)  # fmt: skip
    return str(folder / "trades.csv"), str(folder / "bars.csv")


SMALL = {"generator": "bootstrap", "universes": 50, "horizon": 40, "permutations": 99, "accounts": 100}


def test_from_file_to_page(files: tuple[str, str], tmp_path: Path) -> None:
    """Text, page and figures agree; figures hold settings and what they were computed from."""
    trades, bars = files
    found = trades_run(TradeSettings.of({"trades": trades, "data": bars, **SMALL}))
    html, figures = found.save(tmp_path)
    facts = json.loads(figures.read_text(encoding="utf-8"))
    assert facts["config"]["generator"] == "bootstrap"
    assert set(facts["digests"]) == {"trades", "bars"}
    assert facts["listed"]["trades"] == found.study.listed.trades
    page, text = html.read_text(encoding="utf-8"), str(found)
    for words in ("The same exposure at times that know nothing", "What resampled trades leave out"):
        assert words in page
        assert words in text
    assert max(map(len, text.splitlines())) <= 130


def test_the_same_seed_gives_the_same_figures(files: tuple[str, str]) -> None:
    """And another seed others."""
    trades, bars = files

    def run(seed: int) -> str:
        return trades_run(
            TradeSettings.of({"trades": trades, "data": bars, "seed": seed, **SMALL})
        ).study.model_dump_json()

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_limits_and_their_presets(files: tuple[str, str]) -> None:
    """A preset of account rules."""
    trades, bars = files
    found = trades_run(TradeSettings.of({"trades": trades, "data": bars, "limits": "challenge-static", **SMALL}))
    assert found.study.limits is not None
    assert "How an account under these rules ends" in str(found)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"sizes": "VaR 95 <= 10%"}, "chooses no size; write one on a drawdown"),
        ({"trials": 0.5}, "trials=0.5 is refused"),
        ({"data": "sample:crypto5"}, "names 5 symbols; give the bars of the one that was traded"),
        ({"data": "sample:nasdaq"}, "of another market|lie within the bars"),
        ({"temperature": 0.9}, "bootstrap"),
    ],
)
def test_what_cannot_be_meant(files: tuple[str, str], settings: dict[str, object], reason: str) -> None:
    """One line each."""
    trades, bars = files
    with pytest.raises(InputError, match=reason):
        trades_run(TradeSettings.of({"trades": trades, "data": bars, **SMALL, **settings}), list(settings))
