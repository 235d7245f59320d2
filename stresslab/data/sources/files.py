"""Bars from a file on disk: which kind of file it is, whose series it holds, and the one line when it cannot be used.

How a table is laid out is for the readers of each kind to find out; what its columns mean and whether bars are sound,
for `Bars`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import nearest, one_line
from stresslab.data.bars import Bars
from stresslab.data.parsing.column_names import SYMBOL_NAMES, candidates, check_unique, choose_symbol
from stresslab.data.parsing.delimited import read_text
from stresslab.data.parsing.json_tables import read_json
from stresslab.data.parsing.table import RawTable
from stresslab.data.sources.archives import Member, is_archive, is_workbook, unpack
from stresslab.data.sources.arrow import is_arrow, read_arrow
from stresslab.data.sources.bounds import check_json
from stresslab.data.sources.databases import kind_of, read_database, split_spec
from stresslab.data.sources.parts import PACKED, TABLES, are_parts, bare, join, series_name
from stresslab.data.sources.workbooks import read_workbook, sheet_names

DATABASES = ("sqlite", "duckdb")
"""Schemes of sources that are tables of a database in a file."""
_HEAD = 4096
"""Bytes at the beginning of a file that show what it is."""
_REFUSED = (
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook; save it as .xlsx or CSV"),
    (b"\x89HDF", "is an HDF5 file; write the series as parquet or CSV"),
    (b"%PDF", "is a PDF document; give a CSV, parquet or feather file"),
)


class Source(NamedTuple):
    """What a file holds, before one series is taken from it.

    Attributes:
        table: all its rows.
        name: what a series without a name of its own is called: the file's name.
        symbol: the symbol asked for by `#SYMBOL`, if any.
    """

    table: RawTable
    name: str
    symbol: str | None = None


def load_file(path: str, since: object = None, until: object = None, repair: bool = False) -> Bars:
    """Bars of a file, by its content: text, JSON, parquet, feather, .xlsx, a database, or one of them packed.

    Args:
        path: the file; `path#SYMBOL` chooses one series of a file that holds several, `path#NAME` a sheet of a workbook
            or a file in an archive; `sqlite:FILE:TABLE` and `duckdb:FILE:TABLE` a table of a database.
        since: first time stamp to keep.
        until: last time stamp to keep.
        repair: repair instead of refusing.
    """
    return bars_of(read_source(path), path, since, until, repair)


def bars_of(source: Source, path: str, since: object = None, until: object = None, repair: bool = False) -> Bars:
    """The bars of a source that is read already; see `load_file`."""
    frame, ticker, decimal, notices = source.table
    try:
        if ticker is None or (source.symbol is not None and source.symbol != ticker):
            frame, ticker, nameless = one_series(frame, source.symbol)
            notices = (*notices, *nameless)
    except DataError as error:
        raise _named(path, error) from error
    name = ticker or source.name
    return Bars.from_frame(frame, name, path, repair, notices, since=since, until=until, decimal=decimal)


def read_source(path: str) -> Source:
    """The table of a file or of a database; see `load_file`."""
    try:
        if is_database(path):
            kind, _, spec = path.partition(":")
            file, place, symbol = split_spec(kind, spec)
            return Source(read_database(kind, file, place, symbol), place or file.stem, symbol)
        if parts := _parts_in(path):
            return read_parts(parts)
        file, names = _split(path)
        head = _bytes(file, _HEAD)
        if not head:
            raise DataError("the file is empty; give a file with open, high, low and close per bar")
        if database := kind_of(head):
            place, symbol = (names[0] if len(names) > 1 else None), (names[-1] if names else None)
            return Source(read_database(database, file, place, symbol), place or file.stem, symbol)
        table, name, rest = _of_content(file, file.stat().st_size, head, names)
        if len(rest) > 1:
            raise DataError(f"nothing in it is called {rest[0]!r:.40}; leave #{rest[0]} out")
        if rest and isinstance(table.frame.columns, pd.MultiIndex):
            raise DataError(f"symbol {rest[0]!r:.40} was asked for, but no column names symbols; leave it out")
        return Source(table, name or bare(file.name), *rest)
    except DataError as error:
        raise _named(path, error) from error


def is_database(path: str) -> bool:
    """Whether a source is spelled as a table of a database."""
    return path.partition(":")[0] in DATABASES and not os.path.exists(path)


def read_parts(paths: Sequence[str]) -> Source:
    """Files that are parts of one series, as one table."""
    read = [read_source(path) for path in paths]
    names = [Path(path).name for path in paths]
    try:
        return Source(join([one.table for one in read], names), series_name(names[0])[0] or Path(paths[0]).parent.name)
    except DataError as error:
        raise _named(str(Path(paths[0]).parent), error) from error


def is_folder_of_parts(path: str) -> bool:
    """Whether a folder holds the parts of one series, and nothing else."""
    return bool(_parts_in(path))


def _parts_in(folder: str) -> list[str]:
    """The files of a folder whose tables are all parts of one series; none otherwise."""
    path = Path(folder).expanduser()
    names = (
        sorted(one.name for one in path.iterdir() if one.suffix.lower() in (*TABLES, *PACKED))
        if os.path.isdir(path)
        else []
    )
    return [str(path / name) for name in names] if are_parts(names) else []


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


def _of_content(
    file: Path | io.BytesIO, size: int, head: bytes, names: Sequence[str], packed: bool = False
) -> tuple[RawTable, str, list[str]]:
    """The table of a file by its content, what the file inside is called, and the names that are left for symbols."""
    if is_arrow(head):
        return RawTable(read_arrow(file)), "", list(names)
    if is_archive(head):
        if is_workbook(file):
            sheet = names[0] if names and names[0] in sheet_names(file) else None
            return read_workbook(file, sheet), sheet or "", list(names[sheet is not None :])
        if packed:
            raise DataError("holds an archive in an archive; unpack it and give the file inside")
        return _of_archive(file, size, names)
    if reason := _refusal(head):
        raise DataError(reason)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"{", b"[")):
        check_json(size)
        return read_json(_whole(file)), "", list(names)
    table = read_text(_whole(file), names[0] if names else None)
    return table, "", list(names[1:] if table.symbol is not None else names)


def _of_archive(file: Path | io.BytesIO, size: int, names: Sequence[str]) -> tuple[RawTable, str, list[str]]:
    """The table inside an archive; of several that are parts of one series, all of them."""
    members, rest = unpack(file, size, names)
    read = [_of_member(member, rest) for member in members]
    left = read[0][2]
    inner = read[0][1] or bare(members[0].name)
    if len(read) == 1:
        return read[0][0], inner, left
    return join([table for table, _, _ in read], [member.name for member in members]), series_name(inner)[0], left


def _of_member(member: Member, names: Sequence[str]) -> tuple[RawTable, str, list[str]]:
    if not member.data:
        raise DataError("the file inside is empty; give one with open, high, low and close per bar")
    stream = io.BytesIO(member.data)
    table, name, rest = _of_content(stream, len(member.data), member.data[:_HEAD], names, packed=True)
    return lean_prices(table, member.data[:_HEAD]), name, rest


def lean_prices(table: RawTable, head: bytes) -> RawTable:
    """The table of a file of QuantConnect Lean with its prices, which are written times 10,000, divided."""
    first = head.split(b"\n", 1)[0].strip().split(b",")
    stamp = first[0].split(b" ")
    whole = len(first) == 6 and all(cell.isdigit() for cell in first[1:])
    if not (whole and len(stamp) == 2 and len(stamp[0]) == 8 and stamp[0].isdigit() and stamp[1].count(b":") == 1):
        return table
    frame = table.frame.copy()
    prices = ["open", "high", "low", "close"]
    frame[prices] = frame[prices].astype(float) / 10_000
    notice = (
        "prices divided by 10,000: whole numbers in an archive, stamped as QuantConnect Lean writes those of shares"
    )
    return table._replace(frame=frame, notices=(*table.notices, notice))


def _named(path: str, error: DataError) -> DataError:
    """The error with the path before it."""
    text = str(error)
    if not path or text.startswith(path):
        return DataError(one_line(text))
    separator = " " if text.startswith(("is ", "holds ", "unpacks ", "decodes ", "cannot ")) else ": "
    return DataError(one_line(f"{path}{separator}{text}"))


def _whole(file: Path | io.BytesIO) -> bytes:
    return _bytes(file) if isinstance(file, Path) else file.getvalue()


def _bytes(file: Path, most: int = -1) -> bytes:
    """The content of a file, or its first bytes."""
    try:
        with file.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}); copy the file to another disk") from None


def _split(path: str) -> tuple[Path, list[str]]:
    """The file, and the names after `#`, if any; a file's own name may hold one."""
    parts = path.split("#")
    cuts = range(len(parts), max(len(parts) - 3, 0), -1)
    cut = next((at for at in cuts if os.path.exists(Path("#".join(parts[:at])).expanduser())), None)
    file = Path("#".join(parts[:cut]) if cut else path).expanduser()
    if not path:
        reason = "no path is given; name a CSV, parquet or feather file"
    elif cut is None:
        meant = Path(path.rpartition("#")[0]).expanduser() if "#" in path else file
        reason = f"no such file; {_similar(meant) or 'check the path'}"
    elif file.is_dir():
        reason = "is a directory; give one CSV, parquet or feather file in it"
    elif not (file.is_file() or file.is_char_device()):
        reason = "is not a regular file; write the data to a file first"
    else:
        try:
            file.open("rb").close()
            return file, [name for name in parts[cut:] if name]
        except OSError as error:
            reason = f"cannot be read ({error.strerror}); check its permissions"
    raise DataError(reason)


def _similar(file: Path) -> str | None:
    """A question after a file beside the missing one whose name is similar."""
    try:
        names = os.listdir(file.parent)
    except (OSError, ValueError):
        return None
    close = nearest(file.name, names)
    return f"did you mean {str(file.with_name(close))!r}?" if close else None


def _refusal(head: bytes) -> str | None:
    """Why a file cannot be read as a table, with the remedy; None when it may be text."""
    for magic, reason in _REFUSED:
        if head.startswith(magic):
            return reason
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "is a web page or XML, not a table; download the data again as CSV"
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))  # UTF-16, as MetaTrader may write it
    control = sum((byte < 32 and byte not in b"\t\r\n\x0c") or byte == 127 for byte in head)
    if not wide and (b"\0" in head or control > len(head) // 50):
        return "is neither text nor parquet nor feather; give one of these"
    return None
