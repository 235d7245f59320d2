"""What looks wrong in bars that keep every rule: one line each, and nothing is changed.

Holes, lone extremes, bars that were filled in, prices that stand still, jumps like splits, and time stamps that lie in
the future. Rules that bars must keep are in `validation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.arrays import BoolArray, FloatArray
from stresslab.data.calendar import DAY, WEEK, Calendar, human
from stresslab.data.parsing.column_names import FIELDS, PRICES

_T = TypeVar("_T")

SPLITS = (3 / 2, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100)
"""Ratios of usual share splits; their inverses are reverse splits."""
SPLIT_TOLERANCE = 0.04
"""How far, in log price, open and close of a bar may lie from the split's ratio to the previous close."""
SHOWN = 3
"""Places that are named; the others are counted."""
LEAST_LACK = 5
"""Bars that a hole lacks, at least, in a market that never closes."""
LONG_CLOSED = 8
"""Trading days without a bar, beyond which a market was not on holiday."""
PART_OF_DAY = 0.25
"""Share of a day's bars that a hole within the day lacks, at least: shorter ones are minutes without a trade."""
EXTREME = 20.0
"""How many times the median range of the bars around it a lone shadow is, at least."""
LEAST_SHADOW = 0.05
"""Least logarithm of a shadow that is called lone: below it nothing is decided by it."""
AROUND = 101
"""Bars of which the usual range is taken."""
FILLED = 10
"""Bars without a trade from which on they are mentioned."""
MANY = 0.02
"""Share of such bars from which on they are a warning."""
CONCENTRATED = 0.8
"""Share of the bars of a weekday that are flat, from which on the weekday is called filled in."""
TURN_OF_YEAR = (1224, 1225, 1226, 1231, 101, 102)
"""Days, as month and day, on which markets that trade round the clock are closed for part of the day."""
STILL = 50
"""Bars in a row at one price from which on a price stands still."""
ZONES = pd.Timedelta(hours=14)
"""How far ahead of UTC a wall clock may be."""


def doubts(table: pd.DataFrame, values: FloatArray, now: pd.Timestamp | None = None) -> list[str]:
    """What looks wrong in the bars, a line each; those that begin with `warning:` may make figures wrong.

    Args:
        table: (T, ...) checked, with the column `timestamp`, the index the row's number in the source.
        values: (T, 6) the final values.
        now: the time in UTC by which bars have happened; the clock's by default.
    """
    stamps = pd.DatetimeIndex(table["timestamp"])
    bars = _Sheet(stamps, values, table.index)
    lines = [line for find in (_splits, _extremes, _still, _fillers, _holes) for line in find(bars)]
    moment = pd.Timestamp.now("UTC").tz_localize(None) if now is None else now
    return [*lines, *_ahead(bars, moment)]


class _Sheet:
    """Bars as arrays by field, with their place in the source."""

    def __init__(self, stamps: pd.DatetimeIndex, values: FloatArray, rows: pd.Index) -> None:
        self.stamps, self.rows, self.values = stamps, rows, values
        self.open, self.high, self.low, self.close, self.volume, _ = (values[:, at] for at in range(len(FIELDS)))
        self.calendar = Calendar.infer(stamps)
        flat = (self.high == self.low) & (self.open == self.close)
        flat[1:] &= self.close[1:] == self.close[:-1]
        flat[0] = False
        self.flat: BoolArray = flat
        self.has_volume = bool((self.volume > 0).any())

    def place(self, position: int) -> str:
        """A bar's row and time stamp."""
        return f"row {self.rows[position]} ({self.stamps[position]})"


def _splits(bars: _Sheet) -> list[str]:
    """Bars whose open and close both stand near a split's ratio to the previous close."""
    previous = np.log(bars.close[:-1])
    gap, move = (np.log(of[1:]) - previous for of in (bars.open, bars.close))
    ratios = np.log(np.array(SPLITS))
    jumps = np.flatnonzero((np.minimum(abs(gap), abs(move)) > ratios[0] - SPLIT_TOLERANCE) & (gap * move > 0))
    found = []
    for jump in jumps:
        nearest = int(abs(ratios - abs(gap[jump])).argmin())
        if max(abs(abs(gap[jump]) - ratios[nearest]), abs(abs(move[jump]) - ratios[nearest])) < SPLIT_TOLERANCE:
            size = "3:2" if nearest == 0 else f"{SPLITS[nearest]}:1"
            found.append((int(jump) + 1, size if gap[jump] < 0 else ":".join(size.split(":")[::-1])))
    return _listed(
        found,
        lambda one: (
            f"warning: {bars.place(one[0])}: the open is {np.exp(gap[one[0] - 1]):.3g} times the previous "
            f"close, as after an unadjusted {one[1]} split; if it is one, load adjusted prices"
        ),
        "warning: {} more jumps like unadjusted splits",
    )


def _extremes(bars: _Sheet) -> list[str]:
    """Highs and lows far beyond their own bar's body and its neighbours, which only a wrong print or a crash makes."""
    usual = pd.Series(np.log(bars.high / bars.low)).rolling(AROUND, min_periods=1, center=True).median().to_numpy()
    found: list[tuple[int, str, float, float]] = []
    top, bottom = np.maximum(bars.open, bars.close), np.minimum(bars.open, bars.close)
    for name, extreme, body, sign in (("high", bars.high, top, 1.0), ("low", bars.low, bottom, -1.0)):
        reached = sign * np.log(extreme / body)
        beside = sign * np.log(_nearest(sign * extreme) * sign / body)  # what the neighbours reached
        lone = (reached > np.maximum(EXTREME * usual, LEAST_SHADOW)) & (reached - beside > reached / 2)
        for at in np.flatnonzero(lone).tolist():
            found.append((at, name, float(extreme[at]), float(extreme[at] / body[at])))
    found.sort(key=lambda one: -abs(np.log(one[3])))
    return _listed(
        found,
        lambda one: (
            f"warning: {bars.place(one[0])}: {one[1]}={one[2]:.10g} is {one[3]:.3g} times the "
            f"{'higher' if one[1] == 'high' else 'lower'} of open and close and stands alone; stops, targets and "
            "ranges depend on it: correct it if it is a wrong price"
        ),
        "warning: {} more highs or lows that stand alone",
    )


def _nearest(signed: FloatArray) -> FloatArray:
    """The larger of a bar's two neighbours."""
    padded = np.concatenate([signed[1:2], signed, signed[-2:-1]])
    larger: FloatArray = np.maximum(padded[:-2], padded[2:])
    return larger


def _still(bars: _Sheet) -> list[str]:
    """Prices that never move, or stand still over many bars in which something was traded."""
    if (bars.values[:, : len(PRICES)] == bars.values[0, 0]).all():
        return [
            f"warning: the price never moves: {len(bars.close):,} bars at {bars.close[0]:.10g}; nothing can be earned "
            "but costs lost, and universes of it say nothing: check the source"
        ]
    still = bars.flat & (bars.volume > 0) if bars.has_volume else bars.flat
    runs = [run for run in _runs(still) if run[1] - run[0] >= STILL]
    return _listed(
        sorted(runs, key=lambda run: run[0] - run[1]),
        lambda run: (
            f"warning: the price stands still in {run[1] - run[0]:,} bars from {bars.place(run[0])} to "
            f"{bars.stamps[run[1] - 1]}; leave them out with since= or until= if they are not prices"
        ),
        "warning: {} more stretches in which the price stands still",
    )


def _fillers(bars: _Sheet) -> list[str]:
    """Flat bars without volume, and on which days they lie."""
    days = bars.stamps.day_of_week.to_numpy()
    filler = bars.flat & (bars.volume == 0)
    share = np.array([filler[days == day].mean() if (days == day).any() else 0.0 for day in range(7)])
    filled = np.flatnonzero(share >= CONCENTRATED)
    everyday = filler[~np.isin(days, filled)]
    concentrated = 0 < len(filled) < len(np.unique(days)) and (not everyday.size or everyday.mean() < 0.2)
    if not (bars.has_volume or concentrated) or filler.sum() < (FILLED if bars.has_volume else 2) or filler.all():
        return []
    names = " and ".join(f"{pd.Timestamp('2024-01-01') + pd.Timedelta(days=int(day)):%A}s" for day in filled)
    where = (
        f", {filler[np.isin(days, filled)].sum():,} of them on {names}: likely filled in; windows, horizon and bars a "
        "year count them: leave these days out"
        if concentrated
        else "; orders fill in them at a price without trades"
    )
    volume = " without volume" if bars.has_volume else ""
    doubtful = "warning: " if concentrated or filler.mean() >= MANY else ""
    return [f"{doubtful}{filler.sum():,} of {len(filler):,} bars are flat{volume}, at the price before{where}"]


def _holes(bars: _Sheet) -> list[str]:
    """Stretches of time in which the market's own rhythm would have had bars."""
    lacking = _lacking(bars)
    holes = np.flatnonzero(lacking)
    order = holes[np.argsort(-lacking[holes], kind="stable")]
    if not len(order):
        return []
    usual = float(np.median(np.abs(np.diff(np.log(bars.close))))) or np.nan
    listed = []
    for at in order[:SHOWN].tolist():
        move = float(np.log(bars.open[at + 1] / bars.close[at]))
        size = f" (a move of {np.expm1(move):+.1%} counts as that of one bar)" if abs(move) > 5 * usual else ""
        listed.append(f"{bars.stamps[at]} to {bars.stamps[at + 1]} lacks {lacking[at]:,} bars{size}")
    more = f", and {len(order) - SHOWN:,} more" if len(order) > SHOWN else ""
    count = "1 hole" if len(order) == 1 else f"{len(order):,} holes"
    return [
        f"warning: {count} in the bars, {lacking.sum():,} bars in all: {'; '.join(listed)}{more}; load them, "
        "or begin after the hole with since="
    ]


def _lacking(bars: _Sheet) -> NDArray[np.int64]:
    """(T-1,) bars that are missing after each bar, where that is a hole; 0 elsewhere."""
    stamps, calendar = bars.stamps.as_unit("ns").asi8, bars.calendar
    step = calendar.frequency.as_unit("ns").value
    slots = np.array(calendar.slots, dtype=np.int64)
    if calendar.pattern in ("24/7", "monthly", "weekly"):
        lacking = np.rint(np.diff(stamps) / step).astype(np.int64) - 1
        least = LEAST_LACK if calendar.pattern == "24/7" else 2
        usual = float(np.quantile(lacking, 0.99))  # a market in which minutes pass without a trade
        return np.where((lacking >= least) & (lacking >= 10 * usual), lacking, 0)
    shifted = stamps + 3 * DAY  # weeks from Monday
    number = (shifted + step // 2) // WEEK * len(slots) + np.searchsorted(slots, (shifted + step // 2) % WEEK)
    lacking = np.maximum(np.diff(number) - 1, 0)
    trading = np.unique(slots // DAY)
    day = shifted // DAY
    ordinal = day // 7 * len(trading) + np.searchsorted(trading, day % 7)
    closed = np.diff(ordinal) - 1  # trading days without a bar
    dates = (bars.stamps.month * 100 + bars.stamps.day).to_numpy()[:-1]
    same_day = (np.diff(day) == 0) & ~np.isin(dates, TURN_OF_YEAR)
    within = same_day & (lacking >= np.maximum(LEAST_LACK, PART_OF_DAY * len(slots) / len(trading)))
    return np.where((closed > LONG_CLOSED) | within, lacking, 0)


def _ahead(bars: _Sheet, now: pd.Timestamp) -> list[str]:
    """Bars that have not happened yet, and a last bar that is not over."""
    late = bars.stamps > now + ZONES
    if late.any():
        which = "bar lies" if late.sum() == 1 else "bars lie"
        return [
            f"warning: {late.sum():,} {which} after now ({now:%Y-%m-%d %H:%M} UTC), the last at {bars.stamps[-1]}: the "
            "time stamps have a wrong unit, year or century, or the bars are not real"
        ]
    step, last = bars.calendar.frequency, bars.stamps[-1]
    short = last - bars.stamps[-2]
    if bars.calendar.pattern != "monthly" and short < step / 2:
        return [
            f"warning: the last bar ({last}) comes {_span(short)} after the one before it, not {_span(step)}: it is "
            "not over; leave it out with until="
        ]
    if last <= now < last + step:
        return [
            f"the last bar ({last}) began less than {_span(step)} ago: it may not be over; if its "
            "stamp is its beginning, leave it out with until="
        ]
    return []


def _span(step: pd.Timedelta) -> str:
    """A duration in words: `5 minutes`, `1 day`."""
    words = human(step.as_unit("ns").value)
    return words if words.startswith("1 ") else f"{words}s"


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    """Beginnings and ends of stretches in which flags (T,) are up."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _listed(found: list[_T], line: Callable[[_T], str], more: str) -> list[str]:
    """A line for each of the first, and one that counts the others."""
    lines = [line(one) for one in found[:SHOWN]]
    return [*lines, more.format(len(found) - SHOWN)] if len(found) > SHOWN else lines
