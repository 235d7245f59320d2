"""Rules of mandates and funded accounts: which of them an account reaches or breaks first, and when.

It knows equity at the close and inside the bar; how that came about it does not. T is bars, N universes. Amounts are
fractions of the initial capital.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
NEVER = np.iinfo(np.int64).max
OPEN, PASSED = "open", "passed"


@dataclass(frozen=True)
class AccountRules:
    """Limits on an account and, where there is one, the target that ends the test.

    Attributes:
        profit_target: profit at a close that passes; None where there is no target.
        daily_loss: most that equity may fall within a day below that day's start.
        maximum_loss: most that equity may fall below the initial capital, or below the peak where it trails.
        trailing: "static" (below the initial capital), "close" (below the highest close so far) or "intrabar" (below
            the highest equity so far, inside bars too).
        minimum_days: days that must have begun before the target counts.
        maximum_days: days after which a target that was not reached is missed.
        consistency: most of the profit that may come from the best day when the target is reached.
    """

    profit_target: float | None = None
    daily_loss: float | None = None
    maximum_loss: float | None = None
    trailing: Literal["static", "close", "intrabar"] = "static"
    minimum_days: int = 0
    maximum_days: int | None = None
    consistency: float | None = None


@dataclass(frozen=True, eq=False)
class EquityInBars:
    """Equity of N accounts in fractions of the initial capital, at the close of each bar and inside it.

    Attributes:
        close: (T, N).
        low: (T, N) least inside the bar, at most the close.
        high: (T, N) most inside the bar, at least the close.
        day: (T,) number of the day of each bar, not falling.
    """

    close: FloatArray
    low: FloatArray
    high: FloatArray
    day: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RuleOutcomes:
    """What ended each account.

    Attributes:
        ended_by: (N,) "passed", the name of the rule that was broken, or "open" where the horizon ended first.
        bar: (N,) bar at which it ended, `NEVER` where open.
        days: (N,) days begun until then, NaN where open.
    """

    ended_by: NDArray[np.str_]
    bar: NDArray[np.int64]
    days: FloatArray


def rule_outcomes(equity: EquityInBars, rules: AccountRules) -> RuleOutcomes:
    """The first thing that ends each account; a rule broken in the bar in which the target is reached comes first.

    A trailing limit that follows highs inside the bar takes the high before the low, against the account.
    """
    broken = {
        "daily_loss": _first(_below_day_start(equity, rules.daily_loss), equity),
        "maximum_loss": _first(_below_floor(equity, rules), equity),
        "maximum_days": _first(_too_late(equity, rules), equity),
    }
    passed = _first(_reached(equity, rules), equity)
    names = list(broken)
    bars = np.stack([broken[name] for name in names])  # (rules, N)
    first = bars.argmin(axis=0)
    bar = bars.min(axis=0)
    wins = passed < bar
    ended = np.where(wins, PASSED, np.where(bar == NEVER, OPEN, np.array(names)[first]))
    bar = np.minimum(bar, passed)
    days = np.cumsum(np.diff(equity.day, prepend=equity.day[0] - 1) > 0)
    counted = np.where(bar == NEVER, np.nan, days[np.minimum(bar, len(days) - 1)])
    return RuleOutcomes(ended, bar, counted)


def _first(hits: NDArray[np.bool_] | None, equity: EquityInBars) -> NDArray[np.int64]:
    """Bar of the first hit of each account; a rule that is not asked for is never broken."""
    if hits is None:
        return np.full(equity.close.shape[1], NEVER)
    return np.where(hits.any(axis=0), hits.argmax(axis=0), NEVER)


def _day_starts(equity: EquityInBars) -> FloatArray:
    """(T, N) equity at the close of the last bar of the day before."""
    before = np.vstack([np.ones((1, equity.close.shape[1])), equity.close[:-1]])
    begins = np.diff(equity.day, prepend=equity.day[0] - 1) > 0
    return np.asarray(before[np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))])


def _below_day_start(equity: EquityInBars, limit: float | None) -> NDArray[np.bool_] | None:
    return None if limit is None else equity.low <= _day_starts(equity) - limit


def _below_floor(equity: EquityInBars, rules: AccountRules) -> NDArray[np.bool_] | None:
    if rules.maximum_loss is None:
        return None
    if rules.trailing == "static":
        peak: FloatArray = np.ones_like(equity.close)
    elif rules.trailing == "close":
        before = np.vstack([np.ones((1, equity.close.shape[1])), equity.close[:-1]])
        peak = np.maximum.accumulate(before, axis=0)
    else:
        peak = np.maximum(np.maximum.accumulate(equity.high, axis=0), 1.0)
    return np.asarray(equity.low <= peak - rules.maximum_loss)


def _too_late(equity: EquityInBars, rules: AccountRules) -> NDArray[np.bool_] | None:
    if rules.maximum_days is None:
        return None
    days = np.cumsum(np.diff(equity.day, prepend=equity.day[0] - 1) > 0)
    return np.broadcast_to((days > rules.maximum_days)[:, None], equity.close.shape)


def _reached(equity: EquityInBars, rules: AccountRules) -> NDArray[np.bool_] | None:
    if rules.profit_target is None:
        return None
    days = np.cumsum(np.diff(equity.day, prepend=equity.day[0] - 1) > 0)
    hits = (equity.close >= 1.0 + rules.profit_target) & (days >= rules.minimum_days)[:, None]
    if rules.consistency is not None:
        profit = equity.close - 1.0
        gains = equity.close - _day_starts(equity)
        ends = np.append(np.diff(equity.day) > 0, False)[:, None]
        best = np.maximum(np.maximum.accumulate(np.where(ends, gains, -np.inf), axis=0), gains)
        hits &= best <= rules.consistency * profit
    return hits
