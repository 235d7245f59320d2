"""Tables in databases: SQLite through the standard library, DuckDB through its package; both opened for reading alone.

A database from somewhere else may hold views that never end: columns are named, rows counted, and a query has its time.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import did_you_mean, one_line
from stresslab.data.parsing.column_names import NAMES, PRICES, SYMBOL_NAMES, TIME_NAMES, candidates, needed
from stresslab.data.parsing.table import RawTable
from stresslab.data.parsing.timestamps import parse_timestamps
from stresslab.data.sources.bounds import MAX_ROWS, check_shape

SQLITE, DUCKDB = b"SQLite format 3\0", b"DUCK"
"""How an SQLite file begins; what a DuckDB file holds after its first eight bytes."""
PATIENCE = 120.0
"""Seconds that a query may take."""
_TEXT = 10**6
"""Bytes of the longest text or blob of SQLite."""
_ROWS = 200_000
"""Rows fetched at a time."""
_STEPS = 100_000
"""Steps of SQLite's machine after which the clock is looked at."""
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)


class Database(Protocol):
    """What can be asked of a database."""

    def tables(self) -> list[str]:
        """The names of its tables and views."""

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""

    def rows(self, table: str, columns: Sequence[str], where: tuple[str, str] | None) -> pd.DataFrame:
        """The columns of a table; of one symbol where `where` names a column and its value."""


def kind_of(head: bytes) -> str | None:
    """The kind of database that a file beginning so is."""
    return "sqlite" if head.startswith(SQLITE) else "duckdb" if head[8:12] == DUCKDB else None


def split_spec(kind: str, spec: str) -> tuple[Path, str | None, str | None]:
    """File, table and symbol of `FILE[:TABLE][#SYMBOL]`."""
    text, mark, symbol = spec.rpartition("#") if "#" in spec and not os.path.exists(spec) else (spec, "", "")
    file, _, table = (text, "", "") if os.path.exists(os.path.expanduser(text)) else text.rpartition(":")
    if not file or (mark and not symbol):
        raise DataError(
            one_line(f"{kind}:{spec}: no such file; write {kind}:FILE:TABLE, for example {kind}:bars.db:prices")
        )
    path = Path(file).expanduser()
    if not path.is_file():
        raise DataError(one_line(f"{kind}:{spec}: no such file {file!r}; write {kind}:FILE:TABLE"))
    return path, table or None, symbol or None


def read_database(kind: str, file: Path, table: str | None, symbol: str | None) -> RawTable:
    """The bars of a table, in the order of time.

    Args:
        kind: `sqlite` or `duckdb`.
        file: the database.
        table: its table or view; None for the only one that has columns of prices.
        symbol: which symbol of a column of them; None for all.

    Raises:
        DataError: the database or the table cannot be read, or holds no bars.
    """
    with _OPENED[kind](file) as database:
        name = _choose(database, kind, file, table)
        columns = database.columns(name)
        check_shape(0, len(columns))
        named = candidates(columns, SYMBOL_NAMES)
        where = (str(named[0]), symbol) if symbol is not None and named else None
        frame = database.rows(name, needed(columns), where)
        if frame.empty and where is not None:
            frame = database.rows(name, needed(columns), None)  # for the error to name those there are
    if frame.empty:
        raise DataError(f"table {name!r} holds no rows; give one with a row per bar")
    return RawTable(_in_order(frame), None, ".", ())


def _choose(database: Database, kind: str, file: Path, table: str | None) -> str:
    names = database.tables()
    if table is not None:
        if table not in names:
            raise DataError(f"no table {table!r}{did_you_mean(table, names, f'it holds {_listed(names)}')}")
        return table
    of_bars = [name for name in names if _holds_prices(database.columns(name))]
    if len(of_bars) == 1:
        return of_bars[0]
    if not of_bars:
        raise DataError(f"no table with columns open, high, low and close ({_listed(names)}); name one that has them")
    raise DataError(f"holds {len(of_bars)} tables of bars ({_listed(of_bars)}); choose one: {kind}:{file}:{of_bars[0]}")


def _listed(names: Sequence[str]) -> str:
    return (", ".join(names[:5]) + (", ..." if len(names) > 5 else "")) or "no tables"


def _holds_prices(columns: Sequence[str]) -> bool:
    return all(candidates(columns, NAMES[field]) for field in PRICES)


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows by time: a table of a database has no order of its own. What is no time stamp is refused later."""
    found = candidates(frame.columns, TIME_NAMES)
    symbols = candidates(frame.columns, SYMBOL_NAMES)
    if not found:
        return frame
    try:
        stamps, _ = parse_timestamps(frame[found[0]])
    except DataError:
        return frame
    if not symbols and stamps.is_monotonic_increasing:
        return frame
    keys = pd.DataFrame({"symbol": frame[symbols[0]] if symbols else 0, "stamp": stamps})
    return frame.iloc[keys.sort_values(["symbol", "stamp"], kind="stable").index].reset_index(drop=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Sqlite:
    """An SQLite database that nothing can be written to."""

    def __init__(self, file: Path) -> None:
        self.connection = self._connect(file)
        self.end = time.monotonic() + PATIENCE

    @staticmethod
    def _connect(file: Path) -> sqlite3.Connection:
        address = file.resolve().as_uri()
        for mode in ("mode=ro", "immutable=1"):  # the second where its folder cannot be written to
            connection = sqlite3.connect(f"{address}?{mode}", uri=True)
            try:
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                return connection
            except sqlite3.OperationalError:
                connection.close()
                if mode != "mode=ro" or Path(f"{file}-wal").exists():
                    raise
        raise AssertionError

    def guard(self) -> None:
        """From now on only reading is allowed, for a time."""
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _TEXT)
        self.connection.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
        )
        self.connection.set_progress_handler(lambda: int(time.monotonic() > self.end), _STEPS)

    def tables(self) -> list[str]:
        query = (
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return [str(name) for (name,) in self.connection.execute(query)]

    def columns(self, table: str) -> list[str]:
        cursor = self.connection.execute(f"SELECT * FROM {_quoted(table)} LIMIT 0")
        return [str(column[0]) for column in cursor.description]

    def rows(self, table: str, columns: Sequence[str], where: tuple[str, str] | None) -> pd.DataFrame:
        named = ", ".join(map(_quoted, columns))
        condition = f" WHERE {_quoted(where[0])} = ?" if where else ""
        query = f"SELECT {named} FROM {_quoted(table)}{condition} LIMIT {MAX_ROWS + 1}"
        cursor = self.connection.execute(query, (where[1],) if where else ())
        parts, count = [], 0
        while part := cursor.fetchmany(_ROWS):
            count += len(part)
            check_shape(count, len(columns))
            parts.append(pd.DataFrame.from_records(part, columns=list(columns)))
        if not parts:
            return pd.DataFrame(columns=list(columns))
        whole = {name: pd.concat([one.pop(name) for one in parts], ignore_index=True) for name in columns}
        return pd.DataFrame(whole, copy=False)


@contextmanager
def _sqlite(file: Path) -> Iterator[Database]:
    database = None
    try:
        database = _Sqlite(file)
        database.guard()
        yield database
    except sqlite3.Error as error:
        reason = "takes too long" if "interrupted" in str(error) else str(error)
        raise DataError(
            one_line(
                f"cannot be read as SQLite ({reason:.100}); close programs that use it, or export the table as CSV"
            )
        ) from error
    except UnicodeDecodeError:
        raise DataError("holds texts that are not UTF-8; export the table as CSV") from None
    finally:
        if database is not None:
            database.connection.close()


class _DuckDB:
    """A DuckDB database that nothing can be written to, and that reaches no other file."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def tables(self) -> list[str]:
        found = self.connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables ORDER BY table_schema, table_name"
        ).fetchall()
        return [str(name) if schema == "main" else f"{schema}.{name}" for schema, name in found]

    def columns(self, table: str) -> list[str]:
        self.connection.execute(f"SELECT * FROM {self._place(table)} LIMIT 0")
        return [str(column[0]) for column in self.connection.description]

    def rows(self, table: str, columns: Sequence[str], where: tuple[str, str] | None) -> pd.DataFrame:
        named = ", ".join(map(_quoted, columns))
        condition = f" WHERE {_quoted(where[0])} = ?" if where else ""
        query = f"SELECT {named} FROM {self._place(table)}{condition} LIMIT {MAX_ROWS + 1}"
        frame: pd.DataFrame = self.connection.execute(query, [where[1]] if where else []).df()
        check_shape(len(frame), len(columns))
        return frame

    @staticmethod
    def _place(table: str) -> str:
        return ".".join(map(_quoted, table.split(".", 1)))


@contextmanager
def _duckdb(file: Path) -> Iterator[Database]:
    try:
        duckdb = import_module("duckdb")
    except ImportError:
        raise DataError(
            'is a DuckDB database, which needs duckdb: pip install "stresslab[databases]"; or export it as parquet'
        ) from None
    connection, timer = None, None
    try:
        connection = duckdb.connect(str(file), read_only=True, config=_SETTINGS)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        timer = threading.Timer(PATIENCE, connection.interrupt)
        timer.daemon = True
        timer.start()
        yield _DuckDB(connection)
    except duckdb.Error as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            one_line(f"cannot be read as DuckDB ({reason:.120}); close programs that use it, or export it as parquet")
        ) from error
    finally:
        if timer is not None:
            timer.cancel()
        if connection is not None:
            connection.close()


_SETTINGS = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "memory_limit": "2GB",
    "temp_directory": "",
}
_OPENED = {"sqlite": _sqlite, "duckdb": _duckdb}
