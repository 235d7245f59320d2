"""How much history a strategy needs is found by comparing its decisions with less and with more of it."""

from __future__ import annotations

from typing import Any

import pytest

from stresslab.analysis.strategy_run import StrategyRun
from stresslab.runs.notices import of_lookback
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import LookAheadReport
from stresslab.strategy.lookback import STEP, find_lookback
from tests.make.bars import make_bars

BARS = make_bars(3000)


def above(bars: Any, window: int = 700) -> Any:
    """Above an average of so many bars."""
    mean = bars.close.rolling(window).mean()
    return bars.close > mean, bars.close < mean


def weighted(bars: Any, window: int = 700) -> Any:
    """Half in above such an average."""
    return (bars.close > bars.close.rolling(window).mean()) * 0.5


@pytest.mark.parametrize("rule", [above, weighted])
@pytest.mark.parametrize("window", [600, 700, 1500])
def test_a_window_beyond_the_warm_up_is_found(rule: Any, window: int) -> None:
    """The number to give is that of the window, to a step, and decisions then stay."""
    (strategy,) = load_strategies(rule, {"window": window})
    found = find_lookback(strategy, BARS, 500, 60)
    assert found is not None
    assert not found.enough
    assert found.differing == 1.0 or rule is weighted
    assert found.needed is not None
    assert window - 60 <= found.needed <= window + 2 * STEP  # the last 60 bars are warm too, one after the other
    again = find_lookback(strategy, BARS, found.needed, 60)
    assert again is not None
    assert again.enough


def test_a_window_within_the_warm_up_is_enough() -> None:
    """Nothing is said of a rule that sees all it needs."""
    (strategy,) = load_strategies(above, {"window": 200})
    found = find_lookback(strategy, BARS, 500, 60)
    assert found is not None
    assert found.enough
    assert of_lookback([StrategyRun(strategy.name, {}, LookAheadReport(), strategy)], BARS, 500, 60) == []


def test_a_rule_of_the_whole_history_is_named() -> None:
    """A rule that counts all bars so far has no number but all of them."""

    def counted(bars: Any) -> Any:
        return (bars.close > 0).cumsum() % 1009 / 1009

    (strategy,) = load_strategies(counted, {})
    found = find_lookback(strategy, BARS, 500, 60)
    assert found is not None
    assert not found.enough
    assert found.needed is None
    assert f"give warmup={len(BARS) - 60}" in str(found)


def test_the_number_to_give_is_said() -> None:
    """The notice has the setting with the number; without more history nothing can be said."""
    (strategy,) = load_strategies(above, {})
    (notice,) = of_lookback([StrategyRun(strategy.name, {}, LookAheadReport(), strategy)], BARS, 500, 60)
    assert "above: with the 500 bars" in notice
    assert "give warmup=7" in notice
    assert of_lookback([StrategyRun(strategy.name, {}, LookAheadReport(), strategy)], BARS[:500], 500, 60) == []


@pytest.mark.parametrize("window", [20, 50, 200])
@pytest.mark.parametrize("rule", [above, weighted])
def test_the_least_history_is_that_of_the_window(rule: Any, window: int) -> None:
    """Where the warm-up is enough, how few bars are is found to a twentieth, and said."""
    (strategy,) = load_strategies(rule, {"window": window})
    found = find_lookback(strategy, BARS, 500, 250, least=True)
    assert found is not None
    assert found.enough
    assert found.needed == pytest.approx(window, rel=0.06, abs=1)
    assert str(found).startswith(f"needs about {found.needed} bars of history")


def test_the_least_history_of_few_bars() -> None:
    """It is asked for where there is no more history than is shown, too; code that fails on few bars needs them."""

    def picky(bars: Any) -> Any:
        if len(bars.close) < 40:
            raise ValueError("too few")
        return bars.close > 0, bars.close < 0

    (strategy,) = load_strategies(picky, {})
    assert find_lookback(strategy, BARS[:400], 500, 100) is None
    found = find_lookback(strategy, BARS[:400], 500, 100, least=True)
    assert found is not None
    assert found.needed == pytest.approx(39, abs=2)


def test_an_account_needs_what_it_is_given() -> None:
    """What was decided before is part of an account, so its decisions are compared from its beginning on."""

    def on_bar(state: Any, bar: Any) -> None:
        closes = state["closes"] = [*state.get("closes", []), bar.close][-300:]
        if len(closes) == 300 and bar.close > sum(closes) / 300:
            state.enter_long()
        else:
            state.close()

    (strategy,) = load_strategies(on_bar, {})
    short, enough = (find_lookback(strategy, BARS[:1500], warmup, 100) for warmup in (100, 400))
    assert short is not None
    assert enough is not None
    assert not short.enough
    assert enough.enough
