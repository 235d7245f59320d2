"""Many series at once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import load_bars, load_series
from tests.data.tables import same, table, text
from tests.make.bars import make_bars

ONE, TWO = make_bars(60), make_bars(80, seed=1)


def _both() -> pd.DataFrame:
    frames = [bars.frame.rename_axis("timestamp").assign(symbol=name) for bars, name in ((TWO, "B"), (ONE, "A"))]
    return pd.concat(frames)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("index", [False, True])
def test_every_symbol_of_a_file(tmp_path: Path, kind: str, index: bool) -> None:
    """A file of many symbols gives each of them, by name, wherever its time stamps stand."""
    frame = _both() if index else _both().reset_index()
    path = tmp_path / f"all.{kind}"
    frame.to_parquet(path) if kind == "parquet" else frame.to_feather(path)
    first, second = load_series(str(path))
    assert (first.symbol, second.symbol) == ("A", "B")
    assert first.source == f"{path}#A"
    assert same(first, ONE)
    assert same(second, TWO)


def test_every_file_of_a_folder(tmp_path: Path) -> None:
    """A folder gives the series of all its tables, in the order of their names, and leaves other files alone."""
    (tmp_path / "b.csv").write_text(text(table(TWO)))
    TWO.frame.rename_axis("timestamp").reset_index().to_parquet(tmp_path / "c.parquet")
    (tmp_path / "a.csv").write_text(text(table(ONE)))
    (tmp_path / "README.md").write_text("bars")
    assert [bars.symbol for bars in load_series(str(tmp_path))] == ["a", "b", "c"]


def test_other_sources() -> None:
    """What is no path is read as `load_bars` reads it."""
    assert [bars.symbol for bars in load_series("sample:nasdaq")] == ["nasdaq"]


def test_faults_name_the_series(tmp_path: Path) -> None:
    """Repairs are made and counted by default; what cannot be repaired names file and symbol."""
    frame = _both().reset_index()
    frame.loc[3, "volume"] = -1.0
    path = tmp_path / "all.parquet"
    frame.to_parquet(path)
    assert [bars.repaired for bars in load_series(str(path))] == [0, 1]
    with pytest.raises(DataError, match=r"all\.parquet#B: row 4 .*volume=-1 is below 0"):
        load_series(str(path), repair=False)
    path.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(DataError, match=r"all\.parquet is damaged or not complete"):
        load_series(str(path))


def test_folder_without_tables(tmp_path: Path) -> None:
    """A folder that holds no tables is refused with the endings that count."""
    with pytest.raises(DataError, match=r"holds no tables \(\.csv, .*\); name one that does"):
        load_series(str(tmp_path))


def test_a_file_without_a_symbol_in_its_column(tmp_path: Path) -> None:
    """A column of symbols that names none gives no series, and that is said."""
    frame = _both().reset_index().assign(symbol=None)
    frame.to_parquet(tmp_path / "all.parquet")
    with pytest.raises(DataError, match=r"all\.parquet: .*symbol"):
        load_series(str(tmp_path / "all.parquet"))


def test_every_symbol_is_the_one_that_load_bars_gives(tmp_path: Path) -> None:
    """A series' source loads it alone, the same bars."""
    path = tmp_path / "all.parquet"
    _both().reset_index().to_parquet(path)
    for bars in load_series(str(path)):
        assert load_bars(bars.source).digest == bars.digest


def test_bad_files_and_symbols_are_left_out_on_request(tmp_path: Path) -> None:
    """Each is told once, with its name; the rest is loaded, and without the request the first is an error."""
    (tmp_path / "a.csv").write_text(text(table(ONE)))
    (tmp_path / "b.csv").write_text("")
    frame = _both().reset_index()
    frame.loc[frame["symbol"] == "B", "close"] = -1.0
    frame.to_parquet(tmp_path / "c.parquet")
    (tmp_path / "d.parquet").write_bytes(b"PAR1" + bytes(100))
    told: list[DataError] = []
    assert [bars.symbol for bars in load_series(str(tmp_path), on_bad=told.append)] == ["a", "A"]
    assert [Path(str(error).split(":")[0].split("#")[0].split(" ")[0]).name for error in told] == [
        "b.csv",
        "c.parquet",
        "d.parquet",
    ]
    with pytest.raises(DataError, match=r"b\.csv: the file is empty"):
        load_series(str(tmp_path))


def test_a_folder_of_bad_files_is_refused(tmp_path: Path) -> None:
    """Nothing to load is an error even where bad files may be left out; it gives the first reason."""
    (tmp_path / "b.csv").write_text("")
    with pytest.raises(DataError, match=r"none of its series can be used.*b\.csv: the file is empty"):
        load_series(str(tmp_path), on_bad=lambda _: None)


def test_packed_and_other_kinds_in_a_folder(tmp_path: Path) -> None:
    """Packed files and JSON in a folder are read as they are alone, and their sources load them again."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text(table(ONE)).encode()))
    rows = TWO.frame.rename_axis("timestamp").reset_index().astype({"timestamp": str})
    (tmp_path / "b.json").write_text(json.dumps(rows.to_dict(orient="records")))
    first, second = load_series(str(tmp_path))
    assert same(first, ONE)
    assert same(second, TWO)
    assert same(load_bars(second.source), TWO)


def test_several_symbols_in_an_archive(tmp_path: Path) -> None:
    """A long table in an archive gives each of its symbols."""
    (tmp_path / "all.csv.gz").write_bytes(gzip.compress(_both().to_csv().encode()))
    series = load_series(str(tmp_path / "all.csv.gz"))
    assert [(bars.symbol, len(bars)) for bars in series] == [("A", 60), ("B", 80)]
    assert load_bars(series[0].source).digest == series[0].digest
