"""Orders with prices as a strategy gives them: checked, broadcast, and compared like any other decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.core.errors import StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import find_lookahead
from stresslab.strategy.order_frames import LEVELS, Orders, as_orders
from stresslab.strategy.panel import Decisions, Panel
from tests.make.bars import make_bars

BARS = make_bars(200)
PANEL = Panel.of(Universes.from_bars(BARS[40:], BARS[:40]), 40)
ALWAYS = PANEL.close > 0


def some(*rows: int) -> Any:
    """True in these rows."""
    flags = ~ALWAYS
    flags.iloc[list(rows)] = True
    return flags


def test_levels_stand_in_the_rows_where_they_are_read() -> None:
    """A number counts for every entry, a pair by side, a frame row by row; elsewhere there is NaN."""
    found = Orders(
        long_entries=some(3), short_entries=some(5), stop_loss=(10.0, PANEL.close * 2), size=0.5, long_exits=some(7),
        exit_size=0.25,
    ).decisions(PANEL)  # fmt: skip
    assert set(found.levels) == {f"{side}_{name}" for side in ("long", "short") for name in LEVELS}
    rows = {name: np.flatnonzero(~np.isnan(array[:, 0])).tolist() for name, array in found.levels.items()}
    assert {name: at for name, at in rows.items() if at} == {
        "long_size": [3], "short_size": [5], "long_stop_loss": [3], "short_stop_loss": [5], "long_exit_size": [7],
    }  # fmt: skip
    assert found.levels["short_stop_loss"][5, 0] == 2 * PANEL.close.iloc[5, 0]
    assert not found.levels["long_size"].flags.writeable


def test_universes_side_by_side() -> None:
    """Decisions of single universes join to those of all; with other rules they do not."""
    one, other = (Orders(long_entries=some(3), stop=5.0, lifetime=life).decisions(PANEL) for life in (1, 2))
    joined = Decisions.side_by_side([one, one])
    assert joined.levels["long_stop"].shape == (PANEL.rows, 2)
    assert joined.rules == one.rules
    assert np.isnan(one.flat().levels["long_stop"]).all()
    with pytest.raises(StrategyError, match="decide on one kind"):
        Decisions.side_by_side([one, other])


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({}, "has no entries and no exits; give long_entries"),
        ({"long_entries": ALWAYS, "limit": 1.0, "stop": 1.0}, "a limit and a stop for one entry at .* give one"),
        ({"long_entries": ALWAYS, "stop": -1.0}, "stop=-1 for an order of .*, which is not above 0"),
        ({"long_entries": ALWAYS, "trailing_stop": 5}, r"trailing_stop=5 .* not in \(0, 1\]"),
        ({"long_entries": ALWAYS, "long_exits": some(3), "exit_size": 2.0}, r"exit_size=2 .* not in \(0, 1\]"),
        ({"long_entries": ALWAYS, "stop": 10.0, "stop_loss": 11.0}, "stop_loss=11 for a long entry at 10 .* below"),
        ({"short_entries": ALWAYS, "limit": 10.0, "take_profit": 11.0}, "take_profit=11 for a short entry .* below"),
        ({"long_entries": ALWAYS, "lifetime": 0}, r"lifetime=0\) is not a whole number in \[1"),
        ({"long_entries": ALWAYS, "entries": 1.5}, r"entries=1.5\) is not a whole number in \[1, 50\]"),
        ({"long_entries": ALWAYS, "size": 0.5, "units": 3}, "both size and units; give one"),
        ({"long_entries": ALWAYS.iloc[3:]}, "has shape"),
        ({"long_entries": ALWAYS, "stop": "high"}, "stop is a str"),
    ],
)
def test_what_no_order_can_be_is_refused(orders: dict[str, Any], words: str) -> None:
    """One line that names the value and the rule."""
    with pytest.raises(StrategyError, match=words):
        Orders(**orders).decisions(PANEL)


def test_a_level_that_looks_ahead_is_caught() -> None:
    """A stop at tomorrow's high is found; one at the highest of the last ten is not."""

    def honest(bars: Any, shift: int = 0) -> Orders:
        high = bars.high.rolling(10).max().shift(-shift)
        return sl.Orders(long_entries=high > 0, stop=high, lifetime=1)

    def leaking(bars: Any) -> Orders:
        return honest(bars, 1)

    found = {one.__name__: find_lookahead(load_strategies(one, {})[0], BARS).found for one in (honest, leaking)}
    assert not found["honest"]
    assert found["leaking"]


def test_a_dict_does_as_well() -> None:
    """Its keys are the arguments; another key is refused with the nearest one."""
    found = as_orders({"long_entries": ALWAYS, "stop": 5.0})
    assert found is not None
    assert (found.stop, found.lifetime) == (5.0, None)
    assert as_orders((ALWAYS, ALWAYS)) is None
    with pytest.raises(StrategyError, match="has the key 'stoploss'; did you mean 'stop_loss'"):
        as_orders({"long_entries": ALWAYS, "stoploss": 5.0})
