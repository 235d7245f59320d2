"""Many real series at once: every symbol of a file, every file of a folder. `files` reads each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import one_line
from stresslab.data.bars import Bars
from stresslab.data.parsing.column_names import SYMBOL_NAMES, candidates, check_unique
from stresslab.data.parsing.delimited import read_text
from stresslab.data.sources.files import load_file, read_arrow
from stresslab.data.sources.load import load_bars

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet", ".feather")


OnBad = Callable[[DataError], None]


def load_series(
    source: str, repair: bool = True, on_bad: OnBad | None = None, *, since: object = None, until: object = None
) -> list[Bars]:
    """Every series of a source.

    Args:
        source: a folder, of which every table is read; a file, which may hold many symbols; or what `load_bars` reads.
        repair: repair what can be repaired instead of refusing the whole.
        on_bad: called with every file or symbol that cannot be used, which is then left out; without it the first such
            is an error.
        since: first time stamp to keep.
        until: last time stamp to keep.

    Returns:
        The series, in the order of their names.

    Raises:
        DataError: a series that cannot be used, or none of them can; the message names it.
    """
    path = Path(source).expanduser()
    bad: list[DataError] = []

    def note(error: DataError) -> None:
        if on_bad is None:
            raise error
        bad.append(error)
        on_bad(error)

    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise DataError(f"{source}: the folder holds no tables ({', '.join(SUFFIXES)}); name one that does")
    elif path.is_file():
        files = [path]
    else:
        return [load_bars(source, since, until, repair)]
    span = (since, until)
    series = [bars for file in files for bars in _of_file(file, repair, note, span)]
    if not series:
        raise DataError(f"{source}: none of its series can be used; correct them, the first of which says: {bad[0]}")
    return series


def holds_several(path: Path) -> bool:
    """Whether a column of a file names more than one symbol; what cannot be read does not."""
    try:
        tables = _tables(path)
    except (DataError, OSError):
        return False
    return tables is not None and sum(1 for _ in tables[0]) > 1


def _of_file(path: Path, repair: bool, note: OnBad, span: tuple[object, object]) -> Iterator[Bars]:
    """The series of one file; what cannot be used is noted."""
    try:
        tables = _tables(path)
        if tables is None:
            yield load_file(str(path), *span, repair)
            return
    except DataError as error:
        note(error)
        return
    rows, decimal = tables
    for name, own in rows:
        try:
            yield Bars.from_frame(own, name, f"{path}#{name}", repair, since=span[0], until=span[1], decimal=decimal)
        except DataError as error:
            note(error)


def _tables(path: Path) -> tuple[Iterator[tuple[str, pd.DataFrame]], str] | None:
    """The rows of every symbol of a file and its decimal sign; None for a file that `load_file` reads whole."""
    arrow, decimal = path.suffix.lower() in (".parquet", ".feather"), "."
    try:
        if arrow:
            frame = read_arrow(path)
        else:
            frame, ticker, decimal, _ = read_text(path.read_bytes(), None)
            if ticker is not None:
                return None
        check_unique(frame.columns)
    except DataError as error:
        if not arrow:
            return None  # which says what is wrong with it
        raise DataError(one_line(f"{path}{' ' if str(error).startswith('is ') else ': '}{error}")) from error
    found = candidates(frame.columns, SYMBOL_NAMES)
    if not found or (not arrow and frame[found[0]].nunique() < 2):
        return None
    if frame[found[0]].isna().all():
        raise DataError(f"{path}: no row has a symbol in its column {found[0]!r}; fill it, or leave the column out")
    groups = frame.groupby(frame[found[0]], sort=True)
    return ((str(name).strip().strip("'"), rows.drop(columns=found[0])) for name, rows in groups), decimal
