"""Where the history of a run ends, and the real bars before and after it as universes of their own."""

from __future__ import annotations

import re

import pandas as pd

from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.data.market_index import IndexBars
from stresslab.data.parsing.timestamps import parse_last
from stresslab.data.universes import Universes

_SPANS = {"D": "days", "W": "weeks", "M": "months", "Y": "years"}
MIN_HISTORY = 60
"""Fewest bars before the origin: a generator learns next to nothing from fewer."""


def split_at_origin(bars: Bars, origin: str | pd.Timestamp | None, horizon: int) -> tuple[Bars, Bars | None]:
    """The history up to the origin, and the real bars after it (at most `horizon`), or None.

    Args:
        bars: real bars.
        origin: "end", a date (a date without a time means its last bar), or None for `horizon` bars before the end.
        horizon: bars after the origin.
    """
    if len(bars) < MIN_HISTORY:
        raise InputError(_too_few(bars))
    if origin is None:
        at = len(bars) - horizon
        if at < MIN_HISTORY:
            raise InputError(
                f"{len(bars)} bars leave {max(at, 0)} before an origin {horizon} bars from the end, fewer than "
                f"{MIN_HISTORY}; give more bars, a shorter `horizon`, or `origin=end`"
            )
    elif isinstance(origin, str) and origin == "end":
        at = len(bars)
    else:
        at = len(bars.up_to(origin))
        if at == len(bars) and bars.calendar.future(bars.timestamps, 1)[0] <= parse_last("origin", origin):
            raise InputError(
                f"origin={origin} lies after the last bar, {bars.timestamps[-1]}; "
                "choose a date up to it, or `origin=end`"
            )
    if at < MIN_HISTORY:
        raise InputError(
            f"origin={origin} leaves {at} bars of history, fewer than {MIN_HISTORY}; "
            f"choose a date from {bars.timestamps[MIN_HISTORY - 1]} on, or load more bars"
        )
    return bars[:at], bars[at : at + horizon] if at < len(bars) else None


def _too_few(bars: Bars) -> str:
    """Why so few bars are no history; of several symbols the common bars may be few though each has many."""
    if isinstance(bars, IndexBars):
        return (
            f"{len(bars)} common bars of {bars.symbol} are fewer than the {MIN_HISTORY} of the shortest history; load "
            "more bars, or leave out the symbol that has few of them"
        )
    return f"{len(bars)} bars are fewer than the {MIN_HISTORY} of the shortest history; load more bars"


def hold_out(bars: Bars, span: str) -> Bars:
    """The bars without the last ones, which nobody is to see before a strategy is frozen.

    Args:
        bars: real bars.
        span: how much: a number of bars, or days, weeks, months or years such as "90D", "26W", "6M" or "2Y".

    Raises:
        InputError: the span cannot be read, or leaves fewer than `MIN_HISTORY` bars.
    """
    found = re.fullmatch(r"(\d+)([DWMY]?)", span.strip().upper())
    if found is None or int(found[1]) < 1 or len(found[1]) > 6:
        raise InputError(f"holdout={span!r} is no span of time; write for example 2Y, 6M, 90D or 500 (bars)")
    count, unit = int(found[1]), found[2]
    if unit:
        try:
            last = bars.timestamps[-1] - pd.DateOffset(**{_SPANS[unit]: count})  # type: ignore[arg-type] # a name of its own
        except (OverflowError, ValueError):
            last = bars.timestamps[0] - pd.Timedelta(days=1)
        kept = int((bars.timestamps <= last).sum())
    else:
        kept = max(0, len(bars) - count)
    if kept < MIN_HISTORY:
        raise InputError(
            f"holdout={span} leaves {kept} of {len(bars)} bars, fewer than {MIN_HISTORY}; hold out less, or load more"
        )
    return bars[:kept]


def before_origin(history: Bars, warmup: int) -> Universes:
    """The real bars before the origin as one universe; it begins after the bars that indicators warm up on."""
    warm = min(warmup, len(history) // 2)
    return Universes.from_bars(history[warm:], history[:warm])


def after_origin(history: Bars, future: Bars | None, horizon: int) -> Universes | None:
    """The real bars after the origin as one universe; None where they are no full horizon."""
    return Universes.from_bars(future, history) if future is not None and len(future) == horizon else None
