"""Many real series at once: every symbol of a file, every file of a folder. Reading one is `files`'s business."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import one_line
from stresslab.data.bars import Bars
from stresslab.data.parsing.column_names import SYMBOL_NAMES, candidates, check_unique
from stresslab.data.sources.files import load_file, read_arrow
from stresslab.data.sources.load import load_bars

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet", ".feather")


OnBad = Callable[[DataError], None]


def load_series(source: str, repair: bool = True, on_bad: OnBad | None = None) -> list[Bars]:
    """Every series of a source.

    Args:
        source: a folder, of which every table is read; a parquet or feather file, which may hold many symbols; or what
            `load_bars` reads.
        repair: repair what can be repaired instead of refusing the whole.
        on_bad: is told of every file or symbol that cannot be used, which is then left out; without it the first such
            is an error.

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
        return [load_bars(source, repair=repair)]
    series = [bars for file in files for bars in _of_file(file, repair, note)]
    if not series:
        raise DataError(f"{source}: none of its series can be used; correct them, the first of which says: {bad[0]}")
    return series


def _of_file(path: Path, repair: bool, note: OnBad) -> Iterator[Bars]:
    """The series of one file; what cannot be used is noted."""
    try:
        tables = _tables(path)
        if tables is None:
            yield load_file(str(path), repair=repair)
            return
    except DataError as error:
        note(error)
        return
    for name, own in tables:
        try:
            yield Bars.from_frame(own, name, f"{path}#{name}", repair)
        except DataError as error:
            note(error)


def _tables(path: Path) -> Iterator[tuple[str, pd.DataFrame]] | None:
    """The rows of every symbol of a parquet or feather file; None for a file that `load_file` reads whole."""
    if path.suffix.lower() not in (".parquet", ".feather"):
        return None
    try:
        frame = read_arrow(path)
        check_unique(frame.columns)
    except DataError as error:
        raise DataError(one_line(f"{path}{' ' if str(error).startswith('is ') else ': '}{error}")) from error
    found = candidates(frame.columns, SYMBOL_NAMES)
    if not found:
        return None
    if frame[found[0]].isna().all():
        raise DataError(f"{path}: no row has a symbol in its column {found[0]!r}; fill it, or leave the column out")
    groups = frame.groupby(frame[found[0]], sort=True)
    return ((str(name), rows.drop(columns=found[0])) for name, rows in groups)
