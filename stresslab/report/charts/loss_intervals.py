"""P(loss) of every strategy on one scale, with its error and the verdict's thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stresslab.analysis.result import StrategyResult
from stresslab.analysis.result_models import Share
from stresslab.report.charts.chart import Axis, Chart, Mark, Point, Shape, Tick, across, box, percent_tick
from stresslab.report.wording import clean, probability, share, shares

LIMITS = {"probability_of_loss_robust": "robust up to", "probability_of_loss_lucky": "lucky or losing from"}
"""What each threshold of the verdict separates, by its check."""
WITHOUT, WITH, GENERATED = "without an edge", "with its edge", "as generated"
APART = 0.22
"""Distance of two figures of one strategy from its middle, as a part of a row."""


@dataclass(frozen=True)
class _Bar:
    """One figure of a strategy: whose, under what, P(loss), its range by generator, and where it stands in the row."""

    name: str
    kind: str
    loss: Share
    generators: tuple[float, float] | None
    height: float


def loss_chart(strategies: Sequence[StrategyResult]) -> Chart | None:
    """A row for each strategy; None for a single one, whose decision box says the same.

    Each row has P(loss) without an edge (hollow) and with the edge that the bars support (filled), or as generated
    where no edge can be planted. Lines are 95% intervals of chance, bars the range over generators.
    """
    if len(strategies) < 2:
        return None
    count = len(strategies)
    bars = [bar for at, one in enumerate(strategies) for bar in _bars(one, 1 - (at + 0.5) / count, count)]
    limits = {check.name: check.threshold for one in strategies for check in one.verdict.checks if check.name in LIMITS}
    known = {name: value for name, value in limits.items() if value is not None}
    ends = [end for bar in bars for end in (bar.loss.low, bar.loss.high, *(bar.generators or ()))]
    x = Axis.around(ends, [0.0], list(known.values()), room=0.03)
    half = 0.13 / count
    ranges = "".join(
        box(float(x.at(bar.generators[0])), float(x.at(bar.generators[1])), bar.height - half, bar.height + half)
        for bar in bars
        if bar.generators is not None
    )
    whiskers = "".join(across(bar.height, float(x.at(bar.loss.low)), float(x.at(bar.loss.high))) for bar in bars)
    kinds = {bar.kind for bar in bars}
    filled = [kind for kind in (WITH, GENERATED) if kind in kinds]
    signs = [
        *([("ring", WITHOUT)] if WITHOUT in kinds else []),
        ("dot", " or, where none can be planted, ".join(filled)),
    ]
    return Chart(
        key="losses",
        title="P(loss) of every strategy, on one scale",
        sentence=_sentence(bars, known),
        x_ticks=[
            Tick(float(100 * x.at(tick)), percent_tick(tick), bool(i % 2))
            for i, tick in enumerate(tick for tick in x.ticks(8) if 0 <= tick <= 1)
        ],
        y_ticks=[Tick(100 * (1 - (at + 0.5) / count), clean(one.name)) for at, one in enumerate(strategies)],
        x_name="P(loss)",
        y_name="",
        shapes=[*([Shape("b90", ranges)] if ranges else []), Shape("whisker", whiskers)],
        marks=[
            Mark(100 * float(x.at(value)), f"{LIMITS[name]} {share(value)}", "middle")
            for name, value in sorted(known.items(), key=lambda item: item[1])
        ],
        points=[
            Point(100 * float(x.at(bar.loss.value)), 100 * bar.height, "ring" if bar.kind == WITHOUT else "dot")
            for bar in bars
        ],
        legend=[
            *signs,
            ("whisker", "95% interval of chance"),
            *([("b90", "range over generators")] if ranges else []),
        ],
        hover=_hover(bars, x),
        named=True,
        rows=count,
    )


def _hover(bars: Sequence[_Bar], x: Axis) -> dict[str, Any]:
    """What the page says about each figure that is pointed at."""
    ranges = [
        "" if bar.generators is None else f"{share(bar.generators[0])} to {share(bar.generators[1])}" for bar in bars
    ]
    return {
        "unit": "text",
        "x": [round(float(x.at(bar.loss.value)), 4) for bar in bars],
        "y": [round(bar.height, 4) for bar in bars],
        "titles": [f"{bar.name}, {bar.kind}" for bar in bars],
        "series": [
            {"name": "P(loss)", "text": [probability(bar.loss) for bar in bars]},
            {"name": "by chance", "text": [shares(bar.loss) for bar in bars]},
            {"name": "by generator", "text": ranges},
        ],
    }


def _bars(one: StrategyResult, middle: float, rows: int) -> list[_Bar]:
    planted = None if one.edge is None else one.edge.losses
    if planted is None:
        return [_Bar(clean(one.name), GENERATED, one.universes.probability_of_loss, None, middle)]
    return [
        _Bar(clean(one.name), kind, side.probability_of_loss, side.generators, middle + sign * APART / rows)
        for kind, side, sign in ((WITHOUT, planted.without, 1), (WITH, planted.supported, -1))
    ]


def _sentence(bars: Sequence[_Bar], limits: dict[str, float]) -> str:
    """How many intervals of chance leave open on which side of a threshold P(loss) lies."""
    values = [bar.loss.value for bar in bars]
    span = f"With and without an edge, P(loss) lies between {share(min(values))} and {share(max(values))}"
    held = {bar.name for bar in bars if any(bar.loss.low < limit < bar.loss.high for limit in limits.values())}
    count = len({bar.name for bar in bars})
    if not limits:
        return f"{span}."
    if not held:
        return f"{span}; no interval holds a threshold."
    return f"{span}; for {len(held)} of {count} strategies chance leaves open on which side of a threshold it lies."
