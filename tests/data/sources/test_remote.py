"""Services: what is asked of their libraries, and what is made of the answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import load_bars
from stresslab.data.sources.remote import DEFAULT_BARS, PAGE, ccxt_frame, fetch_rows, yahoo_frame, yahoo_span
from tests.make.bars import make_bars

HOUR = 3_600_000
"""Milliseconds."""
NOW = pd.Timestamp("2024-06-28 15:00", tz="America/New_York")


def _answer(zone: str | None = "America/New_York", tickers: bool = False) -> pd.DataFrame:
    """Daily bars as `yfinance` returns them, the last one of today."""
    frame = make_bars(100).frame.drop(columns="amount")
    frame.columns = pd.Index(["Open", "High", "Low", "Close", "Volume"])
    frame.index = pd.bdate_range(end="2024-06-28", periods=100, tz=zone, name="Date")
    frame["Adj Close"] = frame["Close"] * np.linspace(0.9, 1.0, 100)
    if tickers:
        frame.columns = pd.MultiIndex.from_product([frame.columns, ["KO"]], names=["Price", "Ticker"])
    return frame


class FakeYahoo:
    """Stands in for the module `yfinance`: remembers what it was asked, gives a prepared answer."""

    def __init__(self, answer: pd.DataFrame | Exception | None) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def Ticker(self, name: str) -> FakeYahoo:
        """A ticker is the module itself."""
        self.asked["ticker"] = name
        return self

    def history(self, **asked: Any) -> pd.DataFrame | None:
        """The prepared answer."""
        self.asked |= asked
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FakeExchange:
    """Stands in for an exchange of `ccxt` that has hourly rows of the last 5,000 hours, and pages of 500."""

    timeframes: ClassVar = {"1h": "1h", "1d": "1d"}

    def __init__(self, settings: dict[str, Any]) -> None:
        assert settings == {"enableRateLimit": True}
        self.now = 1_719_586_800_000 + HOUR // 2
        bars = make_bars(5000, freq="h")
        start = self.now // HOUR * HOUR - 4999 * HOUR
        self.rows = [[start + k * HOUR, *row[:5].tolist()] for k, row in enumerate(bars.values)]

    def load_markets(self) -> dict[str, Any]:
        """Two pairs."""
        return {"BTC/USDT": {}, "BTC/USDT:USDT": {}}

    def parse_timeframe(self, timeframe: str) -> int:
        """Seconds."""
        return {"1h": 3600, "1d": 86_400}[timeframe]

    def milliseconds(self) -> int:
        """Half past the hour, so that the last bar is not finished."""
        return self.now

    def fetch_ohlcv(self, pair: str, timeframe: str, since: int, limit: int) -> list[list[float]]:
        """At most 500 rows from a time on."""
        assert (pair in self.load_markets(), timeframe, limit) == (True, "1h", PAGE)
        return [row for row in self.rows if row[0] >= since][:500]


@pytest.fixture
def ccxt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `ccxt` with one exchange."""
    monkeypatch.setitem(sys.modules, "ccxt", SimpleNamespace(exchanges=["binance"], binance=FakeExchange))


def _yahoo(monkeypatch: pytest.MonkeyPatch, answer: pd.DataFrame | Exception | None) -> FakeYahoo:
    fake = FakeYahoo(answer)
    monkeypatch.setitem(sys.modules, "yfinance", fake)
    return fake


@pytest.mark.parametrize("tickers", [False, True])
def test_yahoo(monkeypatch: pytest.MonkeyPatch, tickers: bool) -> None:
    """Daily bars of Yahoo keep their dates, are rescaled to the adjusted close, and say so."""
    answer = _answer(tickers=tickers)
    fake = _yahoo(monkeypatch, answer)
    bars = load_bars("yf:KO")
    assert (bars.symbol, bars.source) == ("KO", "yf:KO")
    assert list(bars.timestamps) == list(answer.index.tz_localize(None))
    np.testing.assert_array_equal(bars.close, answer["Adj Close"].to_numpy().ravel())
    assert any("rescaled to the adjusted close" in notice for notice in bars.notices)
    assert any("time zone America/New_York dropped" in notice for notice in bars.notices)
    asked = {"ticker": "KO", "interval": "1d", "period": "max"}
    assert {name: fake.asked[name] for name in asked} == asked
    assert fake.asked["auto_adjust"] is False


def test_yahoo_unfinished_bar() -> None:
    """The bar of a day, hour or month that still runs is left out with a notice; a finished one is not."""
    cases = [("1d", NOW, 99), ("1d", NOW + pd.Timedelta("1D"), 100), ("1mo", NOW, 99), ("1h", NOW, 100)]
    for interval, now, count in cases:
        frame, notices = yahoo_frame(_answer(), "KO", interval, now.tz_convert("UTC"), "yf:KO")
        assert len(frame) == count
        assert len(notices) == 100 - count
    naive, _ = yahoo_frame(_answer(zone=None), "KO", "1d", pd.Timestamp("2024-06-28 15:00", tz="UTC"), "yf:KO")
    assert len(naive) == 99


def test_yahoo_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """`until` includes its day, which Yahoo's own end does not; without `since` the longest range is asked for."""
    fake = _yahoo(monkeypatch, _answer())
    bars = load_bars("yf:KO", since="2024-03-01", until="2024-05-31")
    assert (str(bars.timestamps[0].date()), str(bars.timestamps[-1].date())) == ("2024-03-01", "2024-05-31")
    assert (str(fake.asked["start"].date()), str(fake.asked["end"].date())) == ("2024-03-01", "2024-06-01")
    assert yahoo_span("1h", None, None) == {"period": "730d"}
    assert str(yahoo_span("1d", None, "2020-01-01")["start"].date()) == "1900-01-01"
    assert yahoo_span("1m", None, "2024-01-01")["start"] > pd.Timestamp.now() - pd.Timedelta("7D")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Yahoo has no bars for it; check the ticker"),
        (_answer()[:0], "Yahoo has no bars for it; check the ticker"),
        (RuntimeError("rate limited\nsecond line"), r"the service gave no bars \(rate limited\); check the spelling"),
        (ConnectionError(), r"the service gave no bars \(ConnectionError\)"),
        (_answer().drop(columns="Close"), "no column 'close' among"),
    ],
)
def test_yahoo_faults(monkeypatch: pytest.MonkeyPatch, answer: pd.DataFrame | Exception | None, words: str) -> None:
    """No answer, an empty one, or an error of library or network is one line that names the source."""
    _yahoo(monkeypatch, answer)
    with pytest.raises(DataError, match=words) as caught:
        load_bars("yf:KO")
    assert str(caught.value).startswith("yf:KO: ")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("ccxt")
def test_ccxt() -> None:
    """Without a range the newest bars of an exchange come page by page, but for the one that is not finished."""
    bars = load_bars("ccxt:binance:BTC/USDT:1h")
    assert (bars.symbol, bars.source) == ("BTC/USDT", "ccxt:binance:BTC/USDT:1h")
    assert abs(len(bars) - DEFAULT_BARS) <= 1
    assert bars.calendar.describe() == "1 hour bars, 24/7, 8,760 a year"
    assert str(bars.timestamps[-1]) == "2024-06-28 14:00:00"
    assert "the bar of 2024-06-28 15:00:00 is not finished and was left out" in bars.notices


@pytest.mark.usefixtures("ccxt")
def test_ccxt_range_and_swaps() -> None:
    """A range is cut to the day, and a pair may hold a colon of its own."""
    bars = load_bars("ccxt:binance:BTC/USDT:USDT:1h", since="2024-02-01", until="2024-03-31")
    assert bars.symbol == "BTC/USDT:USDT"
    assert (str(bars.timestamps[0]), str(bars.timestamps[-1])) == ("2024-02-01 00:00:00", "2024-03-31 23:00:00")
    assert len(bars) == 60 * 24


@pytest.mark.usefixtures("ccxt")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("ccxt:binanse:BTC/USDT:1h", "exchange 'binanse' is not known to ccxt; did you mean 'binance'"),
        ("ccxt:binance:BTC/USD:1h", "pair 'BTC/USD' is not traded on binance; did you mean 'BTC/USDT'"),
        ("ccxt:binance:BTC/USDT:7h", "time frame '7h' is not served by binance; choose one of 1h, 1d"),
        ("ccxt:binance:BTC/USDT", "an exchange, a pair and a time frame are needed"),
    ],
)
def test_ccxt_faults(source: str, words: str) -> None:
    """A misspelt exchange, pair or time frame is answered with what there is."""
    with pytest.raises(DataError, match=words):
        load_bars(source)


def test_pages_meet() -> None:
    """Pages are put together without a gap or a repetition, and empty pages are passed over until the end."""
    rows = [[float(k * HOUR), 1.0, 1.0, 1.0, 1.0, 1.0] for k in (*range(700), *range(4000, 4700))]
    calls: Iterator[int] = iter(range(1000))

    def page(at: int) -> list[list[float]]:
        next(calls)
        return [row for row in rows if at <= row[0] < at + PAGE * HOUR][:300]

    assert fetch_rows(page, 0, 5000 * HOUR, HOUR) == rows
    assert next(calls) < 20
    assert fetch_rows(page, 0, 100 * HOUR, HOUR) == rows[:101]


def test_no_rows() -> None:
    """An exchange without a single bar is one line."""
    with pytest.raises(DataError, match="the exchange has no bars for it; check the pair"):
        ccxt_frame([], HOUR, 0, "ccxt:x")


@pytest.mark.network
@pytest.mark.parametrize(
    ("source", "pattern"), [("yf:KO", "weekdays"), ("yf:BTC-USD", "24/7"), ("yf:KO:1h", "sessions")]
)
def test_real_yahoo(source: str, pattern: str) -> None:
    """Yahoo's bars of today load."""
    pytest.importorskip("yfinance")
    bars = load_bars(source, repair=True)
    assert len(bars) > 1000
    assert bars.calendar.pattern == pattern


@pytest.mark.network
def test_real_unknown_ticker() -> None:
    """A ticker that Yahoo does not know is one line."""
    pytest.importorskip("yfinance")
    with pytest.raises(DataError, match="yf:THERE-IS-NO-SUCH-TICKER") as caught:
        load_bars("yf:THERE-IS-NO-SUCH-TICKER")
    assert "\n" not in str(caught.value)


@pytest.mark.network
def test_real_exchange() -> None:
    """An exchange's bars of today load."""
    pytest.importorskip("ccxt")
    bars = load_bars("ccxt:kraken:BTC/USD:1h")
    assert len(bars) > 500
    assert bars.calendar.pattern == "24/7"
