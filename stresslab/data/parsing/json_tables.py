"""Reads tables of bars out of JSON: what exchanges and vendors answer, and what people save of it.

Rows are found wherever the answer holds them. Rows without names are taken in an order that their numbers confirm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import one_line
from stresslab.data.parsing.column_names import CLOSE, FIELDS, HIGH, LOW, NAMES, OPEN, PRICES, TIME_NAMES, plain
from stresslab.data.parsing.numbers import parse_numbers
from stresslab.data.parsing.table import RawTable

MAX_DEPTH = 8
"""Levels of an answer that are searched."""
_SYMBOLS = ("symbol", "ticker", "pair", "instrument_name", "instId", "product_id")
_MESSAGES = (
    "msg",
    "message",
    "retMsg",
    "error",
    "error_message",
    "errorMessage",
    "Error Message",
    "Note",
    "Information",
)
_ORDERS: dict[str, tuple[str, ...]] = {
    "the klines of Binance": (
        "timestamp", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trades", "taker_base",
        "taker_quote", "ignore",
    ),
    "OKX": ("timestamp", "open", "high", "low", "close", "contracts", "volume", "quote_volume", "confirm"),
    "Kraken": ("timestamp", "open", "high", "low", "close", "vwap", "volume", "trades"),
    "Gate.io": ("timestamp", "quote_volume", "close", "high", "low", "open", "volume", "confirm"),
    "Bybit": ("timestamp", "open", "high", "low", "close", "volume", "turnover"),
    "KuCoin": ("timestamp", "open", "close", "high", "low", "volume", "turnover"),
    "ccxt": ("timestamp", "open", "high", "low", "close", "volume"),
    "Coinbase": ("timestamp", "low", "high", "open", "close", "volume"),
    "Bitfinex": ("timestamp", "open", "close", "high", "low", "volume"),
    "a plain list": ("timestamp", "open", "high", "low", "close"),
}  # fmt: skip
"""In which order those who name no columns write them; of those of one length the commoner first."""
_MONEY = {"quote_volume": "amount", "turnover": "amount"}
_LEAST = 0.9
"""Share of rows whose high and low must enclose open and close in an order."""


class _Rows(NamedTuple):
    """A table found in an answer: its rows, what they are called there, and the symbol beside them."""

    frame: pd.DataFrame
    key: str
    symbol: str | None
    notice: str = ""


def read_json(data: bytes) -> RawTable:
    """The table of bars in JSON, or in lines of it.

    Args:
        data: the file's bytes.

    Returns:
        The table, with a column `symbol` where the answer holds several series.

    Raises:
        DataError: it is damaged, or an answer without bars.
    """
    document = _parsed(data)
    found = list(_tables(document, "", None, 0))
    if not found:
        raise DataError(_without_bars(document))
    finished = [_finished(one, document) for one in found]
    notices = tuple(dict.fromkeys(notice for one in finished for notice in (one.notice.split("\n")) if notice))
    if len(finished) == 1:
        return RawTable(finished[0].frame, finished[0].symbol, notices=notices)
    names = [one.symbol or one.key for one in finished]
    if len(set(names)) < len(names):
        raise DataError(f"is JSON with {len(names)} unnamed tables of bars; write each to a file")
    frames = [one.frame.assign(symbol=name) for one, name in zip(finished, names, strict=True)]
    return RawTable(pd.concat(frames, ignore_index=True), None, notices=notices)


def _parsed(data: bytes) -> Any:
    """The document; lines of JSON are a list."""
    try:
        text = data.decode("utf-8-sig")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) < 2 or (error.lineno == 1 and error.msg != "Extra data"):
                raise
            return [json.loads(line) for line in lines]
    except RecursionError:
        raise DataError("is JSON of too many levels; write the bars as CSV or parquet") from None
    except UnicodeDecodeError:
        raise DataError("is no JSON in UTF-8; write the bars as CSV or parquet") from None
    except ValueError as error:  # also of numbers of thousands of digits
        raise DataError(one_line(f"is damaged or cut off JSON ({error!s:.80}); download it again")) from None


def _tables(node: Any, key: str, symbol: str | None, depth: int) -> Iterator[_Rows]:
    """The tables in a part of an answer; what lies in a table is not searched."""
    if isinstance(node, Mapping):
        for said in (node, node.get("meta")):  # the second of Yahoo and Twelve Data
            if isinstance(said, Mapping):
                symbol = next((str(said[name]) for name in _SYMBOLS if isinstance(said.get(name), str)), symbol)
        columns = _columns(node)
        if columns is not None:
            yield _Rows(columns, key, symbol)
            return
    elif isinstance(node, list):
        rows = _rows(node)
        if rows is not None:
            yield rows._replace(key=key, symbol=symbol)
            return
    if depth < MAX_DEPTH:
        inner = node.items() if isinstance(node, Mapping) else enumerate(node[:100]) if isinstance(node, list) else ()
        for name, child in inner:
            if isinstance(child, Mapping | list):
                yield from _tables(child, key if isinstance(name, int) else str(name), symbol, depth + 1)


def _prices_among(names: Sequence[object]) -> bool:
    """Whether names of columns hold the four prices."""
    known = {plain(name) for name in names}
    return all(known & set(NAMES[field]) for field in PRICES)


def _columns(node: Mapping[str, Any]) -> pd.DataFrame | None:
    """The table of an object that holds a list for each field, an object for each time, or columns, index and data."""
    if isinstance(node.get("columns"), list) and isinstance(node.get("data"), list):  # pandas, orient="split"
        if not _prices_among(node["columns"]):
            return None
        index = node.get("index")
        frame = _frame(node["data"], node["columns"])
        if isinstance(index, list) and len(index) == len(frame) and not _names_time(node["columns"]):
            frame.insert(0, "timestamp", index)
        return frame
    quote = node.get("indicators")
    if isinstance(node.get("timestamp"), list) and isinstance(quote, Mapping):  # Yahoo's chart
        lists = {"timestamp": node["timestamp"]}
        for part in quote.values():
            lists.update(part[0] if isinstance(part, list) and part and isinstance(part[0], Mapping) else {})
        return _of_lists(lists)
    if _prices_among(list(node)):
        if all(isinstance(node[name], Mapping) for name in node if any(plain(name) in NAMES[of] for of in PRICES)):
            columns = {name: value for name, value in node.items() if isinstance(value, Mapping)}  # orient="columns"
            frame = pd.DataFrame(columns)
            return frame if _names_time(list(frame.columns)) else frame.rename_axis("timestamp").reset_index()
        return _of_lists(node)
    first = next(iter(node.values()), None)
    if isinstance(first, Mapping) and _prices_among(list(first)) and all(isinstance(v, Mapping) for v in node.values()):
        if any(isinstance(value, list | Mapping) for value in first.values()):
            return None  # objects of several symbols
        frame = pd.DataFrame.from_dict(dict(node), orient="index")  # Alpha Vantage; orient="index"
        return frame if _names_time(list(frame.columns)) else frame.rename_axis("timestamp").reset_index()
    return None


def _of_lists(node: Mapping[str, Any]) -> pd.DataFrame | None:
    """The table of equally long lists; other values beside them are left out."""
    lists = {name: value for name, value in node.items() if isinstance(value, list)}
    if not _prices_among(list(lists)):
        return None
    length = next(len(value) for name, value in lists.items() if plain(name) in NAMES["close"])
    lists = {"timestamp" if name == "ticks" else name: value for name, value in lists.items() if len(value) == length}
    if not _prices_among(list(lists)):
        raise DataError("is JSON with lists of prices of different lengths; download it again")
    return pd.DataFrame(lists)


def _names_time(names: Sequence[object]) -> bool:
    return any(plain(name) in TIME_NAMES[:-1] for name in names)


def _rows(node: list[Any]) -> _Rows | None:
    """The table of a list of objects or of lists; None for another list."""
    if not node:
        return None
    if all(isinstance(row, Mapping) for row in node):
        node = [_flat(row) for row in node]
        if not _prices_among(list(node[0])):
            return None
        frame = pd.DataFrame.from_records(node)
        if {"id", "amount", "vol", "count"} <= set(frame.columns):  # HTX: `vol` is money, `amount` the units
            frame = frame.rename(columns={"id": "timestamp", "amount": "volume", "vol": "amount"})
        if "start" in frame.columns and not _names_time(list(frame.columns)):  # Coinbase Advanced Trade
            frame = frame.rename(columns={"start": "timestamp"})
        return _Rows(frame, "", None)
    lengths = {len(row) for row in node if isinstance(row, list)}
    if len(lengths) != 1 or not all(isinstance(row, list) for row in node) or not 5 <= (width := lengths.pop()) <= 12:
        return None
    if any(isinstance(cell, list | Mapping) for cell in node[0]):
        return None
    return _in_order(node, width)


def _flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row with the prices that lie in an object of its own, as Oanda writes them."""
    inner = next((row[name] for name in ("mid", "bid", "ask") if isinstance(row.get(name), Mapping)), None)
    return row if inner is None else {**{name: row[name] for name in row if name not in ("mid", "bid", "ask")}, **inner}


def _in_order(rows: list[list[Any]], width: int) -> _Rows:
    """Rows without names, in the one known order of that length that their highs and lows confirm."""
    orders = {name: columns for name, columns in _ORDERS.items() if len(columns) == width}
    best: tuple[float, str] = (0.0, "")
    for name, columns in orders.items():
        try:
            prices = [parse_numbers(pd.Series([row[columns.index(of)] for row in rows]), of) for of in PRICES]
        except DataError:
            continue
        table = np.stack(prices, axis=1)
        with np.errstate(invalid="ignore"):
            fits = (table[:, HIGH] >= table[:, [OPEN, CLOSE]].max(axis=1)) & (
                table[:, LOW] <= table[:, [OPEN, CLOSE]].min(axis=1)
            )
        if fits.mean() > best[0]:
            best = float(fits.mean()), name
    if best[0] < _LEAST:
        known = ", ".join(orders) or "none"
        raise DataError(
            f"is JSON with rows of {width} values without names, in no order that is known here ({known}); write them "
            "with names, or as CSV with a header"
        )
    columns = orders[best[1]]
    named = [_MONEY.get(name, name) for name in columns]
    shown = ", ".join(name for name in named if name in ("timestamp", *FIELDS))
    frame = _frame(rows, named)
    if best[1] == "OKX" and frame["volume"].equals(frame["amount"]):  # of spot: units, then money twice
        frame = frame.assign(volume=frame["contracts"])
    return _Rows(frame, "", None, f"no names: columns taken as {shown}, in the order of {best[1]}")


def _frame(rows: list[Any], columns: Sequence[object]) -> pd.DataFrame:
    lengths = {len(row) if isinstance(row, list) else 0 for row in rows}
    if lengths != {len(columns)}:
        raise DataError(f"is JSON whose rows do not all have {len(columns)} values; download it again")
    return pd.DataFrame(rows, columns=list(columns))


def _finished(rows: _Rows, document: Any) -> _Rows:
    """The rows without those that the exchange says are not over."""
    frame, stop = rows.frame, None
    said = next((name for name in ("confirm", "complete") if name in frame.columns), None)
    if said is not None:  # OKX, Gate.io; Oanda
        stop = frame[said].astype(str).str.casefold().isin(("0", "false")).to_numpy()
    result = document.get("result") if isinstance(document, Mapping) else None
    last = result.get("last") if isinstance(result, Mapping) and rows.key in result else None
    if isinstance(last, int):  # Kraken
        stop = pd.to_numeric(frame["timestamp"], errors="coerce").to_numpy(dtype=float) > last
    if stop is None or not stop.any():
        return rows
    if stop.all():
        raise DataError("is an answer in which no bar is finished; ask for earlier ones")
    count = "1 bar is" if stop.sum() == 1 else f"{stop.sum():,} bars are"
    notice = "\n".join(filter(None, (rows.notice, f"{count} not finished, as the exchange says, and left out")))
    return rows._replace(frame=frame[~stop].reset_index(drop=True), notice=notice)


def _without_bars(document: Any) -> str:
    """Why an answer holds no bars: what it says itself, or which names it has."""
    if isinstance(document, Mapping):
        said = [document[name] for name in _MESSAGES if document.get(name)]
        text = next((str(one[0]) if isinstance(one, list) else str(one) for one in said), "")
        if text and not isinstance(said[0], Mapping):
            return one_line(f"is an answer without bars, which says {text[:120]!r}; ask for the bars again")
        names = ", ".join(repr(str(name)[:30]) for name in list(document)[:8])
        return one_line(
            f"is JSON without a table of bars (it holds {names or 'nothing'}); write them as CSV or parquet"
        )
    return "is JSON without a table of bars; write one object or list per bar, or a CSV"
