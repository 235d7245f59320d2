"""From a table as users have it to the values of bars: the fields picked out, dates cut, prices adjusted, gaps filled.

The rules are in `validation`; `column_names`, `numbers` and `timestamps` read names, numbers and time stamps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError
from stresslab.data.parsing.column_names import (
    ADJUSTED,
    CLOCK_NAMES,
    FIELDS,
    PRICES,
    TIME_NAMES,
    candidates,
    check_unique,
    fields_of,
    missing_column,
    plain,
    up_and_down,
)
from stresslab.data.parsing.numbers import are_numbers, parse_numbers
from stresslab.data.parsing.plausibility import doubts
from stresslab.data.parsing.timestamps import is_clock, parse_date, parse_last, parse_timestamps


class RawTable(NamedTuple):
    """A table as a file holds it, before its columns are known.

    Attributes:
        frame: the cells under anybody's names, with an index that counts rows from 0.
        symbol: what the file itself calls the series, or None; a column may name symbols, too.
        decimal: the decimal sign of numbers in texts.
        notices: what was noticed while it was found.
    """

    frame: pd.DataFrame
    symbol: str | None = None
    decimal: str = "."
    notices: tuple[str, ...] = ()


def read_table(frame: pd.DataFrame, decimal: str = ".", repair: bool = False) -> tuple[pd.DataFrame, list[str], int]:
    """The columns that are fields of a bar, as numbers, under our names; nothing is checked yet.

    Args:
        frame: a table under anybody's names.
        decimal: the decimal sign of numbers in texts.
        repair: drop rows that hold no bar (footers, headers that are repeated, blank lines), and count them.

    Returns:
        Columns `timestamp`, the prices, and of volume, amount and adjusted close those that hold numbers, index the
        rows' numbers in the source; notices; and how many rows were dropped.
    """
    check_unique(frame.columns)
    if not isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.set_axis(_row_numbers(frame))
    frame, notices, dropped = _without_footers(frame, decimal) if repair else (frame, [], 0)
    stamps, news = _timestamps(frame)
    notices += news
    frame = frame.set_axis(_row_numbers(frame) if isinstance(frame.index, pd.DatetimeIndex) else frame.index)
    columns: dict[str, Any] = {"timestamp": stamps}
    for field, options in fields_of(frame.columns).items():
        if not options and field in PRICES:
            raise missing_column(list(frame.columns))
        numbers = [(option, parse_numbers(frame[option], str(option), decimal)) for option in options]
        if field not in PRICES:
            numbers = [(option, cells) for option, cells in numbers if not np.isnan(cells).all()]
        if not numbers:
            continue
        # MetaTrader writes a real volume of zeros beside the ticks it counts
        name, columns[field] = next((pair for pair in numbers if np.nan_to_num(pair[1]).any()), numbers[0])
        if field == "volume" and plain(name).startswith("tick"):
            notices.append(f"volume is the column {name!r}: a count of price changes, not of units traded")
    pair = up_and_down(frame.columns)
    if "volume" not in columns and pair:
        up, down = (parse_numbers(frame[name], str(name), decimal) for name in pair)
        columns["volume"] = up + down
        notices.append(f"volume is the sum of the columns {pair[0]!r} and {pair[1]!r}, as TradeStation writes it")
    if "volume" not in columns:
        columns.pop("amount", None)  # as the official Kronos does
        notices.append("no volume: volume and amount are zero")
    elif "amount" not in columns:
        notices.append("no amount: it is volume times the mean of open, high, low and close")
    return pd.DataFrame(columns, index=frame.index), notices, dropped


def _without_footers(frame: pd.DataFrame, decimal: str) -> tuple[pd.DataFrame, list[str], int]:
    """The rows in which at least one price is a number, what was done, and the number of the others."""
    prices = [options[0] for field, options in fields_of(frame.columns).items() if field in PRICES and options]
    if not prices:
        return frame, [], 0
    empty = np.logical_and.reduce([~are_numbers(frame[name], decimal) for name in prices])
    if not empty.any() or empty.all():
        return frame, [], 0
    first = frame[empty].iloc[0].dropna().astype(str).tolist()
    example = f" (row {frame.index[int(empty.argmax())]}: {first[0]!r:.60})" if first else ""
    dropped = int(empty.sum())
    rows = "1 row that holds" if dropped == 1 else f"{dropped} rows that hold"
    return frame[~empty], [f"repaired: {rows} no bar{example}, dropped"], dropped


def between(table: pd.DataFrame, since: object, until: object) -> pd.DataFrame:
    """The rows from `since` to `until`, both included."""
    kept = np.ones(len(table), dtype=bool)
    asked = []
    first = None if since is None else parse_date("since", since)
    if first is not None:
        kept &= (table["timestamp"] >= first).to_numpy()
        asked.append(f"since={since}")
    if until is not None:
        last = parse_last("until", until)
        if first is not None and first > last:
            raise DataError(f"since={since} comes after until={until}; swap them")
        kept &= (table["timestamp"] <= last).to_numpy()
        asked.append(f"until={until}")
    if asked and not kept.any():
        span = f"{table['timestamp'].min()} to {table['timestamp'].max()}"
        raise DataError(
            f"{' and '.join(asked)} leave{'' if asked[1:] else 's'} no bars: the data run from {span}; "
            "choose dates within"
        )
    return table[kept]


def final_values(table: pd.DataFrame) -> tuple[NDArray[np.float64], list[str]]:
    """Values (T, 6) of a checked table: adjusted and completed, and what looks wrong in them."""
    notices = []
    if ADJUSTED in table:
        factor = table[ADJUSTED].to_numpy() / table["close"].to_numpy()
        if (abs(factor - 1) > 1e-9).any():
            table = table.assign(**{name: table[name].to_numpy() * factor for name in PRICES})
            table["close"] = table[ADJUSTED]
            table["high"] = table[["open", "high", "close"]].max(axis=1)
            table["low"] = table[["open", "low", "close"]].min(axis=1)
            notices.append(
                f"prices rescaled to the adjusted close (factors {factor.min():.4g} to {factor.max():.4g}), volume not"
            )
    values = np.zeros((len(table), len(FIELDS)))
    for position, name in enumerate(FIELDS):
        if name in table:
            values[:, position] = table[name].to_numpy()
    if "volume" in table and "amount" not in table:
        values[:, 5] = values[:, 4] * values[:, :4].mean(axis=1)
    return values, [*notices, *doubts(table, values)]


def _row_numbers(frame: pd.DataFrame) -> pd.Index:
    """The number of each row in the source, from 1."""
    if pd.api.types.is_integer_dtype(frame.index.dtype) and frame.index.is_unique:
        return frame.index + 1
    return pd.RangeIndex(1, len(frame) + 1)


def _timestamps(frame: pd.DataFrame) -> tuple[pd.DatetimeIndex, list[str]]:
    """Time stamps (T,) from the index, one column, or a column of dates and one of times."""
    if isinstance(frame.index, pd.DatetimeIndex):
        return parse_timestamps(frame.index)
    found = candidates(frame.columns, TIME_NAMES)
    if not found:
        seen = ", ".join(f"{str(column)[:30]!r}" for column in frame.columns[:12])
        raise DataError(f"no column of time stamps among {seen}; name it 'timestamp' or 'date'")
    column = frame[found[0]]
    for clock in candidates(frame.columns, CLOCK_NAMES):
        first = frame[clock].dropna().astype(str)
        if clock != found[0] and len(first) and is_clock(first.iloc[0]):
            column = column.astype("string").str.strip() + " " + frame[clock].astype("string").str.strip()
            break
    return parse_timestamps(column)
