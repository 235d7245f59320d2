"""Hypothetical shocks beside the base case, as two charts: how often the strategy then loses, and how much at worst.

The shocks are laid by `stresslab.shocks`; the figures are those of `result.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stresslab.report.axes import Axis, Chart, Mark, Point, Shape, Tick, across
from stresslab.report.ticks import percent_tick
from stresslab.report.wording import interval, percent, share

BASE = "as generated"

Row = Mapping[str, Any]


def rows(base: Row, shocks: Sequence[Row]) -> list[tuple[str, Row]]:
    """The base case and the shocks after it, each with a short name."""
    return [(BASE, base), *((short(str(row["label"])), row) for row in shocks)]


def short(label: str) -> str:
    """A shock's name without where it is laid: a gap of 5%, no fills for 5 bars."""
    return label.partition(" against ")[0].partition(" after ")[0]


def charts(base: Row, shocks: Sequence[Row], key: str) -> list[Chart]:
    """P(loss) and expected shortfall, each with its interval, under each shock; the base case as a line."""
    named = rows(base, shocks)
    return [
        _chart(named, "probability_of_loss", f"{key}-shocks-loss", "P(loss) under each shock", "P(loss)", share),
        _chart(
            named,
            *("expected_shortfall_97_5", f"{key}-shocks-shortfall", "Expected shortfall 97.5% under each shock"),
            *("mean of the worst 2.5%", percent),
        ),
    ]


def _chart(
    named: Sequence[tuple[str, Row]], figure: str, key: str, title: str, x_name: str, read: Callable[..., str]
) -> Chart:
    values = [row[figure]["value"] for _, row in named]
    known = [value for value in values if value is not None]
    base = values[0]
    ends = [row[figure][end] for _, row in named for end in ("low", "high") if row[figure][end] is not None]
    x, count = Axis.around(known, ends, [0.0]), len(named)
    heights = [1 - (at + 0.5) / count for at in range(count)]
    lines, points = "", []
    for height, (_, row) in zip(heights, named, strict=True):
        low, value, high = (row[figure][part] for part in ("low", "value", "high"))
        if value is None:
            continue
        if low is not None and high is not None:
            lines += across(height, float(x.at(low)), float(x.at(high)))
        points.append(Point(100 * float(x.at(value)), 100 * height, "dot"))
    worst = max(range(count), key=lambda at: -1.0 if values[at] is None else values[at])
    told = (
        f"As generated it is {_said(base, read)}; under the worst of these, {named[worst][0]}, "
        f"{_said(values[worst], read)}."
        if worst
        else f"None of these makes it worse than the {_said(base, read)} as generated."
    )
    return Chart(
        key=key,
        title=title,
        sentence=told,
        x_ticks=[Tick(float(100 * x.at(tick)), percent_tick(tick), bool(i % 2)) for i, tick in enumerate(x.ticks())],
        y_ticks=[Tick(100 * height, name) for height, (name, _) in zip(heights, named, strict=True)],
        x_name=f"{x_name}, 95% interval",
        y_name="",
        shapes=[Shape("whisker", lines)] if lines else [],
        marks=[] if base is None else [Mark(100 * float(x.at(base)), f"{BASE} {read(base)}", "middle")],
        points=points,
        hover={
            "unit": "text",
            "x": [round(point.at / 100, 4) for point in points],
            "y": [round(point.height / 100, 4) for point in points],
            "titles": [name for (name, _), value in zip(named, values, strict=True) if value is not None],
            "series": [
                {"name": x_name, "text": [read(value) for value in known]},
                {
                    "name": "95% interval",
                    "text": [_range(row[figure], read) for _, row in named if _known(row, figure)],
                },
            ],
        },
        named=True,
    )


def _known(row: Row, figure: str) -> bool:
    return row[figure]["value"] is not None


def _said(value: float | None, read: Callable[..., str]) -> str:
    return percent(value) if value is None else read(value)


def _range(found: Row, read: Callable[..., str]) -> str:
    return interval(found["low"], found["high"], read=lambda value, signed=False: read(value))
