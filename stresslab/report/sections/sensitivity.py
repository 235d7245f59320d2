"""What the answer depends on: costs, the strategy's parameters, the generator's settings, the horizon."""

from __future__ import annotations

import numpy as np

from stresslab.analysis.result_studies import GeneratorSweep, Horizon, StrategyStudies
from stresslab.metrics.distribution import wilson
from stresslab.report.charts import binning
from stresslab.report.charts.chart import POINTS, Axis, Chart, Shape, Tick, area, line, percent_tick, rounded, whole
from stresslab.report.sections import generator_sensitivity, tornado
from stresslab.report.sections.table import Table
from stresslab.report.wording import share


def tables(found: StrategyStudies, settings: GeneratorSweep | None, key: str) -> list[Table]:
    """A table for everything that was varied, each with its pictures.

    Args:
        found: the studies of one strategy.
        settings: what settings of the generator do to realism; None where they were not turned.
        key: of the strategy's charts.
    """
    changed = tornado.table(found, key)
    made = [] if changed is None else [changed]
    if found.generator_sweep and settings:
        made.append(generator_sensitivity.table(found.generator_sweep, settings, key))
    if found.horizon:
        made.append(_horizon(found.horizon, key))
    return made


def _horizon(found: Horizon, key: str) -> Table:
    sentence = "What if one looked at the account earlier than at the end of the horizon?"
    headings = ("After", "Universes below the initial capital", "P(loss)", "95% interval")
    rows = tuple(horizon_rows(found))
    return Table("horizon", "Sensitivity to the horizon", sentence, headings, rows, (horizon_chart(found, key),))


def horizon_chart(found: Horizon, key: str) -> Chart:
    """P(loss) after each bar, with the 95% interval of chance around it."""
    losing, count = np.asarray(found.losing, dtype=np.int64)[1:], found.universes
    parts = [wilson(int(lost), count) for lost in losing]
    bars = np.arange(1, len(losing) + 1)
    low, value, high = (np.array([getattr(part, end) for part in parts]) for end in ("low", "value", "high"))
    x, y = Axis(0, len(losing)), Axis.around(low, high, [0.0])
    kept = binning.thin_line(value, 2 * POINTS)
    shapes = [Shape("band b90", area(x.at(bars[kept]), y.at(low[kept]), y.at(high[kept])))]
    shapes.append(Shape("real after", line(x.at(bars[kept]), y.at(value[kept]))))
    places = binning.thin(len(losing), POINTS)
    return Chart(
        key=f"{key}-horizon",
        title="P(loss) by the horizon",
        sentence=horizon_sentence(found),
        x_ticks=[
            Tick(float(100 * x.at(tick)), f"{tick:,.0f}", bool(i % 2))
            for i, tick in enumerate(whole(binning.ticks(0, len(losing))))
        ],
        y_ticks=[Tick(float(100 * y.at(tick)), percent_tick(tick)) for tick in y.ticks()],
        x_name="bars after the origin",
        y_name="share of universes below the initial capital",
        shapes=shapes,
        legend=[("real", "P(loss)"), ("b90", "95% interval")],
        hover={
            "unit": "text",
            "x": rounded(x.at(bars[places])),
            "titles": [f"after {bars[at]:,} bars" for at in places],
            "series": [
                {"name": "P(loss)", "text": [share(value[at]) for at in places]},
                {"name": "95% interval", "text": [f"{share(low[at])} to {share(high[at])}" for at in places]},
            ],
        },
    )


def horizon_rows(found: Horizon) -> list[tuple[str, str, str, str]]:
    """At a quarter, at half and at the whole of the horizon: universes that lose, their share and its interval."""
    losing, count = found.losing, found.universes
    rows = []
    for at in _marks(found):
        part = wilson(int(losing[at]), count)
        within = f"{share(part.low)} to {share(part.high)}"
        rows.append((f"{at:,} bars", f"{losing[at]:,} of {count:,}", share(part.value), within))
    return rows


def horizon_sentence(found: Horizon) -> str:
    """At a quarter, at half and at the whole of the horizon."""
    shares = [f"{share(found.losing[at] / found.universes)} after {at:,}" for at in _marks(found)]
    return f"Of the universes, {', '.join(shares)} bars lie below the initial capital."


def _marks(found: Horizon) -> list[int]:
    bars = len(found.losing) - 1
    return sorted({max(1, bars // 4), max(1, bars // 2), bars})
