"""What moves P(loss), and by how much: one bar for each change of costs, parameters and shocks, the largest on top.

The figures are those of `result.json`; which changes there are is decided in `sections.tornado`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stresslab.analysis.result_models import RiskFigures, Share
from stresslab.report.charts.chart import Axis, Chart, Mark, Note, Point, Shape, Tick, across, box, percent_tick
from stresslab.report.wording import probability, share, shares

MOST = 12
"""Changes that are drawn, at most: those that move P(loss) most."""
ROOM = 0.2
"""Part of the width on either side for the figures beside the bars."""
THICK = 0.56
"""How much of a row a bar fills."""


@dataclass(frozen=True)
class Change:
    """What was changed: its kind (costs, parameter, shock), a short name, the figures with it, and its whole name."""

    kind: str
    label: str
    figures: RiskFigures
    name: str = ""

    @property
    def loss(self) -> Share:
        """P(loss) with it."""
        return self.figures.probability_of_loss


def points(change: Share, base: Share) -> str:
    """The difference of two shares in points: +3.5 points."""
    gap = round(100 * (change.value - base.value), 1)
    return f"{gap:+.1f}".removesuffix(".0") + (" point" if abs(gap) == 1 else " points") if gap else "no change"


def sentence(base: Share, changes: Sequence[Change]) -> str:
    """Which change moves P(loss) most, upwards and downwards."""
    worst = max(changes, key=lambda one: one.loss.value)
    best = min(changes, key=lambda one: one.loss.value)
    text = f"As it is, P(loss) is {probability(base)}"
    if worst.loss.value > base.value:
        text += f"; {worst.label} makes it {probability(worst.loss)} ({points(worst.loss, base)})"
    else:
        text += "; nothing that was tried makes it worse"
    if best.loss.value < base.value:
        text += f", {best.label} {probability(best.loss)} ({points(best.loss, base)})"
    return f"{text}."


def tornado_chart(base: Share, changes: Sequence[Change], key: str) -> Chart:
    """A bar from P(loss) as it is to P(loss) with each change, and the 95% interval of that."""
    drawn = sorted(changes, key=lambda one: -abs(one.loss.value - base.value))[:MOST]
    ends = [end for one in drawn for end in (one.loss.value, one.loss.low, one.loss.high)]
    low, high = min(base.value, *ends), max(base.value, *ends)
    edge = (high - low or 0.01) * ROOM / (1 - 2 * ROOM)
    x, rows = Axis(low - edge, high + edge), len(drawn)
    origin = float(x.at(base.value))
    bars, whiskers, notes, dots = {"loss": "", "gain": ""}, "", [], []
    for at, one in enumerate(drawn):
        middle, half = 1 - (at + 0.5) / rows, THICK / 2 / rows
        value, left, right = (float(x.at(end)) for end in (one.loss.value, one.loss.low, one.loss.high))
        style = "loss" if value > origin else "gain"
        if value != origin:
            bars[style] += box(min(origin, value), max(origin, value), middle - half, middle + half)
        whiskers += across(middle, left, right)
        dots.append(Point(100 * value, 100 * middle, "dot"))
        worse = value >= origin
        notes.append(
            Note(
                100 * (max(right, origin) + 0.012 if worse else min(left, origin) - 0.012),
                100 * middle,
                points(one.loss, base).partition(" point")[0],
                "left" if worse else "right",
            )
        )
    ticks = [tick for tick in x.ticks(6) if 0 <= tick <= 1]
    names = [*(("loss", "worse"), ("gain", "better")), ("whisker", "95% interval of chance")]
    return Chart(
        key=key,
        title="What moves P(loss)",
        sentence=sentence(base, changes),
        x_ticks=[Tick(float(100 * x.at(tick)), percent_tick(tick), bool(i % 2)) for i, tick in enumerate(ticks)],
        y_ticks=[Tick(100 * (1 - (at + 0.5) / rows), one.label) for at, one in enumerate(drawn)],
        x_name="P(loss); beside each bar its change in points",
        y_name="",
        shapes=[*(Shape(style, path) for style, path in bars.items() if path), Shape("whisker", whiskers)],
        marks=[Mark(100 * origin, f"as it is {share(base.value)}", "outcome")],
        points=dots,
        notes=notes,
        legend=[(style, meaning) for style, meaning in names if bars.get(style, "whisker")],
        hover={
            "unit": "text",
            "x": [round(point.at / 100, 4) for point in dots],
            "y": [round(point.height / 100, 4) for point in dots],
            "titles": [f"{one.kind}: {one.label}" for one in drawn],
            "series": [
                {"name": "P(loss)", "text": [probability(one.loss) for one in drawn]},
                {"name": "95% interval", "text": [shares(one.loss) for one in drawn]},
                {"name": "difference", "text": [points(one.loss, base) for one in drawn]},
            ],
        },
        named=True,
        rows=rows,
    )
