"""The charts of the realism section: ranks of what followed among the universes, and the clustering of volatility.

Their facts are those of the result; titles and sentences serve the pictures, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stresslab.analysis.result_realism import RealismSection
from stresslab.core.arrays import FloatArray
from stresslab.report.charts import binning, ranks
from stresslab.report.charts.chart import Axis, Chart, Shape, Tick, area, bar, line, rounded
from stresslab.report.sections.realism import fact
from stresslab.report.wording import UNDEFINED, percent

BAND = "95% of counts, if all ranks are equally likely"
EVEN = "even"
COUNTS, PLACES = "outcomes", "rank of what followed among the universes"
UNIVERSES, REALITY = "universes", "reality"
LAG, CLUSTERING = "lag in bars", "autocorrelation"
CLUSTERING_TITLE = "Autocorrelation of absolute returns, by lag"
RANKED = ("return", "volatility")


@dataclass(frozen=True)
class Clustering:
    """Autocorrelation of absolute returns (L,) at lags (L,), in the universes and in what followed."""

    lags: FloatArray
    universes: FloatArray
    real: FloatArray


def ranked(found: RealismSection) -> list[tuple[str, str, ranks.Ranks]]:
    """The quantities whose ranks are drawn: name, title and histogram; none without enough origins."""
    horizon = found.horizon
    drawn = []
    for name in RANKED:
        histogram = ranks.ranks(found, f"return_{horizon}" if name == "return" else name)
        if histogram is not None:
            over = f"{horizon:,} bars" if horizon != 1 else "one bar"
            drawn.append((name, f"Ranks of the {name} over {over}", histogram))
    return drawn


def clustering(found: RealismSection) -> Clustering | None:
    """The autocorrelations that are known on both sides; None where they make no line."""
    row = found.clustering_by_lag
    if not row:
        return None
    lags, universes, real = (np.array(part, dtype=np.float64) for part in (row.lags, row.universes, row.real))
    known = np.isfinite(universes) & np.isfinite(real)
    return Clustering(lags[known], universes[known], real[known]) if known.sum() > 1 else None


def clustering_sentence(found: RealismSection) -> str:
    """What the chart of clustering shows."""
    text = "Above zero wild bars follow wild bars; windows this short pull both lines down alike at long lags"
    row = found.stylized_facts.get("clustering")
    if row is None:
        return f"{text}."
    value, low, high = row.universes, row.real_low, row.real_high
    sides = [fact("clustering", side) for side in (row.universes, row.real)]
    if UNDEFINED in sides:
        return f"{text}."
    text = f"{text}. Averaged over the first lags it is {sides[0]} in the universes and {sides[1]} in reality"
    if value is None or low is None or high is None:
        return f"{text}."
    place = "below" if value < low else "above" if value > high else "within"
    meant = {"below": ": less clustering than reality's", "above": ": more clustering than reality's"}.get(place, "")
    return (
        f"{text}, {place} its 95% interval of chance, {fact('clustering', low)} to {fact('clustering', high)}{meant}."
    )


def realism_charts(found: RealismSection) -> tuple[list[Chart], Chart | None]:
    """The histograms of ranks, and the chart of clustering."""
    return [_ranks_chart(name, title, drawn) for name, title, drawn in ranked(found)], _clustering_chart(found)


def _ranks_chart(name: str, title: str, drawn: ranks.Ranks) -> Chart:
    """Bars of counts, over them the level of even ranks and its band."""
    bins = len(drawn.counts)
    x, y = Axis(0, 1), Axis(0, 1.08 * max(float(drawn.counts.max()), drawn.high))
    edges = np.linspace(0.0, 1.0, bins + 1)
    tops, ends = y.at(drawn.counts), np.array([0.0, 1.0])
    low, high, even = (np.full(2, float(y.at(value))) for value in (drawn.low, drawn.high, drawn.even))
    held = "".join(bar(edges[i], edges[i + 1], tops[i]) for i in range(bins) if tops[i] > 0)
    shares = [f"{percent(a)} to {percent(b)}" for a, b in pairwise(edges)]
    return Chart(
        key=f"realism-{name}",
        title=title,
        sentence=ranks.sentence(drawn, name),
        x_ticks=[Tick(float(100 * x.at(place)), f"{place:.0%}") for place in edges],
        y_ticks=[Tick(float(100 * y.at(tick)), f"{tick:g}") for tick in y.ticks(6) if float(tick).is_integer()],
        x_name=PLACES,
        y_name=COUNTS,
        shapes=[
            Shape("bar gain", held),
            Shape("chance", area(ends, low, high)),
            Shape("median", line(ends, even)),
        ],
        legend=[("median", EVEN), ("chance", BAND)],
        hover={
            "unit": "text",
            "x": rounded((edges[:-1] + edges[1:]) / 2),
            "titles": [f"ranks {one}" for one in shares],
            "series": [
                {
                    "name": COUNTS,
                    "text": [f"{ranks.outcomes(count)} of {len(drawn.values)}" for count in drawn.counts],
                },
                {"name": "by chance", "text": [f"{drawn.low:g} to {drawn.high:g}"] * bins},
            ],
        },
    )


def _clustering_chart(found: RealismSection) -> Chart | None:
    """Two lines over the lags, and zero."""
    drawn = clustering(found)
    if drawn is None:
        return None
    x = Axis(0, float(drawn.lags[-1]))
    y = Axis.around(drawn.universes, drawn.real, [0.0], room=0.06)
    zero = np.full(2, float(y.at(0.0)))
    rows = ((REALITY, drawn.real), (UNIVERSES, drawn.universes))
    return Chart(
        key="realism-clustering",
        title=CLUSTERING_TITLE,
        sentence=clustering_sentence(found),
        x_ticks=[
            Tick(float(100 * x.at(tick)), f"{tick:g}")
            for tick in binning.ticks(0, float(drawn.lags[-1]), 6)
            if float(tick).is_integer()
        ],
        y_ticks=[Tick(float(100 * y.at(tick)), f"{tick:g}") for tick in y.ticks()],
        x_name=LAG,
        y_name=CLUSTERING,
        shapes=[
            Shape("baseline", line(np.array([0.0, 1.0]), zero)),
            Shape("real", line(x.at(drawn.lags), y.at(drawn.real))),
            Shape("median", line(x.at(drawn.lags), y.at(drawn.universes))),
        ],
        legend=[("real", REALITY), ("median", UNIVERSES)],
        hover={
            "unit": "text",
            "x": rounded(x.at(drawn.lags)),
            "titles": [f"lag {lag:g}" for lag in drawn.lags],
            "series": [{"name": name, "text": [fact("clustering", value) for value in row]} for name, row in rows],
        },
    )
