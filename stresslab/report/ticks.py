"""Labels along the axes: dates, prices, percent and whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stresslab.report import series
from stresslab.report.axes import Axis, FloatArray, Tick


def share_ticks(x: Axis) -> list[Tick]:
    """Round shares along the bottom, fewer where they are long numbers."""
    places = x.ticks(8)
    if max(len(percent_tick(place)) for place in places) > 5:
        places = x.ticks(4)
    return [Tick(float(100 * x.at(place)), percent_tick(place), minor=bool(i % 2)) for i, place in enumerate(places)]


def percent_tick(fraction: float) -> str:
    """A round fraction on an axis, in percent: -5%, 2.5%."""
    return f"{round(100 * fraction, 6):,.6g}%"


def time_ticks(stamps: list[str], x: Axis, first: int) -> list[Tick]:
    """A handful of dates along the bars, evenly spread."""
    positions = series.thin(len(stamps), 6)
    kept = (0, 2, 4) if len(stamps[0]) <= 10 else (0, 3)
    return [
        Tick(float(100 * x.at(first + position)), stamps[position], minor=i not in kept)
        for i, position in enumerate(positions)
    ]


def price_ticks(y: Axis) -> list[Tick]:
    """Round prices along the left."""
    return [Tick(float(100 * y.at(tick)), f"{tick:,.10g}") for tick in y.ticks()]


def stamp_texts(index: pd.Index[Any]) -> list[str]:
    """Dates, with the time of day where the bars have different ones."""
    stamps = pd.DatetimeIndex(index)
    one_time = len(np.unique(stamps.asi8 - stamps.normalize().asi8)) == 1
    return list(stamps.strftime("%Y-%m-%d" if one_time else "%Y-%m-%d %H:%M"))


def whole(numbers: FloatArray) -> list[float]:
    """Those that are whole."""
    return [number for number in numbers.tolist() if float(number).is_integer()]
