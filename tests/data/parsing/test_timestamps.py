"""Time stamps in the forms in which they are written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import DataError
from stresslab.data.parsing.timestamps import is_clock, parse_date, parse_last, parse_timestamps

STAMPS = pd.date_range("2024-01-29 09:30", periods=40, freq="37min", unit="ns")
DAYS = pd.date_range("2024-01-02", periods=40, freq="D", unit="ns")


@given(
    unit=st.sampled_from([1_000_000_000, 1_000_000, 1_000, 1]),
    first=st.integers(200_000_000, 4_000_000_000),
    text=st.booleans(),
)
def test_epochs(unit: int, first: int, text: bool) -> None:
    """Epochs in s, ms, us and ns are told apart by their size and read exactly, as numbers or as texts."""
    stamps = (first + 60 * np.arange(50)) * 1_000_000_000
    column = pd.Series(stamps // unit)
    found, notices = parse_timestamps(column.astype(str) if text else column)
    np.testing.assert_array_equal(found.asi8, stamps)
    assert notices == []


def test_epochs_change_their_unit() -> None:
    """A file in ms that goes on in us, as Binance's archives do from 2025 on, is one series."""
    ms = STAMPS.asi8 // 1_000_000
    column = pd.Series(np.r_[ms[:20], ms[20:] * 1000])
    assert parse_timestamps(column)[0].equals(STAMPS)


def test_fractional_epochs() -> None:
    """Seconds with decimals are read to the microsecond."""
    found, _ = parse_timestamps(pd.Series([1700000000.25, 1700000001.5]))
    assert list(found) == [pd.Timestamp("2023-11-14 22:13:20.25"), pd.Timestamp("2023-11-14 22:13:21.5")]


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d%H%M%S000"])
@pytest.mark.parametrize("kind", [str, "int64"])
def test_compact(form: str, kind: str) -> None:
    """YyyyMMdd with or without a time is a date and not an epoch."""
    stamps = DAYS if form == "%Y%m%d" else STAMPS
    column = pd.Series(stamps.strftime(form)).astype(kind)
    assert parse_timestamps(column)[0].equals(stamps)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y.%m.%d %H:%M", "%Y.%m.%d %H:%M:%S",
        "%Y/%m/%d %H:%M", "%Y%m%d %H:%M", "%Y%m%d %H%M%S", "%Y%m%d;%H%M%S", "%d.%m.%Y %H:%M:%S.000", "%d.%m.%Y %H:%M",
        "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d-%b-%Y %H:%M", "%Y年%m月%d日 %H:%M",
    ],
)  # fmt: skip
def test_written_with_time(form: str) -> None:
    """Dates with times are read in the forms of brokers, terminals and vendors."""
    found, notices = parse_timestamps(pd.Series(STAMPS.strftime(form)))
    assert found.equals(STAMPS)
    assert notices == []


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%b %d, %Y", "%d-%b-%y", "%d %b %Y", "%Y年%m月%d日"],
)
def test_written_days(form: str) -> None:
    """Days are read in the same forms."""
    assert parse_timestamps(pd.Series(DAYS.strftime(form)))[0].equals(DAYS)


def test_without_leading_zeros() -> None:
    """Spreadsheets leave out zeros, which changes nothing."""
    text = [f"{day.year}/{day.month}/{day.day}" for day in DAYS]
    assert parse_timestamps(pd.Series(text))[0].equals(DAYS)


def test_order_settles_day_and_month() -> None:
    """Where every day is at most 12, the reading without large gaps is taken, and a notice says which."""
    for texts, words in (
        (["01/02/2024", "02/02/2024", "03/02/2024"], "day before month"),
        (["02/01/2024", "02/02/2024", "02/03/2024"], "month before day"),
    ):
        stamps, notices = parse_timestamps(pd.Series(texts))
        assert list(stamps.month) == [2, 2, 2]
        assert len(notices) == 1
        assert words in notices[0]


def test_months_are_not_days() -> None:
    """The first days of consecutive months are not taken for the first twelve days of January."""
    months = pd.date_range("2020-01-01", periods=30, freq="MS", unit="ns")
    for form in ("%d/%m/%Y", "%m/%d/%Y"):
        assert parse_timestamps(pd.Series(months.strftime(form)))[0].equals(months)


def test_ambiguous_dates_are_refused() -> None:
    """Dates that rise in both readings are not guessed."""
    with pytest.raises(DataError, match="day/month or as month/day; write them as YYYY-MM-DD"):
        parse_timestamps(pd.Series(["01/01/2024", "02/02/2024", "03/03/2024", "03/04/2024"]))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize("text", [False, True])
def test_time_zones(zone: str, text: bool) -> None:
    """Stamps with a time zone keep its wall clock and lose the zone, with a notice."""
    aware = STAMPS.tz_localize(zone)
    found, notices = parse_timestamps(pd.Series(aware).astype(str) if text else pd.Series(aware))
    assert found.equals(STAMPS)
    assert len(notices) == 1
    assert "time zone" in notices[0]


@pytest.mark.parametrize("text", [False, True])
def test_clocks_set_back(text: bool) -> None:
    """Where the wall clock repeats an hour, all stamps become UTC."""
    aware = pd.date_range("2024-11-02 20:00", periods=12, freq="h", tz="America/New_York")
    found, notices = parse_timestamps(pd.Series(aware.astype(str) if text else aware))
    assert found.equals(aware.tz_convert("UTC").tz_localize(None).as_unit("ns"))
    assert "UTC" in notices[0]


@pytest.mark.parametrize("suffix", ["Z", " UTC", "+00:00", "+0100", " GMT+0100"])
def test_written_zones(suffix: str) -> None:
    """Zones are recognised as ISO, Dukascopy and others write them."""
    form = "%d.%m.%Y %H:%M:%S.000" if "GMT" in suffix else "%Y-%m-%dT%H:%M:%S"
    assert parse_timestamps(pd.Series(STAMPS.strftime(form) + suffix))[0].equals(STAMPS)


def test_some_without_zone() -> None:
    """A column in which only some time stamps have a zone is refused with the row."""
    with pytest.raises(DataError, match=r"row 1: time stamp '2024-01-01 11:00' has no time zone"):
        parse_timestamps(pd.Series(["2024-01-01 10:00Z", "2024-01-01 11:00"]))


def test_empty_cells() -> None:
    """An empty cell is NaT, and a column of nothing is refused."""
    assert parse_timestamps(pd.Series(["2024-01-01", None, ""]))[0].isna().tolist() == [False, True, True]
    assert parse_timestamps(pd.Series([1_700_000_000.0, np.nan]))[0].isna().tolist() == [False, True]
    with pytest.raises(DataError, match="column of time stamps is empty"):
        parse_timestamps(pd.Series([None, ""], dtype=object))


@pytest.mark.parametrize(
    "column",
    [
        ["2024-01-01", "soon"],
        ["soon", "2024-01-01"],
        [1, 2],
        ["1700000000", "x"],
        [-1.0, 5.0],
        [10_070_400_000, 10_070_400_060],
        ["99999999", "99999998"],
    ],
)
def test_unreadable(column: list[object]) -> None:
    """What is no time stamp is refused in one line with row, value and remedy."""
    with pytest.raises(DataError, match=r"^row \d: \S+ is not a time stamp .*write it as YYYY-MM-DD") as caught:
        parse_timestamps(pd.Series(column))
    assert "\n" not in str(caught.value)


def test_years_that_do_not_fit() -> None:
    """Time stamps outside the years that nanoseconds reach are refused."""
    with pytest.raises(DataError, match="1678 to 2262"):
        parse_timestamps(pd.Series(np.array(["1500-01-01", "1500-01-02"], dtype="datetime64[s]")))


@pytest.mark.parametrize(
    ("cell", "expected"), [("09:30", True), ("9:30:00", True), ("0930", True), ("2024-01-02", False)]
)
def test_clocks(cell: str, expected: bool) -> None:
    """A time of the day is told from a date."""
    assert is_clock(cell) is expected


@pytest.mark.parametrize("value", ["", "soon", None, "2024-02-30", object()])
def test_no_date(value: object) -> None:
    """What is not a date is refused by the argument's name."""
    with pytest.raises(DataError, match=r"since=.* is not a date"):
        parse_date("since", value)


@pytest.mark.parametrize("written", [float, str, lambda day: f"{day:.6f}".replace(".", ",")])
def test_days_of_excel(written: object) -> None:
    """Excel's serial numbers are dates, their fractions times of the day, and that is said."""
    days = (STAMPS - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    found, notices = parse_timestamps(pd.Series([written(day) for day in days], name="Date"))  # type: ignore[operator]
    np.testing.assert_array_equal(found, STAMPS)
    assert "Excel" in notices[0]


def test_numbers_of_rows_are_no_days_of_excel() -> None:
    """A column without a name that counts rows is no column of dates."""
    with pytest.raises(DataError, match="not a time stamp"):
        parse_timestamps(pd.Series(range(43831, 43931), name="Unnamed: 0"))


@pytest.mark.parametrize(
    ("text", "date"),
    [("03.02.2021", "2021-02-03"), ("14.02.2021 10:30", "2021-02-14 10:30"), ("13/02/2021", "2021-02-13"),
     ("02/13/2021", "2021-02-13"), ("05/05/2021", "2021-05-05"), ("2021-02-03", "2021-02-03")],
)  # fmt: skip
def test_a_date_of_the_user_has_its_day_first_where_it_is_dotted(text: str, date: str) -> None:
    """As in files: dots have the day first, slashes are read where they can mean one day only."""
    assert parse_date("until", text) == pd.Timestamp(date)


def test_a_date_that_may_be_two_is_refused() -> None:
    """With both, to choose from."""
    with pytest.raises(DataError, match=r"until='02/03/2021' may be 2021-02-03 or 2021-03-02; write one of them"):
        parse_date("until", "02/03/2021")
    for text in ("02-03-2021", "3 2 2021", "02/03/21", "12-02-03"):
        with pytest.raises(DataError, match=r"may be 2021-0|has a year of two digits; write it as YYYY-MM-DD"):
            parse_date("until", text)


@pytest.mark.parametrize(
    ("value", "last"),
    [("2021", "2021-12-31"), (2021, "2021-12-31"), ("2021-02", "2021-02-28"), ("2021-02-03", "2021-02-03")],
)
def test_the_last_of_a_year_or_a_month_is_its_end(value: object, last: str) -> None:
    """A date without its day or its time means all of it, as in pandas; one with a time is that moment."""
    assert parse_last("until", value) == pd.Timestamp(last) + pd.Timedelta(days=1) - pd.Timedelta(1, unit="ns")
    assert parse_last("until", "2021-02-03 10:00") == pd.Timestamp("2021-02-03 10:00")


def test_a_zone_by_its_name() -> None:
    """A wall clock with the name of its zone keeps the wall clock; hours that it repeats become UTC."""
    summer = pd.date_range("2024-06-03 09:00", periods=40, freq="h")
    found, notices = parse_timestamps(pd.Series([f"{stamp:%Y%m%d %H:%M:%S} US/Eastern" for stamp in summer]))
    np.testing.assert_array_equal(found, summer)
    assert "US/Eastern" in notices[0]
    turned = pd.date_range("2024-11-02 20:00", periods=40, freq="h", tz="US/Eastern")  # clocks go back on the 3rd
    found, notices = parse_timestamps(pd.Series([f"{stamp:%Y%m%d %H:%M:%S} US/Eastern" for stamp in turned]))
    np.testing.assert_array_equal(found, turned.tz_convert("UTC").tz_localize(None))
    assert "repeats hours" in notices[0]
    with pytest.raises(DataError, match="Mars/Olympus"):
        parse_timestamps(pd.Series([f"{stamp:%Y%m%d %H:%M:%S} Mars/Olympus" for stamp in summer]))
    with pytest.raises(DataError, match="one zone"):
        parse_timestamps(pd.Series(["20240603 09:00:00 US/Eastern", "20240603 10:00:00 US/Pacific"]))
