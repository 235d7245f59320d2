"""Growth over the size of a strategy, and where the limit ends it: the picture behind the choice of a size."""

from __future__ import annotations

import numpy as np

from stresslab.analysis.result_decisions import AtSize, SizeStudy
from stresslab.core.arrays import FloatArray
from stresslab.report.charts.chart import Axis, Chart, Mark, Shape, Tick, box, line, percent_tick, rounded
from stresslab.report.wording import largest_multiple, number, percent, probability, share

NAMES = {"generated": "as generated", "without": "without an edge", "supported": "with supported timing"}
"""What people read for each side."""


def size_chart(study: SizeStudy, key: str, sentence: str) -> Chart:
    """Growth a year by size, of each kind of edge; sizes within the limit are shaded.

    Args:
        study: of one strategy.
        key: of the chart.
        sentence: what to see in it.
    """
    judged = study.sides[study.judged]
    other = study.sides.get("without") if study.judged != "without" else None
    peak = max((row.growth for row in judged.rows if row.growth is not None), default=0.0)
    floor = -1.5 * max(peak, 0.1)
    curves = [("real", *_curve(judged.rows, floor))]
    if other is not None:
        curves.insert(0, ("median", *_curve(other.rows, floor)))
    largest, kelly = judged.largest, judged.kelly.value or 0.0
    ends = [row.size for row in judged.rows if row.growth is not None and row.growth > floor]
    widest = max([*ends, 1.0, 1.15 * largest.size if largest.limited else 1.0])
    highest = max(float(growth.max()) for _, _, growth in curves)
    x, y = Axis(0.0, widest), Axis(floor, 1.15 * max(highest, 0.03))
    kept = min(largest.size, x.high)
    shapes = [Shape("b90", box(0.0, float(x.at(kept)), 0.0, 1.0))] if kept > 0 else []
    shapes.append(Shape("baseline", f"M0 {1000 * (1 - float(y.at(0.0))):.1f}H1000"))
    for style, sizes, growth in curves:
        within = np.append(sizes[sizes < x.high], min(x.high, sizes[-1]))
        shapes.append(Shape(style, line(x.at(within), y.at(np.interp(within, sizes, growth)))))
    marks = [Mark(100 * float(x.at(kept)), f"largest within the limit {largest_multiple(largest.size)}", "outcome")]
    if 0 < kelly <= x.high:
        marks.append(Mark(100 * float(x.at(kelly)), f"Kelly {number(kelly)}", "middle"))
        marks.append(Mark(100 * float(x.at(kelly / 2)), f"half Kelly {number(kelly / 2)}", "middle"))
    shown = [row for row in judged.rows if row.size <= x.high]
    return Chart(
        key=key,
        title="Growth by size",
        sentence=sentence,
        x_ticks=[Tick(float(100 * x.at(at)), f"{at:g}x", bool(i % 2)) for i, at in enumerate(x.ticks(8))],
        y_ticks=[Tick(float(100 * y.at(at)), percent_tick(at)) for at in y.ticks()],
        x_name="multiple of the strategy's own size",
        y_name="log growth a year",
        shapes=shapes,
        marks=sorted(marks, key=lambda mark: mark.at),
        legend=[
            ("real", NAMES[study.judged]),
            *([("median", NAMES["without"])] if other is not None else []),
            ("b90", study.limit),
        ],
        hover={
            "unit": "text",
            "x": rounded(x.at([row.size for row in shown])),
            "titles": [f"size {row.size:g}x" for row in shown],
            "series": [
                {"name": "growth a year", "text": [percent(row.growth, signed=True) for row in shown]},
                {"name": "P(loss)", "text": [probability(row.loss) for row in shown]},
                {"name": f"P(drawdown > {share(study.depth)})", "text": [probability(row.drawdown) for row in shown]},
                {"name": "P(margin call)", "text": [probability(row.margin_call) for row in shown]},
            ],
        },
    )


def _curve(rows: tuple[AtSize, ...], floor: float) -> tuple[FloatArray, FloatArray]:
    """Sizes and growth, from nothing at size 0 down to the floor of the picture."""
    sizes, growth = [0.0], [0.0]
    for row in rows:
        found = -np.inf if row.growth is None else row.growth
        sizes.append(row.size)
        growth.append(max(found, floor))
        if found <= floor:
            break
    return np.array(sizes), np.array(growth)
