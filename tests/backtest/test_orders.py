"""What a strategy decides at a close is ordered at the next open, and what is in force at the origin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.backtest import Terms, backtest
from stresslab.backtest.orders import Signals, Targets, conflicts_of, orders_of
from stresslab.strategy.panel import Decisions
from tests.backtest.cases import CLOSES, FREE, OPENS, ROUNDING, market, rows, strategy


def test_entry_and_exit_in_one_row_say_nothing() -> None:
    """Neither opens a position nor closes one, on either side."""
    universe, every, never = market(OPENS, CLOSES), rows(5, 0, 1, 2, 3), rows(5)
    assert backtest(strategy(every, every), universe, Terms(FREE, warmup=1)).trades[0] == 0
    assert backtest(strategy(never, never, every, every), universe, Terms(FREE, warmup=1)).trades[0] == 0
    held = backtest(strategy(rows(5, 0, 2), rows(5, 2)), universe, Terms(FREE, warmup=1))
    np.testing.assert_allclose(held.position[:, 0], 1, rtol=ROUNDING)


def test_long_and_short_entry_in_one_row_say_nothing() -> None:
    """A position held stays and none is opened."""
    universe, never = market(OPENS, CLOSES), rows(5)
    assert backtest(strategy(rows(5, 1), never, rows(5, 1), never), universe, Terms(FREE, warmup=1)).trades[0] == 0
    held = backtest(strategy(rows(5, 0, 2), never, rows(5, 2), never), universe, Terms(FREE, warmup=1))
    np.testing.assert_allclose(held.position[:, 0], 1, rtol=ROUNDING)


def test_an_entry_repeated_is_no_second_order() -> None:
    """A signal that stays up is one trade."""
    run = backtest(strategy(rows(5, 0, 1, 2, 3), rows(5)), market(OPENS, CLOSES), Terms(FREE, warmup=1))
    assert np.count_nonzero(run.traded[:-1, 0]) == 1
    assert run.trades[0] == 1


@pytest.mark.parametrize(
    ("entries", "exits", "carry", "flat"),
    [
        ((0,), (), [1, 1, 1, 1], [0, 0, 0, 0]),  # entered long ago and held
        ((0, 4), (), [1, 1, 1, 1], [0, 0, 1, 1]),  # entered again after the origin: new
        ((0,), (1,), [0, 0, 0, 0], [0, 0, 0, 0]),  # left before the origin
        ((0,), (2,), [0, 0, 0, 0], [0, 0, 0, 0]),  # left at the origin
        ((2,), (), [1, 1, 1, 1], [1, 1, 1, 1]),  # entered at the origin's close: new
        ((1, 2, 3, 4), (), [1, 1, 1, 1], [0, 0, 0, 0]),  # up without a break since before the origin: not new
        ((1, 2, 4), (3,), [1, 0, 1, 1], [0, 0, 1, 1]),  # up, down, and up again: new
        ((0,), (4,), [1, 1, 0, 0], [0, 0, 0, 0]),  # carried, then left
    ],
)
def test_signals_at_the_origin(entries: Any, exits: Any, carry: Any, flat: Any) -> None:
    """Carried positions open at the first open; flat waits for an entry that was not up before the origin."""
    for position, expected in (("carry", carry), ("flat", flat)):
        decided = strategy(rows(7, *entries), rows(7, *exits))
        run = backtest(decided, market(OPENS, CLOSES), Terms(FREE, warmup=3, position=position))
        np.testing.assert_allclose(run.position[:, 0], expected, atol=ROUNDING, err_msg=position)


@pytest.mark.parametrize(
    ("weights", "carry", "flat"),
    [
        ([1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]),  # never changes
        ([1, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan], [1, 1, 1, 1], [0, 0, 0, 0]),  # the last one in force
        ([0, 0, 1, 1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]),  # changed at the origin's close: new
        ([1, 1, 1, 1, 0, 1, 1], [1, 1, 0, 1], [0, 0, 0, 1]),  # changed later
        ([1, 0, np.nan, np.nan, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]),
        ([np.nan, np.nan, np.nan, 1, np.nan, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0]),  # nothing decided before
    ],
)
def test_weights_at_the_origin(weights: Any, carry: Any, flat: Any) -> None:
    """Carried targets open at the first open; flat waits for a target that changes at the origin or later."""
    for position, expected in (("carry", carry), ("flat", flat)):
        run = backtest(strategy(weights), market(OPENS, CLOSES), Terms(FREE, warmup=3, position=position))
        np.testing.assert_allclose(run.position[:, 0], expected, atol=ROUNDING, err_msg=position)


def test_a_carried_short_is_opened_short() -> None:
    """What a short entry left in force, and a long exit did not end, is opened at the first open."""
    never = rows(7)
    run = backtest(strategy(rows(7, 0), rows(7, 2), rows(7, 1), never), market(OPENS, CLOSES), Terms(FREE, warmup=3))
    np.testing.assert_allclose(run.position[0, 0], -1, rtol=ROUNDING)


@pytest.mark.parametrize("position", ["carry", "flat"])
def test_without_warmup_the_first_open_fills_nothing(position: str) -> None:
    """No row precedes the first generated bar, so the first decision is its own close."""
    run = backtest(strategy(rows(4, 0), rows(4)), market(OPENS, CLOSES), Terms(FREE, warmup=0, position=position))
    np.testing.assert_allclose(run.position[:, 0], [0, 1, 1, 1], atol=ROUNDING)


def test_weights_are_rebalanced_as_asked() -> None:
    """A constant weight drifts, is brought back at every open, or only when it is far from its target, by hand."""
    opens = [100.0, 200.0, 210.0, 400.0]
    closes = [200.0, 210.0, 400.0, 400.0]
    half = np.full(5, 0.5)
    run = {
        rule: backtest(strategy(half), market(opens, closes), Terms(FREE, init_cash=1000.0, warmup=1, rebalance=rule))
        for rule in ("on-change", "every-bar", "band=0.1", "band=0.3")
    }
    np.testing.assert_allclose(run["on-change"].equity[:, 0], 500 + 5 * np.array([100, 200, 210, 400, 400]))
    back = 1500 * (1 + 0.5 * 0.05)  # half of 1,500 in at 200
    end = back * (1 + 0.5 * 190 / 210)
    np.testing.assert_allclose(run["every-bar"].equity[:, 0], [1000, 1500, back, end, end])
    units = 750 / 200  # a weight of 2/3 at the close of 200 is beyond a band of 0.1; 0.512 at that of 210 is within
    banded = [1000, 1500, 750 + units * 210, 750 + units * 400, 750 + units * 400]
    np.testing.assert_allclose(run["band=0.1"].equity[:, 0], banded)
    np.testing.assert_allclose(run["band=0.3"].equity, run["on-change"].equity)


def test_nothing_decided_is_never_rebalanced() -> None:
    """NaN keeps the units under every rule, and what is not carried is not brought back either."""
    opens = [100.0, 200.0, 210.0, 400.0]
    once = np.array([0.5, np.nan, np.nan, np.nan, np.nan])
    free = Terms(FREE, init_cash=1000.0, warmup=1)
    kept = backtest(strategy(once), market(opens, opens), free)
    for rule in ("every-bar", "band=0.05"):
        terms = Terms(FREE, init_cash=1000.0, warmup=1, rebalance=rule)
        np.testing.assert_allclose(backtest(strategy(once), market(opens, opens), terms).equity, kept.equity)
    for rule in ("on-change", "every-bar", "band=0.05"):
        flat = Terms(FREE, init_cash=1000.0, warmup=2, position="flat", rebalance=rule)
        run = backtest(strategy(np.full(6, 0.5)), market(opens, opens), flat)
        assert (run.traded == 0).all()


def test_rows_that_contradict_themselves_are_counted() -> None:
    """Entry and exit of one side, and entries of both sides, in the rows that orders come from."""
    opens = [100.0] * 6
    decided = strategy(rows(7, 1, 3, 6), rows(7, 1, 2), rows(7, 3), rows(7, 5))
    run = backtest(decided, market(opens, opens), Terms(FREE, init_cash=1000.0, warmup=1))
    assert run.conflicts.tolist() == [2]  # row 6 is the last close: nothing follows


def side(signals: np.ndarray) -> int:
    """Where four signals (rows, 4) leave an account, row by row: an entry turns it, an exit of its side closes it."""
    held = 0
    for long_entry, long_exit, short_entry, short_exit in signals:
        if long_entry and long_exit:
            long_entry = long_exit = False
        if short_entry and short_exit:
            short_entry = short_exit = False
        if long_entry and short_entry:
            continue
        if long_entry or short_entry:
            held = 1 if long_entry else -1
        elif (held == 1 and long_exit) or (held == -1 and short_exit):
            held = 0
    return held


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), warmup=st.integers(1, 12), often=st.sampled_from([0.1, 0.3, 0.6]))
def test_what_is_carried_is_what_a_loop_holds(seed: int, warmup: int, often: float) -> None:
    """The first open fills the side on which the signals up to the origin leave an account."""
    flags = np.random.default_rng(seed).random((warmup + 2, 5, 4)) < often  # (W+T, N, 4)
    orders = orders_of(Decisions(*np.moveaxis(flags, -1, 0)), warmup, "carry")
    assert isinstance(orders, Signals)
    first = orders.long_entries[0].astype(int) - orders.short_entries[0].astype(int)
    assert first.tolist() == [side(flags[:warmup, universe]) for universe in range(5)]
    assert not orders.long_exits[0].any()
    assert not orders.short_exits[0].any()


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), warmup=st.integers(0, 6), often=st.sampled_from([0.1, 0.3, 0.6]))
def test_later_opens_fill_what_the_row_before_decided(seed: int, warmup: int, often: float) -> None:
    """From the second open on: the signals of the close before, but for rows that contradict themselves."""
    flags = np.random.default_rng(seed).random((4, warmup + 5, 3)) < often
    orders = orders_of(Decisions(*flags), warmup, "carry")
    long_entries, long_exits, short_entries, short_exits = flags[:, warmup:-1]
    own, other = long_entries & ~long_exits, short_entries & ~short_exits
    expected = (own & ~other, long_exits & ~long_entries, other & ~own, short_exits & ~short_entries)
    for found, right in zip(orders, expected, strict=True):
        np.testing.assert_array_equal(found[1:], right)


def test_targets_by_hand() -> None:
    """What changes is ordered, rounding is not; with a band the target stands besides, and every bar orders it."""
    weights = np.array([[0.5], [0.5], [0.5 + 1e-12], [np.nan], [0.2], [0.2]])
    decided = Decisions(weights=weights)
    changed = orders_of(decided, 1, "carry")
    np.testing.assert_array_equal(changed[:, 0], [0.5, np.nan, np.nan, np.nan, 0.2])
    banded = orders_of(decided, 1, "carry", band=0.1)
    assert isinstance(banded, Targets)
    np.testing.assert_array_equal(banded.ordered, changed)
    np.testing.assert_array_equal(banded.standing[:, 0], [0.5, 0.5, 0.5 + 1e-12, np.nan, 0.2])
    np.testing.assert_array_equal(orders_of(decided, 1, "carry", band=0.0)[:, 0], banded.standing[:, 0])


@pytest.mark.parametrize(("warmup", "expected"), [(0, [3]), (1, [3]), (2, [2]), (3, [1])])
def test_contradictions_before_the_origin_do_not_count(warmup: int, expected: list[int]) -> None:
    """Nor does one at the last close, which nothing follows."""
    every = rows(4, 0, 1, 2, 3)[:, None]
    assert conflicts_of(Decisions(every, every), warmup).tolist() == expected
