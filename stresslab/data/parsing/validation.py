"""The rules that a table of bars must keep: a broken rule is an error, or a counted repair when that was asked for.

Where the table comes from is not known here. Its columns are `timestamp`, the prices, and what was given of volume,
amount and adjusted close; its index is the row's number in the source, from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError
from stresslab.data.calendar import common_step
from stresslab.data.parsing.clock_changes import clock_change
from stresslab.data.parsing.column_names import ADJUSTED, PRICES

MINIMUM_BARS = 30
"""Fewer bars show neither a frequency nor a volatility."""
LONGEST = 290
"""Years between the first and the last bar that nanoseconds can count."""
TOLERANCE = 1e-6
"""Share of the price by which a high or low may miss the body of its bar: vendors store adjusted prices in single
precision or six decimals, and the rounding errors differ per field. Such highs and lows are widened and counted."""


class Checked(NamedTuple):
    """A table that keeps a rule.

    Attributes:
        table: the bars.
        notices: what was done or seen.
        repaired: number of rows changed or dropped because `repair` was asked for.
    """

    table: pd.DataFrame
    notices: tuple[str, ...] = ()
    repaired: int = 0


def check(table: pd.DataFrame, repair: bool) -> Checked:
    """Apply every rule in turn, then those of the series as a whole (number of bars, one frequency)."""
    notices: tuple[str, ...] = ()
    repaired = 0
    for rule in RULES:
        table, news, count = rule(table, repair)
        notices, repaired = notices + news, repaired + count
    if len(table) < MINIMUM_BARS:
        raise DataError(f"{len(table)} bars are too few; give at least {MINIMUM_BARS}")
    first, last = table["timestamp"].iloc[0], table["timestamp"].iloc[-1]
    if last.year - first.year > LONGEST:
        raise DataError(f"time stamps from {first} to {last} span more than {LONGEST} years; correct or cut them")
    common_step(pd.DatetimeIndex(table["timestamp"]), table.index)
    return Checked(table, notices, repaired)


def ordered(table: pd.DataFrame, repair: bool) -> Checked:
    """Time stamps increase; a table that is sorted newest first is turned round."""
    missing = table["timestamp"].isna().to_numpy()
    if missing.any():
        if not repair:
            raise _fault(table, missing, "has no time stamp; every bar needs one", "drop the row")
        table = table[~missing]
    notices = _dropped(missing, "without a time stamp")
    stamps = table["timestamp"].to_numpy()
    if (stamps[1:] <= stamps[:-1]).all() and (stamps[1:] < stamps[:-1]).any():
        table, stamps = table[::-1], stamps[::-1]
        notices += ("rows came newest first and were turned round",)
    if (stamps[1:] > stamps[:-1]).all():
        return Checked(table, notices, int(missing.sum()))
    table, stamps, turned, doubled = _without_clock_changes(table, repair)
    notices += turned
    back = np.r_[False, stamps[1:] < stamps[:-1]]
    if back.any():
        if not repair:
            what = f"comes after {table['timestamp'].iloc[int(back.argmax()) - 1]}; time stamps must increase"
            raise _fault(table, back, what, "sort the rows")
        table = table.sort_values("timestamp", kind="stable")
        notices += (f"repaired: {back.sum()} rows out of order, sorted",)
    twice = table["timestamp"].duplicated(keep="last" if repair else "first").to_numpy()
    if twice.any() and not repair:
        raise _fault(table, twice, "is a duplicate time stamp; each bar has its own", "keep the last of them")
    notices += _dropped(twice, "with a duplicate time stamp (the last one kept)")
    return Checked(table[~twice], notices, int(missing.sum() + doubled + back.sum() + twice.sum()))


def _without_clock_changes(
    table: pd.DataFrame, repair: bool
) -> tuple[pd.DataFrame, NDArray[Any], tuple[str, ...], int]:
    """The rows in a steady time where their hours stand twice because clocks were set back; and how many of them do."""
    stamps = pd.DatetimeIndex(table["timestamp"])
    change = clock_change(stamps)
    if change is None:
        return table, stamps.to_numpy(), (), 0
    hours = f"{change.nights[0]:%Y-%m-%d %H:%M}" + (
        f" and {len(change.nights) - 1} more" if change.nights[1:].size else ""
    )
    what = f"clocks were set back as in {change.zone}, and the hour from {hours} stands twice"
    if not repair:
        row = int(np.flatnonzero(np.diff(stamps.asi8) <= 0)[0]) + 1
        raise DataError(
            f"{_place(table, row)}: {what}; export the bars in UTC, or load with repair=True to keep both hours, in "
            "that zone's standard time"
        )
    table = table.assign(timestamp=change.steady).sort_values("timestamp", kind="stable")
    notice = f"repaired: {what}: time stamps are in its standard time now"
    return table, table["timestamp"].to_numpy(), (notice,), change.doubled


def complete(table: pd.DataFrame, repair: bool) -> Checked:
    """Every value is a finite number; with `repair`, rows without prices go and missing volume is zero."""
    values = table.drop(columns="timestamp")
    holes = ~np.isfinite(values.to_numpy())  # (T, columns)
    if not holes.any():
        return Checked(table)
    if not repair:
        row = holes.any(axis=1)
        column = values.columns[int(holes[int(row.argmax())].argmax())]
        value = values[column].iloc[int(row.argmax())]
        raise _fault(
            table, row, f"{column}={value:g} is not a number; every bar needs all its values", "drop such rows"
        )
    priceless = holes[:, [column not in ("volume", "amount") for column in values.columns]].any(axis=1)
    unknown = holes.any(axis=1) & ~priceless
    table = table[~priceless].copy()
    notices = _dropped(priceless, "with a price that is not a number")
    if unknown.any():
        for column in table.columns.intersection(["volume", "amount"]):
            table.loc[~np.isfinite(table[column]), column] = 0.0
        notices += (f"repaired: {unknown.sum()} rows with volume or amount not a number, set to zero",)
    return Checked(table, notices, int(holes.any(axis=1).sum()))


def positive(table: pd.DataFrame, repair: bool) -> Checked:
    """Prices are above zero; no repair could know the right one."""
    prices = table[table.columns.intersection([*PRICES, ADJUSTED])]
    below = prices.to_numpy() <= 0  # (T, columns)
    wrong: NDArray[np.bool_] = np.asarray(below.any(axis=1))
    if wrong.any():
        row = int(wrong.argmax())
        column = int(below[row].argmax())
        raise DataError(
            f"{_place(table, row)}: {prices.columns[column]}={prices.to_numpy()[row, column]:.10g} is not above 0"
            f"{_more(wrong)}; returns need positive prices: correct the row, or leave it out with since=/until="
        )
    return Checked(table)


def enclosed(table: pd.DataFrame, repair: bool) -> Checked:
    """High is at least max(open, close) and low at most min(open, close), but for rounding (`TOLERANCE`)."""
    body = table[["open", "close"]].to_numpy()
    top, bottom = body.max(axis=1), body.min(axis=1)
    high, low = table["high"].to_numpy(), table["low"].to_numpy()
    short, deep = high < top, low > bottom
    if not (short.any() or deep.any()):
        return Checked(table)
    wrong_high, wrong_low = high < top * (1 - TOLERANCE), low > bottom * (1 + TOLERANCE)
    wrong = wrong_high | wrong_low
    if wrong.any() and not repair:
        row = int(wrong.argmax())
        if wrong_high[row]:
            what = f"high={high[row]:.10g} is below max(open, close)={top[row]:.10g}; a high encloses its bar"
        else:
            what = f"low={low[row]:.10g} is above min(open, close)={bottom[row]:.10g}; a low encloses its bar"
        raise _fault(table, wrong, what, "widen it")
    table = table.assign(high=np.maximum(high, top), low=np.minimum(low, bottom))
    notices: tuple[str, ...] = ()
    rounded = (short | deep) & ~wrong
    if rounded.any():
        notices += (f"{rounded.sum()} bars whose high or low missed open or close by rounding (at most 1e-6): widened",)
    if wrong.any():
        notices += (f"repaired: {wrong.sum()} bars with high or low inside the body, widened",)
    return Checked(table, notices, int(wrong.sum()))


def traded(table: pd.DataFrame, repair: bool) -> Checked:
    """Volume and amount are not negative."""
    columns = list(table.columns.intersection(["volume", "amount"]))
    negative = table[columns].to_numpy() < 0  # (T, columns)
    wrong: NDArray[np.bool_] = np.asarray(negative.any(axis=1))
    if not wrong.any():
        return Checked(table)
    if not repair:
        row = int(wrong.argmax())
        column = columns[int(negative[row].argmax())]
        what = f"{column}={table[column].iloc[row]:.10g} is below 0; {column} counts what was traded"
        raise _fault(table, wrong, what, "set it to zero")
    table = table.assign(**{column: table[column].clip(lower=0.0) for column in columns})
    return Checked(
        table, (f"repaired: {wrong.sum()} bars with negative volume or amount, set to zero",), int(wrong.sum())
    )


RULES: tuple[Callable[[pd.DataFrame, bool], Checked], ...] = (ordered, complete, positive, enclosed, traded)


def _place(table: pd.DataFrame, position: int) -> str:
    return f"row {table.index[position]} ({table['timestamp'].iloc[position]})"


def _more(wrong: NDArray[np.bool_]) -> str:
    others = int(wrong.sum()) - 1
    return f" (and in {others} more rows)" if others else ""


def _fault(table: pd.DataFrame, wrong: NDArray[np.bool_], what: str, remedy: str) -> DataError:
    place = _place(table, int(wrong.argmax()))
    return DataError(f"{place}: {what}{_more(wrong)}: correct the file, or load with repair=True to {remedy}")


def _dropped(rows: NDArray[np.bool_], why: str) -> tuple[str, ...]:
    return (f"repaired: {rows.sum()} rows {why}, dropped",) if rows.any() else ()
