"""Ranks of what followed among the universes, as strips with their p-values, and in words: even, uneven, on one side.

The ranks come from a result: those of the realism section, and those of one strategy's returns at past origins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stresslab.analysis.result_realism import RealismSection
from stresslab.core.arrays import FloatArray
from stresslab.metrics.forecast_scores import evenness
from stresslab.metrics.laws import normal_quantile
from stresslab.realism.gate import ENOUGH_ORIGINS
from stresslab.report.charts.chart import Axis, Chart, Note, Point, Shape, Tick, box
from stresslab.report.wording import UNDEFINED, share

LEVEL = 0.95
FEWEST = 5
"""Ranks from which a p-value is given."""
TAIL = 0.05
"""Share of universes on either side beyond which an outcome lies outside nine tenths of them."""
WIDTH = 1.24
"""Of the picture, whose right end holds the p-values, in widths of a strip."""
SIDES: Mapping[str, tuple[str, str]] = {"return": ("lower", "higher"), "volatility": ("calmer", "more volatile")}
"""What reality was where it ranks low and where it ranks high."""


@dataclass(frozen=True)
class Strip:
    """The ranks of one quantity.

    Attributes:
        name: of the quantity.
        values: (K,) ranks in (0, 1).
        titles: (K,) what each is the rank of, such as a date.
        styles: (K,) sign of each: "dot" or "ring".
    """

    name: str
    values: FloatArray
    titles: Sequence[str] = ()
    styles: Sequence[str] = ()

    @property
    def p_value(self) -> float:
        """How often even ranks are as uneven; NaN for too few."""
        return evenness(self.values) if len(self.values) >= FEWEST else math.nan

    @property
    def outside(self) -> int:
        """How many lie outside nine tenths of the universes."""
        return int(((self.values < TAIL) | (self.values > 1 - TAIL)).sum())


def ranks(found: RealismSection, name: str) -> Strip | None:
    """The ranks of one quantity of a realism section; None where too few origins tell anything.

    Args:
        found: the section.
        name: of the quantity, as in its calibration.
    """
    quantity = found.quantities.get(name)
    values = np.asarray(() if quantity is None else quantity.ranks, dtype=np.float64)
    return Strip(name, values) if len(values) >= ENOUGH_ORIGINS else None


def read_p(p_value: float) -> str:
    """A p-value: p = 0.32, p < 0.001."""
    if not math.isfinite(p_value):
        return UNDEFINED
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}" if p_value < 0.1 else f"p = {p_value:.2f}"


def sentence(found: Strip, quantity: str) -> str:
    """What the strip shows: how many outcomes lie far out, and what that says of the universes.

    Args:
        found: the ranks.
        quantity: one of `SIDES`.
    """
    count = len(found.values)
    text = (
        f"{found.outside} of {count} outcomes lie outside nine tenths of the universes, where {2 * TAIL * count:.1f} "
        f"would be even ({read_p(found.p_value)})"
    )
    side, spread = _deviations(found.values)
    limit = float(normal_quantile(1 - (1 - LEVEL) / 4))  # two questions, so that even ranks rarely fail either
    shapes = []
    if abs(side) > limit:
        lower, higher = SIDES[quantity]
        below = side < 0
        shapes.append(
            f"they pile up on the {'low' if below else 'high'} side: what followed was mostly "
            f"{lower if below else higher} than the universes, which are biased {'upwards' if below else 'downwards'}"
        )
    edges = (found.values < 0.25).mean(), (found.values > 0.75).mean()
    if spread > limit and (not shapes or min(edges) > 0.25):
        shapes.append("they pile up at the edges: the universes are too narrow")
    if spread < -limit:
        shapes.append("they pile up in the middle: the universes are too wide")
    even = f"that is no more uneven than chance makes {count}: no sign of universes too narrow, too wide or biased"
    return f"{text}; {', and '.join(shapes) or even}."


def strip_chart(
    strips: Sequence[Strip], key: str, title: str, sentence: str, legend: Sequence[tuple[str, str]] = ()
) -> Chart:
    """A strip for each quantity, one sign an outcome, and the p-value of even ranks at its end.

    Args:
        strips: at least one.
        key: of the chart.
        title: of the chart.
        sentence: what to see in it.
        legend: what the signs mean, where they differ.
    """
    x, count = Axis(0.0, WIDTH), len(strips)
    heights = [1 - (at + 0.5) / count for at in range(count)]
    drawn = [
        (float(x.at(value)), heights[at], one.styles[i] if one.styles else "dot", one, i)
        for at, one in enumerate(strips)
        for i, value in enumerate(one.values)
    ]
    inner, half = (float(x.at(end)) for end in (TAIL, 1 - TAIL)), 0.3 / count
    low, high = inner
    shapes = [
        Shape("b98", "".join(box(0.0, float(x.at(1.0)), height - half, height + half) for height in heights)),
        Shape("b90", "".join(box(low, high, height - half, height + half) for height in heights)),
    ]
    return Chart(
        key=key,
        title=title,
        sentence=sentence,
        x_ticks=[
            Tick(float(100 * x.at(tick)), f"{tick:.0%}", bool(i % 2)) for i, tick in enumerate((0, 0.25, 0.5, 0.75, 1))
        ],
        y_ticks=[Tick(100 * height, one.name) for height, one in zip(heights, strips, strict=True)],
        x_name="share of the universes below what followed",
        y_name="",
        shapes=shapes,
        points=[Point(100 * at, 100 * height, style) for at, height, style, _, _ in drawn],
        notes=[
            Note(100 * float(x.at(1.02)), 100 * height, read_p(one.p_value), "left")
            for height, one in zip(heights, strips, strict=True)
        ],
        legend=[
            *(legend or [("dot", "what followed one origin")]),
            ("b90", "nine tenths of the universes"),
        ],
        hover={
            "unit": "text",
            "x": [round(at, 4) for at, *_ in drawn],
            "y": [round(height, 4) for _, height, *_ in drawn],
            "titles": [one.titles[i] if one.titles else one.name for *_, one, i in drawn],
            "series": [
                {"name": "above", "text": [f"{share(float(one.values[i]))} of the universes" for *_, one, i in drawn]},
            ],
        },
        named=True,
        rows=count,
    )


def _deviations(values: FloatArray) -> tuple[float, float]:
    """Mean rank and mean distance from the middle, in standard errors from what even ranks have."""
    error = math.sqrt(1 / 12 / len(values))
    return float(values.mean() - 0.5) / error, float(np.abs(2 * values - 1).mean() - 0.5) / error
