"""Many real series at once: every symbol of a file, every file of a folder. `files` reads each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from stresslab.core.errors import DataError
from stresslab.data.bars import Bars
from stresslab.data.parsing.column_names import SYMBOL_NAMES, candidates, check_unique
from stresslab.data.sources.files import Source, bars_of, is_database, read_parts, read_source
from stresslab.data.sources.load import load_bars
from stresslab.data.sources.parts import PACKED, TABLES, grouped

SUFFIXES = (*TABLES, ".txt", *PACKED)


OnBad = Callable[[DataError], None]
Span = tuple[object, object]


def load_series(
    source: str, repair: bool = True, on_bad: OnBad | None = None, *, since: object = None, until: object = None
) -> list[Bars]:
    """Every series of a source.

    Args:
        source: a folder, of which every table is read, those that are parts of one series as one; a file or a table of
            a database, which may hold many symbols; or what `load_bars` reads.
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
        names = sorted(file.name for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not names:
            raise DataError(f"{source}: the folder holds no tables ({', '.join(SUFFIXES)}); name one that does")
        files = [[str(path / name) for name in group] for group in grouped(names)]
    elif path.is_file() or is_database(source):
        files = [[source]]
    else:
        return [load_bars(source, since, until, repair)]
    span = (since, until)
    series = [bars for file in files for bars in _of_file(file, repair, note, span)]
    if not series:
        raise DataError(f"{source}: none of its series can be used; correct them, the first of which says: {bad[0]}")
    return series


def series_of(source: Source, path: str, span: Span, repair: bool, note: OnBad) -> Iterator[Bars]:
    """Every series of a source that is read already; what cannot be used is noted."""
    table = source.table
    found = [] if source.symbol or table.symbol else candidates(table.frame.columns, SYMBOL_NAMES)
    try:
        check_unique(table.frame.columns)
        if not found:
            yield bars_of(source, path, *span, repair)
            return
        symbols = table.frame[found[0]]
        if symbols.isna().all():
            raise DataError(f"{path}: no row has a symbol in its column {found[0]!r}; fill it, or leave the column out")
    except DataError as error:
        note(error)
        return
    one = symbols.nunique() < 2 and Path(path).suffix.lower() not in (".parquet", ".feather")
    for name, rows in table.frame.groupby(symbols, sort=True):
        symbol = str(name).strip().strip("'")
        place = path if one else f"{path}#{symbol}"
        try:
            yield Bars.from_frame(
                rows.drop(columns=found[0]), symbol, place, repair, table.notices, since=span[0], until=span[1],
                decimal=table.decimal,
            )  # fmt: skip
        except DataError as error:
            note(error)


def holds_several(source: Source) -> bool:
    """Whether a column of a source that is read already names more than one symbol."""
    found = [] if source.symbol or source.table.symbol else candidates(source.table.frame.columns, SYMBOL_NAMES)
    return bool(found) and source.table.frame[found[0]].nunique() > 1


def _of_file(paths: list[str], repair: bool, note: OnBad, span: Span) -> Iterator[Bars]:
    """The series of one file, or of several that are parts of one series; what cannot be used is noted."""
    path = paths[0] if len(paths) == 1 else str(Path(paths[0]).parent)
    try:
        source = read_source(path) if len(paths) == 1 else read_parts(paths)
    except DataError as error:
        note(error)
        return
    yield from series_of(source, path, span, repair, note)
