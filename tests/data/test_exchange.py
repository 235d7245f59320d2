"""Holidays of exchanges, where `exchange_calendars` is installed."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import load_bars
from stresslab.data.calendar import Calendar, check_exchange

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # between exchange_calendars and pandas

DAYS = pd.bdate_range("2023-01-02", "2024-12-20")
LUNCH = pd.DatetimeIndex(
    np.concatenate(
        [
            pd.date_range(f"{day.date()} {first}", f"{day.date()} {last}", freq="30min").to_numpy()
            for day in pd.bdate_range("2024-07-01", "2024-09-27")
            for first, last in (("09:30", "11:30"), ("13:00", "15:30"))
        ]
    )
)


def test_holidays_of_new_york() -> None:
    """Daily bars on the calendar of New York leave out Christmas, New Year and the days of the exchange's own."""
    pytest.importorskip("exchange_calendars")
    calendar = Calendar.infer(DAYS).on_exchange("XNYS")
    future = calendar.future(DAYS, 20)
    plain = Calendar.infer(DAYS).future(DAYS, 30)
    assert set(plain[: plain.get_loc(future[-1]) + 1]) - set(future) == set(
        pd.DatetimeIndex(["2024-12-25", "2025-01-01", "2025-01-09", "2025-01-20"])
    )
    assert calendar.describe() == "1 day bars, Monday to Friday, holidays of XNYS, 252 a year"


def test_holidays_with_lunch_breaks() -> None:
    """Intraday bars keep their sessions and lunch breaks, and skip the whole of a holiday week."""
    pytest.importorskip("exchange_calendars")
    future = Calendar.infer(LUNCH).on_exchange("XSHG").future(LUNCH, 33)
    assert list(future.normalize().unique().strftime("%m-%d")) == ["09-30", "10-08", "10-09"]
    assert sorted(set(future.strftime("%H:%M"))) == sorted(set(LUNCH.strftime("%H:%M")))


def test_without_an_exchange_no_holiday_is_invented() -> None:
    """Without an exchange every weekday is a trading day, and Christmas too."""
    assert pd.Timestamp("2024-12-25") in Calendar.infer(DAYS).future(DAYS, 5)


def test_long_horizons_reach_their_number() -> None:
    """However many holidays lie in it, a horizon has as many bars as were asked for."""
    pytest.importorskip("exchange_calendars")
    old = pd.bdate_range("2008-01-02", "2010-12-31")
    future = Calendar.infer(old).on_exchange("XHKG").future(old, 1500)
    assert len(future) == 1500
    assert (np.diff(future.asi8) > 0).all()


def test_beyond_the_known_holidays() -> None:
    """A horizon past the last known holiday is refused with that date."""
    pytest.importorskip("exchange_calendars")
    with pytest.raises(DataError, match=r"holidays of XHKG are known up to 20\d\d-\d\d-\d\d only; shorten the horizon"):
        Calendar.infer(DAYS).on_exchange("XHKG").future(DAYS, 20_000)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("XNYZ", "'XNYZ' is not a calendar of exchange_calendars; did you mean X"),
        ("0", "give a name such as XNYS"),
        ("CMES", "opens on the evening before its session; leave exchange out"),
    ],
)
def test_unknown_exchanges(name: str, words: str) -> None:
    """A name that is no exchange, or one whose sessions begin the evening before, is refused with what to do."""
    pytest.importorskip("exchange_calendars")
    with pytest.raises(DataError, match=words):
        check_exchange(name)


def test_holidays_do_not_fit_markets_that_never_close() -> None:
    """An exchange for bars of a market that never closes is refused."""
    stamps = pd.date_range("2024-01-01", periods=300, freq="h")
    with pytest.raises(DataError, match="exchange='XNYS' does not fit 1 hour bars, 24/7"):
        Calendar.infer(stamps).on_exchange("XNYS")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is missing, one line says how to install it."""
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    with pytest.raises(DataError, match=r"not installed; install it: pip install exchange_calendars$"):
        load_bars("sample:nasdaq", exchange="XNYS")


def test_exchange_of_loaded_bars() -> None:
    """`load_bars` passes the exchange on, and the last trading day of 2018 is followed by the second of January."""
    pytest.importorskip("exchange_calendars")
    bars = load_bars("sample:nasdaq", exchange="XNYS")
    assert str(bars.calendar.future(bars.timestamps, 1)[0].date()) == "2019-01-02"
