"""Fills as decisions: lanes, slots, and what happens to them while a market is closed."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import StrategyError
from stresslab.strategy.fills import ALL, SLOTS, Fills, postponed_fills
from stresslab.strategy.panel import Decisions
from tests.strategy.cases import make_panel

PANEL = make_panel(universes=1)
CLOSE = PANEL.array("close")[:, 0]


def decided(fills: Fills) -> Decisions:
    """The fills as decisions of one universe."""
    return fills.decisions(PANEL)


def at(decisions: Decisions, row: int) -> list[tuple[float, ...]]:
    """The fills of a row."""
    slots = [tuple(decisions.levels[f"{part}_{slot}"][row, 0] for part in ("lane", "price", "size"))
             for slot in range(SLOTS)]  # fmt: skip
    return [one for one in slots if not np.isnan(one[0])]


def test_a_lane_is_free_again_after_its_trade() -> None:
    """The lowest free lane is taken, so that the same trades have the same lanes whatever came before."""
    fills = Fills(PANEL.rows)
    assert [fills.enter(3, CLOSE[3], 0.5), fills.enter(3, CLOSE[3], 0.5)] == [0, 1]
    fills.leave(4, 0, CLOSE[4], 0.25)
    assert fills.enter(4, CLOSE[4], 0.1) == 2
    fills.leave(5, 0, CLOSE[5])
    assert fills.enter(5, CLOSE[5], -0.5) == 0
    assert at(decided(fills), 4) == [(-1.0, CLOSE[4], 0.25), (3.0, CLOSE[4], 0.1)]


def test_all_that_leaves_at_one_price_is_one_fill() -> None:
    """Ten trades that close together take one slot; eleven that close apart are too many."""
    fills = Fills(PANEL.rows)
    for row in range(10):
        fills.enter(row, CLOSE[row], 0.05)
    for lane in range(10):
        fills.leave(12, lane, CLOSE[12])
    assert at(decided(fills), 12) == [(float(ALL), CLOSE[12], 1.0)]
    fills = Fills(PANEL.rows)
    for _ in range(SLOTS + 1):
        fills.enter(1, CLOSE[1], 0.05)
    with pytest.raises(StrategyError, match=f"{SLOTS + 1} orders fill within the bar of .* at most {SLOTS}"):
        decided(fills)


def test_a_price_that_never_was_is_refused() -> None:
    """A fill above the bar's high is named with its bar."""
    fills = Fills(PANEL.rows)
    fills.enter(2, PANEL.array("high")[2, 0] * 1.01, 1.0)
    with pytest.raises(StrategyError, match=r"an order filled at .* where the bar went from"):
        decided(fills)


def test_trades_have_an_end() -> None:
    """More than fifty open trades are refused."""
    fills = Fills(PANEL.rows)
    for row in range(50):
        fills.enter(row, CLOSE[row], 0.01)
    with pytest.raises(StrategyError, match="more than 50 trades are open at once"):
        fills.enter(50, CLOSE[50], 0.01)


def test_fills_wait_for_the_market_to_open() -> None:
    """An entry and an exit move to the next open bar, at its open; a trade in between never happens."""
    fills = Fills(PANEL.rows)
    first = fills.enter(52, CLOSE[52], 1.0)
    fills.leave(53, first, CLOSE[53])
    fills.enter(54, CLOSE[54], 0.5)
    fills.enter(56, CLOSE[56], 0.25)
    closed = np.zeros((10, 1), dtype=bool)
    closed[2:5] = True  # rows 52 to 54
    moved = decided(fills).with_arrays(postponed_fills(decided(fills).levels, 50, closed))
    assert [at(moved, row) for row in (52, 53, 54)] == [[], [], []]
    (entry,) = at(moved, 55)
    assert entry[0] == 1.0
    assert np.isnan(entry[1])
    assert entry[2] == 0.5
    assert at(moved, 56) == at(decided(fills), 56)


def test_units_or_shares_are_said_where_a_trade_opens() -> None:
    """Elsewhere it says nothing, so that bars without a trade decide nothing."""
    fills = Fills(PANEL.rows, counted=True)
    fills.enter(3, CLOSE[3], 5.0)
    counted = decided(fills).levels["counted"][:, 0]
    assert counted[3] == 1.0
    assert np.isnan(np.delete(counted, 3)).all()
