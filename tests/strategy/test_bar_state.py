"""What on_bar may ask of its account and order on it, and what it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.errors import StrategyError
from stresslab.data.market_index import IndexBars
from stresslab.data.universes import Universes
from stresslab.strategy.bar_state import LONG, SHORT, checked_levels
from stresslab.strategy.panel import Decisions
from tests.make.markets import make_market
from tests.strategy.cases import PANEL, complaint, load


def test_orders_of_the_warm_up_are_forgotten() -> None:
    """The account begins with the universe: before its origin nothing is kept, and nothing is held."""

    def on_bar(state: Any, bar: Any) -> None:
        state["row"] = state.get("row", -1) + 1
        if state["row"] < PANEL.warmup:
            assert state.position == 0
            assert state.equity == 50_000
        state.enter_long(stop_loss=bar.close / 2, size=0.1)

    decisions = load(on_bar).decide(PANEL, init_cash=50_000)
    assert decisions.on_account
    assert decisions.long_entries is not None
    first = PANEL.warmup - 1
    assert not decisions.long_entries[:first].any()
    assert decisions.long_entries[first:-1].all()
    closes = PANEL.array("close")
    np.testing.assert_array_equal(decisions.levels["long_stop_loss"][first:-1], closes[first:-1] / 2)


def test_targets_and_orders_do_not_mix() -> None:
    """Code that returns a weight has no account; both at once are refused with the bar."""

    def on_bar(state: Any, bar: Any) -> float:
        return 1.0 if not state.position else 0.0

    assert f"returns a target weight ({PANEL.timestamps[0]}); give orders" in complaint(on_bar)


def test_a_universe_without_orders_is_flat_beside_others() -> None:
    """Code that asks for its account in some universes only decides on one kind all the same."""

    def on_bar(state: Any, bar: Any) -> None:
        if bar.close > level:
            state.enter_long()

    tops = PANEL.array("close").max(axis=0)
    level = float(np.sort(tops)[-2])
    decisions = load(on_bar).decide(PANEL)
    entered = decisions.arrays()["long_entries"].any(axis=0)
    assert entered.sum() == 1
    assert not entered[np.argsort(tops)[:-1]].any()


def test_silent_weights_stay_weights() -> None:
    """Where nobody orders, code that is silent in a universe answers with weights."""
    nothing, half = (Decisions(weights=np.full((3, 1), value)) for value in (np.nan, 0.5))
    assert Decisions.side_by_side([nothing, half]).is_weights


@pytest.mark.parametrize(
    ("side", "levels", "refused"),
    [
        (LONG, {"limt": 3.0}, "an entry has no 'limt'; did you mean 'limit'"),
        (LONG, {"limit": 3.0, "stop": 4.0}, "an entry has limit and stop; give one of them"),
        (LONG, {"size": 0.5, "units": 4}, "an entry has size and units"),
        (LONG, {"trailing_stop": 5.0}, r"trailing_stop=5 is not in \(0, 1\]"),
        (LONG, {"lifetime": 1.5}, "lifetime=1.5 is not a whole number of bars, 1 or more"),
        (LONG, {"limit": "3"}, "limit='3' is no number"),
        (LONG, {"stop": -1.0}, "stop=-1 is not above 0"),
        (
            LONG,
            {"limit": 10.0, "stop_loss": 11.0},
            "stop_loss=11 for an entry at 10 would leave at once",
        ),
        (SHORT, {"limit": 10.0, "take_profit": 11.0}, "take_profit=11 for an entry at 10 .* it lies below"),
    ],
)
def test_levels_that_cannot_be_meant(side: int, levels: dict[str, Any], refused: str) -> None:
    """Each is refused with its value and the rule."""
    with pytest.raises(ValueError, match=refused):
        checked_levels(side, levels)


def test_levels_may_be_none() -> None:
    """None and NaN are no level."""
    assert checked_levels(LONG, {"limit": None, "stop": float("nan"), "size": 1}) == {"size": 1.0}


def test_refusals_name_the_line() -> None:
    """A wrong order stops the strategy with its own line of code; a name that is not there says the one that is."""

    def wrong(state: Any, bar: Any) -> None:
        state.close(2.0)

    def both(state: Any, bar: Any) -> None:
        state.enter_long()
        state.enter_short()

    def buys(state: Any, bar: Any) -> None:
        state.buy()

    assert "close(share=2.0) is not in (0, 1]" in complaint(wrong)
    assert "`state.close(2.0)`" in complaint(wrong)
    assert "a long and a short entry without a price for the same open" in complaint(both)
    assert "state has no 'buy'; write enter_long" in complaint(buys)


def test_several_symbols_have_no_account() -> None:
    """A strategy of a market is asked for weights."""

    def on_bar(state: Any, bars: Any) -> None:
        state.enter_long()

    strategy, bars = load(on_bar), IndexBars.of(make_market(count=60))
    with pytest.raises(StrategyError, match="several symbols has no account"):
        strategy.decide(strategy.panel(Universes.from_bars(bars, bars[:0]), 0))
