"""The backtest as people know it from tear sheets: rolling Sharpe ratio, monthly returns, and the worst drawdowns.

Formulas on one account and its time stamps; bars may have any length. The report shows them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.metrics.performance import bar_returns
from stresslab.metrics.track_record import period_spans

LEAST_WINDOW = 30
"""Bars of the shortest window over which a Sharpe ratio is taken."""
POINTS = 250
"""Values of the rolling ratio that are kept, about."""
WORST = 5
"""Drawdowns that are listed."""
_ROUNDING = 1e-12


def tear_sheet(
    equity: FloatArray, timestamps: pd.DatetimeIndex, periods_per_year: float, risk_free: float = 0.0
) -> dict[str, Any]:
    """Rolling Sharpe ratio (None where there are too few bars), returns by month and year, and the worst drawdowns.

    Args:
        equity: (T + 1,) currency.
        timestamps: (T + 1,) of the values, the first before anything is held.
        periods_per_year: bars in a year.
        risk_free: interest a year.
    """
    window = rolling_window(len(equity) - 1, periods_per_year)
    rolling = None
    if window is not None:
        ratios = rolling_sharpe(equity, periods_per_year, window, risk_free)[window - 1 :]
        kept = [part[-1] for part in np.array_split(np.arange(len(ratios)), min(POINTS, len(ratios)))]
        rolling = {
            "window": window,
            "times": [str(timestamps[window + at]) for at in kept],
            "values": [plain(float(f"{ratios[at]:.6g}")) for at in kept],
        }
    return {
        "rolling_sharpe": rolling,
        "years": monthly_returns(equity, timestamps),
        "drawdowns": worst_drawdowns(equity, timestamps),
    }


def rolling_window(bars: int, periods_per_year: float) -> int | None:
    """Bars of the window: half a year and at least `LEAST_WINDOW`; None where a quarter of all bars is less than that.

    An account of less than two years has a window of a quarter of its bars.
    """
    window = min(max(round(periods_per_year / 2), LEAST_WINDOW), bars // 4)
    return window if window >= LEAST_WINDOW else None


def rolling_sharpe(equity: FloatArray, periods_per_year: float, window: int, risk_free: float = 0.0) -> FloatArray:
    """The annual Sharpe ratio (Sharpe 1994) of the last `window` bars, as `metrics.performance.sharpe` defines it.

    Args:
        equity: (T + 1,) currency.
        periods_per_year: bars in a year.
        window: bars, at least 2.
        risk_free: interest a year, of which each bar brings an equal share.

    Returns:
        (T,) at each bar. NaN before the first whole window, and where returns do not vary.
    """
    excess = pd.Series(bar_returns(equity[:, None])[:, 0] - risk_free / periods_per_year).rolling(window)
    spread = excess.std(ddof=1).to_numpy(dtype=np.float64)
    mean = excess.mean().to_numpy(dtype=np.float64)
    return np.asarray(mean / np.where(spread < _ROUNDING, np.nan, spread) * math.sqrt(periods_per_year))


def monthly_returns(equity: FloatArray, timestamps: pd.DatetimeIndex) -> list[dict[str, Any]]:
    """Returns of each calendar month, and of each year, from the last value before it to its last value.

    Args:
        equity: (T + 1,) currency.
        timestamps: (T + 1,) of the values; a bar belongs to the month of its own stamp.

    Returns:
        A row a year: "year", "months" (twelve, None where no bar lies in one or nothing was left to return on), and
        "total_return".
    """

    def change(start: int, end: int) -> float | None:
        before = equity[start - 1]
        return plain(equity[end - 1] / before - 1 if before > 0 else np.nan)

    months = {name: change(start, end) for name, start, end in period_spans(timestamps, "%Y-%m")}
    return [
        {
            "year": int(name),
            "months": [months.get(f"{name}-{month:02d}") for month in range(1, 13)],
            "total_return": change(start, end),
        }
        for name, start, end in period_spans(timestamps, "%Y")
    ]


def worst_drawdowns(equity: FloatArray, timestamps: pd.DatetimeIndex, count: int = WORST) -> list[dict[str, Any]]:
    """The deepest spells below the running maximum (Magdon-Ismail & Atiya 2004), each from its high to its recovery.

    Args:
        equity: (T + 1,) currency.
        timestamps: (T + 1,) of the values.
        count: spells, at most; no two overlap.

    Returns:
        The deepest first: "depth" (a fraction, at most 0), "start" (of the last value at the high), "low", "end" (of
        the first value back at the high; None while it is not), "bars" from start to end or to the last value, and
        "days" of that. Empty where equity never fell.
    """
    high = np.maximum.accumulate(equity)
    under = equity < high * (1 - _ROUNDING)
    starts, highs = np.flatnonzero(~under[:-1] & under[1:]), np.flatnonzero(~under)
    found = list[dict[str, Any]]()
    for start, back in zip(starts.tolist(), np.searchsorted(highs, starts, side="right").tolist(), strict=True):
        recovered = back < len(highs)
        end = int(highs[back]) if recovered else len(equity) - 1
        low = start + int(np.argmin(equity[start : end + 1]))
        found.append(
            {
                "depth": plain(float(equity[low] / equity[start] - 1)),
                "start": str(timestamps[start]),
                "low": str(timestamps[low]),
                "end": str(timestamps[end]) if recovered else None,
                "bars": int(end - start),
                "days": (timestamps[end] - timestamps[start]) / pd.Timedelta(days=1),
            }
        )
    return sorted(found, key=lambda row: row["depth"])[:count]
