"""Many real series at once: every symbol of a file, every file of a folder. Reading one is `files`'s business."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stresslab.data.bars import Bars
from stresslab.data.columns import SYMBOL_NAMES, candidates, check_unique
from stresslab.data.files import load_file, read_arrow
from stresslab.data.load import load_bars
from stresslab.data.messages import one_line
from stresslab.errors import DataError

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet", ".feather")


def load_series(source: str, repair: bool = True) -> list[Bars]:
    """Every series of a source.

    Args:
        source: a folder, of which every table is read; a parquet or feather file, which may hold many symbols; or what
            `load_bars` reads.
        repair: repair what can be repaired instead of refusing the whole.

    Returns:
        The series, in the order of their names.

    Raises:
        DataError: a series that cannot be used; the message names it.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise DataError(f"{source}: the folder holds no tables ({', '.join(SUFFIXES)}); name one that does")
        return [bars for file in files for bars in _of_file(file, repair)]
    return list(_of_file(path, repair)) if path.is_file() else [load_bars(source, repair=repair)]


def _of_file(path: Path, repair: bool) -> Iterator[Bars]:
    if path.suffix.lower() not in (".parquet", ".feather"):
        yield load_file(str(path), repair=repair)
        return
    try:
        frame = read_arrow(path)
        check_unique(frame.columns)
    except DataError as error:
        raise DataError(one_line(f"{path}{' ' if str(error).startswith('is ') else ': '}{error}")) from error
    found = candidates(frame.columns, SYMBOL_NAMES)
    if not found:
        yield load_file(str(path), repair=repair)
        return
    if frame[found[0]].isna().all():
        raise DataError(f"{path}: no row has a symbol in its column {found[0]!r}; fill it, or leave the column out")
    for name, rows in frame.groupby(frame[found[0]], sort=True):
        own = rows.drop(columns=found[0])
        yield Bars.from_frame(own, str(name), f"{path}#{name}", repair)
