"""Many origins over time, and chained paths, as charts: does the answer depend on one date?

`stresslab.analysis.walk_forward` runs the tests from other dates; the figures are those of `result.json`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result_studies import ChainedPaths, Fold, WalkForward
from stresslab.core.arrays import FloatArray
from stresslab.report.charts import binning, ranks
from stresslab.report.charts.chart import (
    Axis,
    Chart,
    Point,
    Shape,
    Tick,
    across,
    box,
    line,
    stamp_texts,
    upright,
)
from stresslab.report.charts.fans_and_histograms import Heading, histogram_chart, marked
from stresslab.report.wording import percent, share, shares

TICKS = 5
"""Dates along the bottom, at most one more."""
WIDEST = 0.022
"""Half of the width of an origin's sign, at most, as a share of the chart's."""
TRENDS = {"up": "rising", "down": "falling"}
FOOT = 0.07
"""Share of the height below zero that holds the signs of the trend."""


def origins_charts(found: WalkForward, own_loss: float, key: str) -> list[Chart]:
    """P(loss) at each origin over time, and the rank of what followed among the universes there.

    Args:
        found: the walk-forward study of a strategy.
        own_loss: P(loss) of the run itself.
        key: what the charts' keys begin with.
    """
    rows = found.origins
    if len(rows) < 2:
        return []
    times = pd.DatetimeIndex([row.origin for row in rows])
    days = (times.as_unit("ns").asi8 / 86_400e9).astype(np.float64)
    x = Axis.around(days, room=0.06)
    half = min(WIDEST, 0.4 * float(np.diff(np.sort(x.at(days))).min()))
    followed = _followed(rows, f"{key}-origins-ranks")
    return [_losses(rows, x, days, half, own_loss, f"{key}-origins-loss"), *([followed] if followed else [])]


def chained_charts(found: ChainedPaths, key: str) -> list[Chart]:
    """Total return and deepest drawdown over all windows: sampled paths, and the real one."""
    gains, falls = found.total_return, found.max_drawdown
    count, windows = found.paths, found.windows
    better = "" if gains.real is None else f", better than {share(_below(gains.values, gains.real))} of them"
    than = "" if falls.real is None else f", deeper than {share(_below(falls.values, falls.real, above=True))} of them"
    real = percent(gains.real, signed=True)
    return [
        _chained(
            np.asarray(gains.values, dtype=np.float64),
            gains.real,
            key=f"{key}-relived-return",
            title="Chained paths: return",
            sentence=f"Of {count:,} paths, each chained from one universe for each of the {windows} windows, "
            f"{share(found.probability_of_loss.value)} lost; what happened in the same windows, {real}, is the "
            f"solid line{better}.",
            x_name="total return over all windows",
            signed=True,
        ),
        _chained(
            -np.asarray(falls.values, dtype=np.float64) + 0.0,
            _opposite(falls.real),
            key=f"{key}-relived-drawdown",
            title="Chained paths: drawdown",
            sentence=f"Half of the paths fall by more than {percent(_opposite(falls.quantile(0.5)))} at worst; what "
            f"happened fell by {percent(_opposite(falls.real))}{than}.",
            x_name="deepest fall below the running maximum, over all windows",
            signed=False,
        ),
    ]


def _chained(
    values: FloatArray, real: float | None, *, key: str, title: str, sentence: str, x_name: str, signed: bool
) -> Chart:
    found = binning.histogram(values, [] if real is None else [real])
    middle = float(np.median(values))
    marks = [marked(found, middle, f"median path {percent(middle, signed=signed)}", "middle")]
    if real is not None:
        marks.append(marked(found, real, f"what happened {percent(real, signed=signed)}", "outcome"))
    everything = np.ones(len(found.counts), dtype=np.bool_)
    groups = [("loss", found.edges[1:] <= 0), ("gain", found.edges[:-1] >= 0)] if signed else [("depth0", everything)]
    return histogram_chart(
        Heading(key, title, sentence, x_name),
        found,
        groups,
        marks=marks,
        signed=signed,
        of="paths",
    )


def _losses(rows: Sequence[Fold], x: Axis, days: FloatArray, half: float, own: float, key: str) -> Chart:
    """A sign and its interval at each origin; shades where the market was turbulent, the trend at the foot."""
    y = Axis(-FOOT / (1 - FOOT), 1.02)
    places = x.at(days)
    whiskers = "".join(
        upright(float(at), float(y.at(row.probability_of_loss.low)), float(y.at(row.probability_of_loss.high)))
        for at, row in zip(places, rows, strict=True)
    )
    points = [
        Point(100 * float(at), 100 * float(y.at(row.probability_of_loss.value)), _seen(row))
        for at, row in zip(places, rows, strict=True)
    ]
    points += [
        Point(100 * float(at), 100 * FOOT / 2, "rise" if row.trend == "up" else "fall")
        for at, row in zip(places, rows, strict=True)
    ]
    values = [row.probability_of_loss.value for row in rows]
    over = sum(value >= 0.5 for value in values)
    level, half_way = float(y.at(own)), float(y.at(0.5))
    return Chart(
        key=key,
        title="P(loss) from other dates",
        sentence=f"From {len(rows)} dates of the history P(loss) lies between {share(min(values))} and "
        f"{share(max(values))}, and at half or more at {over} of them; the run's own is {share(own)}. "
        f"{_grouped(rows)}",
        x_ticks=_ticks(x),
        y_ticks=[Tick(100 * float(y.at(tick)), f"{tick:.0%}") for tick in (0.0, 0.25, 0.5, 0.75, 1.0)],
        x_name="origin",
        y_name="P(loss) with its 95% interval",
        shapes=[
            *_shades(rows, places, half),
            Shape("baseline", across(half_way, 0.0, 1.0)),
            Shape("median", line(np.array([0.0, 1.0]), np.array([level, level]))),
            Shape("whisker", whiskers),
        ],
        points=points,
        legend=[*_legend(rows), ("median", "this run's own")],
        hover=_hover(rows, places, [("P(loss)", [_with_range(row) for row in rows])]),
    )


def _followed(rows: Sequence[Fold], key: str) -> Chart | None:
    """The rank of what followed among the universes of each origin, in all markets, rising and falling ones."""
    known = [row for row in rows if row.realised_return is not None and row.realised_percentile.value is not None]
    if not known:
        return None
    groups = {"all dates": known}
    groups |= {f"in {name} markets": [row for row in known if row.trend == trend] for trend, name in TRENDS.items()}
    strips = [
        _strip(name, group) for name, group in groups.items() if group and (name == "all dates" or group != known)
    ]
    lost = sum((row.realised_return or 0.0) < 0 for row in known)
    first = strips[0]
    sentence = (
        f"What really followed was a loss after {lost} of {len(known)} dates; it lies outside nine tenths of the "
        f"universes at {first.outside}, where {2 * ranks.TAIL * len(known):.1f} would be expected. "
    )
    sentence += (
        f"{ranks.read_p(first.p_value)} is how often true universes would rank it as unevenly."
        if math.isfinite(first.p_value)
        else f"Fewer than {ranks.FEWEST} dates say nothing about how even these ranks are."
    )
    signs = [row for row in _legend(known) if row[0] in ("dot", "ring")]
    return ranks.strip_chart(strips, key, "What followed each date, by its rank among the universes", sentence, signs)


def _strip(name: str, rows: Sequence[Fold]) -> ranks.Strip:
    values = np.array([row.realised_percentile.value for row in rows], dtype=np.float64)
    titles = [
        f"{stamp}: {percent(row.realised_return, signed=True)}"
        for stamp, row in zip(stamp_texts(pd.DatetimeIndex([row.origin for row in rows])), rows, strict=True)
    ]
    return ranks.Strip(name, values, titles, [_seen(row) for row in rows])


def _below(values: Sequence[float], real: float, *, above: bool = False) -> float:
    """Share of values strictly below the real one, or above it; those are rounded to six digits."""
    numbers = np.asarray(values) - round(real, 6)
    return float(np.mean(numbers > 0 if above else numbers < 0))


def _opposite(value: float | None) -> float | None:
    return None if value is None else -value


def _seen(row: Fold) -> str:
    """A hollow sign where the generator was trained on what followed."""
    return "ring" if row.in_sample else "dot"


def _shades(rows: Sequence[Fold], places: FloatArray, half: float) -> list[Shape]:
    wild = "".join(
        box(float(at) - 1.1 * half, float(at) + 1.1 * half, 0.0, 1.0)
        for at, row in zip(places, rows, strict=True)
        if row.volatility == "turbulent"
    )
    return [Shape("wild", wild)] if wild else []


def _legend(rows: Sequence[Fold]) -> list[tuple[str, str]]:
    """The signs that are drawn, and no others."""
    entries = [
        ("dot", "generator not trained on what followed", any(row.in_sample is False for row in rows)),
        ("ring", "generator trained on what followed", any(row.in_sample for row in rows)),
        ("wild", "turbulent market", any(row.volatility == "turbulent" for row in rows)),
        ("rise", "rising", any(row.trend == "up" for row in rows)),
        ("fall", "falling", any(row.trend == "down" for row in rows)),
    ]
    return [(style, meaning) for style, meaning, drawn in entries if drawn]


def _grouped(rows: Sequence[Fold]) -> str:
    """How the regimes differ, where there are origins of both kinds; empty otherwise."""
    groups = {
        name: [row.probability_of_loss.value for row in rows if row.trend == trend] for trend, name in TRENDS.items()
    }
    if min(map(len, groups.values())) == 0:
        return ""
    averages = " and ".join(f"{share(math.fsum(values) / len(values))} in {name}" for name, values in groups.items())
    return f"On average it is {averages} markets."


def _with_range(row: Fold) -> str:
    found = row.probability_of_loss
    return f"{share(found.value)} ({shares(found)})"


def _hover(rows: Sequence[Fold], places: FloatArray, lines: list[tuple[str, list[str]]]) -> dict[str, Any]:
    trained = {True: "trained on it", False: "not trained on it", None: ""}
    return {
        "unit": "text",
        "x": [round(float(at), 4) for at in places],
        "titles": stamp_texts(pd.DatetimeIndex([row.origin for row in rows])),
        "series": [
            *({"name": name, "text": texts} for name, texts in lines),
            {"name": "market", "text": [f"{row.trend}, {row.volatility}" for row in rows]},
            {"name": "generator", "text": [trained[row.in_sample] for row in rows]},
        ],
    }


def _ticks(x: Axis) -> list[Tick]:
    """Years, or evenly spread dates where they are few."""
    first, last = (pd.Timestamp(day * 86_400e9) for day in (x.low, x.high))
    years = [int(year) for year in binning.ticks(first.year, last.year, TICKS) if float(year).is_integer()]
    starts = [(year, pd.Timestamp(year, 1, 1)) for year in years if first <= pd.Timestamp(year, 1, 1) <= last]
    if len(starts) >= 3:
        return [Tick(100 * float(x.at(start.value / 86_400e9)), str(year)) for year, start in starts]
    days = np.linspace(x.low, x.high, 5)[1:-1]
    return [Tick(100 * float(x.at(day)), str(pd.Timestamp(day * 86_400e9).date())) for day in days]
