"""The charts of the realism section: ranks of what followed among the universes, and the clustering of volatility.

Their facts are those of the result; titles and sentences serve the pictures, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stresslab.analysis.result_realism import RealismSection
from stresslab.core.arrays import FloatArray
from stresslab.report.charts import binning, ranks
from stresslab.report.charts.chart import Axis, Chart, Shape, Tick, line, rounded
from stresslab.report.sections.realism import fact, quantity
from stresslab.report.wording import UNDEFINED

UNIVERSES, REALITY = "universes", "reality"
LAG, CLUSTERING = "lag in bars", "autocorrelation"
CLUSTERING_TITLE = "Autocorrelation of absolute returns, by lag"
RANKS_TITLE = "What followed, by its rank among the universes"


@dataclass(frozen=True)
class Clustering:
    """Autocorrelation of absolute returns (L,) at lags (L,), in the universes and in what followed."""

    lags: FloatArray
    universes: FloatArray
    real: FloatArray


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


def realism_charts(found: RealismSection) -> list[Chart]:
    """The strips of ranks and the clustering of volatility, those that there is evidence for."""
    return [chart for chart in (_ranks_chart(found), _clustering_chart(found)) if chart is not None]


def _ranks_chart(found: RealismSection) -> Chart | None:
    """A strip for each quantity; its sentences are about the return over the horizon and about volatility."""
    strips = {name: strip for name in found.quantities if (strip := ranks.ranks(found, name)) is not None}
    if not strips:
        return None
    asked = (("return", f"return_{found.horizon}"), ("volatility", "volatility"))
    sentences = [
        f"{quantity(name, sentence=True)}: {ranks.sentence(strips[name], kind)}"
        for kind, name in asked
        if name in strips
    ]
    named = [replace(strip, name=quantity(name)) for name, strip in strips.items()]
    return ranks.strip_chart(named, "realism-ranks", RANKS_TITLE, " ".join(sentences) or f"{RANKS_TITLE}.")


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
