"""One figure under several conditions, such as other generators, a row with its interval for each.

The figures are those of `result.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stresslab.analysis.result_models import Estimate
from stresslab.analysis.result_studies import AlternativeGenerator
from stresslab.report.charts.chart import Axis, Chart, Mark, Point, Shape, Tick, across, percent_tick
from stresslab.report.wording import interval, percent, share

Named = Sequence[tuple[str, Estimate]]


def alternative_charts(rows: Sequence[AlternativeGenerator], key: str) -> list[Chart]:
    """P(loss) and timing with each generator, the run's own first."""
    losses = [(row.label, row.probability_of_loss) for row in rows]
    timing = [(row.label, row.timing.total) for row in rows]
    known = [row.probability_of_loss.value for row in rows]
    sentence = f"The same strategy loses in {share(min(known))} to {share(max(known))} of the universes, by generator."
    above = [label for label, found in timing if found.low is not None and found.low > 0]
    below = [label for label, found in timing if found.high is not None and found.high < 0]
    parts = [
        *([f"earns something in {_quoted(above)}"] if above else []),
        *([f"costs something in {_quoted(below)}"] if below else []),
    ]
    timed = f"Error included, timing {' and '.join(parts)}."
    if not parts:
        timed = "With no generator can its timing be distinguished from nothing."
    return [
        forest(losses, f"{key}-worlds-loss", "P(loss) with other generators", sentence, "P(loss)", share, first=True),
        forest(timing, f"{key}-worlds-timing", "Timing by generator", timed, "timing over the horizon", _signed),
    ]


def forest(
    named: Named, key: str, title: str, sentence: str, x_name: str, read: Callable[[float], str], *, first: bool = False
) -> Chart:
    """A row for each condition.

    Args:
        named: what it is called, and value, low and high there; a row without a value stays empty.
        key: of the chart.
        title: of the chart.
        sentence: what to see in it.
        x_name: what the figure is.
        read: a value in words.
        first: whether the first row is what the others are held against; zero is otherwise.
    """
    known = [(at, value, found) for at, (_, found) in enumerate(named) if (value := found.value) is not None]
    ends = [end for _, _, found in known for end in (found.value, found.low, found.high) if end is not None]
    x, count = Axis.around(ends, [0.0]), len(named)
    heights = [1 - (at + 0.5) / count for at in range(count)]
    lines = "".join(
        across(heights[at], float(x.at(found.low)), float(x.at(found.high)))
        for at, _, found in known
        if found.low is not None and found.high is not None
    )
    shapes = [Shape("baseline", f"M{1000 * float(x.at(0.0)):.1f} 0V1000")] if min(ends, default=0.0) < 0 else []
    base = named[0][1].value if first else None
    return Chart(
        key=key,
        title=title,
        sentence=sentence,
        x_ticks=[Tick(float(100 * x.at(tick)), percent_tick(tick), bool(i % 2)) for i, tick in enumerate(x.ticks())],
        y_ticks=[Tick(100 * height, name) for height, (name, _) in zip(heights, named, strict=True)],
        x_name=f"{x_name}, 95% interval",
        y_name="",
        shapes=[*shapes, *([Shape("whisker", lines)] if lines else [])],
        marks=[] if base is None else [Mark(100 * float(x.at(base)), f"{named[0][0]} {read(base)}", "middle")],
        points=[Point(100 * float(x.at(value)), 100 * heights[at], "dot") for at, value, _ in known],
        hover={
            "unit": "text",
            "x": [round(float(x.at(value)), 4) for _, value, _ in known],
            "y": [round(heights[at], 4) for at, _, _ in known],
            "titles": [named[at][0] for at, _, _ in known],
            "series": [
                {"name": x_name, "text": [read(value) for _, value, _ in known]},
                {"name": "95% interval", "text": [_range(found, read) for _, _, found in known]},
            ],
        },
        named=True,
    )


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(f'"{label}"' for label in labels)


def _signed(value: float) -> str:
    return percent(value, signed=True)


def _range(found: Estimate, read: Callable[[float], str]) -> str:
    return interval(found.low, found.high, read=lambda value, signed=False: read(value))
