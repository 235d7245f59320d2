"""From a user's table to values: names, gaps, adjusted closes, ranges of dates."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import Bars
from tests.make.bars import make_bars

FRAME = make_bars(100).frame.rename_axis("timestamp").reset_index()
PRICES = ["open", "high", "low", "close"]
HOURLY = make_bars(300, freq="h").frame


def test_no_volume() -> None:
    """Without a volume, volume and amount are zero, as in Kronos, even beside an amount."""
    for columns in (PRICES, [*PRICES, "amount"]):
        bars = Bars.from_frame(FRAME[["timestamp", *columns]])
        assert (bars.values[:, 4:] == 0).all()
        assert "no volume: volume and amount are zero" in bars.notices


def test_no_amount() -> None:
    """A missing amount is the volume times the mean of open, high, low and close."""
    bars = Bars.from_frame(FRAME.drop(columns="amount"))
    np.testing.assert_array_equal(bars.amount, bars.volume * bars.values[:, :4].mean(axis=1))
    assert any(notice.startswith("no amount") for notice in bars.notices)


def test_given_amount_stays() -> None:
    """An amount that is given is kept as it is."""
    bars = Bars.from_frame(FRAME.assign(amount=7.0))
    assert (bars.amount == 7.0).all()
    assert not any("amount" in notice for notice in bars.notices)


def test_column_of_nothing_is_no_column() -> None:
    """A volume or amount that is NaN throughout counts as missing."""
    bars = Bars.from_frame(FRAME.assign(amount=np.nan))
    assert any(notice.startswith("no amount") for notice in bars.notices)


def test_adjusted_close_rescales_the_bar() -> None:
    """Prices are multiplied by adjusted close over close, the volume is not, and a notice says so."""
    factor = np.linspace(0.8, 1.0, len(FRAME))
    bars = Bars.from_frame(FRAME.assign(**{"Adj Close": FRAME.close * factor}))
    np.testing.assert_allclose(bars.values[:, :4], FRAME[PRICES].to_numpy() * factor[:, None], rtol=1e-12)
    np.testing.assert_array_equal(bars.close, FRAME.close * factor)
    np.testing.assert_array_equal(bars.volume, FRAME.volume)
    assert (bars.high >= bars.frame[["open", "close"]].max(axis=1)).all()
    assert any("rescaled to the adjusted close (factors 0.8 to 1)" in notice for notice in bars.notices)


def test_adjusted_close_that_changes_nothing() -> None:
    """An adjusted close equal to the close leaves bars and notices as they were."""
    bars = Bars.from_frame(FRAME.assign(adj_close=FRAME.close))
    assert bars.digest == Bars.from_frame(FRAME).digest
    assert not any("adjusted" in notice for notice in bars.notices)


def test_wrong_adjusted_close_is_caught() -> None:
    """An adjusted close keeps the rules of prices."""
    with pytest.raises(DataError, match=r"row 6 .*adj_close=-1 is not above 0"):
        Bars.from_frame(FRAME.assign(adj_close=FRAME.close.where(FRAME.index != 5, -1.0)))


def test_real_volume_before_ticks() -> None:
    """MetaTrader's real volume is taken when it counts anything, else its ticks, which a notice tells."""
    frame = FRAME.drop(columns=["volume", "amount"]).assign(tick_volume=5.0)
    real = Bars.from_frame(frame.assign(real_volume=9.0))
    ticks = Bars.from_frame(frame.assign(real_volume=0.0))
    assert (real.volume.iloc[0], ticks.volume.iloc[0]) == (9.0, 5.0)
    assert any("'tick_volume': a count of price changes" in notice for notice in ticks.notices)


@pytest.mark.parametrize(
    "names",
    [
        ("Open", "High", "Low", "Close", "Volume"),
        ("<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>"),
        ("1. open", "2. high", "3. low", "4. close", "5. volume"),
        ("开盘", "最高", "最低", "收盘", "成交量"),
        ("开盘价", "最高价", "最低价", "收盘价", "成交量"),
        ("o", "h", "l", "c", "v"),
    ],
)
def test_names_of_columns(names: tuple[str, ...]) -> None:
    """Columns are recognised under the names of common vendors, in any order."""
    renamed = FRAME.drop(columns="amount").rename(columns=dict(zip([*PRICES, "volume"], names, strict=True)))
    bars = Bars.from_frame(renamed[renamed.columns[::-1]])
    assert bars.digest == Bars.from_frame(FRAME.drop(columns="amount")).digest


@pytest.mark.parametrize("missing", PRICES)
def test_missing_price(missing: str) -> None:
    """A missing price column is named, with the columns there are."""
    with pytest.raises(DataError, match=rf"no column '{missing}' among 'timestamp', .*are needed"):
        Bars.from_frame(FRAME.drop(columns=missing))


def test_did_you_mean() -> None:
    """A misspelt column is suggested."""
    with pytest.raises(DataError, match="did you mean 'Clsoe'"):
        Bars.from_frame(FRAME.rename(columns={"close": "Clsoe"}))


def test_text_cells() -> None:
    """Numbers written with currency signs, thousands and K, M, B are read; other text is refused with its row."""
    text = FRAME.assign(close=[f"${value:,.8f}" for value in FRAME.close], volume=["1.5M"] * len(FRAME))
    bars = Bars.from_frame(text)
    np.testing.assert_allclose(bars.close, FRAME.close, rtol=1e-9)
    assert (bars.volume == 1.5e6).all()
    with pytest.raises(DataError, match="row 4: close=halted is not a number"):
        Bars.from_frame(text.assign(close=text.close.where(text.index != 3, "halted")))


def test_index_or_column_of_time() -> None:
    """Time stamps may be the index or a column."""
    assert Bars.from_frame(FRAME).digest == Bars.from_frame(FRAME.set_index("timestamp")).digest


def test_range_of_dates() -> None:
    """Both ends belong to the range, and a date without a time includes its whole day."""
    bars = Bars.from_frame(HOURLY, since="2015-01-03", until="2015-01-05")
    assert (str(bars.timestamps[0]), str(bars.timestamps[-1])) == ("2015-01-03 00:00:00", "2015-01-05 23:00:00")
    by_hour = Bars.from_frame(HOURLY, since=pd.Timestamp("2015-01-03 05:00"), until="2015-01-05 07:00")
    assert (str(by_hour.timestamps[0]), str(by_hour.timestamps[-1])) == ("2015-01-03 05:00:00", "2015-01-05 07:00:00")
    by_date = Bars.from_frame(HOURLY, since=dt.date(2015, 1, 3), until=dt.date(2015, 1, 5))
    assert by_date.digest == bars.digest


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("soon", None, "since='soon' is not a date; write"),
        (None, "2024-13-45", "until='2024-13-45' is not a date; write"),
        ("2030-01-01", None, "since=2030-01-01 leaves no bars: the data run from 2015-01-01"),
        ("2015-01-05", "2015-01-02", "since=2015-01-05 comes after until=2015-01-02; swap them"),
    ],
)
def test_wrong_range(since: str | None, until: str | None, words: str) -> None:
    """A date that cannot be read, or a range that holds nothing, is refused with the span of the data."""
    with pytest.raises(DataError, match=words):
        Bars.from_frame(HOURLY, since=since, until=until)


@pytest.mark.parametrize("footer", [["Source: a vendor"], ["timestamp", *PRICES], [None]])
def test_a_row_without_a_bar_is_dropped_and_counted(footer: list[str | None]) -> None:
    """A footer, a header that is repeated and a blank line are dropped when repair is asked for."""
    frame = FRAME.astype(object)
    frame.loc[len(frame)] = [*footer, *[None] * (frame.shape[1] - len(footer))]
    frame["timestamp"] = frame["timestamp"].astype(str)
    bars = Bars.from_frame(frame, repair=True)
    np.testing.assert_array_equal(bars.close, FRAME["close"])
    assert bars.repaired == 1
    assert any(notice.startswith("repaired: 1 row that holds no bar") for notice in bars.notices)
    with pytest.raises(DataError):
        Bars.from_frame(frame)


def test_up_and_down_volume() -> None:
    """Without a volume, what TradeStation counts at rising and at falling prices is added up; with one it is not."""
    both = FRAME[["timestamp", *PRICES]].assign(Up=np.arange(100.0), Down=1.0)
    bars = Bars.from_frame(both)
    assert bars.volume.tolist() == (np.arange(100.0) + 1).tolist()
    assert "volume is the sum of the columns 'Up' and 'Down', as TradeStation writes it" in bars.notices
    assert (Bars.from_frame(both.assign(Vol=7.0)).volume == 7).all()
    assert "no volume: volume and amount are zero" in Bars.from_frame(both.drop(columns="Down")).notices
