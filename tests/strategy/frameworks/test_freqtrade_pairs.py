"""Informative pairs: which symbol a pair is, which symbols are traded, and freqtrade's own trades with them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Backtest, Costs, Terms, backtest
from stresslab.core.errors import StrategyError
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.fills import INIT_CASH
from stresslab.strategy.frameworks.freqtrade_names import IStrategy, informative, merge_informative_pair
from stresslab.strategy.frameworks.freqtrade_pairs import DataProvider, Pairs, Wallets, named_pairs
from stresslab.strategy.lookahead.check import find_lookahead
from tests.make.bars import make_bars
from tests.make.freqtrade_real import original_trades

DAYS = pd.date_range("2024-01-01", periods=300)  # freqtrade's markets never close


def bars_of(seed: int) -> Bars:
    """Bars of every day."""
    return make_bars(300, seed=seed)._with(timestamps=DAYS)


OWN, BTC = bars_of(1), bars_of(2)
TERMS = Terms(Costs(0.0, 0.0), warmup=0, init_cash=1e6)


def market(**series: Any) -> IndexBars:
    """Bars under names, as a market."""
    named = [bars._with(symbol=name) for name, bars in series.items()]
    return IndexBars.of(Market(tuple(named)))


def classes(base: Any, mark: Any, merge: Any) -> dict[str, Any]:
    """A class that looks at BTC by the decorator, and one that asks for its bars."""

    def entries(self: Any, frame: Any, metadata: Any) -> Any:
        frame["enter_long"] = (
            (frame[self.column] & (frame["close"] > frame["close"].shift(1))).fillna(False).astype(int)
        )
        return frame

    def exits(self: Any, frame: Any, metadata: Any) -> Any:
        frame["exit_long"] = (~frame[self.column].fillna(True).astype(bool)).astype(int)
        return frame

    common = {
        "timeframe": "1d", "stoploss": -0.2, "minimal_roi": {}, "can_short": False, "startup_candle_count": 0,
        "populate_entry_trend": entries, "populate_exit_trend": exits,
    }  # fmt: skip

    class Decorated(base):  # type: ignore[misc] # freqtrade's or ours
        column = "btc_cash_up_1w"

        @mark("1w", "BTC/CASH")
        def populate_weeks(self, frame: Any, metadata: Any) -> Any:
            frame["up"] = frame["close"] > frame["open"]
            return frame

        def populate_indicators(self, frame: Any, metadata: Any) -> Any:
            return frame

    class Asked(base):  # type: ignore[misc] # freqtrade's or ours
        column = "up_1w"

        def informative_pairs(self) -> Any:
            return [("BTC/CASH", "1w")]

        def populate_indicators(self, frame: Any, metadata: Any) -> Any:
            other = self.dp.get_pair_dataframe(pair="BTC/CASH", timeframe="1w")
            other["up"] = other["close"] > other["open"]
            return merge(frame, other, self.timeframe, "1w", ffill=True)

    for one in (Decorated, Asked):
        for name, value in common.items():
            setattr(one, name, value)
    return {"decorated": Decorated, "asked": Asked}


OURS = classes(IStrategy, informative, merge_informative_pair)


def loaded(theirs: Any, bars: IndexBars) -> Strategy:
    """A class in the form that its code takes."""
    (strategy,) = load_strategies(theirs, {})
    return detect_call_style(strategy, bars)


def traded(theirs: Any, bars: IndexBars) -> Backtest:
    """What a class earns on real bars."""
    return backtest(loaded(theirs, bars), Universes.from_bars(bars, bars[:0]), TERMS, periods_per_year=252)


def test_pairs_are_found_in_the_source() -> None:
    """By the decorator, by a call, and not in other texts."""
    assert named_pairs(OURS["decorated"]) == ("BTC/CASH",)
    assert named_pairs(OURS["asked"]) == ("BTC/CASH",)
    assert named_pairs(IStrategy) == ()


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTC", "btc-usdt", "BTC_USDT-1h", "BTC_USDT_USDT-5m-futures"])
def test_a_pair_is_found_by_its_letters(symbol: str) -> None:
    """However its file is called; what is named is looked at, the others are traded."""
    pairs = Pairs(("ETHUSDT", symbol), ("BTC/USDT:USDT",))
    assert (pairs.symbol("BTC/USDT"), pairs.symbol("BTC/{stake}")) == (symbol, symbol)
    assert pairs.traded == ("ETHUSDT",)
    assert pairs.pair("ETHUSDT") == "ETH/USDT"


def test_who_names_all_trades_the_first() -> None:
    """Since something must be traded."""
    assert Pairs(("ETHUSDT", "BTCUSDT"), ("BTC/USDT", "ETH/USDT")).traded == ("ETHUSDT",)
    assert Pairs(("A", "B"), ("MACD/RSI",)).traded == ("A", "B")


def test_the_stake_is_that_of_the_symbols() -> None:
    """Where pairs of the class leave it open."""
    assert Pairs(("ETHEUR", "BTCEUR"), ("BTC/{stake}",)).stake == "EUR"
    assert Pairs(("ETH", "BTC"), ("BTC/",)).stake == "USDT"
    assert Pairs(("SOLUSDT", "ETHBTC"), ("BTC/{stake}", "ETH/BTC")).stake == "USDT"
    assert Pairs(("ETH", "BTC"), ("BTC/CASH",)).stake == "CASH"


def test_the_provider_knows_which_pairs_are_traded() -> None:
    """Those of the data that the class does not name itself; of one series without a name its own."""
    pairs = Pairs(("ETHUSDT", "SOLUSDT", "BTCUSDT"), ("BTC/USDT",))
    assert DataProvider({}, "ETH/USDT", pairs, None).current_whitelist() == ["ETH/USDT", "SOL/USDT"]
    assert DataProvider({}, "UNITTEST/USDT", None, None).current_whitelist() == ["UNITTEST/USDT"]


def test_the_wallet_holds_what_the_run_begins_with() -> None:
    """By each of freqtrade's names."""
    token = INIT_CASH.set(2500.0)
    try:
        wallet = Wallets()
        amounts = {wallet.get_total_stake_amount(), wallet.get_available_stake_amount(), wallet.get_total("USDT")}
        assert amounts | {wallet.get_free("USDT")} == {2500.0}
    finally:
        INIT_CASH.reset(token)


@pytest.mark.parametrize("way", ["decorated", "asked"])
def test_others_are_looked_at_and_not_traded(way: str) -> None:
    """All of the capital is in the first; other bars of the second give other trades; no look-ahead."""
    bars = market(SERIES=OWN, BTC=BTC)
    account = traded(OURS[way], bars)
    assert account.trades[0] > 5
    assert not account.positions[1].any()
    assert account.positions[0].max() == pytest.approx(1.0)
    assert traded(OURS[way], market(SERIES=OWN, BTC=bars_of(5))).equity[-1, 0] != account.equity[-1, 0]
    report = find_lookahead(loaded(OURS[way], bars), bars, patience=0.5)
    assert (report.found, report.inconclusive) == ([], False)


def test_a_leak_from_another_symbol_is_found() -> None:
    """Its next week, shifted into this one."""

    class Leaky(OURS["asked"]):  # type: ignore[misc] # a class made above
        def populate_indicators(self, frame: Any, metadata: Any) -> Any:
            other = self.dp.get_pair_dataframe(pair="BTC/CASH", timeframe="1w")
            other["up"] = (other["close"] > other["open"]).shift(-1, fill_value=False)
            return merge_informative_pair(frame, other, self.timeframe, "1w", ffill=True)

    bars = market(SERIES=OWN, BTC=BTC)
    assert find_lookahead(loaded(Leaky, bars), bars, patience=0.5).found


def test_several_are_traded_in_equal_parts() -> None:
    """Each like alone; the one that is looked at takes no capital."""
    both = traded(OURS["asked"], market(SERIES=OWN, OTHER=bars_of(3), BTC=BTC))
    alone = [traded(OURS["asked"], market(SERIES=bars, BTC=BTC)).equity[-1, 0] for bars in (OWN, bars_of(3))]
    assert both.equity[-1, 0] == pytest.approx(np.mean(alone), rel=1e-9)


def test_what_is_missing_is_said() -> None:
    """The pair and the symbols that there are; a class that does not name it says that it must."""
    (strategy,) = load_strategies(OURS["asked"], {})
    with pytest.raises(StrategyError, match=r"BTC/CASH is not among the symbols given \(SERIES\): add its bars"):
        detect_call_style(strategy, OWN._with(symbol="SERIES"))
    with pytest.raises(StrategyError, match=r"BTC/CASH is not among the symbols given \(A, B\)"):
        traded(OURS["asked"], market(A=OWN, B=BTC))


def test_its_own_pair_needs_no_other() -> None:
    """A class that names the very series that is given looks at its longer bars."""
    (strategy,) = load_strategies(OURS["asked"], {})
    bars = BTC._with(symbol="BTC")
    strategy, universes = detect_call_style(strategy, bars), Universes.from_bars(bars, bars[:0])
    assert backtest(strategy, universes, TERMS, periods_per_year=252).trades[0] > 5


@pytest.mark.parametrize("way", ["decorated", "asked"])
@pytest.mark.parametrize("seed", range(4))
def test_trades_are_those_of_freqtrade(way: str, seed: int, tmp_path: Path) -> None:
    """Bars and prices of every trade, with a second pair's weeks."""
    pytest.importorskip("freqtrade")
    names = importlib.import_module("freqtrade.strategy")
    theirs = classes(names.IStrategy, names.informative, names.merge_informative_pair)[way]
    own, other = bars_of(10 + seed), bars_of(20 + seed)
    said = original_trades(theirs, own, tmp_path, {"BTC/CASH": other})
    account = traded(theirs, market(SERIES=own, BTC=other))
    assert len(said) > 5
    closed = 1e6
    for trade in said[said["exit_bar"] < len(own) - 1].itertuples():
        held = account.positions[0, trade.entry_bar - 1 : trade.exit_bar + 1, 0] > 0.9
        assert held.tolist() == [False, *[True] * (trade.exit_bar - trade.entry_bar), False]
        closed += trade.profit
        assert account.equity[trade.exit_bar + 1, 0] == pytest.approx(closed, rel=1e-9)
