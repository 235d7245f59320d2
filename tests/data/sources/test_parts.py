"""Parts of one series: recognised by their names, joined in the order of time."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import load_bars, load_series
from stresslab.data.sources.load_market import load_data
from stresslab.data.sources.parts import are_parts, bare, grouped, series_name
from tests.data.tables import same, table, text
from tests.make.bars import make_bars

BARS = make_bars(100, freq="D", start="2024-01-01")


def by_month(folder: Path, reverse: bool = False) -> Path:
    """The bars in a file a month."""
    folder.mkdir()
    for month in ("2024-01", "2024-02", "2024-03", "2024-04"):
        rows = table(BARS[BARS.timestamps.slice_indexer(month, month)])
        (folder / f"KO-{month}.csv").write_text(text(rows[::-1] if reverse else rows))
    return folder


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("BTCUSDT-1h-2024-01.csv.zip", ("BTCUSDT-1h", "2024-01")),
        ("spot/BTCUSDT-1h-2024-01-31.zip", ("BTCUSDT-1h", "2024-01-31")),
        ("DAT_ASCII_EURUSD_M1_2020.csv", ("DAT_ASCII_EURUSD_M1", "2020")),
        ("DAT_ASCII_EURUSD_M1_202007.csv", ("DAT_ASCII_EURUSD_M1", "202007")),
        ("2024-01-02.csv.gz", ("", "2024-01-02")),
        ("US500.csv", ("US500", "")),
        ("600519.csv", ("600519", "")),
    ],
)
def test_dates_in_names(name: str, found: tuple[str, str]) -> None:
    """A year, a month or a day at the end of a name is a part's; a number that is none belongs to the name."""
    assert series_name(name) == found


def test_what_are_parts() -> None:
    """Files are parts of one series when nothing but the date differs, and that is of one kind."""
    assert are_parts(["a-2024-01.csv", "a-2024-02.csv"])
    assert not are_parts(["a-2024-01.csv"])
    assert not are_parts(["a-2024-01.csv", "b-2024-02.csv"])
    assert not are_parts(["a-2024-01.csv", "a-2024.csv"])
    assert not are_parts(["a-2024-01.csv", "a-2024-01.csv"])
    assert grouped(["a-2023.csv", "a-2024.csv", "b.csv"]) == [["a-2023.csv", "a-2024.csv"], ["b.csv"]]
    assert bare("x/.csv") == ".csv"


@pytest.mark.parametrize("reverse", [False, True])
def test_a_folder_of_months(tmp_path: Path, reverse: bool) -> None:
    """A folder that holds the months of one series is that series, for every loader."""
    folder = by_month(tmp_path / "months", reverse)
    for bars in (load_bars(folder), load_series(str(folder))[0], load_data([str(folder)])):
        assert same(bars, BARS)
        assert bars.symbol == "KO"
        assert "4 files joined, KO-2024-01.csv to KO-2024-04.csv" in bars.notices


def test_a_folder_of_two_series(tmp_path: Path) -> None:
    """Months of one symbol beside a file of another are a market of two."""
    folder = by_month(tmp_path / "both")
    (folder / "PEP.csv").write_text(text(table(make_bars(100, seed=1, freq="D", start="2024-01-01"))))
    assert [bars.symbol for bars in load_series(str(folder))] == ["KO", "PEP"]
    with pytest.raises(DataError, match="is a directory; give one"):
        load_bars(folder)


def test_days_of_all_symbols(tmp_path: Path) -> None:
    """A file a day with all symbols in each, as flat files are, gives every symbol whole."""
    other = make_bars(100, seed=1, freq="D", start="2024-01-01")
    for half in (slice(0, 60), slice(60, 100)):
        rows = pd.concat([table(BARS[half]).assign(ticker="KO"), table(other[half]).assign(ticker="PEP")])
        (tmp_path / f"2024-0{1 + half.start // 60}-01.csv").write_text(text(rows))
    first, second = load_series(str(tmp_path))
    assert same(first, BARS)
    assert same(second, other)


def test_parts_that_overlap(tmp_path: Path) -> None:
    """Parts that hold the same days are refused by their names; so is a part without bars."""
    folder = by_month(tmp_path / "months")
    (folder / "KO-2024-05.csv").write_text(text(table(BARS[95:])))
    with pytest.raises(DataError, match=r"months: KO-2024-04\.csv and KO-2024-05\.csv overlap in time"):
        load_bars(folder)
    (folder / "KO-2024-05.csv").write_text("date,first,second\n2024-05-01,1,2\n")
    with pytest.raises(DataError, match=r"KO-2024-05\.csv: no"):
        load_bars(folder)
