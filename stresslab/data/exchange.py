"""The sessions of a named exchange, from `exchange_calendars` when it is installed; patterns belong to `calendar`."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.errors import DataError


def check_exchange(name: str) -> str:
    """The name itself when it is an exchange whose sessions lie within one date."""
    library = _library()
    known = library.get_calendar_names(include_aliases=True)
    if name not in known:
        close = difflib.get_close_matches(name.upper(), known, n=1)
        hint = f"did you mean {close[0]}?" if close else "give a name such as XNYS, XHKG or XSHG"
        raise DataError(f"exchange={name!r} is not a calendar of exchange_calendars; {hint}")
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
