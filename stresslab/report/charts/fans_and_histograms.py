"""The charts of the page: facts become positions in percent, paths and labels, which the template sets as SVG and text.

Shapes are drawn in a square of 1000 by 1000 that the page stretches to its width; labels are text beside it, so that
they keep their size on a phone and on paper. The style sheet sets colours and fonts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.core.arrays import FloatArray
from stresslab.data.bars import Bars
from stresslab.report import captions
from stresslab.report.charts import binning
from stresslab.report.charts.chart import (
    POINTS,
    Axis,
    Chart,
    Mark,
    Shape,
    Tick,
    area,
    bar,
    line,
    percent_tick,
    price_ticks,
    rounded,
    share_ticks,
    short,
    stamp_texts,
    thinned_line,
    time_ticks,
    whole,
)  # fmt: skip
from stresslab.report.wording import percent, share, short_money

TAIL = 60
"""Real bars drawn before the origin, at least."""
DRAWN_PATHS = 12
BANDS = (("0.01", "0.99", "b98", "98%"), ("0.05", "0.95", "b90", "90%"), ("0.25", "0.75", "b50", "half"))
"""Bands of a fan: two quantiles, their style, and the share of universes between them."""


def drawn_history(result: StressResult) -> Bars:
    """The real bars before the origin that a result's charts show."""
    return drawn_tail(result.history, result.horizon)


def drawn_tail(history: Bars, horizon: int) -> Bars:
    """The last bars of a history: as many as the horizon, within limits."""
    return history[max(0, len(history) - max(TAIL, min(horizon, 3 * TAIL))) :]


def universes_chart(result: StressResult) -> Chart:
    """The fan of closes over the tail of real history, with the real path after the origin over it."""
    return fan_chart(
        drawn_history(result),
        result.fan,
        result.sample_paths,
        result.future,
        title=captions.universes_title(result),
        sentence=captions.universes_sentence(result),
    )


def fan_chart(
    drawn: Bars, quantiles: pd.DataFrame, paths: NDArray[np.float64], future: Bars | None, *, title: str, sentence: str
) -> Chart:
    """A fan of closes.

    Args:
        drawn: real bars up to the origin.
        quantiles: (T,) of the closes, one column per level.
        paths: (k, T) closes of some universes.
        future: real bars after the origin, or None.
        title: what is drawn.
        sentence: what to see in it.
    """
    tail, past, horizon = len(drawn), drawn.values[:, 3], len(quantiles)
    start = float(past[-1])
    fan = _with_start(quantiles, start)
    real = np.concatenate([[start], future.values[:, 3]]) if future is not None else np.array([start])
    x = Axis(1 - tail, horizon)
    y = Axis.around(fan.to_numpy(), past, real, log=True)
    steps = np.arange(horizon + 1)
    shapes = _bands(fan, x, y)
    for path in paths[:DRAWN_PATHS]:
        kept = binning.thin_line(np.concatenate([[start], path]), POINTS)
        shapes.append(Shape("path", line(x.at(steps[kept]), y.at(np.concatenate([[start], path])[kept]))))
    shapes.append(Shape("median", thinned_line(steps, fan["0.5"].to_numpy(), x, y)))
    shapes.append(Shape("real", thinned_line(np.arange(1 - tail, 1), past, x, y)))
    legend = _band_legend()
    if future is not None:
        shapes.append(Shape("real after", thinned_line(np.arange(len(real)), real, x, y)))
        legend.append(("real", captions.REALISED))
    stamps = stamp_texts(drawn.timestamps.append(pd.DatetimeIndex(quantiles.index)))
    hover = _fan_hover(fan, x, stamps[tail - 1 :], dict(enumerate(real.tolist())), "price")
    before = binning.thin(tail - 1, POINTS // 2) if tail > 1 else np.array([], dtype=np.int64)
    _prepend(hover, x.at(before - (tail - 1)), [stamps[i] for i in before], past[before])
    return Chart(
        key="universes",
        title=title,
        sentence=sentence,
        x_ticks=time_ticks(stamps, x, 1 - tail),
        y_ticks=price_ticks(y),
        x_name="",
        y_name="close" + (" (logarithmic)" if y.log else ""),
        shapes=shapes,
        marks=[Mark(float(100 * x.at(0)), f"origin {stamps[tail - 1]}", "origin")],
        legend=legend,
        hover=hover,
    )


def pnl_chart(strategy: StrategyResult, key: str, init_cash: float) -> Chart:
    """The histogram of total returns: the zone of loss, quantiles and the real outcome marked."""
    returns = strategy.metrics["total_return"].to_numpy(dtype=np.float64)
    realised = strategy.realised_return
    found = binning.histogram(returns, [] if realised is None else [realised])
    spread = captions.measure_of(strategy, "total_return")
    marks = [("5% quantile", spread.quantile(0.05), "quantile"), ("median", spread.median, "middle")]
    if realised is not None:
        marks.append(("real outcome", realised, "outcome"))
    loss = strategy.universes.probability_of_loss.value
    groups = [("loss", found.edges[1:] <= 0), ("gain", found.edges[:-1] >= 0)]
    chart = histogram_chart(
        Heading(
            f"{key}-pnl",
            "Profit and loss over the horizon",
            captions.pnl_sentence(strategy),
            "total return, net of costs",
        ),
        found,
        groups,
        marks=[
            marked(found, value, f"{name} {percent(value, signed=True)}", style)
            for name, value, style in marks
            if value is not None
        ],
        signed=True,
    )
    in_cash = [f"{short_money(low * init_cash)} to {short_money(high * init_cash)}" for low, high in _bins(found)]
    chart.hover["series"].append({"name": f"of {short_money(init_cash)}", "text": in_cash})
    return _with(chart, zones=(f"loss {share(loss)}", f"no loss {share(1 - loss)}"))


def drawdown_chart(strategy: StrategyResult, key: str) -> Chart:
    """The histogram of the deepest drawdowns, as depths, with the reported depths and the real one marked."""
    depths = -strategy.metrics["max_drawdown"].to_numpy(dtype=np.float64) + 0.0
    fall = strategy.realised_of("max_drawdown")
    realised = None if fall is None else -fall
    beyond = {float(depth): found.value for depth, found in strategy.universes.probability_of_drawdown.items()}
    found = binning.histogram(depths, [0.0, *beyond, *([] if realised is None else [realised])])
    limits = [depth for depth in sorted(beyond) if depth < found.high]
    marks = [marked(found, depth, f"{share(beyond[depth])} deeper than {share(depth)}", "limit") for depth in limits]
    if realised is not None:
        marks.append(marked(found, realised, f"real outcome {percent(realised)}", "outcome"))
    rank = np.searchsorted(np.array(sorted(beyond)) - 1e-12, found.edges[:-1], side="right")  # (B,) depths exceeded
    return histogram_chart(
        Heading(
            f"{key}-drawdown",
            "Deepest drawdown",
            captions.drawdown_sentence(strategy),
            "deepest fall below the running maximum",
        ),
        found,
        [(f"depth{level}", rank == level) for level in range(len(beyond) + 1)],
        marks=marks,
        signed=False,
    )


def underwater_chart(strategy: StrategyResult, key: str) -> Chart:
    """The histogram of the share of bars below an earlier high, with the median and the real outcome marked."""
    parts = strategy.metrics["time_under_water"].to_numpy(dtype=np.float64)
    realised = strategy.realised_of("time_under_water")
    found = binning.histogram(parts, [0.0, 1.0])
    middle = captions.measure_of(strategy, "time_under_water").median
    marks = [("median", middle, "middle"), ("real outcome", realised, "outcome")]
    return histogram_chart(
        Heading(
            f"{key}-underwater",
            "Time under water",
            captions.underwater_sentence(strategy),
            "share of bars below an earlier high of the account",
        ),
        found,
        [("gain", np.ones(len(found.counts), dtype=np.bool_))],
        marks=[
            marked(found, value, f"{name} {percent(value)}", style) for name, value, style in marks if value is not None
        ],
        signed=False,
    )


def difference_chart(gaps: NDArray[np.float64], key: str, title: str) -> Chart:
    """The histogram of differences between two accounts in the same universes (N,)."""
    found = binning.histogram(gaps, [0.0])
    ahead, even = float(np.mean(gaps > 0)), float(np.mean(gaps == 0))
    mean = float(np.mean(gaps))
    sentence = (
        f"In {share(ahead)} of the universes the difference is above zero, in {share(even)} it is zero; "
        f"its mean is {percent(mean, signed=True)}."
    )
    return histogram_chart(
        Heading(key, title, sentence, "difference of the total returns in one universe"),
        found,
        [("loss", found.edges[1:] <= 0), ("gain", found.edges[:-1] >= 0)],
        marks=[marked(found, mean, f"mean {percent(mean, signed=True)}", "middle")],
        signed=True,
    )


def equity_chart(strategy: StrategyResult, key: str, init_cash: float, stamps: list[str]) -> Chart:
    """The fan of the account's value, with the account on the real bars over it."""
    fan = strategy.equity_fan
    real = None if strategy.realised_equity is None else np.asarray(strategy.realised_equity, dtype=np.float64)
    x = Axis(0, len(fan) - 1)
    y = Axis.around(fan.to_numpy(), [init_cash], [] if real is None else real, log=True)
    steps = np.arange(len(fan))
    level = float(y.at(init_cash))
    shapes = [*_bands(fan, x, y), Shape("baseline", line(np.array([0.0, 1.0]), np.array([level, level])))]
    shapes.append(Shape("median", thinned_line(steps, fan["0.5"].to_numpy(), x, y)))
    legend = _band_legend()
    if real is not None:
        shapes.append(Shape("real after", thinned_line(steps[: len(real)], real, x, y)))
        legend.append(("real", captions.REALISED))
    return Chart(
        key=f"{key}-equity",
        title="Value of the account",
        sentence=captions.equity_sentence(strategy, init_cash),
        x_ticks=[
            Tick(float(100 * x.at(tick)), f"{tick:,.0f}", bool(i % 2))
            for i, tick in enumerate(whole(binning.ticks(0, len(fan) - 1)))
        ],
        y_ticks=[Tick(float(100 * y.at(tick)), short_money(tick)) for tick in y.ticks()],
        x_name="bars after the origin",
        y_name="currency of the bars" + (" (logarithmic)" if y.log else ""),
        shapes=shapes,
        legend=legend,
        hover=_fan_hover(fan, x, stamps, {} if real is None else dict(enumerate(real.tolist())), "money"),
    )


def _with_start(fan: pd.DataFrame, start: float) -> pd.DataFrame:
    """Quantiles (T + 1,) that begin at the last real close."""
    return pd.DataFrame(np.vstack([np.full(fan.shape[1], start), fan.to_numpy()]), columns=fan.columns)


def _bands(fan: pd.DataFrame, x: Axis, y: Axis) -> list[Shape]:
    """The bands between pairs of quantiles, the widest first."""
    kept = binning.thin(len(fan), POINTS)
    places = x.at(kept)
    return [
        Shape(f"band {style}", area(places, y.at(fan[low].to_numpy()[kept]), y.at(fan[high].to_numpy()[kept])))
        for low, high, style, _ in BANDS
    ]


def _band_legend() -> list[tuple[str, str]]:
    return [*((style, f"{name} of universes") for _, _, style, name in reversed(BANDS)), ("median", "median")]


def _fan_hover(fan: pd.DataFrame, x: Axis, stamps: list[str], real: dict[int, float], unit: str) -> dict[str, Any]:
    """Hover data of a fan: at each kept step the real value, the median and both ends of the bands."""
    kept = binning.thin(len(fan), POINTS)
    titles = ["origin" if step == 0 else f"bar +{step:,} · {stamps[step]}" for step in kept]
    rows: list[dict[str, Any]] = []
    if real:
        rows.append({"name": "real", "values": [short(real.get(int(step))) for step in kept]})
    rows.append({"name": "median", "values": [short(value) for value in fan["0.5"].to_numpy()[kept]]})
    for low, high, _, name in reversed(BANDS):
        lows, highs = fan[low].to_numpy()[kept], fan[high].to_numpy()[kept]
        pairs = [[short(a), short(b)] for a, b in zip(lows, highs, strict=True)]
        rows.append({"name": name, "values": pairs})
    return {"unit": unit, "x": rounded(x.at(kept)), "titles": titles, "series": rows}


def _prepend(hover: dict[str, Any], places: FloatArray, titles: list[str], real: FloatArray) -> None:
    """Put the real history before the hover data of a fan."""
    hover["x"] = rounded(places) + hover["x"]
    hover["titles"] = titles + hover["titles"]
    for row in hover["series"]:
        known = [short(value) for value in real] if row["name"] == "real" else [None] * len(titles)
        row["values"] = known + row["values"]


class Heading(NamedTuple):
    """The words of a chart, and the key by which the page finds it."""

    key: str
    title: str
    sentence: str
    x_name: str


def histogram_chart(
    heading: Heading,
    found: binning.Histogram,
    groups: Sequence[tuple[str, NDArray[np.bool_]]],
    *,
    marks: list[Mark],
    signed: bool,
    of: str = "universes",
) -> Chart:
    """A histogram in shares of all universes (or of what `of` names), its bars in groups of one style each."""
    shares = found.counts / max(int(found.counts.sum()), 1)
    x, y = Axis(found.low, found.high), Axis(0, float(shares.max()) * 1.05 or 1.0)
    lefts, rights, tops = x.at(found.edges[:-1]), x.at(found.edges[1:]), y.at(shares)
    shapes = [
        Shape(f"bar {style}", "".join(bar(lefts[i], rights[i], tops[i]) for i in np.flatnonzero(chosen & (tops > 0))))
        for style, chosen in groups
    ]
    titles = [f"{percent(low, signed=signed)} to {percent(high, signed=signed)}" for low, high in _bins(found)]
    if found.below:
        titles[0] = f"below {percent(found.edges[1], signed=signed)}"
    if found.above:
        titles[-1] = f"{percent(found.edges[-2], signed=signed)} and above"
    counts = [f"{count:,} ({share(part)})" for count, part in zip(found.counts.tolist(), shares.tolist(), strict=True)]
    return Chart(
        **heading._asdict(),
        x_ticks=share_ticks(x),
        y_ticks=[Tick(float(100 * y.at(tick)), percent_tick(tick)) for tick in y.ticks(4)],
        y_name=f"share of {of}",
        shapes=[shape for shape in shapes if shape.path],
        marks=marks,
        hover={
            "unit": "text",
            "x": rounded((lefts + rights) / 2),
            "titles": titles,
            "series": [{"name": of, "text": counts}],
        },
    )


def _bins(found: binning.Histogram) -> list[tuple[float, float]]:
    return list(zip(found.edges[:-1].tolist(), found.edges[1:].tolist(), strict=True))


def marked(found: binning.Histogram, value: float, label: str, style: str) -> Mark:
    """A mark on the axis of a histogram, held at its end where the value lies beyond."""
    at = 100 * (value - found.low) / (found.high - found.low)
    held = min(max(at, 0.0), 100.0)
    return Mark(held, label if held == at else f"{label}, off the scale", style)


def _with(chart: Chart, **changes: Any) -> Chart:
    return Chart(**(vars(chart) | changes))
