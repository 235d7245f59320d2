"""What every chart is made of: axes, ticks, marks, and the paths of lines, areas and bars on them.

Positions are shares of an axis; what is drawn on it is decided in `charts`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.report.charts import binning

POINTS = 160
"""Points of a drawn band at most, and half of those of a line; a chart is about 900 pixels wide."""
LOG_FROM = 3.0
"""Prices and accounts whose highest is more than this times their lowest are drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Tick:
    """A label on an axis, at a share of its length in percent; every second one may be left out on a phone."""

    at: float
    label: str
    minor: bool = False


@dataclass(frozen=True)
class Shape:
    """An SVG path and its style."""

    style: str
    path: str


@dataclass(frozen=True)
class Mark:
    """A labelled vertical line; each has its own row for the label, so that none covers another."""

    at: float
    label: str
    style: str

    @property
    def leftwards(self) -> bool:
        """Whether the label stands left of the line."""
        return self.at > 50


@dataclass(frozen=True)
class Point:
    """A sign in the plot, at shares of its width and height in percent, both counted from the lower left corner."""

    at: float
    height: float
    style: str


@dataclass(frozen=True)
class Note:
    """A short text in the plot, at shares as those of a point; `align` is its end that stands there.

    A text in a cell of a map has a style: "pale" or "deep" for what it stands on, and "fine" where it is small.
    """

    at: float
    height: float
    text: str
    align: str = "center"
    style: str = ""


@dataclass(frozen=True)
class Chart:
    """One chart, ready for the template.

    Attributes:
        key: unique in the page; the hover data are found by it.
        title: what is drawn.
        sentence: what to see in it.
        x_ticks: labels along the bottom.
        y_ticks: labels along the left, from the bottom.
        x_name: what the bottom axis counts, with its unit.
        y_name: what the left axis counts, with its unit.
        shapes: drawn in this order.
        marks: vertical lines.
        points: signs.
        notes: short texts in the plot.
        zones: texts at the left and the right end above the plot, or none.
        legend: (style, meaning) pairs.
        hover: what the page shows under a pointer: positions along the bottom, and up the left side where that counts
            too, titles and series.
        named: whether the labels on the left are names, which take room and are broken into lines.
        rows: of names, where the height follows from how many there are; 0 for a chart of the usual height.
    """

    key: str
    title: str
    sentence: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    x_name: str
    y_name: str
    shapes: list[Shape]
    marks: list[Mark] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    zones: tuple[str, str] | None = None
    legend: list[tuple[str, str]] = field(default_factory=list)
    hover: dict[str, Any] = field(default_factory=dict)
    named: bool = False
    rows: int = 0


@dataclass(frozen=True)
class Axis:
    """Maps numbers to [0, 1]."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, *values: ArrayLike, room: float = 0.04, log: bool = False) -> Axis:
        """An axis that holds all finite values with some room on both sides."""
        flat = np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1) for part in values])
        flat = flat[np.isfinite(flat)]
        low, high = (float(flat.min()), float(flat.max())) if len(flat) else (0.0, 1.0)
        if log and low > 0 and high / low > LOG_FROM:
            margin = (high / low) ** room
            return cls(low / margin, high * margin, log=True)
        margin = room * (high - low) or abs(low) * 0.01 or 1.0
        return cls(low - margin, high + margin)

    def at(self, values: ArrayLike) -> FloatArray:
        """Positions of values."""
        numbers = np.asarray(values, dtype=np.float64)
        if self.log:
            return np.asarray(np.log(numbers / self.low) / math.log(self.high / self.low))
        return (numbers - self.low) / (self.high - self.low)

    def ticks(self, most: int = 5) -> FloatArray:
        """Round numbers on the axis."""
        return binning.log_ticks(self.low, self.high) if self.log else binning.ticks(self.low, self.high, most)


def line(x: FloatArray, y: FloatArray) -> str:
    """The path of a line through positions (T,)."""
    return "M" + "L".join(f"{_place(a)} {_place(1 - b)}" for a, b in zip(x, y, strict=True))


def thinned_line(steps: NDArray[np.int64], values: FloatArray, x: Axis, y: Axis) -> str:
    """The path of values (T,) at steps (T,), without the points that look like their neighbours."""
    kept = binning.thin_line(values, 2 * POINTS)
    return line(x.at(steps[kept]), y.at(values[kept]))


def area(x: FloatArray, low: FloatArray, high: FloatArray) -> str:
    """The path around what lies between two lines (T,)."""
    return line(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]])) + "Z"


def bar(left: float, right: float, top: float) -> str:
    """The path of one bar of a histogram, with a gap on both sides."""
    gap = min(0.0012, (right - left) * 0.12)
    return f"M{_place(left + gap)} 1000V{_place(1 - top)}H{_place(right - gap)}V1000Z"


def box(left: float, right: float, bottom: float, top: float) -> str:
    """The path of a rectangle."""
    return f"M{_place(left)} {_place(1 - bottom)}V{_place(1 - top)}H{_place(right)}V{_place(1 - bottom)}Z"


def upright(at: float, bottom: float, top: float) -> str:
    """The path of a vertical line."""
    return f"M{_place(at)} {_place(1 - bottom)}V{_place(1 - top)}"


def across(height: float, left: float, right: float) -> str:
    """The path of a horizontal line."""
    return f"M{_place(left)} {_place(1 - height)}H{_place(right)}"


def _place(share: float) -> str:
    """A position in the square of 1000, within it."""
    return f"{min(max(1000 * share, -50.0), 1050.0):.1f}".removesuffix(".0")


def rounded(places: FloatArray) -> list[float]:
    """Positions with four digits, to keep the page small."""
    return [round(float(place), 4) for place in places]


def short(value: float | None) -> float | None:
    """A number with six digits, to keep the page small."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


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
    positions = binning.thin(len(stamps), 6)
    kept = (0, 2, 4) if len(stamps[0]) <= 10 else (0, 3)
    return [
        Tick(float(100 * x.at(first + position)), stamps[position], minor=i not in kept)
        for i, position in enumerate(positions)
    ]


def date_ticks(times: pd.DatetimeIndex, count: int = 6) -> list[Tick]:
    """So many dates evenly spread over the time from the first stamp to the last."""
    even = pd.DatetimeIndex(
        np.linspace(times.asi8[0], times.asi8[-1], count).astype(np.int64).astype(f"M8[{times.unit}]")
    )
    return time_ticks(stamp_texts(even.normalize()), Axis(0, count - 1), 0)


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
