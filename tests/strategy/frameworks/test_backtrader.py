"""Classes of backtrader, where that package is installed: they trade as backtrader trades them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from stresslab.backtest import Costs, Terms, backtest
from stresslab.core.errors import StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.backtrader import _trades, is_theirs
from stresslab.strategy.lookahead.check import find_lookahead
from tests.make.bars import make_bars

BARS = make_bars(300)
CROSS = """
import backtrader as bt

class Cross(bt.Strategy):
    params = (("fast", 5), ("slow", 20))

    def __init__(self):
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=self.p.fast), bt.ind.SMA(period=self.p.slow))

    def next(self):
        if not self.position and self.cross > 0:
            self.buy()
        elif self.position and self.cross < 0:
            self.close()
"""


def load(tmp_path: Path, source: str, **parameters: Any) -> Strategy:
    """The one strategy in a file, in its call style."""
    pytest.importorskip("backtrader")
    path = tmp_path / "mine.py"
    path.write_text(source)
    (strategy,) = load_strategies(str(path), parameters)
    return detect_call_style(strategy, BARS)


def earned(strategy: Strategy, cash: float) -> float:
    """What an account without costs is worth at the end."""
    universes, terms = Universes.from_bars(BARS, BARS[:0]), Terms(Costs(0.0, 0.0), warmup=0, init_cash=cash)
    return float(backtest(strategy, universes, terms, periods_per_year=252).equity[-1, 0])


def original(theirs: Any, cash: float, sizer: Any = None, **values: Any) -> float:
    """What backtrader says of it."""
    bt = pytest.importorskip("backtrader")
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS.frame, openinterest=None))
    cerebro.addstrategy(theirs)
    if sizer:
        cerebro.addsizer(sizer, **values)
    cerebro.broker.setcash(cash)
    cerebro.run()
    return float(cerebro.broker.getvalue())


def test_without_the_package_nothing_is_theirs() -> None:
    """A class that happens to be called Strategy is not taken for one of theirs."""
    assert not is_theirs(type("Strategy", (), {}))
    assert not is_theirs(3)


def test_one_net_position_is_trades() -> None:
    """The oldest closes first; what turns a position around opens a trade of its own."""
    assert _trades([(0, 10.0, 2.0), (1, 11.0, 1.0), (2, 12.0, -4.0)]) == [
        (0, 0, 10.0, 2.0), (1, 1, 11.0, 1.0), (2, 0, 12.0, -2.0), (2, 1, 12.0, -1.0), (2, 2, 12.0, -1.0),
    ]  # fmt: skip


def test_a_class_runs_as_it_is(tmp_path: Path) -> None:
    """Its params are parameters; without a sizer it buys one unit, and says so."""
    strategy = load(tmp_path, CROSS, fast="8")
    assert strategy.parameters == {"fast": 8, "slow": 20}
    assert strategy.form.shape == "series"
    assert any("buys one unit" in text for text in strategy.log.warnings)
    report = find_lookahead(strategy, BARS)
    assert (report.found, report.inconclusive) == ([], False)


CALLED = "def run(cerebro):\n    cerebro.addsizer(bt.sizers.PercentSizer, percents=90)"


@pytest.mark.parametrize("declared", ["SIZER = dict(percents=90)", CALLED])
def test_a_sizer_is_declared_or_read(tmp_path: Path, declared: str) -> None:
    """Ninety percent of the cash is a share of the equity, on an account of any size."""
    bt = pytest.importorskip("backtrader")
    strategy = load(tmp_path, CROSS + "\n" + declared)
    exec(CROSS, space := {})  # type: ignore[var-annotated]
    said = original(space["Cross"], 1e9, bt.sizers.PercentSizer, percents=90)
    assert not strategy.log.warnings
    assert earned(strategy, 1000.0) / 1000.0 == pytest.approx(said / 1e9, rel=1e-5)


@pytest.mark.parametrize("seed", range(15))
def test_random_orders_earn_what_they_earn_there(seed: int) -> None:
    """Market, limit, stop and bracket orders, targets and closings, on an account of the same cash."""
    bt = pytest.importorskip("backtrader")

    class Random(bt.Strategy):  # type: ignore[misc]
        SIZER: ClassVar = {"stake": 20}

        def next(self) -> None:
            rng, price = np.random.default_rng([seed, len(self)]), self.data.close[0]
            act, near = rng.random(), float(rng.uniform(0.002, 0.03))
            if act < 0.08:
                self.buy(size=int(rng.integers(1, 40)))
            elif act < 0.14:
                self.sell(exectype=bt.Order.Limit, price=price * (1 + near), valid=None)
            elif act < 0.2:
                self.buy(exectype=bt.Order.Stop, price=price * (1 + near))
            elif act < 0.24 and not self.position:
                self.buy_bracket(size=30, price=price * (1 - near), stopprice=price * 0.95, limitprice=price * 1.04)
            elif act < 0.3:
                self.order_target_size(target=int(rng.integers(-50, 50)))
            elif act < 0.4:
                self.close()

    (strategy,) = load_strategies(Random, {})
    strategy = detect_call_style(strategy, BARS)
    said = original(Random, 100_000.0, bt.sizers.FixedSize, stake=20)
    assert said != 100_000.0
    assert earned(strategy, 100_000.0) == pytest.approx(said, rel=1e-9)


@pytest.mark.parametrize(("more", "text"), [
    ("\nSIZER = 5", "SIZER=5 is no sizer"),
    ("\ndef run(c, args):\n    c.addsizer(bt.sizers.FixedSize, stake=args.stake)",
     r"how large stake of its sizer FixedSize is, is known only when the file is run.*sizer='FixedSize', stake="),
    ("\ndef run(c):\n    c.add_signal(1, bt.ind.SMA)", "is run with add_signal, and here signals are those"),
    ("\ndef run(c):\n    c.addsizer(bt.sizers.FixedSize)\n    c.addsizer(bt.sizers.AllInSizer)",
     r"is run with several sizers, FixedSize, AllInSizer; say which below the class: SIZER = dict\(sizer='FixedSize'"),
    ("\ndef run(c):\n    c.broker.set_coc(True)", "is run with set_coc, and here orders fill at the next open"),
])  # fmt: skip
def test_what_is_another_strategy_here_is_refused(tmp_path: Path, more: str, text: str) -> None:
    """Each in one line with what to do."""
    with pytest.raises(StrategyError, match=text):
        load(tmp_path, CROSS + more)


def test_a_second_feed_is_refused(tmp_path: Path) -> None:
    """Universes have one series."""
    with pytest.raises(StrategyError, match="second data feed"):
        load(tmp_path, CROSS.replace("if not self.position", "self.datas[1]\n        if not self.position"))


def test_a_leak_is_found(tmp_path: Path) -> None:
    """What reads the bar after this one is found."""
    later = "len(self) < self.data.buflen() and self.data.close[0] {} self.data.close[1]"
    leaky = CROSS.replace("self.cross > 0", later.format("<")).replace("self.cross < 0", later.format(">"))
    assert find_lookahead(load(tmp_path, leaky), BARS).found


ALL_IN = """
import backtrader as bt

class AllIn(bt.Strategy):
    def next(self):
        if self.position:
            if len(self) == self.left:
                self.close()
        elif self.data.close[0] < self.data.open[0]:
            self.order_target_percent(target=1.0)
            self.left = len(self) + 2
"""


def test_orders_for_all_of_the_cash_are_those_of_the_account(tmp_path: Path) -> None:
    """Whole units decide which of them backtrader refuses: the same as on an account of the same cash, and said."""
    strategy = load(tmp_path, ALL_IN)
    exec(ALL_IN, space := {})  # type: ignore[var-annotated]
    for cash in (3_000.0, 50_000.0):
        said = original(space["AllIn"], cash)
        assert earned(strategy, cash) == pytest.approx(said, rel=1e-9)
        assert said != cash
    assert any("for want of cash" in text for text in strategy.log.warnings)


OWN = """
class Own(bt.Sizer):
    params = (("stake", 1),)

    def _getsizing(self, comminfo, cash, data, isbuy):
        return self.p.stake
"""


def test_a_sizer_of_the_file_is_declared(tmp_path: Path) -> None:
    """By its name, with its numbers."""
    bt = pytest.importorskip("backtrader")
    declared = CROSS + OWN + "\nSIZER = dict(sizer='Own', stake=7)"
    exec(CROSS, space := {})  # type: ignore[var-annotated]
    said = original(space["Cross"], 10_000.0, bt.sizers.FixedSize, stake=7)
    assert earned(load(tmp_path, declared), 10_000.0) == pytest.approx(said, rel=1e-9)


SIGNALS = """
import backtrader as bt

class Signals(bt.SignalStrategy):
    def __init__(self):
        cross = bt.ind.CrossOver(bt.ind.SMA(period=5), bt.ind.SMA(period=20))
        self.signal_add(bt.SIGNAL_LONG, cross)
"""


@pytest.mark.parametrize(
    "own", ["", "\n    def next(self):\n        if len(self) % 50 == 0:\n            self.buy(size=2)\n"]
)
def test_a_class_of_signals_orders_by_itself(tmp_path: Path, own: str) -> None:
    """As backtrader's own first example does; what its `next` orders comes on top."""
    strategy = load(tmp_path, SIGNALS + own)
    exec(SIGNALS + own, space := {})  # type: ignore[var-annotated]
    said = original(space["Signals"], 10_000.0)
    assert said != 10_000.0
    assert earned(strategy, 10_000.0) == pytest.approx(said, rel=1e-9)


def test_numbers_of_a_sizer_that_nobody_knows_are_said(tmp_path: Path) -> None:
    """The sizer's own hold, with a warning."""
    strategy = load(tmp_path, CROSS + "\ndef run(c, args):\n    c.addsizer(bt.sizers.FixedSize, **args)")
    assert any("FixedSize of Cross is given numbers that are known only" in text for text in strategy.log.warnings)
