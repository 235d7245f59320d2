"""Shocks that a market lives on after: read, laid, and met by accounts with the position that they have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.analysis.case import Case
from stresslab.analysis.continued_shocks import check_continuing, crisis_shock, parse_shock, shock_rows
from stresslab.backtest import Costs, Terms
from stresslab.core.errors import InputError
from stresslab.generators.garch import Garch
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars
from tests.make.strategies import hold

HISTORY = make_bars(500)
BASE = Garch().sample(HISTORY, 60, 80, seed=3)


def idle(bars: Any) -> Any:
    """Never in the market."""
    return bars.close * 0.0


def late(bars: Any) -> Any:
    """In the market from the fifth generated bar on."""
    weights = bars.close * 0.0
    weights.iloc[-56:] = 1.0
    return weights


def case(function: Any) -> Case:
    """A strategy in the base universes, without costs."""
    (strategy,) = load_strategies(function, {})
    return Case(strategy, BASE, HISTORY, Terms(costs=Costs(fees=0.0, slippage=0.0), warmup=0), seed=3)


def rows(function: Any, *texts: str) -> list[dict[str, Any]]:
    """What a strategy comes to after shocks."""
    one = case(function)
    return shock_rows([one], Garch(), [parse_shock(text) for text in texts])[one.strategy.name]


def test_a_gap_costs_who_holds() -> None:
    """Buy and hold loses the gap at bar 10 and what follows from it; who holds nothing loses nothing."""
    held, (empty,) = rows(hold, "gap=-8%@10")[0], rows(idle, "gap=-8%@10")
    base = case(hold)
    assert held["first"] == held["last"] == 10
    assert held["median_return"] < float(base.metrics["total_return"].median()) - 0.05
    assert held["recovery"]["recovered"]["value"] < held["base_recovery"]["recovered"]["value"]
    assert empty["probability_of_loss"]["value"] == 0
    assert empty["recovery"] == {"recovered": empty["recovery"]["recovered"], "median_bars": 0.0}


def test_a_shock_meets_the_position_of_its_bar() -> None:
    """A gap before the account is in the market costs it nothing at that bar; later it does."""
    own = case(late)
    for at, held in ((2, 0.0), (29, 1.0)):
        shocked = Garch().continued(BASE, at, parse_shock(f"gap=-30%@{at + 1}").make(BASE), seed=3)
        base, equity = own.account.equity, own.elsewhere(shocked, compared=False).account.equity
        assert np.array_equal(equity[: at + 1], base[: at + 1])
        np.testing.assert_allclose(equity[at + 1], (1 - 0.3 * held) * base[at + 1], rtol=1e-5)


def test_no_order_fills_while_trading_is_halted() -> None:
    """An order for the first halted bar fills at the reopening, at the base's price there."""

    def enter(bars: Any) -> Any:
        weights = bars.close * 0.0
        weights.iloc[-56:] = 1.0  # decided at the close of bar 5, to be filled at the open of bar 6
        return weights

    one = case(enter)
    (row,) = shock_rows([one], Garch(), [parse_shock("halt=3@6")])[one.strategy.name]
    shocked = Garch().continued(BASE, 5, parse_shock("halt=3@6").make(BASE), seed=3)
    returns = shocked.values[:, -1, 3] / shocked.values[:, 8, 0] - 1  # from the open of bar 9
    assert row["median_return"] == pytest.approx(float(np.median(returns)), abs=1e-4)
    assert row["last"] == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gap=-120%@10", "leaves no price above 0"),
        ("gap=-100%@10", "leaves no price above 0"),
        ("gab=-8%@10", "did you mean 'gap'"),
        ("gap=-8%", "is not a shock; write gap=-8%@10"),
        ("gap=-8%@0", "bars count from 1"),
        ("gap=-8%@3..9", "only volatility has a last one"),
        ("volatility=2@20..10", "bars count from 1"),
        ("volatility=0@20", "volatility is multiplied by more than 0"),
        ("volatility=-2@20", "volatility is multiplied by more than 0"),
        ("gap=much@4", "'much' is not a number"),
        ("halt=2.5@4", "a whole number of bars"),
        ("halt=0@4", "a whole number of bars"),
        ("bars=crash_2020@4", "did you mean 'crash_2020_03'"),
    ],
)
def test_what_is_no_shock_is_refused(text: str, words: str) -> None:
    """One line that names it and the remedy."""
    with pytest.raises(InputError) as caught:
        parse_shock(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["gap=-8%@61", "halt=3@58", "volatility=2@50", "bars=crash_2020_03@55"])
def test_a_shock_after_the_horizon_is_refused(text: str) -> None:
    """One that begins or ends after it."""
    with pytest.raises(InputError, match=r"begins at bar .* after the horizon of 60 bars; begin it earlier"):
        parse_shock(text).within(60)


def test_crises_are_cut_at_the_horizon_and_say_so() -> None:
    """The longest is laid as far as it fits; a halt stands before the bars that follow it."""
    long = crisis_shock("dotcom_2000", 6, horizon=60)
    assert (long.first, long.bars) == (6, 54)
    assert long.label.endswith("its first 54 bars")
    assert long.make(BASE).shape == (80, 54, 6)
    closed = crisis_shock("terror_2001_09", 6, horizon=60)
    bars = closed.make(BASE)
    assert (closed.closed, closed.bars) == (4, 9)
    assert (bars[:, :4, :4] == BASE.values[:, 5, 3][:, None, None]).all()
    assert bars[:, 4, 0].mean() < bars[:, 3, 3].mean()
    locked = crisis_shock("limit_lock_2022_03", 6, horizon=60)
    assert locked.closed == locked.bars == 4


def test_a_generator_that_cannot_go_on_is_refused() -> None:
    """One line that names those that can."""

    class Other:
        name = "other"

    with pytest.raises(InputError, match=r"generator=other cannot go on after bars .* use kronos, garch or bootstrap"):
        check_continuing(Other())  # type: ignore[arg-type]
