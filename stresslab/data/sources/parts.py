"""Files that are parts of one series, cut by dates, as exchanges and vendors offer them.

Their names alone show it; how each is read is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePosixPath

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.data.parsing.column_names import SYMBOL_NAMES, candidates
from stresslab.data.parsing.table import RawTable, read_table

TABLES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".feather", ".arrow", ".xlsx")
"""Suffixes of files that hold a table."""
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
"""Suffixes that say how a file is packed."""
_DATE = re.compile(r"(.*?)[-_. ]?((?:19|20)\d{2}(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?)?)")
"""A year, a month or a day at the end of a name: BTCUSDT-1h-2024-01, DAT_ASCII_EURUSD_M1_2020."""


def bare(name: str) -> str:
    """A file's name without folder and suffixes: `BTCUSDT-1h-2024-01` of `spot/BTCUSDT-1h-2024-01.csv.zip`."""
    text = PurePosixPath(name).name
    for suffix in (*PACKED, *TABLES, ".txt"):
        text = text[: -len(suffix)] if text.lower().endswith(suffix) and len(text) > len(suffix) else text
    return text


def series_name(name: str) -> tuple[str, str]:
    """A file's name without the date at its end, and that date; empty where there is none."""
    found = _DATE.fullmatch(bare(name))
    return (found[1], found[2]) if found else (bare(name), "")


def are_parts(names: Sequence[str]) -> bool:
    """Whether several files are parts of one series: alike but for the date at the end of their names."""
    found = [series_name(name) for name in names]
    dates = [date for _, date in found]
    alike = len({name for name, _ in found}) == 1 and len({len(date) for date in dates}) == 1
    return len(names) > 1 and alike and all(dates) and len(set(dates)) == len(dates)


def grouped(names: Sequence[str]) -> list[list[str]]:
    """The names, those of parts of one series together; in their order otherwise."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(series_name(name)[0] + PurePosixPath(name).suffix, []).append(name)
    return [part for group in groups.values() for part in ([group] if are_parts(group) else [[one] for one in group])]


def join(tables: Sequence[RawTable], names: Sequence[str]) -> RawTable:
    """The parts of one series as one table, the earliest first.

    Args:
        tables: each as its file holds it.
        names: of the files, for errors.

    Raises:
        DataError: a part holds no bars, or parts overlap in time.
    """
    parts = []
    notices: dict[str, None] = {}
    for table, name in zip(tables, names, strict=True):
        try:
            rows, news, _ = read_table(table.frame, table.decimal)
        except DataError as error:
            raise DataError(f"{name}: {error}") from error
        found = candidates(table.frame.columns, SYMBOL_NAMES)
        if found:
            rows = rows.assign(symbol=table.frame[found[0]].to_numpy())
        elif rows["timestamp"].iloc[0] > rows["timestamp"].iloc[-1]:
            rows = rows[::-1]
        parts.append((rows, name))
        notices |= dict.fromkeys((*table.notices, *news))
    parts.sort(key=lambda part: part[0]["timestamp"].min())
    for (earlier, one), (later, other) in pairwise(parts):
        if later["timestamp"].min() <= earlier["timestamp"].max():
            raise DataError(f"{one} and {other} overlap in time; give one of them, or cut the other")
    frame = pd.concat([rows for rows, _ in parts], ignore_index=True)
    return RawTable(frame, tables[0].symbol, ".", (f"{len(parts)} files joined, {names[0]} to {names[-1]}", *notices))
