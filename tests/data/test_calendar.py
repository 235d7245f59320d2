"""The rhythm of bars, and the time stamps that continue it."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import DataError
from stresslab.data import Bars, load_bars
from stresslab.data.calendar import Calendar, check_exchange, common_step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # between exchange_calendars and pandas

DAY = pd.Timedelta(days=1)


def _intraday(hours: list[tuple[str, str]], step: str, weeks: int, start: str = "2024-03-04") -> pd.DatetimeIndex:
    """Bars from the first to the last of each session, Monday to Friday."""
    days = pd.date_range(start, periods=5 * weeks, freq="B")
    parts = [pd.date_range(f"{day.date()} {a}", f"{day.date()} {b}", freq=step) for day in days for a, b in hours]
    return pd.DatetimeIndex(np.concatenate(parts)).as_unit("ns")


def _round_the_clock_on_workdays(step: str, weeks: int) -> pd.DatetimeIndex:
    """Currencies: Sunday 22:00 to Friday 22:00."""
    every = pd.date_range("2024-03-03 22:00", periods=int(weeks * 7 * DAY / pd.Timedelta(step)), freq=step, unit="ns")
    opening = (every - every[0]) % (7 * DAY) < 5 * DAY
    return every[np.asarray(opening)]


RHYTHMS = {
    "crypto 1h": pd.date_range("2024-03-01", periods=3000, freq="h"),
    "crypto 5m": pd.date_range("2024-03-01", periods=9000, freq="5min"),
    "crypto 1d": pd.date_range("2020-03-01", periods=900, freq="D"),
    "stocks 1d": pd.bdate_range("2020-03-02", periods=900),
    "Sunday to Thursday 1d": pd.bdate_range("2020-03-01", periods=900, freq="C", weekmask="Sun Mon Tue Wed Thu"),
    "stocks 1h": _intraday([("09:30", "15:30")], "1h", 20),
    "lunch break 5m": _intraday([("09:35", "11:30"), ("13:05", "15:00")], "5min", 8),
    "hourly with lunch break": _intraday([("10:30", "11:30"), ("14:00", "15:00")], "1h", 20),
    "night session 15m": _intraday([("00:00", "02:15"), ("09:00", "15:00"), ("21:00", "23:45")], "15min", 12),
    "currencies 15m": _round_the_clock_on_workdays("15min", 12),
    "currencies 4h": _round_the_clock_on_workdays("4h", 30),
    "weekly": pd.date_range("2015-01-02", periods=400, freq="W-FRI"),
    "month end": pd.date_range("2000-01-31", periods=250, freq="ME"),
    "last weekday": pd.date_range("2000-01-31", periods=250, freq="BME"),
    "quarters": pd.date_range("1990-01-01", periods=120, freq="QS"),
    "three days": pd.date_range("2020-01-01", periods=300, freq="3D"),
}

EXPECTED = {
    "crypto 1h": ("24/7", 8760, "1 hour bars, 24/7, 8,760 a year"),
    "crypto 5m": ("24/7", 105_120, "5 minute bars, 24/7, 105,120 a year"),
    "crypto 1d": ("24/7", 365, "1 day bars, 24/7, 365 a year"),
    "stocks 1d": ("weekdays", 252, "1 day bars, Monday to Friday, 252 a year"),
    "Sunday to Thursday 1d": (
        "weekdays", 252, "1 day bars, Monday, Tuesday, Wednesday, Thursday, Sunday, 252 a year",
    ),
    "stocks 1h": ("sessions", 7 * 252, "1 hour bars, sessions 09:30-15:30, Monday to Friday, 1,764 a year"),
    "lunch break 5m": (
        "sessions", 48 * 252, "5 minute bars, sessions 09:35-11:30 and 13:05-15:00, Monday to Friday, 12,096 a year",
    ),
    "hourly with lunch break": (
        "sessions", 4 * 252, "1 hour bars, sessions 10:30-11:30 and 14:00-15:00, Monday to Friday, 1,008 a year",
    ),
    "currencies 15m": ("weekdays", 96 * 260, "15 minute bars, Sunday 22:00 to Friday 21:45, 24,960 a year"),
    "currencies 4h": ("weekdays", 6 * 260, "4 hour bars, Sunday 22:00 to Friday 18:00, 1,560 a year"),
    "weekly": ("weekly", 52, "1 week bars, Friday, 52 a year"),
    "month end": ("monthly", 12, "1 month bars, month end, 12 a year"),
    "last weekday": ("monthly", 12, "1 month bars, last weekday, 12 a year"),
    "quarters": ("monthly", 4, "3 month bars, month start, 4 a year"),
    "three days": ("24/7", 365 / 3, "3 day bars, 24/7, 121.667 a year"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_known_rhythms(name: str) -> None:
    """Pattern, bars a year and description of the common kinds of market."""
    calendar = Calendar.infer(RHYTHMS[name])
    assert (calendar.pattern, calendar.periods_per_year, calendar.describe()) == EXPECTED[name]


@given(name=st.sampled_from(sorted(RHYTHMS)), share=st.floats(0.5, 1.0), horizon=st.integers(1, 400))
@settings(max_examples=200, deadline=None)
def test_future_continues_the_pattern(name: str, share: float, horizon: int) -> None:
    """Cut a regular history anywhere in its second half: the future is the part cut off, and goes on rising."""
    stamps = RHYTHMS[name].as_unit("ns")
    cut = int(share * len(stamps))
    future = Calendar.infer(stamps[:cut]).future(stamps[:cut], horizon)
    known = min(horizon, len(stamps) - cut)
    assert len(future) == horizon
    assert (np.diff(future.asi8) > 0).all()
    assert future[0] > stamps[cut - 1]
    assert future[:known].equals(stamps[cut : cut + known])


@given(
    name=st.sampled_from(sorted(RHYTHMS)),
    missing=st.floats(0.0, 0.15),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_missing_bars_do_not_change_the_calendar(name: str, missing: float, seed: int) -> None:
    """Bars missing at random, up to 15%, leave the frequency, and nearly all bars of a year, as they are."""
    stamps = RHYTHMS[name]
    kept = np.random.default_rng(seed).random(len(stamps)) >= missing
    full, holed = Calendar.infer(stamps), Calendar.infer(stamps[kept])
    assert holed.frequency == full.frequency
    assert holed.periods_per_year == pytest.approx(full.periods_per_year, rel=0.25)


@pytest.mark.parametrize("name", ["currencies 15m", "stocks 1h", "lunch break 5m", "night session 15m", "crypto 5m"])
@pytest.mark.parametrize("seed", range(5))
def test_few_missing_bars_change_nothing(name: str, seed: int) -> None:
    """Two bars in a hundred missing at random leave the whole calendar as it is, also round midnight."""
    stamps = RHYTHMS[name]
    kept = np.random.default_rng(seed).random(len(stamps)) >= 0.02
    assert Calendar.infer(stamps[kept]) == Calendar.infer(stamps)


def test_midnight_bar_often_missing() -> None:
    """A bar that thin trading leaves out on most days is still a time at which the market trades."""
    stamps = RHYTHMS["currencies 15m"]
    thin = stamps[(stamps.hour + stamps.minute > 0) | (stamps.day % 3 == 0)]
    assert Calendar.infer(thin).pattern == "weekdays"
    assert Calendar.infer(thin).slots == Calendar.infer(stamps).slots


def test_two_clusters_in_weeks_of_silence() -> None:
    """A history with a long silence in it still has a future, on the weekdays that were seen."""
    minutes = np.r_[np.arange(29), 28_800]  # a Thursday of 1970, and a Wednesday twenty days later
    stamps = pd.DatetimeIndex((minutes * 60_000_000_000).astype("datetime64[ns]"))
    future = Calendar.infer(stamps).future(stamps, 50)
    assert set(future.day_of_week) == {2, 3}


@given(
    stamps=st.lists(st.integers(0, 60 * 24 * 30), min_size=30, max_size=120, unique=True).map(sorted),
    horizon=st.integers(1, 200),
)
@settings(max_examples=200, deadline=None)
def test_any_history_has_a_rising_future(stamps: list[int], horizon: int) -> None:
    """Whatever the time stamps: either one line of refusal or a strictly rising future."""
    index = pd.DatetimeIndex(np.array(stamps) * 60_000_000_000)
    try:
        future = Calendar.infer(index).future(index, horizon)
    except DataError:
        return
    assert len(future) == horizon
    assert future[0] > index[-1]
    assert (np.diff(future.asi8) > 0).all()


def test_holidays_and_half_days_are_not_learned() -> None:
    """A holiday, a short day and a special Saturday in the last weeks do not change the pattern."""
    regular = _intraday([("09:30", "15:30")], "1h", 12)
    days = regular.normalize()
    special = pd.date_range(f"{days[-1].date() - 6 * DAY} 10:00", periods=3, freq="h")
    saturday = pd.date_range("2024-05-11 09:30", periods=7, freq="h")
    odd = regular[(days != days[-40]) & ~((days == days[-60]) & (regular.hour > 12))]
    odd = odd.union(saturday) if saturday[0].day_of_week == 5 else odd.union(special)
    assert Calendar.infer(odd).slots == Calendar.infer(regular).slots


def test_change_of_clocks() -> None:
    """Sessions stamped in UTC move by an hour in spring; after a few weeks the new hours are taken, never both."""
    aware = _intraday([("09:30", "15:30")], "1h", 14, "2024-01-08").tz_localize("America/New_York")
    utc = aware.tz_convert("UTC").tz_localize(None)
    last = Calendar.infer(utc).future(utc, 7)
    assert list(last.hour) == [13, 14, 15, 16, 17, 18, 19]
    for cut in range(-200, 0):
        assert len(Calendar.infer(utc[:cut]).slots) == 35


def test_short_history_without_weekend() -> None:
    """A run of bars without a break and without a Saturday is taken for 24/7, and the description says so."""
    stamps = pd.date_range("2024-03-05", periods=60, freq="h")  # a Tuesday
    calendar = Calendar.infer(stamps)
    assert calendar.assumed
    assert calendar.describe() == "1 hour bars, 24/7 (assumed: no weekend in the data), 8,760 a year"
    assert not Calendar.infer(pd.date_range("2024-03-08", periods=60, freq="h")).assumed


def test_unseen_days_are_as_the_others() -> None:
    """Three days of sessions stand for all weekdays, not for the weekend."""
    stamps = _intraday([("09:30", "15:55")], "5min", 1)
    future = Calendar.infer(stamps[:200]).future(stamps[:200], 400)
    assert set(future.day_of_week) == {0, 1, 2, 3, 4}
    assert future[: len(stamps) - 200].equals(stamps[200:])


def test_weekly_bar_moved_by_a_holiday() -> None:
    """A last week stamped a day early is followed by the usual day of the next week."""
    fridays = pd.date_range("2024-01-05", periods=40, freq="W-FRI")
    moved = fridays[:-1].append(fridays[-1:] - DAY)
    assert Calendar.infer(moved).future(moved, 1)[0] == fridays[-1] + 7 * DAY


@pytest.mark.parametrize(("first", "second"), [("D", "h"), ("h", "D"), ("h", "5min"), ("W-FRI", "D")])
def test_mixed_frequencies(first: str, second: str) -> None:
    """A series that changes its frequency is refused with the row at which it does."""
    start = pd.date_range("2020-01-03", periods=200, freq=first)
    rest = pd.date_range(start[-1], periods=300, freq=second)[1:]
    with pytest.raises(DataError, match=r"row \d+ .*mixed frequencies, bars of .* among bars of .*since=/until="):
        Calendar.infer(start.append(rest))


def test_no_frequency() -> None:
    """Ticks without a common step are refused, with the commonest and its share."""
    ticks = pd.DatetimeIndex(np.cumsum(np.random.default_rng(0).integers(1, 10**12, 200)))
    with pytest.raises(DataError, match=r"covers only .* of them; bars need one frequency"):
        common_step(ticks)
    with pytest.raises(DataError, match="1 bars have no frequency"):
        common_step(ticks[:1])


@pytest.mark.parametrize("name", ["stocks 1d", "crypto 1d", "month end", "weekly"])
def test_horizon_beyond_time(name: str) -> None:
    """A horizon past the last representable year is refused, one before it is not."""
    stamps = RHYTHMS[name]
    with pytest.raises(DataError, match="after the year 2262"):
        Calendar.infer(stamps).future(stamps, 100_000)
    assert len(Calendar.infer(stamps).future(stamps, 2000)) == 2000


def test_a_million_bars() -> None:
    """A million minute bars are read in well under a second."""
    stamps = pd.date_range("2020-01-01", periods=1_000_000, freq="min")
    calendar = Calendar.infer(stamps)
    assert calendar.pattern == "24/7"
    sessions = stamps[(stamps.day_of_week < 5) & (stamps.hour < 23)]
    assert Calendar.infer(sessions).pattern == "sessions"


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
        ("XNYZ", "'XNYZ' is not a calendar of exchange_calendars; did you mean 'X"),
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


def test_the_year_of_currencies() -> None:
    """Pairs of currencies have 260 days a year at any frequency; what never closes within a week, whatever its name."""
    daily = pd.bdate_range("2020-03-02", periods=900)
    values = np.full((900, 6), 1.1)
    assert Bars(daily, values, "EURUSD").periods_per_year == 260
    assert Bars(daily, values, "KO").periods_per_year == 252
    hours = pd.date_range("2020-03-02", periods=900 * 5, freq="h")
    open_hours = hours[hours.day_of_week < 5]
    assert Calendar.infer(open_hours).periods_per_year == 24 * 260
    futures = open_hours[open_hours.hour != 17]  # closed for an hour a day
    assert Calendar.infer(futures).periods_per_year == 23 * 260
    extended = open_hours[(open_hours.hour >= 4) & (open_hours.hour < 20)]
    assert Calendar.infer(extended).periods_per_year == 16 * 252
    assert Bars(hours[:900], values, "BTCUSD").periods_per_year == 24 * 365
    assert Bars(pd.date_range("2020-03-02", periods=900, freq="D"), values, "EURUSD").periods_per_year == 365


def test_a_year_that_was_asked_for() -> None:
    """The days of a year can be given, for markets of any week; what is no number of them is refused."""
    daily = Bars(pd.bdate_range("2020-03-02", periods=900), np.full((900, 6), 1.1), "EURUSD")
    assert daily.of_year(252).periods_per_year == 252
    assert daily.of_year(252)[:100].periods_per_year == 252
    assert pickle.loads(pickle.dumps(daily.of_year(252))).periods_per_year == 252
    assert daily.of_year(252).digest == daily.digest
    crypto = Bars(pd.date_range("2020-03-02", periods=900, freq="h"), np.full((900, 6), 1.1))
    assert crypto.of_year(360).periods_per_year == 24 * 360
    six = pd.date_range("2020-03-01", periods=900, freq="D")
    six_days = Bars(six[six.day_of_week != 5], np.full((int((six.day_of_week != 5).sum()), 6), 1.1))
    assert six_days.of_year(300).periods_per_year == pytest.approx(300)
    with pytest.raises(DataError, match="days_per_year=20 is not a number of trading days; give 200 to 366"):
        daily.of_year(20)
    monthly = Bars(pd.date_range("2010-01-31", periods=60, freq="ME"), np.full((60, 6), 1.1))
    with pytest.raises(DataError, match="days_per_year=252 does not fit 1 month bars"):
        monthly.of_year(252)
