"""What has followed since a run, over the fan of what could have: account and price, and the evidence over time."""

from __future__ import annotations

import numpy as np

from stresslab.analysis.tracking import Looked
from stresslab.core.arrays import FloatArray
from stresslab.report.charts import binning
from stresslab.report.charts.chart import (
    POINTS,
    Axis,
    Chart,
    Shape,
    Tick,
    area,
    line,
    percent_tick,
    rounded,
)
from stresslab.report.wording import number, percent

TITLES = {"account": "The account", "price": "The price"}
EVIDENCE = {"edge": "that the edge is gone", "wilder": "of larger moves", "calmer": "of smaller moves"}
STYLES = {"edge": "real after", "wilder": "median", "calmer": "level0"}


def live_fan(looked: Looked, paths: FloatArray, stamps: list[str], key: str, sentence: str) -> Chart:
    """The band that a path shall stay in throughout, half and nine tenths of the universes at each time, and the path.

    Args:
        looked: of account or price, whose values are logarithms.
        paths: (T, N) the universes', likewise.
        stamps: (T + 1,) of the last bar before and of the horizon.
        key: of the chart.
        sentence: what to see in it.
    """
    assert looked.low is not None
    steps = np.arange(len(paths) + 1)

    def begun(values: FloatArray) -> FloatArray:
        return np.asarray(np.expm1(np.concatenate([[0.0], values])))

    q5, q25, q50, q75, q95 = (begun(row) for row in np.quantile(paths, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1))
    low, high, live = begun(looked.low), begun(looked.high), begun(looked.values)
    x, y = Axis(0, len(paths)), Axis.around(q5, q95, live, room=0.3)
    low_shown, high_shown = np.clip(low, y.low, y.high), np.clip(high, y.low, y.high)
    kept = binning.thin(len(steps), POINTS)
    bands = [("b98", low_shown, high_shown), ("b90", q5, q95), ("b50", q25, q75)]
    shapes = [Shape(style, area(x.at(steps[kept]), y.at(a[kept]), y.at(b[kept]))) for style, a, b in bands]
    shapes.append(Shape("median", line(x.at(steps[kept]), y.at(q50[kept]))))
    shapes.append(Shape("real after", line(x.at(steps[: len(live)]), y.at(live))))
    return Chart(
        key=key,
        title=TITLES[looked.name],
        sentence=sentence,
        x_ticks=_dates(stamps, x),
        y_ticks=[Tick(float(100 * y.at(tick)), percent_tick(tick)) for tick in y.ticks()],
        x_name="",
        y_name="change since the run",
        shapes=shapes,
        legend=[
            ("real", "what followed"),
            ("median", "median universe"),
            ("b50", "half of the universes"),
            ("b90", "nine tenths"),
            ("b98", "the whole path stays inside"),
        ],
        hover={
            "unit": "text",
            "x": rounded(x.at(steps[kept])),
            "titles": [stamps[at] for at in kept],
            "series": [
                {
                    "name": "what followed",
                    "text": [percent(live[at], signed=True) if at < len(live) else "" for at in kept],
                },
                {"name": "median universe", "text": [percent(q50[at], signed=True) for at in kept]},
                {
                    "name": "inside",
                    "text": [f"{percent(low[at], signed=True)} to {percent(high[at], signed=True)}" for at in kept],
                },
            ],
        },
    )


def _dates(stamps: list[str], x: Axis) -> list[Tick]:
    """Three dates along the bars, few enough for half a page."""
    places = sorted({0, (len(stamps) - 1) // 2, len(stamps) - 1})
    return [Tick(float(100 * x.at(place)), stamps[place]) for place in places]


def evidence_chart(looked: list[Looked], stamps: list[str], key: str, sentence: str) -> Chart | None:
    """The evidence against each claim over time, over the threshold from which it is an alarm; None before any bar.

    Args:
        looked: monitors of evidence.
        stamps: (T + 1,) of the last bar before and of the horizon.
        key: of the chart.
        sentence: what to see in it.
    """
    if not looked or not len(looked[0].values):
        return None
    horizon = len(looked[0].high)
    shares = {one.name: np.log(np.maximum(one.values, 1e-3)) / np.log(one.high[0]) for one in looked}
    x, y = Axis(0, horizon), Axis(-0.5, max(1.3, 1.1 * max(float(values.max()) for values in shares.values())))
    steps = np.arange(1, len(looked[0].values) + 1)
    shapes = [Shape("baseline", f"M0 {1000 * (1 - float(y.at(1.0))):.1f}H1000")]
    for name, values in shares.items():
        shapes.append(Shape(STYLES[name], line(x.at(steps), y.at(np.maximum(values, y.low)))))
    return Chart(
        key=key,
        title="Evidence against the run",
        sentence=sentence,
        x_ticks=_dates(stamps, x),
        y_ticks=[Tick(float(100 * y.at(0.0)), "none"), Tick(float(100 * y.at(1.0)), "alarm")],
        x_name="",
        y_name="log of the evidence over that of an alarm",
        shapes=shapes,
        legend=[(STYLES[one.name].split()[0], EVIDENCE[one.name]) for one in looked],
        hover={
            "unit": "text",
            "x": rounded(x.at(steps)),
            "titles": [stamps[at] for at in steps],
            "series": [
                {
                    "name": EVIDENCE[one.name],
                    "text": [f"{number(value)} of {number(one.high[0])}" for value in one.values],
                }
                for one in looked
            ],
        },
    )
