"""Reads time stamps: epochs of any unit, compact dates, ISO, and the written forms that brokers export.

Which column holds them and whether their order is right are not known here.
"""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError

_DATES = (
    "%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", " %I:%M %p", " %I:%M:%S %p", ", %I:%M %p",
    " %H%M", " %H%M%S", ";%H%M%S", "T%H%M%S", " %H-%M-%S",
)  # fmt: skip
_OFFSET = r"^(.*\d:\d{2}.*?|\d{8}T\d+)\s*(Z|UTC|GMT|(?:GMT|UTC)?[+-]\d{2}:?\d{2})$"
_NAMED = r"^(.*\d:\d{2}(?::\d{2})?)\s+([A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_+-]*\d*)+)$"
"""A wall clock and the name of its zone, as Interactive Brokers writes them: 20170914 20:00:00 US/Eastern."""
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}
_UNITS = ((1e8, 9.2e9, 1_000_000_000), (1e11, 9.2e12, 1_000_000), (1e14, 9.2e15, 1_000), (1e17, 9.2e18, 1))
"""Epochs in seconds, ms, us, ns: least value (March 1973), bound (2261), nanoseconds in one."""
_EXCEL = (10_000, 100_000)
"""Excel's serial numbers of days, from 1927 to before 2174."""
_COUNTS = ("", "index", "unnamed: 0", "none")
"""Columns whose numbers may count rows instead."""
_FIRST_YEAR, _LAST_YEAR = 1678, 2261
"""Whole years that nanoseconds in 64 bits reach."""
_SAMPLE = 500
"""Texts on which a form is tried before it is applied to all."""
_CLEARLY = 2
"""How many times larger the largest gap between time stamps must be in the reading of dates that is dropped."""


def parse_timestamps(column: pd.Series | pd.Index) -> tuple[pd.DatetimeIndex, list[str]]:
    """Naive time stamps of a column of dates, numbers or texts.

    Args:
        column: (T,) as read from a file or given by a user; its index numbers the rows.

    Returns:
        (T,) with NaT where a cell is empty, and notices. Stamps with a time zone keep their wall clock; where that
        repeats itself (clocks set back in the night) all become UTC.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        index = pd.DatetimeIndex(column)
        return _naive(index.tz_localize(None), index.tz_convert("UTC").tz_localize(None), str(index.tz))
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _nanoseconds(pd.DatetimeIndex(column)), []
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return _from_numbers(pd.Series(column))
    text = pd.Series(column).astype("string").str.strip()
    known = text.notna().to_numpy() & (text != "").fillna(False).to_numpy(dtype=bool)
    if not known.any():
        raise DataError("the column of time stamps is empty; give one time stamp per row")
    stamps, notices = _from_text(text[known])
    result = np.full(len(text), np.datetime64("NaT"), dtype="datetime64[ns]")
    result[known] = stamps.to_numpy()
    return pd.DatetimeIndex(result), notices


def parse_date(name: str, value: object) -> pd.Timestamp:
    """A single date that the user gave as the argument `name`, without time zone."""
    try:
        given = str(value) if isinstance(value, int) and _FIRST_YEAR <= value <= _LAST_YEAR else value  # a year
        stamp = pd.Timestamp(_unambiguous(name, given))  # type: ignore[arg-type] # whatever the user gave
        if pd.isna(stamp):
            raise ValueError
    except (ValueError, TypeError) as error:
        end = ", or 'end' for the last bar" if name == "origin" else ""
        raise DataError(
            f"{name}={value!r} is not a date; write for example 2024-06-30 or 2024-06-30 14:00{end}"
        ) from error
    stamp = stamp.tz_localize(None)
    if not _FIRST_YEAR <= stamp.year <= _LAST_YEAR:
        raise DataError(f"{name}={value!r} is not in the years {_FIRST_YEAR} to {_LAST_YEAR}; give a date of the bars")
    return stamp


def _unambiguous(name: str, value: object) -> object:
    """A date with its day first (03.02.2021, 3.2.21) or its year last (13/02/2021) as year, month, day; others stay.

    Raises:
        DataError: it may be either, as 02/03/2021, or its year has two digits, as 02/03/21.
    """
    pattern = r"\s*(\d{1,2})([./ -])(\d{1,2})\2(\d{4}|\d{2})(?=$|[ T])(.*)"
    found = re.fullmatch(pattern, value) if isinstance(value, str) else None
    if found is None:
        return value
    first, second, year, dotted = int(found[1]), int(found[3]), found[4], found[2] == "."
    if len(year) == 2:
        if not dotted:
            raise DataError(f"{name}={value!r} has a year of two digits; write it as YYYY-MM-DD")
        year = f"20{year}"
    if not dotted and first != second and first <= 12 and second <= 12:
        either = f"{year}-{first:02}-{second:02} or {year}-{second:02}-{first:02}"
        raise DataError(f"{name}={value!r} may be {either}; write one of them")
    day, month = (first, second) if dotted or first > 12 else (second, first)
    return f"{year}-{month:02}-{day:02}{found[5]}"


def parse_last(name: str, value: object) -> pd.Timestamp:
    """The last moment of a date that the user gave: a year, a month or a day without a time means its end."""
    stamp, text = parse_date(name, value), str(value).strip()
    if isinstance(value, int | str) and re.fullmatch(r"\d{4}(-\d{2})?", text):
        after = pd.DateOffset(years=1) if len(text) == 4 else pd.DateOffset(months=1)
        return stamp + after - pd.Timedelta(1, unit="ns")
    whole_day = stamp == stamp.normalize() and not isinstance(value, pd.Timestamp) and ":" not in str(value)
    return stamp + pd.Timedelta(days=1) - pd.Timedelta(1, unit="ns") if whole_day else stamp


def is_clock(cell: str) -> bool:
    """Whether a cell is a time of the day only: `09:30`, `093000`."""
    return re.fullmatch(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?|\d{4}|\d{6}", cell.strip()) is not None


def _from_text(text: pd.Series) -> tuple[pd.DatetimeIndex, list[str]]:
    first = str(text.iloc[0])
    if re.fullmatch(r"\d+(\.\d*)?|\d{5},\d+", first):
        return _from_numbers(_numbers(text.str.replace(",", ".")))
    named = re.match(_NAMED, first)
    if named:
        return _of_named_zone(text, named[2])
    zoned = re.match(_OFFSET, first)
    if not zoned:
        return _written(text)
    zone = zoned[2]
    if text.str.endswith(zone).all():
        wall, notices = _written(text.str[: -len(zone)].str.rstrip())
        utc = wall - _offset(zone)
    else:
        parts = text.str.extract(_OFFSET)
        if parts[0].isna().any():
            row = int(parts[0].isna().to_numpy().argmax())
            raise DataError(
                f"row {text.index[row]}: time stamp {text.iloc[row]!r} has no time zone but {first!r} has; "
                "write all time stamps alike"
            )
        wall, notices = _written(parts[0])
        zones = {zone: _offset(zone) for zone in parts[1].unique()}
        utc, zone = wall - pd.TimedeltaIndex(parts[1].map(zones)), " and ".join(map(str, list(zones)[:2]))
    stamps, news = _naive(wall, utc, zone)
    return stamps, notices + news


def _of_named_zone(text: pd.Series, zone: str) -> tuple[pd.DatetimeIndex, list[str]]:
    """Stamps of a wall clock with the name of one zone behind each."""
    alike = text.str.endswith(zone).to_numpy(dtype=bool)
    if not alike.all():
        row = int((~alike).argmax())
        raise DataError(
            f"row {text.index[row]}: time stamp {text.iloc[row]!r} is not of the zone {zone} as the first is; write "
            "all time stamps in one zone"
        )
    wall, notices = _written(text.str[: -len(zone)].str.rstrip())
    try:
        utc = wall.tz_localize(zone, ambiguous="infer", nonexistent="shift_forward").tz_convert("UTC").tz_localize(None)
    except KeyError:
        raise DataError(f"time zone {zone!r} is not known; write time stamps without it, or with +00:00") from None
    except ValueError:  # an hour that clocks repeat, of which the bars show one only
        utc = wall
    stamps, news = _naive(wall, utc, zone)
    return stamps, notices + news


def _numbers(text: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.isna().any():
        raise _unreadable(text, numbers.isna().to_numpy())
    return pd.Series(numbers.to_numpy(), index=text.index, name=text.name)


def _from_numbers(numbers: pd.Series) -> tuple[pd.DatetimeIndex, list[str]]:
    """Stamps (T,) of epochs, compact dates or Excel's days, and a notice where they are the last."""
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    whole = len(known) == len(values) and pd.api.types.is_integer_dtype(numbers.dtype)
    digits = len(str(int(known[0]))) if len(known) and np.isfinite(known[0]) else 0
    if digits in _COMPACT and (known == np.floor(known)).all():
        text = numbers.astype("Int64").astype("string")
        compact = pd.to_datetime(text, format=_COMPACT[digits], errors="coerce")
        if compact.notna().sum() == len(known) and compact.dropna().dt.year.between(1800, 2200).all():
            return _nanoseconds(pd.DatetimeIndex(compact)), []
    if len(known) and ((known >= _EXCEL[0]) & (known < _EXCEL[1])).all() and str(numbers.name).lower() not in _COUNTS:
        return _from_excel(values)
    exact = numbers.to_numpy() if whole else values
    result = np.full(len(values), np.iinfo(np.int64).min, dtype=np.int64)  # NaT
    for least, bound, size in _UNITS:
        chosen = (values >= least) & (values < bound)
        if whole:
            result[chosen] = exact[chosen].astype(np.int64) * size
        else:  # fractions of a second: a double holds microseconds of today's epochs
            result[chosen] = np.rint(exact[chosen] * size / 1000).astype(np.int64) * 1000
    outside = (result == np.iinfo(np.int64).min) & ~np.isnan(values)
    if outside.any():
        raise _unreadable(numbers, outside)
    return pd.DatetimeIndex(result.astype("datetime64[ns]")), []


def _from_excel(days: NDArray[np.float64]) -> tuple[pd.DatetimeIndex, list[str]]:
    """Stamps of Excel's serial numbers: days since 1899-12-30, the time of day as a fraction."""
    stamps = pd.DatetimeIndex(pd.to_datetime(days, unit="D", origin="1899-12-30")).round("s")  # fractions are rounded
    first = next(one for one in days.tolist() if one == one)
    notice = (
        f"time stamps such as {first:.10g} read as Excel's count of days ({stamps.dropna()[0]}); a workbook of the "
        "1904 date system would be four years later"
    )
    return _nanoseconds(stamps), [notice]


def _written(text: pd.Series) -> tuple[pd.DatetimeIndex, list[str]]:
    """Stamps (T,) of texts, and a notice where they could have been read in another way."""
    try:
        return _nanoseconds(pd.DatetimeIndex(pd.to_datetime(text, format="ISO8601"))), []
    except (ValueError, pd.errors.OutOfBoundsDatetime):
        pass
    first = str(text.iloc[0])
    forms = [form for form in map("".join, product(_DATES, _TIMES)) if _reads(first, form)]
    sample = text.iloc[np.linspace(0, len(text) - 1, min(len(text), _SAMPLE)).astype(int)]
    readings: dict[str, pd.DatetimeIndex] = {}
    for form in forms:
        if not pd.to_datetime(sample, format=form, errors="coerce").isna().any():
            stamps = pd.to_datetime(text, format=form, errors="coerce")
            if stamps.notna().all():
                readings[form] = _nanoseconds(pd.DatetimeIndex(stamps))
    if readings:
        return _choose(readings, first)
    refused = np.ones(len(text), dtype=bool)
    for form in forms:
        refused &= pd.to_datetime(text, format=form, errors="coerce").isna().to_numpy()
    raise _unreadable(text, refused if refused.any() else np.arange(len(text)) == 0)


def _reads(text: str, form: str) -> bool:
    return not pd.isna(pd.to_datetime(text, format=form, errors="coerce"))


def _choose(readings: dict[str, pd.DatetimeIndex], first: str) -> tuple[pd.DatetimeIndex, list[str]]:
    """The one reading of dates such as 01/02/2024 that is in order, and whose largest gap is by far the smallest."""
    distinct: dict[str, pd.DatetimeIndex] = {}
    for form, reading in readings.items():
        if not any(reading.equals(other) for other in distinct.values()):
            distinct[form] = reading
    if len(distinct) == 1:
        return next(iter(distinct.values())), []
    gaps = sorted(
        (int(abs(np.diff(reading.asi8)).max(initial=0)), form)
        for form, reading in distinct.items()
        if in_order(reading.asi8)
    )
    if gaps and (len(gaps) == 1 or _CLEARLY * gaps[0][0] <= gaps[1][0]):
        form = gaps[0][1]
        order = "day before month" if form.index("%d") < form.index("%m") else "month before day"
        return distinct[form], [
            f"time stamps such as {first!r} read with the {order}: the only order without large gaps"
        ]
    raise DataError(f"time stamps such as {first!r} can be read as day/month or as month/day; write them as YYYY-MM-DD")


def in_order(stamps: NDArray[np.int64]) -> bool:
    """Whether stamps all rise or all fall strictly."""
    steps = np.diff(stamps)
    return bool((steps > 0).all() or (steps < 0).all())


def _naive(wall: pd.DatetimeIndex, utc: pd.DatetimeIndex, zone: str) -> tuple[pd.DatetimeIndex, list[str]]:
    wall, utc = _nanoseconds(wall), _nanoseconds(utc)
    if in_order(utc.dropna().asi8) and not in_order(wall.dropna().asi8):
        return utc, [f"time stamps with time zone {zone} converted to UTC, as its wall clock repeats hours"]
    return wall, [f"time zone {zone} dropped from the time stamps; they keep its wall clock"]


def _offset(zone: str) -> pd.Timedelta:
    digits = re.sub(r"[^\d+-]", "", zone)
    if not digits:
        return pd.Timedelta(0)
    sign = -1 if digits[0] == "-" else 1
    return sign * pd.Timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))


def _nanoseconds(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    try:
        return pd.DatetimeIndex(index.as_unit("ns").to_numpy())
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataError(
            f"time stamps from {index.min()} to {index.max()} leave the years 1678 to 2262; cut them"
        ) from error


def _unreadable(column: pd.Series, where: NDArray[np.bool_]) -> DataError:
    position = int(where.argmax())
    return DataError(
        f"row {column.index[position]}: {column.iloc[position]!s:.40} is not a time stamp that is known here "
        "(ISO dates, epochs in s/ms/us/ns, yyyyMMdd, dd.mm.yyyy ...); write it as YYYY-MM-DD HH:MM:SS, or load with "
        "repair=True where the row holds no bar"
    )
