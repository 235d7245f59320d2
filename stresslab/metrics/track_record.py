"""The backtest over time: the account on the real bars beside buy and hold, thinned, and its returns by period.

The engine makes the account; the report shows it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.metrics.performance import drawdown

STRETCHES = 500
"""A longer account keeps, of so many stretches, the lowest and highest value, both ends, and its deepest drawdown."""
YEARS = 2.0
"""A shorter account is shown by month, a longer one by year."""


def thinned_track_record(equity: FloatArray, held: FloatArray, timestamps: pd.DatetimeIndex) -> pd.DataFrame:
    """The account and buy and hold at the times worth drawing.

    Args:
        equity: (T + 1,) currency, of the strategy.
        held: (T + 1,) currency, of buy and hold.
        timestamps: (T + 1,) of the values, the first before anything is held.

    Returns:
        Columns "equity" and "benchmark" by time stamp, all rows or about 2 `STRETCHES`.
    """
    kept = np.arange(len(equity))
    if len(equity) > 2 * STRETCHES:
        parts = np.array_split(kept, STRETCHES)
        ends = [[part[equity[part].argmin()], part[equity[part].argmax()]] for part in parts]
        trough = int((equity / np.maximum.accumulate(equity)).argmin())
        deepest = [int(equity[: trough + 1].argmax()), trough]
        kept = np.unique(np.concatenate([[0, len(equity) - 1], deepest, *ends]))
    return pd.DataFrame({"equity": equity[kept], "benchmark": held[kept]}, index=timestamps[kept])


def returns_by_period(equity: FloatArray, held: FloatArray, timestamps: pd.DatetimeIndex) -> list[dict[str, Any]]:
    """Return of the account and of buy and hold, and the account's deepest drawdown, in each year or month.

    A period goes from the last value before it to its last value; a drawdown counts from the highest value in it, that
    first one included. Undefined figures, as after ruin, are None.

    Args:
        equity: (T + 1,) currency, of the strategy.
        held: (T + 1,) currency, of buy and hold.
        timestamps: (T + 1,) of the values.
    """
    years = (timestamps[-1] - timestamps[0]).days / 365.25
    rows = []
    for name, start, end in period_spans(timestamps, "%Y" if years > YEARS else "%Y-%m"):
        own, other = equity[start - 1 : end], held[start - 1 : end]
        fall = drawdown(own[:, None])[:, 0] if own[0] > 0 else np.array([np.nan])
        rows.append(
            {
                "period": name,
                "total_return": plain(own[-1] / own[0] - 1 if own[0] > 0 else np.nan),
                "benchmark": plain(other[-1] / other[0] - 1 if other[0] > 0 else np.nan),
                "max_drawdown": plain(float(fall.min())),
            }
        )
    return rows


def period_spans(timestamps: pd.DatetimeIndex, form: str) -> list[tuple[str, int, int]]:
    """Each year or month with the place of its first value and that after its last; the very first value is in none.

    Args:
        timestamps: (T + 1,) of an account's values, the first before anything is held.
        form: of strftime, "%Y" or "%Y-%m".
    """
    years, months = np.asarray(timestamps.year), np.asarray(timestamps.month)
    periods = years if form == "%Y" else 12 * years + months
    first = np.flatnonzero(np.concatenate([[True], periods[2:] != periods[1:-1]])) + 1
    names = timestamps[first].strftime(form)
    return [
        (str(name), int(start), int(end))
        for name, start, end in zip(names, first, [*first[1:], len(periods)], strict=True)
    ]
