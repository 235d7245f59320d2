"""The rolling Sharpe ratio of the backtest over time, as a chart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stresslab.analysis.result import StrategyResult
from stresslab.report.charts import binning
from stresslab.report.charts.chart import (
    POINTS,
    Axis,
    Chart,
    Shape,
    Tick,
    across,
    date_ticks,
    line,
    rounded,
    stamp_texts,
)
from stresslab.report.wording import number


def rolling_sharpe_chart(strategy: StrategyResult, key: str) -> Chart | None:
    """The annual Sharpe ratio of the last bars, zero, and that of the whole backtest; None without a rolling ratio."""
    sheet = strategy.studies.tear_sheet
    rolling = None if sheet is None else sheet.rolling_sharpe
    if rolling is None:
        return None
    times = pd.DatetimeIndex(rolling.times)
    values = np.array([np.nan if value is None else value for value in rolling.values], dtype=np.float64)
    known = np.isfinite(values)
    if known.sum() < 2:
        return None
    times, values = times[known], values[known]
    days = (times.as_unit("ns").asi8 / 86_400e9).astype(np.float64)
    whole = strategy.backtest_of("sharpe")
    x, y = Axis(float(days[0]), float(days[-1])), Axis.around(values, [0.0], [whole] if np.isfinite(whole) else [])
    places, stamps = binning.thin(len(times), POINTS), stamp_texts(times)
    shapes = [Shape("baseline", across(float(y.at(0.0)), 0.0, 1.0))]
    if np.isfinite(whole):
        shapes.append(Shape("median", across(float(y.at(whole)), 0.0, 1.0)))
    return Chart(
        key=f"{key}-rolling-sharpe",
        title="Rolling Sharpe ratio of the backtest",
        sentence=f"Over the last {rolling.window:,} bars at a time it lies between {number(float(values.min()))} and "
        f"{number(float(values.max()))} and is below zero {np.mean(values < 0):.0%} of the time; over the whole "
        f"backtest it is {number(whole)}.",
        x_ticks=date_ticks(times, 4),
        y_ticks=[Tick(float(100 * y.at(tick)), f"{tick:g}") for tick in y.ticks()],
        x_name="",
        y_name=f"annual Sharpe ratio of {rolling.window:,} bars",
        shapes=[*shapes, Shape("real after", line(x.at(days), y.at(values)))],
        legend=[("real", f"of {rolling.window:,} bars"), ("median", "of the whole backtest")],
        hover={
            "unit": "text",
            "x": rounded(x.at(days[places])),
            "titles": [stamps[at] for at in places],
            "series": [{"name": "Sharpe ratio", "text": [number(float(values[at])) for at in places]}],
        },
    )
