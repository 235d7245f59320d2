"""The equity of an account over time, from a CSV file: a column of time stamps and one of equity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError

NAMES = ("equity", "balance", "nav", "value", "account", "close")
"""What a column of equity may be called; else it is the last one."""


def equity_at(path: str | Path, start: pd.Timestamp, stamps: pd.DatetimeIndex) -> FloatArray:
    """The equity of an account at each bar (t,), in units of what it was at the last bar before them.

    Each bar has the last equity known up to its time stamp; at a date without a time, up to the end of that day.
    Deposits and withdrawals are taken for gains and losses: give equity without them.

    Args:
        path: of the file.
        start: of the last bar before.
        stamps: (t,) of the bars.

    Raises:
        InputError: the file cannot be read as such, or does not cover the bars.
    """
    try:
        frame = pd.read_csv(path)
        times = pd.to_datetime(frame.iloc[:, 0], utc=True).dt.tz_localize(None)
        lower = {str(name).strip().lower(): name for name in frame.columns[1:]}
        column = next((lower[name] for name in NAMES if name in lower), frame.columns[-1])
        values = pd.to_numeric(frame[column])
        if len(frame.columns) < 2:
            raise ValueError("it has one column")
    except (OSError, ValueError, IndexError, UnicodeError, AttributeError) as error:
        why = " ".join(str(error).split())
        raise InputError(
            f"{path} cannot be read as an account ({why:.150}); give a CSV with time stamps in the first column and a "
            "column named 'equity'"
        ) from None
    series = pd.Series(values.to_numpy(dtype=np.float64), pd.DatetimeIndex(times)).dropna().sort_index()
    if not len(series) or (series <= 0).any():
        raise InputError(f"{path} holds no equity above 0 throughout; give the account's value at each time")
    if not len(stamps):
        return np.empty(0)
    whole_days = bool((stamps == stamps.normalize()).all())
    lag = np.timedelta64(86_400_000_000_000 - 1 if whole_days else 0, "ns")
    until = np.array([start, *stamps], dtype="datetime64[ns]") + lag
    known = series.index.to_numpy().astype("datetime64[ns]")
    if known[0] > until[1] or known[-1] < until[-1] - np.timedelta64(7, "D"):
        raise InputError(
            f"{path} has equity from {series.index[0]} to {series.index[-1]}, the bars go from {stamps[0]} to "
            f"{stamps[-1]}; give the account over the same time"
        )
    places = np.searchsorted(known, until, side="right") - 1
    found = series.to_numpy()[np.maximum(places, 0)]
    return np.asarray(found[1:] / found[0])
