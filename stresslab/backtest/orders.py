"""What a strategy decides at the close of a row becomes what is ordered at the open of the next one.

T is generated bars, W bars of warm-up before them, N universes. What is decided at the close of panel row r fills at
the open of row r + 1; only generated bars are traded, so row W - 1, the origin, is the first whose decision fills.

Signals. An entry opens a full position, long or short; against an open position of the other side it reverses. An
entry in the direction already held does nothing, nor does an exit of a side that is not held. Where entry and exit of
one side come in the same row, both are ignored, and so are then long and short entry in one row (vectorbt's defaults):
such a row says nothing, and any order of precedence would be invented.

Weights. A target that changes is an order that brings the position to that multiple of a full one at the open; NaN and
an unchanged target keep the units held, so a position drifts with its price and costs nothing. 0 and 1 are thereby the
same as signals. Other rules (`Terms.rebalance`) make an unchanged target an order too, at every bar or where the weight
has drifted from it; NaN keeps the units under each rule.

Units. A target number of units that changes is an order for the difference, whatever the equity is.

Position at the origin. "carry" opens at the first generated open, with costs, what the decisions over the warm-up leave
in force. "flat" waits for something new: an entry that was already given without a break before the origin's bar, or a
target that has not changed since, opens nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.arrays import BoolArray, FloatArray
from stresslab.strategy.panel import Decisions

SAME_TARGET = 1e-9
"""Targets nearer than this are the same: rounding in a strategy's arithmetic is no order."""


class Signals(NamedTuple):
    """Entries and exits of both sides, (rows, N) each."""

    long_entries: BoolArray
    long_exits: BoolArray
    short_entries: BoolArray
    short_exits: BoolArray


class Targets(NamedTuple):
    """Target weights that bring a position back when it has drifted, (T, N) each.

    Attributes:
        ordered: what is ordered whatever is held, NaN where nothing is.
        standing: what is ordered where the weight held is too far from it, NaN where nothing is.
    """

    ordered: FloatArray
    standing: FloatArray


Orders = Signals | FloatArray | Targets
"""What each generated open is to fill; of weights alone NaN where nothing is ordered."""


def orders_of(decisions: Decisions, warmup: int, position: str, band: float | None = None) -> Orders:
    """What each generated open is to fill: signals, or target weights with NaN where nothing is ordered, (T, N).

    Args:
        decisions: (W+T, N) decided at each close.
        warmup: W.
        position: "carry" or "flat".
        band: how far a weight may drift from its target, 0 for every bar; None where drifting is no reason to order.
    """
    if decisions.is_weights:
        ordered = _target_orders(decisions.weights, warmup, position)
        if band is None:
            return ordered
        standing = _standing(decisions, warmup, position, ordered)
        return Targets(ordered, standing) if band else np.where(np.isnan(ordered), standing, ordered)
    return _signal_orders(decisions, warmup, position)


def _signal_orders(decisions: Decisions, warmup: int, position: str) -> Signals:
    """The signals that each generated open fills, (T, N).

    Args:
        decisions: (W+T, N) signals known at each close.
        warmup: W.
        position: "carry" or "flat".
    """
    known = _without_conflicts(decisions)  # (2+W+T, N)
    orders = Signals(*(flags[warmup + 1 : -1].copy() for flags in known))  # from the origin's row on, (T, N)
    if position == "carry":
        held = _held(Signals(*(flags[: warmup + 2] for flags in known)))
        for flags, first in zip(orders, (held > 0, False, held < 0, False), strict=True):
            flags[0] = first
    else:
        for fresh, entries in zip(orders[::2], known[::2], strict=True):
            unbroken = np.logical_and.accumulate(entries[warmup:-1], axis=0)  # given since before the origin, (1+T, N)
            fresh &= ~unbroken[1:]
    return orders


def _without_conflicts(decisions: Decisions) -> Signals:
    """Signals without those of one row that contradict each other; two rows without any come first, (2+W+T, N)."""
    given = (decisions.long_entries, decisions.long_exits, decisions.short_entries, decisions.short_exits)
    rows, count = next(flags.shape for flags in given if flags is not None)
    padded = np.zeros((4, rows + 2, count), dtype=np.bool_)
    for flags, source in zip(padded, given, strict=True):
        if source is not None:
            flags[2:] = source
    long_entries, long_exits, short_entries, short_exits = padded
    long_conflict, short_conflict = long_entries & long_exits, short_entries & short_exits
    long_entries, long_exits = long_entries & ~long_conflict, long_exits & ~long_conflict
    short_entries, short_exits = short_entries & ~short_conflict, short_exits & ~short_conflict
    both = long_entries & short_entries
    return Signals(long_entries & ~both, long_exits, short_entries & ~both, short_exits)


def _held(signals: Signals) -> NDArray[np.int64]:
    """The side that signals without conflicts leave an account on: 1 long, -1 short, 0 flat (N,).

    It is that of the last entry, unless an exit of this side came later: an entry always ends on its own side, whatever
    was held before, and exits of the other side do nothing.
    """
    entered_long, left_long, entered_short, left_short = (_last_row(flags) for flags in signals)
    long = (entered_long > entered_short) & (entered_long > left_long)
    short = (entered_short > entered_long) & (entered_short > left_short)
    return long.astype(np.int64) - short.astype(np.int64)


def _last_row(flags: BoolArray) -> NDArray[np.int64]:
    """The last row, counted from 1, in which a flag is up; 0 where none is (N,)."""
    return np.where(flags.any(axis=0), len(flags) - np.argmax(flags[::-1], axis=0), 0)


def _target_orders(decided: FloatArray | None, warmup: int, position: str) -> FloatArray:
    """The targets that each generated open fills, NaN where nothing is ordered, (T, N).

    Args:
        decided: (W+T, N) targets known at each close, NaN keeps what is held.
        warmup: W.
        position: "carry" or "flat".
    """
    weights = np.asarray(decided, dtype=np.float64)
    before = np.zeros((2, weights.shape[1]))
    in_force = pd.DataFrame(np.concatenate([before, weights])).ffill().to_numpy()  # (2+W+T, N)
    targets, previous = in_force[warmup + 1 : -1], in_force[warmup:-2]  # from the origin's row on, (T, N)
    ordered = np.abs(targets - previous) > SAME_TARGET
    if position == "carry":
        ordered[0] = targets[0] != 0
    return np.where(ordered, targets, np.nan)


def _standing(decisions: Decisions, warmup: int, position: str, ordered: FloatArray) -> FloatArray:
    """The targets that rows decide, changed or not, NaN where a row keeps what is held (T, N).

    Where nothing is carried, a target that has not changed since before the origin stands for nothing.
    """
    weights = np.asarray(decisions.weights, dtype=np.float64)
    decided = np.concatenate([np.full((2, weights.shape[1]), np.nan), weights])[warmup + 1 : -1]
    begun = np.logical_or.accumulate(~np.isnan(ordered), axis=0)
    return decided if position == "carry" else np.where(begun, decided, np.nan)


def conflicts_of(decisions: Decisions, warmup: int) -> NDArray[np.int64]:
    """How many rows contradict themselves, from the origin's on, so that they say nothing (N,)."""
    rows, count = next(iter(decisions.arrays().values())).shape
    if decisions.long_entries is None or decisions.long_exits is None or decisions.on_account:
        return np.zeros(count, dtype=np.int64)
    wrong = decisions.long_entries & decisions.long_exits
    if decisions.short_entries is not None and decisions.short_exits is not None:
        wrong = wrong | (decisions.short_entries & (decisions.short_exits | decisions.long_entries))
    return np.asarray(wrong[max(warmup - 1, 0) : rows - 1].sum(axis=0), dtype=np.int64)
