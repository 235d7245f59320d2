"""Tables in workbooks of Excel (.xlsx), through openpyxl: which sheet holds the bars, and its cells within bounds."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import did_you_mean, one_line
from stresslab.data.parsing.column_names import CLOCK_NAMES, NAMES, PRICES, TIME_NAMES, candidates, is_header
from stresslab.data.parsing.numbers import decimal_sign
from stresslab.data.parsing.table import RawTable
from stresslab.data.sources.bounds import check_unpacked

HEADER_WITHIN = 20
"""Rows in which the header is looked for."""
WIDEST = 100
"""Columns that are read; what lies to the right of them is no bar."""
MAX_SHEET = 2**20
"""Rows of a sheet."""
DAYS = (10_000, 100_000)
"""Excel's serial numbers of days that are taken for dates: 1927 to 2173."""


def sheet_names(file: Path | BinaryIO) -> list[str]:
    """The names of a workbook's sheets."""
    with _opened(file) as book:
        return list(book.sheetnames)


def read_workbook(file: Path | BinaryIO, sheet: str | None = None) -> RawTable:
    """The table of bars in a workbook.

    Args:
        file: an .xlsx file.
        sheet: which sheet; None for the only one with a header of prices.

    Returns:
        The table: dates as texts or time stamps, numbers as numbers.

    Raises:
        DataError: the workbook cannot be read, or no sheet, or more than one, holds bars.
    """
    with _opened(file) as book:
        names = list(book.sheetnames)
        if sheet is not None and sheet not in names:
            raise DataError(f"no sheet {sheet!r}{did_you_mean(sheet, names)}")
        found = [name for name in ([sheet] if sheet is not None else names) if _header(_rows(book[name])) is not None]
        if not found:
            where = f"sheet {sheet!r:.40} has no row" if sheet else f"no sheet ({', '.join(names[:5])}) has a row"
            raise DataError(f"{where} among its first {HEADER_WITHIN} that names open, high, low and close; write one")
        if len(found) > 1:
            listed = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
            raise DataError(
                f"holds bars in {len(found)} sheets ({listed}); choose one: append #NAME, such as #{found[0]}"
            )
        return _table(book[found[0]], book.epoch, found[0] if len(names) > 1 else None)


@contextmanager
def _opened(file: Path | BinaryIO) -> Iterator[Any]:
    """A workbook opened for reading alone; what its library raises becomes one line."""
    _check_size(file)
    try:
        openpyxl = import_module("openpyxl")
    except ImportError:
        raise DataError(
            'is an Excel workbook, which needs openpyxl: pip install "stresslab[excel]"; or save the sheet as CSV'
        ) from None
    book = None
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        yield book
    except DataError:
        raise
    except Exception as error:  # of zip, of XML, and openpyxl's own
        raise _damaged(error) from error
    finally:
        if book is not None:
            book.close()


def _damaged(error: Exception) -> DataError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(one_line(f"is a damaged workbook ({reason:.80}); save it again, or save the sheet as CSV"))


def _check_size(file: Path | BinaryIO) -> None:
    """Refuse a workbook whose parts unpack to more than they may; zip reads no more of each than it declares."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _damaged(error) from error
    check_unpacked(sum(part.file_size for part in parts), sum(part.compress_size for part in parts))


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Rows of cells' values; neither as many rows nor as many columns as a sheet may claim."""
    for number, row in enumerate(sheet.iter_rows(max_col=WIDEST, values_only=True), start=1):
        if number > MAX_SHEET:
            raise DataError(f"claims more than {MAX_SHEET:,} rows, the most that Excel has; save the sheet as CSV")
        yield row


def _header(rows: Iterator[tuple[Any, ...]]) -> int | None:
    """The number of the row that names prices."""
    for number, row in enumerate(rows):
        if number >= HEADER_WITHIN:
            return None
        if is_header(["" if cell is None else str(cell) for cell in row]):
            return number
    return None


def _table(sheet: Any, epoch: dt.datetime, name: str | None) -> RawTable:
    """The rows below the header, without those that are empty."""
    rows = _rows(sheet)
    names: list[str] = []
    for row in rows:
        names = ["" if cell is None else str(cell).strip() for cell in row]
        if is_header(names):
            break
    used = [at for at, cell in enumerate(names) if cell] or [0]
    first = 0 if not names[0] else used[0]  # an index without a name
    width = used[-1] + 1
    kept = [row[first:width] for row in rows if any(cell is not None for cell in row[first:width])]
    if not kept:
        raise DataError("the sheet holds a header but no rows; give one row per bar")
    titles = names[first:width]
    unique = [title if titles.index(title) == at else f"{title}.{at}" for at, title in enumerate(titles)]
    frame = pd.DataFrame(kept, columns=unique, dtype=object)
    _check_formulas(frame)
    stamps = candidates(frame.columns, (*TIME_NAMES, *CLOCK_NAMES))
    columns = {title: _dates(frame[title], epoch) if title in stamps else _plain(frame[title]) for title in frame}
    texts = [cell for field in PRICES for title in candidates(frame.columns, NAMES[field]) for cell in frame[title]]
    decimal = decimal_sign((cell for cell in texts if isinstance(cell, str)), ".")
    notices = (f"bars of the sheet {name!r}",) if name is not None else ()
    return RawTable(pd.DataFrame(columns), None, decimal, notices)


def _check_formulas(frame: pd.DataFrame) -> None:
    """Refuse prices that a program wrote as formulas and nobody has calculated yet."""
    for field in PRICES:
        for title in candidates(frame.columns, NAMES[field])[:1]:
            if frame[title].isna().all():
                raise DataError(
                    f"column {title!r:.30} holds no values: formulas that were never calculated; open the workbook in "
                    "Excel and save it, or save the sheet as CSV"
                )


def _plain(column: pd.Series) -> pd.Series:
    """Numbers as numbers where all are; else the cells as they are."""
    numbers = all(cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)) for cell in column)
    return column.astype(float) if numbers else column


def _dates(column: pd.Series, epoch: dt.datetime) -> pd.Series:
    """Dates, times of day and Excel's serial numbers as texts; other cells as they are."""
    known = [cell for cell in column if cell is not None]
    serial = [cell for cell in known if isinstance(cell, int | float) and not isinstance(cell, bool)]
    if serial and len(serial) == len(known):
        if not all(DAYS[0] <= cell < DAYS[1] for cell in serial):
            return column.astype(float) if any(isinstance(cell, float) for cell in serial) else column.astype("Int64")
        from_excel = import_module("openpyxl.utils.datetime").from_excel
        column = column.map(lambda cell: None if cell is None else from_excel(cell, epoch))
        known = [cell for cell in column if cell is not None]
    moments = [cell for cell in known if isinstance(cell, dt.datetime)]
    whole = all(_to_second(cell).time() == dt.time() for cell in moments)
    return column.map(lambda cell: _text_of(cell, whole))


def _text_of(cell: object, whole: bool) -> object:
    if isinstance(cell, dt.datetime):
        return f"{_to_second(cell):%Y-%m-%d}" if whole else f"{_to_second(cell):%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, dt.date):
        return f"{cell:%Y-%m-%d}"
    if isinstance(cell, dt.time):
        return f"{_to_second(dt.datetime.combine(dt.date(2000, 1, 1), cell)):%H:%M:%S}"
    return cell


def _to_second(moment: dt.datetime) -> dt.datetime:
    """The nearest second: fractions of a day are rounded in a workbook."""
    return (moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
