"""One door to all sources."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import load_bars
from stresslab.data.sources.load import SAMPLES, load_sample
from tests.data.tables import same, table, text
from tests.make.bars import make_bars

BARS = make_bars(120)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """A file of bars."""
    path = tmp_path / "KO.csv"
    path.write_text(text(table(BARS)))
    return path


def test_files(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file loads by text, by path object, relative, or below the home folder."""
    assert same(load_bars(csv), BARS)
    monkeypatch.chdir(csv.parent)
    assert same(load_bars("KO.csv"), BARS)
    monkeypatch.setenv("HOME", str(csv.parent))
    assert same(load_bars("~/KO.csv"), BARS)


def test_file_whose_name_looks_like_a_scheme(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that exists is a file, whatever its name."""
    csv.rename(csv.with_name("yf:KO"))
    monkeypatch.chdir(csv.parent)
    assert same(load_bars("yf:KO"), BARS)


def test_range(csv: Path) -> None:
    """`since` and `until` belong to the range, and rows outside are not judged."""
    part = load_bars(csv, since="2015-02-02", until="2015-05-29")
    assert (str(part.timestamps[0].date()), str(part.timestamps[-1].date())) == ("2015-02-02", "2015-05-29")
    csv.write_text(csv.read_text().replace(repr(float(BARS.close.iloc[3])), "-1"))
    assert same(load_bars(csv, since="2015-02-02", until="2015-05-29"), part)


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2015-05-29", "2015-02-02", "since=2015-05-29 comes after until=2015-02-02; swap them"),
        ("2040-01-01", None, "since=2040-01-01 leaves no bars: the data run from 2015-01-01"),
        (None, "1990-01-01", "until=1990-01-01 leaves no bars: the data run from 2015-01-01"),
        ("2015-02-02", "2015-02-10", "7 bars are too few; give at least 30"),
        ("tomorrow?", None, "since='tomorrow\\?' is not a date; write for example"),
    ],
)
def test_wrong_range(csv: Path, since: str | None, until: str | None, words: str) -> None:
    """A range that is no range or holds too little is refused with the span of the data."""
    with pytest.raises(DataError, match=words) as caught:
        load_bars(csv, since=since, until=until)
    assert str(caught.value).startswith(f"{csv}: ")


def test_repair_counts(csv: Path) -> None:
    """With `repair=True` each kind of fault is repaired, told of and counted, and without it refused."""
    frame = table(BARS)
    frame.loc[10, "close"] = ""
    frame.loc[20, "volume"] = "-5"
    frame.loc[30, "high"] = frame.loc[30, "low"]
    frame.loc[40, "date"] = frame.loc[39, "date"]
    frame.loc[[50, 51], "date"] = frame.loc[[51, 50], "date"].to_numpy()
    csv.write_text(text(frame))
    with pytest.raises(DataError, match="load with repair=True to"):
        load_bars(csv)
    bars = load_bars(csv, repair=True)
    assert bars.repaired == 5
    assert len(bars) == len(BARS) - 2
    assert sum(notice.startswith("repaired: ") for notice in bars.notices) == 5


def test_adjusted_close_and_split(csv: Path) -> None:
    """An adjusted close rescales with a notice; a jump like a split in raw prices is warned of with row and ratio."""
    frame = BARS.frame.rename_axis("date").reset_index()
    raw = frame.copy()
    raw.loc[:59, ["open", "high", "low", "close"]] *= 10
    raw.to_csv(csv, index=False)
    (warning,) = [notice for notice in load_bars(csv).notices if notice.startswith("warning: ")]
    assert "row 61 " in warning
    assert "as after an unadjusted 10:1 split" in warning
    raw.assign(**{"Adj Close": frame["close"]}).to_csv(csv, index=False)
    bars = load_bars(csv)
    np.testing.assert_allclose(bars.values[:, :4], BARS.values[:, :4], rtol=1e-12)
    assert any("prices rescaled to the adjusted close (factors 0.1 to 1)" in notice for notice in bars.notices)
    assert not [notice for notice in bars.notices if notice.startswith("warning: ")]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("sample:foo", "sample:foo is not a sample; there are sample:bitcoin .*sample:sp500"),
        ("foo:bar", "foo: is not a kind of source; give a file's path or one of sample:..., yf:..., ccxt:..."),
        ("https://example.org/x.csv", "addresses are not read; download the file"),
        ("nothing.csv", "no such file"),
        ("C:\\bars.csv", "no such file"),
        ("", "no path is given"),
        ("a\nb:c", "no such file"),
        ("yf:", "yf: names no ticker; write yf:TICKER"),
        ("yf:KO:2d", "interval '2d' is not served by Yahoo; choose one of 1m, "),
        ("ccxt:binance", "an exchange, a pair and a time frame are needed; write ccxt:binance:BTC/USDT:1h"),
    ],
)
def test_wrong_sources(source: str, words: str) -> None:
    """What names no source is answered in one line with those there are."""
    with pytest.raises(DataError, match=words) as caught:
        load_bars(source)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("source", "package"), [("yf:KO", "yfinance"), ("ccxt:binance:BTC/USDT:1h", "ccxt")])
def test_services_without_their_library(source: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service whose library is not installed is answered with the command that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=f"^{source}: needs {package}, .*: pip install {package}$"):
        load_bars(source)


def test_all_is_shown(csv: Path) -> None:
    """Loaded bars show frequency, pattern and bars a year, and say what was filled in."""
    pd.read_csv(csv).drop(columns="amount").to_csv(csv, index=False)
    bars = load_bars(csv)
    assert bars.calendar.describe() == "1 day bars, Monday to Friday, 252 a year"
    assert bars.notices == ("no amount: it is volume times the mean of open, high, low and close",)


@pytest.mark.parametrize(
    ("name", "count", "first", "last", "rhythm"),
    [
        ("bitcoin", 3221, "2017-08-17", "2026-06-11", "1 day bars, 24/7, 365 a year"),
        ("nasdaq", 5031, "1999-01-04", "2018-12-31", "1 day bars, Monday to Friday, 252 a year"),
        ("sp500", 5031, "1999-01-04", "2018-12-31", "1 day bars, Monday to Friday, 252 a year"),
    ],
)
def test_samples_load(name: str, count: int, first: str, last: str, rhythm: str) -> None:
    """Each sample is years of sound daily bars without a repair."""
    bars = load_sample(name)
    assert len(bars) == count
    assert (str(bars.timestamps[0].date()), str(bars.timestamps[-1].date())) == (first, last)
    assert bars.calendar.describe() == rhythm
    assert (bars.symbol, bars.source, bars.repaired) == (name, f"sample:{name}", 0)
    assert (bars.volume > 0).mean() > 0.999
    assert not [notice for notice in bars.notices if notice.startswith("warning")]


def test_range_of_a_sample() -> None:
    """A sample is cut like any other source."""
    bars = load_sample("nasdaq", since="2008-01-01", until="2008-06-30")
    assert (str(bars.timestamps[0].date()), str(bars.timestamps[-1].date())) == ("2008-01-02", "2008-06-30")


@pytest.mark.parametrize(
    ("name", "words"), [("nasdak", "did you mean sample:nasdaq"), ("", "there are"), ("x\n", r"sample:x\\n is not")]
)
def test_unknown_sample(name: str, words: str) -> None:
    """An unknown name is answered with all that there are, and the similar one, in one line."""
    with pytest.raises(DataError, match=words) as caught:
        load_sample(name)
    assert all(f"sample:{known}" in str(caught.value) for known in SAMPLES)
    assert "\n" not in str(caught.value)
