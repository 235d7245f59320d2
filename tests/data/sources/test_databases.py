"""Tables of SQLite and DuckDB: the same bars as from a file, read alone, and foreign databases within bounds."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import load_bars, load_series
from stresslab.data.sources import bounds, databases
from stresslab.data.sources.load_market import load_data, load_market
from tests.data.tables import same
from tests.make.bars import make_bars

BARS = make_bars(60)
OTHER = make_bars(60, seed=1)
FRAME = BARS.frame.rename_axis("timestamp").reset_index()


def sqlite(path: Path, *statements: str, **tables: pd.DataFrame) -> Path:
    """An SQLite database of tables, with time stamps as texts, and whatever else was done."""
    connection = sqlite3.connect(path)
    for name, frame in tables.items():
        frame.assign(timestamp=frame["timestamp"].astype(str)).to_sql(name, connection, index=False)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def duck(path: Path, *statements: str, **tables: pd.DataFrame) -> Path:
    """A DuckDB database of tables."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            connection.register("given", frame)
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM given')
            connection.unregister("given")
        for statement in statements:
            connection.execute(statement)
    return path


MAKE: dict[str, Any] = {"sqlite": sqlite, "duckdb": duck}
both = pytest.mark.parametrize("kind", ["sqlite", "duckdb"])


def refused(source: str) -> str:
    """The one line that says why a source cannot be used."""
    with pytest.raises(DataError) as caught:
        load_bars(source)
    line = str(caught.value)
    assert line.isprintable()
    assert line.startswith(source)
    return line.removeprefix(source).lstrip(": ")


@both
def test_a_table(tmp_path: Path, kind: str) -> None:
    """A table gives the bars that were put into it, called by its name, however it is spelled."""
    path = MAKE[kind](tmp_path / "bars.db", prices=FRAME, notes=pd.DataFrame({"timestamp": ["x"], "text": ["y"]}))
    bars = load_bars(f"{kind}:{path}:prices")
    assert same(bars, BARS)
    assert (bars.symbol, bars.source) == ("prices", f"{kind}:{path}:prices")
    for source in (f"{kind}:{path}", str(path)):
        assert same(load_bars(source), BARS)


@both
def test_rows_have_no_order(tmp_path: Path, kind: str) -> None:
    """Rows come in the order of time, as a table has none, and nothing is called repaired."""
    path = MAKE[kind](tmp_path / "bars.db", prices=FRAME.sample(frac=1, random_state=0))
    bars = load_bars(f"{kind}:{path}:prices")
    assert same(bars, BARS)
    assert bars.repaired == 0


@both
def test_several_symbols(tmp_path: Path, kind: str) -> None:
    """A long table is a market; `#SYMBOL` takes one series of it."""
    long = pd.concat(
        [FRAME.assign(symbol="KO"), OTHER.frame.rename_axis("timestamp").reset_index().assign(symbol="PEP")]
    )
    path = MAKE[kind](tmp_path / "bars.db", prices=long.sample(frac=1, random_state=0))
    source = f"{kind}:{path}:prices"
    assert same(load_bars(f"{source}#PEP"), OTHER)
    assert load_bars(f"{source}#PEP").symbol == "PEP"
    assert same(load_bars(f"{path}#PEP"), OTHER)
    assert same(load_bars(f"{path}#prices#PEP"), OTHER)
    assert [bars.symbol for bars in load_series(source)] == ["KO", "PEP"]
    assert load_market(source).symbols == ("KO", "PEP")
    assert load_data([source]).symbol != "KO"
    assert same(load_data([f"{source}#KO"]), BARS)
    assert refused(source).startswith("2 symbols in one file (KO, PEP)")
    assert "symbol 'PEQ' is not in the file; did you mean 'PEP'?" in refused(f"{source}#PEQ")


@both
def test_which_table(tmp_path: Path, kind: str) -> None:
    """Without a name the only table of bars is taken; a wrong one is answered with the nearest."""
    path = MAKE[kind](tmp_path / "bars.db", daily=FRAME, hourly=FRAME)
    assert refused(f"{kind}:{path}").startswith(
        f"holds 2 tables of bars (daily, hourly); choose one: {kind}:{path}:daily"
    )
    assert refused(f"{kind}:{path}:dayly") == "no table 'dayly'; did you mean 'daily'?"
    path = MAKE[kind](tmp_path / "notes.db", notes=pd.DataFrame({"timestamp": ["x"], "text": ["y"]}))
    assert refused(f"{kind}:{path}").startswith("no table with columns open, high, low and close (notes)")
    assert refused(f"{kind}:{path}:notes").startswith("row 1: x is not a time stamp")
    empty = MAKE[kind](tmp_path / "empty.db", prices=FRAME[:0])
    assert refused(f"{kind}:{empty}:prices").startswith("table 'prices' holds no rows")


@both
def test_spellings_that_are_wrong(tmp_path: Path, kind: str) -> None:
    """A file that is not there, or none at all, is one line with the spelling."""
    if kind == "duckdb":
        pytest.importorskip("duckdb")
    assert refused(f"{kind}:").startswith(f"no such file; write {kind}:FILE:TABLE, for example {kind}:bars.db:prices")
    assert refused(f"{kind}:{tmp_path}/no.db:prices").startswith(f"no such file '{tmp_path}/no.db'; write {kind}:")
    (tmp_path / "x.db").write_bytes(
        b"SQLite format 3\0" + bytes(50) if kind == "sqlite" else bytes(8) + b"DUCK" + bytes(50)
    )
    assert refused(str(tmp_path / "x.db")).startswith(
        f"cannot be read as {'SQLite' if kind == 'sqlite' else 'DuckDB'} ("
    )
    (tmp_path / "y.db").write_text("date,open\n")
    assert "cannot be read as" in refused(f"{kind}:{tmp_path}/y.db:prices")


@both
def test_names_are_quoted(tmp_path: Path, kind: str) -> None:
    """Names of tables and columns are names, whatever they hold."""
    name = 'a "b"; DROP TABLE x --'
    frame = FRAME.rename(columns={"open": "Open"})
    if kind == "sqlite":
        path = sqlite(tmp_path / "bars.db", **{name: frame})
    else:
        path = duck(
            tmp_path / "bars.db", f'ALTER TABLE plain RENAME TO "{name.replace(chr(34), chr(34) * 2)}"', plain=frame
        )
    assert same(load_bars(f"{kind}:{path}:{name}"), BARS)


@both
def test_too_many_rows(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than are read are refused, also those that a view makes up."""
    view = "CREATE VIEW more AS SELECT a.* FROM prices a, prices b, prices c, prices d"
    path = MAKE[kind](tmp_path / "bars.db", view, prices=FRAME)
    monkeypatch.setattr(databases, "MAX_ROWS", 10_000)
    monkeypatch.setattr(bounds, "MAX_ROWS", 10_000)
    assert refused(f"{kind}:{path}:more").startswith("holds 10,001 rows, more than the 10,000 that are read")


def test_a_view_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query has its time."""
    endless = (
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) "
        "SELECT i AS timestamp, 1 AS open, 1 AS high, 1 AS low, count(*) AS close FROM n"
    )
    path = sqlite(tmp_path / "bars.db", endless, prices=FRAME)
    monkeypatch.setattr(databases, "PATIENCE", 0.3)
    begun = time.monotonic()
    assert refused(f"sqlite:{path}:endless").startswith("cannot be read as SQLite (takes too long)")
    assert time.monotonic() - begun < 5


def test_a_duck_view_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query of DuckDB has its time, too."""
    endless = (
        "CREATE VIEW endless AS SELECT sum(a.range * b.range) AS open, 1 AS high, 1 AS low, 1 AS close, 1 AS timestamp "
        "FROM range(10000000) a, range(10000000) b"
    )
    path = duck(tmp_path / "bars.db", endless, prices=FRAME)
    monkeypatch.setattr(databases, "PATIENCE", 0.3)
    begun = time.monotonic()
    assert refused(f"duckdb:{path}:endless").startswith("cannot be read as DuckDB (")
    assert time.monotonic() - begun < 10


def test_long_texts(tmp_path: Path) -> None:
    """SQLite gives no text longer than a megabyte, whatever a view asks for."""
    long = "CREATE VIEW long AS SELECT timestamp, open, high, low, hex(zeroblob(100000000)) AS close FROM prices"
    path = sqlite(tmp_path / "bars.db", long, prices=FRAME)
    assert refused(f"sqlite:{path}:long").startswith("cannot be read as SQLite (string or blob too big)")


def test_nothing_is_written(tmp_path: Path) -> None:
    """Neither database is changed, nor is anything put beside it; another's write-ahead log is read."""
    path = sqlite(tmp_path / "bars.db", "PRAGMA journal_mode = WAL", prices=FRAME[:50])
    writer = sqlite3.connect(path)
    rows = FRAME[50:].assign(timestamp=FRAME["timestamp"].astype(str))
    rows.to_sql("prices", writer, index=False, if_exists="append")
    writer.commit()
    content = path.read_bytes()
    assert same(load_bars(f"sqlite:{path}:prices"), BARS)
    assert path.read_bytes() == content
    writer.close()
    (tmp_path / "ducks").mkdir()
    path = duck(tmp_path / "ducks" / "bars.db", prices=FRAME)
    content = path.read_bytes()
    assert same(load_bars(f"duckdb:{path}:prices"), BARS)
    assert [one.name for one in (tmp_path / "ducks").iterdir()] == ["bars.db"]
    assert path.read_bytes() == content


def test_no_other_file_is_reached(tmp_path: Path) -> None:
    """A view of a foreign database that reads a file is refused."""
    (tmp_path / "secret.csv").write_text("timestamp,open,high,low,close\n2024-01-01,1,1,1,1\n")
    view = f"CREATE VIEW reaching AS SELECT * FROM read_csv('{tmp_path}/secret.csv')"
    path = duck(tmp_path / "bars.db", view, prices=FRAME)
    assert refused(f"duckdb:{path}:reaching").startswith("cannot be read as DuckDB (Permission Error")


def test_types_of_duckdb(tmp_path: Path) -> None:
    """Decimals, time stamps with a zone, dates and schemas are read."""
    path = duck(
        tmp_path / "bars.db",
        "CREATE SCHEMA market",
        "CREATE TABLE market.hourly AS SELECT timestamp::TIMESTAMPTZ AS timestamp, open::DECIMAL(18, 6) AS open, "
        "high::DECIMAL(18, 6) AS high, low::DECIMAL(18, 6) AS low, close::DECIMAL(18, 6) AS close FROM prices",
        prices=FRAME,
    )
    bars = load_bars(f"duckdb:{path}:market.hourly")
    assert bars.timestamps.equals(BARS.timestamps)
    assert np.allclose(bars.values[:, :4], BARS.values[:, :4], atol=1e-6)


def test_without_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is missing, the line says how to install it."""
    path = duck(tmp_path / "bars.db", prices=FRAME)

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(databases, "import_module", missing)
    assert 'needs duckdb: pip install "stresslab[databases]"' in refused(f"duckdb:{path}:prices")
