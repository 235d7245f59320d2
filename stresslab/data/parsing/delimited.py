"""Reads a table out of text: encoding, delimiter, decimal sign, and where the header is, if there is one.

`column_names` decides which column means what; nothing is checked here but the table's form.
"""

from __future__ import annotations

import codecs
import csv
import io
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from stresslab.core.errors import DataError
from stresslab.data.parsing.column_names import (
    CLOCK_NAMES,
    EUROPEAN,
    NAMES,
    PRICES,
    SYMBOL_NAMES,
    TIME_NAMES,
    candidates,
    check_unique,
    is_header,
    missing_column,
    needed,
    one_ticker,
    plain,
    recognised,
)
from stresslab.data.parsing.numbers import decimal_sign, parse_numbers, thousands_or_decimals, undecided_sign
from stresslab.data.parsing.table import RawTable

_ABSENT = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""What pandas takes for an empty cell."""
_DELIMITERS = (",", "\t", ";", "|")
_BINANCE = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_asset_volume", "number_of_trades",
    "taker_buy_base_asset_volume", "taker_buy_quote_asset_volume", "ignore",
)  # fmt: skip
_ORDER = ("open", "high", "low", "close", "volume")
_OLD = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1251", "latin-1")
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_LARGE = 2**22
"""Bytes from which on Arrow's reader is tried, which takes plain tables alone, but in a fifth of the time."""
_BLOCK = 2**24
_PREAMBLE = 6
"""Lines in which a header is looked for: some vendors write a title or an address above it."""


def read_text(data: bytes, symbol: str | None) -> RawTable:
    """A table of text.

    Args:
        data: the file's bytes.
        symbol: the ticker to take from a two-row header of fields and tickers.

    Returns:
        The table; its symbol is the ticker of a two-row header, or None.
    """
    encoding = _encoding(data)
    lines = data[: 1 << 20].decode(encoding, errors="ignore").lstrip("\ufeff").splitlines()[:50]
    if not any(line.strip() for line in lines):
        raise DataError("the file holds no text; give a file with open, high, low and close per bar")
    try:
        delimiter, header = _layout(lines)
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"the first lines do not form a table ({error}); give one line per bar") from error
    if is_header(rows[0]) if header is None else (header >= len(rows) or not is_header(rows[header])):
        raise DataError("the header goes on over its line; look for an unclosed quotation mark in the first lines")
    if header is None:
        names = _headerless(rows)
        decimal = _decimal(rows, delimiter)
        frame = _read(data, encoding, delimiter, 0, names, decimal)
        _check_order(frame, decimal)
        return RawTable(frame, None, decimal, (f"no header: columns taken as {', '.join(names[:7])}",))
    levels = _levels(rows, header)
    if levels is None:
        names = [cell.strip() for cell in rows[header]]
        check_unique(names)
        sign = undecided_sign(cell for row in rows[header + 1 :] for cell in row[1:])
        if sign and delimiter != sign:
            return _thousands_or_decimals(data, encoding, delimiter, header + 1, names, sign)
        decimal = _decimal(rows[header + 1 :], delimiter)
        return RawTable(_read(data, encoding, delimiter, header + 1, names, decimal), None, decimal)
    return RawTable(*_two_rows_of_names(data, encoding, delimiter, rows, levels, symbol))


def _two_rows_of_names(
    data: bytes, encoding: str, delimiter: str, rows: Sequence[Sequence[str]], levels: tuple[int, int],
    symbol: str | None,
) -> tuple[pd.DataFrame, str | None]:  # fmt: skip
    """One ticker's table under a header of fields and tickers, as yfinance writes it."""
    first, second = levels
    names = [f"{position}" for position in range(len(rows[first]))]
    frame = _read(data, encoding, delimiter, second + 2, names, ".", clock_columns=names[:1])
    stamps = frame.pop(names[0])
    frame.columns = pd.MultiIndex.from_arrays([list(rows[first][1:]), list(rows[second][1:])])
    frame, ticker = one_ticker(frame, symbol)
    frame.insert(0, "Date", stamps)
    return frame, ticker


def _encoding(data: bytes) -> str:
    """The encoding that the first bytes announce, else UTF-8, else the old one in which most names are known."""
    announced = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    for encoding in (announced,) if announced else ("utf-8-sig", *_old_encodings(data)):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(data), _BLOCK):
                decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data))
        except UnicodeDecodeError:
            continue
        return encoding
    raise DataError(f"the text begins as {announced} but is damaged; write or download it again")


def _old_encodings(data: bytes) -> list[str]:
    """Encodings from before UTF-8 (the last reads anything), those first that make known names of the header."""

    def known(encoding: str) -> int:
        lines = data[:4096].decode(encoding, errors="ignore").splitlines()[:_PREAMBLE]
        return max((recognised(line.split(mark)) for line in lines for mark in _DELIMITERS), default=0)

    return sorted(_OLD, key=known, reverse=True)


def _layout(lines: Sequence[str]) -> tuple[str, int | None]:
    """The delimiter, and the number of the header's line or None."""
    for number, line in enumerate(lines[:_PREAMBLE]):
        for delimiter in _DELIMITERS:
            if is_header(next(csv.reader([line], delimiter=delimiter), [])):
                return delimiter, number
    counts = {delimiter: np.median([line.count(delimiter) for line in lines if line]) for delimiter in _DELIMITERS}
    return max(counts, key=lambda delimiter: counts[delimiter]), None


def _headerless(rows: Sequence[Sequence[str]]) -> list[str]:
    """Names of columns without a header: the order in which klines and terminals write them."""
    first = next(([cell.strip() for cell in row] for row in rows if any(map(str.strip, row))), [])
    if not all(_is_number(cell) for cell in first[2:6]) or len(first) < 5:
        raise missing_column(first)
    if ":" in first[1]:
        names = ["date", "time", *_ORDER]
    else:
        names = list(_BINANCE) if len(first) == len(_BINANCE) else ["timestamp", *_ORDER]
        counts = [row[6].strip() for row in rows if len(row) == 7]
        if len(first) == 7 and all(map(str.isdigit, counts)):  # Kraken: the number of trades
            names.append("trades")
    if len(first) > len(names):
        raise DataError(
            f"no header, and {len(first)} columns are not an order that is known here (time, open, high, low, close, "
            "volume; or the 12 of Binance klines); write a header line"
        )
    return names[: len(first)]


def _check_order(frame: pd.DataFrame, decimal: str) -> None:
    """Refuse columns without a header whose numbers contradict the order open, high, low, close."""
    prices = np.stack([parse_numbers(frame[name], name, decimal) for name in PRICES], axis=1)  # (T, 4)
    fits = (prices[:, 1] >= prices.max(axis=1)) & (prices[:, 2] <= prices.min(axis=1))
    if fits.mean() < 0.9:
        raise DataError(
            f"no header, and {1 - fits.mean():.0%} of the rows do not fit the order time, open, high, low, close; "
            "write a header line"
        )


def _levels(rows: Sequence[Sequence[str]], header: int) -> tuple[int, int] | None:
    """The two rows of a header of fields and tickers: they stand above a row that names the index only."""
    for first in (header, header - 1):
        if not 0 <= first < len(rows) - 2 or len(rows[first]) != len(rows[first + 1]):
            continue
        below = rows[first + 2]
        if len(below) > 1 and plain(below[0]) in TIME_NAMES[:-1] and not any(cell.strip() for cell in below[1:]):
            return first, first + 1
    return None


def _read(
    data: bytes, encoding: str, delimiter: str, skip: int, names: list[str], decimal: str,
    clock_columns: Sequence[object] = (), texts: Sequence[str] = (),
) -> pd.DataFrame:  # fmt: skip
    """The rows after the first `skip` lines; time stamps, symbols and `texts` stay texts: zeros survive."""
    unique = [name if names.index(name) == k else f"{name}.{k}" for k, name in enumerate(names)]
    known = candidates(unique, (*TIME_NAMES, *CLOCK_NAMES, *SYMBOL_NAMES))
    kinds = dict.fromkeys(map(str, (*texts, *clock_columns, *known)), str)
    if len(data) >= _LARGE and encoding == "utf-8-sig":
        frame = _read_plain(data, delimiter, skip, unique, decimal, set(kinds))
        if frame is not None:
            return frame
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)  # a delimiter at the end of each line
            frame = pd.read_csv(
                io.BytesIO(data), sep=delimiter, encoding=encoding, header=None, names=unique, skiprows=skip,
                index_col=False, dtype=kinds, skipinitialspace=True, low_memory=False,
                decimal=decimal,
            )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).strip().rpartition("error: ")[2]
        raise DataError(f"the rows do not form a table ({reason:.80}); correct that line") from error
    if frame.empty:
        raise DataError("the file holds a header but no rows; give a file with one row per bar")
    return frame


def _read_plain(
    data: bytes, delimiter: str, skip: int, names: list[str], decimal: str, texts: set[str]
) -> pd.DataFrame | None:
    """The rows of a large table as Arrow reads them; None where a cell is not plainly a number or a row not as long."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    columns = needed(names)
    convert = arrow_csv.ConvertOptions(
        column_types={name: pa.string() if name in texts else pa.float64() for name in columns},
        include_columns=columns, null_values=list(_ABSENT), strings_can_be_null=True, decimal_point=decimal,
    )  # fmt: skip
    read = arrow_csv.ReadOptions(column_names=names, skip_rows=skip, block_size=_BLOCK, use_threads=False)
    try:
        table = arrow_csv.read_csv(pa.BufferReader(data), read, arrow_csv.ParseOptions(delimiter=delimiter), convert)
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return None if frame.empty else frame


def _thousands_or_decimals(
    data: bytes, encoding: str, delimiter: str, skip: int, names: list[str], sign: str
) -> RawTable:
    """The table of a file whose prices all look like `18.003`, which the whole file decides how to read."""
    texts = {name for field in PRICES for name in map(str, candidates(names, NAMES[field]))}
    frame = _read(data, encoding, delimiter, skip, names, sign, texts=tuple(texts))
    prices = [cell for name in sorted(texts) for cell in frame[name].dropna().astype(str)]
    counted = [str(cell) for name in candidates(names, NAMES["volume"]) for cell in frame[name].dropna()]
    european = any(
        plain(name) in EUROPEAN for name in names
    )  # dates do not decide: Dukascopy writes 110.123 beside them
    decimal, why = thousands_or_decimals(prices, counted, sign, european)
    first = next(cell for cell in prices if sign in cell)
    notices: tuple[str, ...] = ()
    if why:
        read = parse_numbers(pd.Series([first]), "price", decimal)[0]
        notices = (f"prices such as {first!r} read as {read:,.10g}: {why}",)
    return RawTable(frame, None, decimal, notices)


def _decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    """The decimal sign of the numbers; between commas it is a point unless quoted numbers show otherwise."""
    return decimal_sign((cell for row in rows for cell in row[1:]), "." if delimiter == "," else ",")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
