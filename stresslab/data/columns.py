"""Which column of a table means what: the names that exchanges, brokers and vendors give to the fields of a bar.

Names only; what stands in the cells is for `cells` and `timestamps` to read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

import pandas as pd

from stresslab.errors import DataError

FIELDS = ("open", "high", "low", "close", "volume", "amount")
"""The six fields of a bar, in the order of every array in stresslab."""
PRICES = FIELDS[:4]
ADJUSTED = "adj_close"

NAMES: dict[str, tuple[str, ...]] = {
    "open": ("open", "o", "openprice", "priceopen", "1open", "开盘", "开盘价", "今开"),
    "high": ("high", "h", "max", "highprice", "pricehigh", "2high", "最高", "最高价"),
    "low": ("low", "l", "min", "lowprice", "pricelow", "3low", "最低", "最低价"),
    "close": ("close", "c", "closeprice", "priceclose", "closelast", "4close", "price", "收盘", "收盘价"),
    ADJUSTED: ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "5adjustedclose"),
    "volume": (
        "volume",
        "v",
        "vol",
        "realvolume",
        "basevolume",
        "5volume",
        "6volume",
        "成交量",
        "tickvolume",
        "tickvol",
    ),
    "amount": ("amount", "amt", "quoteassetvolume", "quotevolume", "turnovervalue", "money", "成交额", "成交金额"),
}
"""Names without case, spaces and punctuation, most telling first."""

TIME_NAMES = (
    "timestamp", "timestamps", "datetime", "opentime", "日期时间", "时间戳", "date", "tradedate", "日期", "交易日期",
    "time", "tradetime", "时间", "交易时间", "gmttime", "localtime", "utctime", "unix", "epoch", "day", "unnamed0",
    "index", "",
)  # fmt: skip
CLOCK_NAMES = ("time", "tradetime", "时间", "交易时间")
SYMBOL_NAMES = ("symbol", "ticker", "code", "tscode", "instrument", "股票代码", "代码", "pair")


def plain(name: object) -> str:
    """A column's name without case, spaces and punctuation: `<TICKVOL>` and `Tick Vol` are `tickvol`."""
    return re.sub(r"[\W_]+", "", str(name)).casefold()


def candidates(columns: Iterable[object], names: Sequence[str]) -> list[object]:
    """The columns that go by one of the names, in the order of the names."""
    by_name: dict[str, object] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    return [by_name[name] for name in names if name in by_name]


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row of cells names columns: at least two of the four prices."""
    known = sum(bool(candidates(cells, NAMES[field])) for field in PRICES)
    return known >= 2


def missing_column(field: str, columns: Sequence[object]) -> DataError:
    """The error that says which columns there are and which of them may have been meant."""
    seen = ", ".join(repr(str(column)) for column in columns[:12]) + (", ..." if len(columns) > 12 else "")
    by_name = {plain(column): str(column) for column in columns}
    taken = {plain(c) for other in PRICES if other != field for c in candidates(columns, NAMES[other])[:1]}
    close = difflib.get_close_matches(field, [name for name in by_name if name not in taken], n=1, cutoff=0.6)
    hint = f"did you mean {by_name[close[0]]!r}? Rename it to {field!r}" if close else f"name one of them {field!r}"
    return DataError(
        f"no column {field!r} among {seen or 'no columns at all'}; open, high, low, close are needed: {hint}"
    )


def one_ticker(frame: pd.DataFrame, symbol: str | None) -> tuple[pd.DataFrame, str | None]:
    """A table with two-row headers (field and ticker, as yfinance returns) cut down to the fields of one ticker.

    Args:
        frame: columns are a MultiIndex of two levels, fields on one of them.
        symbol: the ticker to take; may be None when there is only one.

    Returns:
        The table with plain columns, and the ticker.
    """
    levels = [sum(plain(value) in NAMES["close"] for value in frame.columns.get_level_values(k)) for k in (0, 1)]
    other = 1 if levels[0] else 0
    tickers = [str(ticker) for ticker in dict.fromkeys(frame.columns.get_level_values(other)) if str(ticker)]
    chosen = choose_symbol(tickers, symbol)
    if chosen is None:
        raise missing_column("close", [" ".join(map(str, column)) for column in frame.columns])
    one = frame.loc[:, frame.columns.get_level_values(other).astype(str) == chosen]
    return one.set_axis(one.columns.get_level_values(1 - other), axis=1), chosen


def choose_symbol(symbols: Sequence[str], symbol: str | None) -> str | None:
    """The one symbol of a table, or the one asked for."""
    if symbol is not None and symbol not in symbols:
        close = difflib.get_close_matches(symbol, symbols, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it holds {_listed(symbols) or 'none by name'}"
        raise DataError(f"symbol {symbol!r} is not in the file; {hint}")
    if symbol is None and len(symbols) > 1:
        raise DataError(
            f"{len(symbols)} symbols in one file ({_listed(symbols)}); bars are of one symbol: "
            f"append #SYMBOL to the path, for example #{symbols[0]}"
        )
    return symbol if symbol is not None else (symbols[0] if symbols else None)


def _listed(symbols: Sequence[str]) -> str:
    return ", ".join(symbols[:5]) + (", ..." if len(symbols) > 5 else "")
