"""When a market trades: the frequency and weekly pattern of its bars, bars per year, and the time stamps to come.

Everything is read off the time stamps of the history; prices, and how time stamps are written in files, are not known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError
from stresslab.core.text import did_you_mean

DAY = 86_400_000_000_000
"""Nanoseconds in a day."""
WEEK = 7 * DAY
MONTH = 30 * DAY
_MONDAY = 3 * DAY
"""1970-01-01 was a Thursday: stamps shifted by three days count weeks from Monday."""

RECENT = 12 * WEEK
"""The pattern is read off the last twelve weeks: opening hours change, and clocks in UTC move with daylight saving."""
INSTANCES = 5
"""The times of a weekday are decided by a vote of its last five trading days."""
FADING = 0.9
"""Weight of a trading day's vote against that of the one after it; it also breaks ties."""
BRIDGE = 4
"""Largest gap between slots, in steps, in which a time counts that was used only now and then."""
CONTINUOUS = 0.9
"""Share of all times of the week that must be in use for a market to be 24/7 (one closed day a week leaves 0.86)."""
REGULAR = 0.2
"""Least share of the commonest step among all steps."""
STRETCH = 20
"""Bars of another frequency in a row that make a series mixed."""

SESSION_DAYS, CURRENCY_DAYS = 252.0, 260.0
"""Trading days in a year of markets of five days a week, by convention; and of currencies, closed at weekends only."""
ROUND_THE_CLOCK = 0.9
"""Share of five days that a market trades, from which on it has the year of currencies."""

Pattern = Literal["24/7", "weekdays", "sessions", "weekly", "monthly"]
_ANCHORS = ("MS", "ME", "BMS", "BME")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UNITS = ((DAY, "day"), (DAY // 24, "hour"), (DAY // 1440, "minute"), (DAY // 86_400, "second"))


@dataclass(frozen=True)
class Calendar:
    """The rhythm of one series.

    Attributes:
        frequency: the step from one bar to the next within a session (30 days stand for a month).
        pattern: `24/7`, `weekdays` (closed at the weekend only), `sessions` (closed in between as well), `weekly` or
            `monthly` (also for several months).
        periods_per_year: bars in a year: 365 days for 24/7, 252 for five days a week, `CURRENCY_DAYS` for markets that
            close at the weekend only.
        slots: times at which a bar is stamped, in nanoseconds after Monday 00:00; empty for `24/7` and `monthly`.
        anchor: `monthly` only: a pandas offset (`MS`, `ME`, `BMS`, `BME`), or empty for the same day of each month.
        exchange: name of the exchange whose holidays future stamps leave out, or None.
        assumed: whether 24/7 is an assumption: bars without a break, but no Saturday among their days.
    """

    frequency: pd.Timedelta
    pattern: Pattern
    periods_per_year: float
    slots: tuple[int, ...] = ()
    anchor: str = ""
    exchange: str | None = None
    assumed: bool = False

    @classmethod
    def infer(cls, timestamps: pd.DatetimeIndex) -> Calendar:
        """The rhythm of time stamps (T,), which must increase strictly."""
        stamps = timestamps.as_unit("ns").asi8
        step = common_step(timestamps)
        frequency = pd.Timedelta(step, unit="ns")
        if step >= MONTH:
            return cls(frequency, "monthly", 12 * MONTH / step, anchor=_month_anchor(timestamps))
        recent = stamps[stamps >= stamps[-1] - RECENT]
        if step == WEEK:
            return cls(frequency, "weekly", 52.0, _weekly_slot(recent))
        if step > DAY or _is_continuous(recent, step):
            saturdays = bool((stamps[-1] + 5 * DAY) // WEEK > (stamps[0] + 4 * DAY) // WEEK)
            return cls(frequency, "24/7", 365 * DAY / step, assumed=not saturdays)
        slots = _weekly_slots(recent, step)
        gaps = np.diff(slots, append=slots[0] + WEEK) > step
        pattern: Pattern = "weekdays" if step == DAY or gaps.sum() == 1 else "sessions"
        week = _days_of_week(slots)
        round_the_clock = step < DAY and len(slots) * step >= ROUND_THE_CLOCK * 5 * DAY
        days = week * 365 / 7 if week > 5 else CURRENCY_DAYS if round_the_clock else SESSION_DAYS
        return cls(frequency, pattern, len(slots) * days / week, tuple(slots.tolist()))

    def with_days(self, days: float) -> Calendar:
        """This calendar with a year of so many trading days."""
        if self.pattern in ("weekly", "monthly"):
            raise DataError(f"days_per_year={days:g} does not fit {self.describe()}; it is for bars of a day or less")
        if not 200 <= days <= 366:
            raise DataError(f"days_per_year={days:g} is not a number of trading days; give 200 to 366, such as 252")
        own = 365.0 if not self.slots else self.periods_per_year / len(self.slots) * _days_of_week(np.array(self.slots))
        return replace(self, periods_per_year=self.periods_per_year * days / own)

    def of_currencies(self) -> Calendar:
        """This calendar with the year of currencies, which are closed at weekends only, where it has five days."""
        five_days = self.pattern in ("weekdays", "sessions") and _days_of_week(np.array(self.slots)) == 5
        return self.with_days(CURRENCY_DAYS) if five_days else self

    def on_exchange(self, name: str) -> Calendar:
        """This calendar with the holidays of an exchange, such as `XNYS` (needs `exchange_calendars`)."""
        if self.pattern not in ("weekdays", "sessions"):
            raise DataError(
                f"exchange={name!r} does not fit {self.describe()}; holidays matter to bars of a day or less "
                "of markets that close: leave exchange out"
            )
        return replace(self, exchange=check_exchange(name))

    def future(self, timestamps: pd.DatetimeIndex, horizon: int) -> pd.DatetimeIndex:
        """The time stamps that continue a history.

        Args:
            timestamps: (T,) the history; only the last one matters.
            horizon: number of bars.

        Returns:
            (horizon,) strictly increasing, all after the last of the history.
        """
        last, step = timestamps[-1].as_unit("ns"), self.frequency.as_unit("ns").value
        span = horizon / len(self.slots) * WEEK if self.slots else horizon * step * 1.02  # a month of 30 days is short
        if last.value + span + 8 * WEEK > np.iinfo(np.int64).max:
            raise DataError(f"horizon={horizon} bars of {human(step)} end after the year 2262; give a shorter horizon")
        if self.pattern == "monthly":
            return self._months(last, horizon)
        if not self.slots:
            stamps = last.value + step * np.arange(1, horizon + 1)
        elif self.exchange is None:
            stamps = self._following(last.value, horizon)
        else:
            stamps = self._sessions(last.value, horizon)
        return pd.DatetimeIndex(stamps.astype("datetime64[ns]"))

    def describe(self) -> str:
        """One line: frequency, pattern, bars a year."""
        step = self.frequency.as_unit("ns").value
        parts = [f"{human(step)} bars", self._hours()]
        if self.exchange:
            parts.append(f"holidays of {self.exchange}")
        if self.assumed:
            parts[1] = "24/7 (assumed: no weekend in the data)"
        return ", ".join([*parts, f"{self.periods_per_year:,.6g} a year"])

    def _hours(self) -> str:
        if self.pattern in ("24/7", "monthly"):
            return {"MS": "month start", "ME": "month end", "BMS": "first weekday", "BME": "last weekday"}.get(
                self.anchor, self.pattern
            )
        slots, step = np.array(self.slots), self.frequency.as_unit("ns").value
        days = np.unique(slots // DAY)
        if step >= DAY:
            return _day_names(days)
        if self.pattern == "weekdays":
            opening = int(np.argmax(np.diff(slots, prepend=slots[-1] - WEEK)))
            return f"{_moment(slots[opening])} to {_moment(slots[opening - 1])}"
        busiest = int(days[np.argmax([(slots // DAY == day).sum() for day in days])])
        times = slots[slots // DAY == busiest] % DAY
        breaks = np.flatnonzero(np.diff(times) > step)
        starts, ends = times[np.r_[0, breaks + 1]], times[np.r_[breaks, len(times) - 1]]
        sessions = " and ".join(f"{_clock(a)}-{_clock(b)}" for a, b in zip(starts, ends, strict=True))
        return f"sessions {sessions}, {_day_names(days)}"

    def _following(self, last: int, horizon: int) -> NDArray[np.int64]:
        """The next slots at least half a step after `last`, so that a shifted last bar is not followed by its own."""
        slots = np.array(self.slots)
        earliest = last + self.frequency.as_unit("ns").value // 2 + _MONDAY
        position = int(np.searchsorted(slots, earliest % WEEK)) + np.arange(horizon)
        weeks = earliest // WEEK + position // len(slots)
        return np.asarray(weeks * WEEK + slots[position % len(slots)] - _MONDAY)

    def _sessions(self, last: int, horizon: int) -> NDArray[np.int64]:
        """The next slots that fall on days when the exchange is open."""
        assert self.exchange is not None
        wanted = horizon
        while True:
            wanted += 10 + wanted // 8
            stamps = self._following(last, wanted)
            sessions = exchange_sessions(self.exchange, int(stamps[0]), int(stamps[-1]))
            stamps = stamps[np.isin(stamps // DAY, sessions // DAY)]
            if len(stamps) >= horizon:
                return stamps[:horizon]

    def _months(self, last: pd.Timestamp, horizon: int) -> pd.DatetimeIndex:
        months = round(12 / self.periods_per_year)
        if not self.anchor:
            return pd.DatetimeIndex([last + pd.DateOffset(months=months * k) for k in range(1, horizon + 1)])
        start = (last + pd.Timedelta(days=15)).normalize()
        offset = pd.tseries.frequencies.to_offset(self.anchor)
        every = pd.date_range(start, periods=months * horizon, freq=offset)
        return every[months - 1 :: months].as_unit("ns") + (last - last.normalize())


def human(step: int) -> str:
    """A step in nanoseconds in words: `5 minute`, `1 day`, `1 month`."""
    if step >= MONTH and step % MONTH == 0:
        return f"{step // MONTH} month"
    if step == WEEK:
        return "1 week"
    for size, name in _UNITS:
        if step % size == 0:
            return f"{step // size} {name}"
    return f"{step / DAY * 86_400:g} second"


def common_step(timestamps: pd.DatetimeIndex, rows: pd.Index | None = None) -> int:
    """The step between bars that is commonest, in nanoseconds; months count 30 days each.

    Raises `DataError` when there is no common step, or when a stretch of the series has another one; `rows` (T,) are
    the numbers by which the error names bars, by default from 1.
    """
    if len(timestamps) < 2:
        raise DataError(f"{len(timestamps)} bars have no frequency; give at least 2 bars")
    steps = np.diff(timestamps.as_unit("ns").asi8)
    if np.median(steps) >= 26 * DAY:
        steps = np.rint(steps / (30.4375 * DAY)).astype(np.int64) * MONTH
    values, counts = np.unique(steps, return_counts=True)
    step, share = int(values[counts.argmax()]), counts.max() / len(steps)
    if share < REGULAR:
        raise DataError(
            f"the commonest step between time stamps, {human(step)}, covers only {share:.0%} of them; "
            f"bars need one frequency ({REGULAR:.0%} or more): resample them, for example to 1 minute"
        )
    if len(steps) >= 2 * STRETCH:
        blocks = steps[: len(steps) // STRETCH * STRETCH].reshape(-1, STRETCH)
        middle = np.partition(blocks, STRETCH // 2, axis=1)[:, STRETCH // 2]
        foreign = ((blocks == middle[:, None]).mean(axis=1) > 0.5) & ((blocks == step).mean(axis=1) < REGULAR)
        if foreign.any():
            block = int(foreign.argmax())
            row = block * STRETCH + int((blocks[block] == middle[block]).argmax())
            number = row + 1 if rows is None else rows[row]
            raise DataError(
                f"row {number} ({timestamps[row]}): mixed frequencies, bars of {human(int(middle[block]))} from here "
                f"among bars of {human(step)}; a series has one frequency: keep one with since=/until=, or resample"
            )
    return step


def _is_continuous(recent: NDArray[np.int64], step: int) -> bool:
    """Whether a market trades at (nearly) every step of the week; without a weekend to see, gaps decide."""
    span = recent[-1] - recent[0]
    if span < 2 * WEEK or WEEK % step:
        return bool(len(recent) >= CONTINUOUS * (span // step + 1))
    used = np.bincount(((recent + _MONDAY) % WEEK) // step, minlength=WEEK // step)
    return bool((used * 3 >= np.median(used[used > 0])).mean() >= CONTINUOUS)


def _weekly_slots(recent: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Times of the week at which bars are stamped: for each weekday the majority of its last trading days.

    The first and the last day of intraday bars may be cut off and do not vote, as long as there are others.
    """
    days, times = recent // DAY, recent % DAY
    inner = (days > days[0]) & (days < days[-1]) if step < DAY else np.ones(len(days), dtype=bool)
    if not inner.any():
        inner[:] = True
    seen, last = np.unique(days[inner]), int(days[inner][-1])
    covered = np.arange(int(days[inner][0]), last + 1)
    working = seen[(seen + 3) % 7 < 5] if ((seen + 3) % 7 < 5).any() else seen
    usual = _majority(days, times, working[-INSTANCES:], step)
    slots, used = [], []
    for weekday in range(7):
        traded = seen[(seen + 3) % 7 == weekday]
        chances = int(((covered + 3) % 7 == weekday).sum())
        if 2 * len(traded) > chances:
            slots.append(weekday * DAY + _majority(days, times, traded[-INSTANCES:], step))
            used.append(weekday * DAY + np.unique(times[np.isin(days, traded[-INSTANCES:])]))
        elif weekday < 5 and chances < 3:  # never or hardly seen (a holiday, a short history): as the other days
            slots.append(weekday * DAY + usual)
    if not slots:  # a few bars in weeks of silence: the weekdays on which there were any
        slots = [weekday * DAY + usual for weekday in np.unique((working + 3) % 7).tolist()]
    return _bridged(np.concatenate(slots), np.concatenate([*used, *slots]), step)


def _bridged(slots: NDArray[np.int64], used: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """The slots and, in gaps of a few steps between them, the times that were used at all.

    Where bars are missing now and then, the first or last of a day may lose its vote, which is no break in trading.
    """
    around = np.r_[slots, slots[0] + WEEK]  # the week goes on
    times = np.unique(np.r_[used, used + WEEK])
    added = []
    for gap in np.flatnonzero((np.diff(around) > step) & (np.diff(around) <= BRIDGE * step)):
        left, right = int(around[gap]), int(around[gap + 1])
        for time in times[(times > left) & (times < right)].tolist():
            if time - left >= step and right - time >= step:
                added.append(time % WEEK)
                left = time
    return np.sort(np.r_[slots, np.array(added, dtype=np.int64)])


def _majority(
    days: NDArray[np.int64], times: NDArray[np.int64], voters: NDArray[np.int64], step: int
) -> NDArray[np.int64]:
    """Times of the day used on most of the voting days, and those of a few voters that fit between them.

    Two times that never occur on one day (before and after a change of clocks) cannot both have a majority.
    """
    chosen = np.isin(days, voters)
    slots, column = np.unique(times[chosen], return_inverse=True)
    votes = np.zeros((len(voters), len(slots)))
    votes[np.searchsorted(voters, days[chosen]), column] = 1
    weights = FADING ** np.arange(len(voters))[::-1]
    share = weights @ votes / weights.sum()
    kept = share > 0.5
    if not kept.any():
        return np.asarray(times[days == voters[-1]])
    inside = np.flatnonzero(kept)
    following = slots[inside[np.minimum(np.searchsorted(inside, np.arange(len(slots))), len(inside) - 1)]]
    left = int(slots[inside[0]])
    for position in range(int(inside[0]) + 1, int(inside[-1])):
        if slots[position] - left >= step and following[position] - slots[position] >= step:
            kept[position] = True
        if kept[position]:
            left = int(slots[position])
    return np.asarray(slots[kept])


def _weekly_slot(recent: NDArray[np.int64]) -> tuple[int, ...]:
    slots, counts = np.unique((recent + _MONDAY) % WEEK, return_counts=True)
    return (int(slots[counts.argmax()]),)


def _days_of_week(slots: NDArray[np.int64]) -> int:
    """Days of the week that trade, at least five: those of at least half as many bars as the busiest."""
    bars = np.bincount(slots // DAY, minlength=7)
    return max(int((2 * bars >= bars.max()).sum()), 5)


def _month_anchor(timestamps: pd.DatetimeIndex) -> str:
    recent = timestamps[-24:].normalize()
    offsets = [pd.tseries.frequencies.to_offset(anchor) for anchor in _ANCHORS]
    fits = [np.mean([offset.is_on_offset(stamp) for stamp in recent]) for offset in offsets]
    best = int(np.argmax(fits))
    return _ANCHORS[best] if fits[best] > 0.5 else ""


def _clock(time: int) -> str:
    seconds = int(time) // 1_000_000_000
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return f"{text}:{seconds % 60:02d}" if seconds % 60 else text


def _moment(slot: int) -> str:
    return f"{_WEEKDAYS[int(slot) // DAY]} {_clock(int(slot) % DAY)}"


def _day_names(days: NDArray[np.int64]) -> str:
    if len(days) > 1 and (np.diff(days) == 1).all():
        return f"{_WEEKDAYS[days[0]]} to {_WEEKDAYS[days[-1]]}"
    return ", ".join(_WEEKDAYS[day] for day in days)


def check_exchange(name: str) -> str:
    """The name itself when it is an exchange whose sessions lie within one date."""
    library = _library()
    known = library.get_calendar_names(include_aliases=True)
    if name not in known:
        hint = did_you_mean(name.upper(), known, "give a name such as XNYS, XHKG or XSHG")
        raise DataError(f"exchange={name!r} is not a calendar of exchange_calendars{hint}")
    if library.get_calendar(name).open_offset:
        raise DataError(
            f"exchange={name!r} opens on the evening before its session; leave exchange out for such markets"
        )
    return name


def exchange_sessions(name: str, first: int, last: int) -> NDArray[np.int64]:
    """Session dates from the day of `first` to the day of `last`, all in nanoseconds since 1970."""
    library = _library()
    start, end = pd.Timestamp(first).normalize(), pd.Timestamp(last).normalize()
    bound = library.get_calendar(name).bound_max()
    if bound is not None and end > bound:
        raise DataError(
            f"the horizon reaches {end.date()} but the holidays of {name} are known up to {bound.date()} only; "
            "shorten the horizon or leave exchange out"
        )
    schedule = library.get_calendar(name, start=start, end=end + pd.Timedelta(days=7))
    return np.asarray(schedule.sessions.as_unit("ns").asi8)


def _library() -> Any:
    try:
        import exchange_calendars
    except ImportError as error:
        raise DataError(
            "exchange=... needs exchange_calendars, which is not installed; install it: pip install exchange_calendars"
        ) from error
    return exchange_calendars
