"""Markets from files, folders, long tables and the bundled sample."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data.market_index import IndexBars
from stresslab.data.sources import load_market as load_market_module
from stresslab.data.sources.files import Source
from stresslab.data.sources.load import load_bars
from stresslab.data.sources.load_market import load_data, load_market
from tests.make.bars import make_bars


def table(seed: int) -> pd.DataFrame:
    """A table as files hold it."""
    return make_bars(120, seed=seed).frame.rename_axis("timestamp").reset_index()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two CSV files."""
    for seed, name in enumerate(("AAA", "BBB")):
        table(seed).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_files_a_folder_and_a_long_table_are_the_same_market(folder: Path, tmp_path: Path) -> None:
    """However the series are stored, the market is the same."""
    files = load_market([folder / "AAA.csv", folder / "BBB.csv"])
    long = pd.concat([table(0).assign(symbol="AAA"), table(1).assign(symbol="BBB")])
    (tmp_path / "long").mkdir()
    long.to_csv(tmp_path / "long" / "both.csv", index=False)
    long.to_parquet(tmp_path / "long" / "both.parquet")
    assert files.symbols == ("AAA", "BBB")
    for source in (folder, tmp_path / "long" / "both.csv", tmp_path / "long" / "both.parquet"):
        assert load_market(source).digest == files.digest


def test_since_and_until_cut_every_series(folder: Path) -> None:
    """Dates apply to all series."""
    whole = load_market(folder)
    cut = load_market(folder, since=str(whole.timestamps[10]), until=str(whole.timestamps[59]))
    np.testing.assert_array_equal(cut.values, whole.values[:, 10:60])


def test_the_bundled_market(tmp_path: Path) -> None:
    """Five cryptocurrencies come with the installation; one of them is loaded as bars by its symbol."""
    market = load_market("sample:crypto5")
    assert market.symbols == ("BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
    assert len(market) == 1825
    assert market.calendar.pattern == "24/7"
    bars = load_bars("sample:crypto5#ETHUSDT")
    assert bars.digest == market["ETHUSDT"].digest
    assert bars.source == "sample:crypto5#ETHUSDT"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ([], "no source is given"),
        (["missing.csv"], "missing.csv: no such file"),
        (["sample:crypto"], "did you mean sample:crypto5?"),
        (["sample:crypto5", "sample:crypto5#BTCUSDT"], "'BTCUSDT' is given twice; leave one of the two out"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(source: list[str], line: str) -> None:
    """The message names the source and the remedy."""
    with pytest.raises(DataError) as error:
        load_market(source)
    assert line in str(error.value)


@pytest.mark.parametrize("source", ["sample:crypto5", "sample:crypto5#BTCUSDT", "sample:bitcoin"])
def test_a_complaint_about_a_sample_names_the_sample(source: str) -> None:
    """As it was asked for, not the file of the package that holds it."""
    with pytest.raises(DataError, match="since=2040-01-01 leaves no bars: the data run from") as error:
        load_data([source], since="2040-01-01")
    assert str(error.value).startswith(source)
    assert "parquet" not in str(error.value)


def test_bars_of_a_market_name_the_way_out() -> None:
    """A market where bars are wanted is refused with both remedies."""
    with pytest.raises(DataError, match=r"sl.load_market\), or choose one of them"):
        load_bars("sample:crypto5")


def test_a_source_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a file holds one symbol or several is seen while it is read, which may take long."""
    long = pd.concat([table(0).assign(symbol="AAA"), table(1).assign(symbol="BBB")])
    (folder / "long").mkdir()
    long.to_csv(folder / "long" / "both.csv", index=False)
    read: list[str] = []
    load = load_market_module.read_source

    def noted(path: str) -> Source:
        read.append(path)
        return load(path)

    monkeypatch.setattr(load_market_module, "read_source", noted)
    assert load_data([str(folder / "AAA.csv")]).digest == load_bars(folder / "AAA.csv").digest
    assert load_data([str(folder / "long" / "both.csv")]).digest == load_market(folder / "long" / "both.csv").digest
    assert read == [str(folder / "AAA.csv"), str(folder / "long" / "both.csv")]


def test_the_year_of_a_market_and_its_index(folder: Path) -> None:
    """A market's index has its year, also one that was asked for, and passes it on to every symbol."""
    index = load_data([str(folder)]).of_year(260)
    assert isinstance(index, IndexBars)
    assert index.periods_per_year == 260
    assert [bars.periods_per_year for bars in index[:50].market] == [260, 260]
    assert pickle.loads(pickle.dumps(index)).periods_per_year == 260
    for name in ("AAA", "BBB"):
        (folder / f"{name}.csv").rename(folder / f"{name.replace('AAA', 'EURUSD').replace('BBB', 'GBPUSD')}.csv")
    assert load_data([str(folder)]).periods_per_year == 260
