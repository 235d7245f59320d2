"""Bars from a file on disk: which kind of file it is, whose series it holds, and the one line when it cannot be used.

How a table is laid out in text is for `text` to find out; what its columns mean and whether bars are sound, for `Bars`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import nearest, one_line
from stresslab.data.bars import Bars
from stresslab.data.parsing.column_names import SYMBOL_NAMES, candidates, check_unique, choose_symbol
from stresslab.data.parsing.delimited import read_text

_ZIP = (
    "is a zip archive; unpack it and give the file inside "
    "(the prices of QuantConnect Lean are scaled by 10,000: divide them first)"
)
_REFUSED = (
    (b"PK\x03\x04", _ZIP),
    (b"\x1f\x8b", "is gzip-compressed; unpack it (gunzip) and give the file inside"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook; save the sheet as CSV"),
    (b"\x89HDF", "is an HDF5 file; write the series as parquet or CSV"),
    (b"SQLite format 3", "is an SQLite database; export the series as CSV"),
    (b"%PDF", "is a PDF document; give a CSV, parquet or feather file"),
)


def load_file(path: str, since: object = None, until: object = None, repair: bool = False) -> Bars:
    """Bars of a CSV, parquet or feather file, recognised by its content.

    Args:
        path: the file; `path#SYMBOL` chooses one series of a file that holds several.
        since: first time stamp to keep.
        until: last time stamp to keep.
        repair: repair instead of refusing.
    """
    file, symbol = _split(path)
    head = _bytes(path, file, 4096)
    if not head:
        raise DataError(f"{path}: the file is empty; give a file with open, high, low and close per bar")
    notices: tuple[str, ...] = ()
    decimal = "."
    ticker = None
    try:
        if head.startswith((b"PAR1", b"ARROW1", b"FEA1")):
            frame = read_arrow(file)
        elif reason := _refusal(file, head):
            raise DataError(reason)
        else:
            frame, ticker, decimal, notices = read_text(_bytes(path, file), symbol)
        if ticker is None:
            frame, ticker, nameless = one_series(frame, symbol)
            notices = (*notices, *nameless)
    except DataError as error:
        separator = " " if str(error).startswith(("is ", "holds ")) else ": "
        raise DataError(one_line(f"{path}{separator}{error}")) from error
    name = ticker or file.stem
    return Bars.from_frame(frame, name, path, repair, notices, since=since, until=until, decimal=decimal)


def one_series(frame: pd.DataFrame, symbol: str | None) -> tuple[pd.DataFrame, str | None, list[str]]:
    """The rows of one symbol, where a column names symbols; their index still counts the rows of the whole table.

    Returns:
        The rows, the symbol, and a notice where rows of several symbols' table name none.
    """
    check_unique(frame.columns)
    found = candidates(frame.columns, SYMBOL_NAMES)
    if not found:
        if symbol is not None:
            raise DataError(f"symbol {symbol!r} was asked for, but no column names symbols; leave #{symbol} out")
        return frame, None, []
    column = frame[found[0]]
    names = {value: str(value).strip().strip("'") for value in column.dropna().unique()}
    chosen = choose_symbol(list(dict.fromkeys(names.values())), symbol)
    if len(names) < 2:
        return frame, chosen, []
    count = int(column.isna().sum())
    notices = [f"{count} rows without a {found[0]} belong to no series and were left out"] if count else []
    return frame[column.isin([value for value, name in names.items() if name == chosen])], chosen, notices


def _bytes(path: str, file: Path, most: int = -1) -> bytes:
    """The content of a file, or its first bytes."""
    try:
        with file.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise DataError(one_line(f"{path}: cannot be read ({error.strerror}); copy the file to another disk")) from None


def _split(path: str) -> tuple[Path, str | None]:
    """The file and the symbol after `#`, if any."""
    file, symbol = Path(path).expanduser(), None
    if not os.path.exists(file) and "#" in path:
        before, _, symbol = path.rpartition("#")
        file = Path(before).expanduser()
    if not path:
        reason = "no path is given; name a CSV, parquet or feather file"
    elif not os.path.exists(file):
        reason = f"no such file; {_similar(file) or 'check the path'}"
    elif file.is_dir():
        reason = "is a directory; give one CSV, parquet or feather file in it"
    elif not (file.is_file() or file.is_char_device()):
        reason = "is not a regular file; write the data to a file first"
    else:
        try:
            file.open("rb").close()
            return file, symbol or None
        except OSError as error:
            reason = f"cannot be read ({error.strerror}); check its permissions"
    raise DataError(one_line(f"{path}: {reason}" if path else reason))


def _similar(file: Path) -> str | None:
    """A question after a file beside the missing one whose name is similar."""
    try:
        names = os.listdir(file.parent)
    except (OSError, ValueError):
        return None
    close = nearest(file.name, names)
    return f"did you mean {str(file.with_name(close))!r}?" if close else None


def _refusal(file: Path, head: bytes) -> str | None:
    """Why a file cannot be read as a table, with the remedy; None when it may be text."""
    if head.startswith(b"PK\x03\x04") and b"xl/" in head + file.read_bytes()[-4096:]:
        return "is an Excel workbook; save the sheet as CSV"
    for magic, reason in _REFUSED:
        if head.startswith(magic):
            return reason
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "is a web page or XML, not a table; download the data again as CSV"
    if start.startswith((b"{", b"[")):
        return "is JSON; write the bars as CSV or parquet"
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))  # UTF-16, as MetaTrader may write it
    control = sum((byte < 32 and byte not in b"\t\r\n\x0c") or byte == 127 for byte in head)
    if not wide and (b"\0" in head or control > len(head) // 50):
        return "is neither text nor parquet nor feather; give one of these"
    return None


def read_arrow(file: Path) -> pd.DataFrame:
    """The table of a parquet or feather file; its first bytes decide which of the two it is."""
    import pyarrow as pa

    with file.open("rb") as stream:
        parquet = stream.read(4) == b"PAR1"
    try:
        return pd.read_parquet(file) if parquet else pd.read_feather(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"is damaged or not complete ({reason:.80}); write or download it again") from error
