"""A list of trades from a file: text, a report in HTML, or JSON, whichever its content shows."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import did_you_mean, one_line
from stresslab.data.parsing.trade_tables import NO_TRADE, Table, is_trade_header, read_trade_table
from stresslab.data.trades import TradeList

_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_DELIMITERS = (",", ";", "\t", "|")
MOST_BYTES = 500_000_000


def load_trades(source: str | os.PathLike[str]) -> TradeList:
    """Read a list of closed trades.

    Args:
        source: TradingView's list of trades; history or tester report of MetaTrader 4 and 5 (HTML or CSV); trades of
            NinjaTrader; freqtrade's backtest result (JSON); `stats._trades` of backtesting.py as CSV; or a table with a
            row for each trade. `path#SYMBOL` chooses one of several symbols.

    Raises:
        DataError: the file cannot be read, or holds no trades that are known.
    """
    path, symbol = os.fspath(source), None
    if not os.path.exists(path) and "#" in path:
        path, _, symbol = path.rpartition("#")
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(one_line(f"{path}: no such file; give a list of trades, for example trades.csv"))
    if file.stat().st_size > MOST_BYTES:
        raise DataError(one_line(f"{path}: is larger than {MOST_BYTES // 10**6} MB; export the trades alone"))
    try:
        tables = _tables(file.read_bytes())
        found, form = read_trade_table(tables)
        trades, notices = _of_symbol(found.trades, symbol)
        for name in ("units", "entry_price", "exit_price", "profit"):
            trades[name] = trades[name] if name in trades else float("nan")
        return TradeList.of(trades, form, str(source), (*found.notices, *notices))
    except DataError as error:
        separator = " " if str(error).startswith(("is ", "holds ")) else ": "
        raise DataError(one_line(f"{path}{separator}{error}")) from error
    except OSError as error:
        raise DataError(one_line(f"{path}: cannot be read ({error.strerror}); check its permissions")) from None


def _of_symbol(trades: pd.DataFrame, symbol: str | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The trades of one symbol."""
    if "symbol" not in trades:
        if symbol is not None:
            raise DataError(f"symbol {symbol!r} was asked for, but no column names symbols; leave #{symbol} out")
        return trades, ()
    names = trades["symbol"].astype(str).str.strip()
    known = list(dict.fromkeys(names))
    if symbol is None and len(known) > 1:
        raise DataError(
            f"holds trades of {len(known)} symbols ({', '.join(known[:6])}{', ...' if len(known) > 6 else ''}); choose "
            f"one, as in trades.csv#{known[0]}, with the bars of that symbol"
        )
    if symbol is not None and symbol not in known:
        raise DataError(f"symbol {symbol!r} is not in the list{did_you_mean(symbol, known)}")
    return trades[names == (symbol or known[0])].copy() if known else trades, ()


def _tables(data: bytes) -> list[Table]:
    """All tables with a header of trades in a file."""
    if not data.strip():
        raise DataError(f"the file is empty; {NO_TRADE}")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError("is a workbook or a zip archive; save the list of trades as CSV, and give that")
    text = _decoded(data)
    start = text.lstrip()[:1]
    if start in "{[":
        return [_json_table(text)]
    if start == "<" and "<t" in text[:200_000].lower():
        return list(_below_headers(_html_rows(text)))
    lines = text.splitlines()
    counts = {mark: max((line.count(mark) for line in lines[:50]), default=0) for mark in _DELIMITERS}
    for delimiter in sorted(_DELIMITERS, key=lambda mark: -counts[mark]):
        try:
            found = list(_below_headers(csv.reader(lines, delimiter=delimiter)))
        except csv.Error as error:
            raise DataError(f"the lines do not form a table ({error}); give one line per trade") from error
        if found:
            return found
    first = next((line for line in lines if line.strip()), "")
    return [Table(tuple(next(csv.reader([first]), [])), ())]


def _decoded(data: bytes) -> str:
    """The text of a file; MetaTrader writes UTF-16, with or without a mark."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and data[:200].count(b"\0") > 20:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    for one in [encoding] if encoding else ["utf-8", "cp1252"]:
        try:
            return data.decode(one).lstrip("\ufeff")
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _below_headers(rows: Iterator[Sequence[str]] | Any) -> Iterator[Table]:
    """Each header of trades with the rows of its length below it, up to the next one or to a row of another length."""
    header: tuple[str, ...] | None = None
    below: list[list[str]] = []
    for row in rows:
        cells = [str(cell).strip() for cell in row]
        if not any(cells):
            continue
        if is_trade_header(cells) and not any(cell[:1].isdigit() for cell in cells):
            if header is not None and below:
                yield Table(header, below)
            header, below = tuple(cells), []
        elif header is not None and len(cells) == len(header):
            below.append(cells)
        elif header is not None and len(header) - 2 <= len(cells) < len(header):  # an event without its last cells
            below.append(cells + [""] * (len(header) - len(cells)))
        elif header is not None and len(cells) == len(header) + 1 and not cells[-1]:  # a delimiter at the end
            below.append(cells[:-1])
    if header is not None:
        yield Table(header, below)


class _Rows(HTMLParser):
    """Texts of the cells of each row of all tables; hidden cells are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            given = dict(attrs)
            self._cell = None if "hidden" in (given.get("class") or "") else []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append(" ".join("".join(self._cell).split()))
        self._cell = None


def _html_rows(text: str) -> list[list[str]]:
    """Rows of cells of all tables of a page."""
    parser = _Rows()
    parser.feed(text)
    parser.close()
    return parser.rows


def _json_table(text: str) -> Table:
    """Trades in JSON: a list of objects, or freqtrade's result with one strategy in it."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"is no valid JSON ({error!s:.80}); export the trades again") from None
    if isinstance(content, dict) and isinstance(content.get("strategy"), dict):
        results = content["strategy"]
        if len(results) != 1:
            raise DataError(f"holds {len(results)} strategies ({', '.join(map(str, results))}); export one of them")
        content = next(iter(results.values()))
    if isinstance(content, dict):
        content = content.get("trades", content.get("data"))
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise DataError("holds no list of trades; give freqtrade's backtest result, or a list of objects")
    if not content:
        raise DataError(f"the list holds no closed trade; {NO_TRADE}")
    names = tuple(dict.fromkeys(str(name) for one in content for name in one))
    rows = [["" if one.get(name) is None else _text(one[name]) for name in names] for one in content]
    return Table(names, rows)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
