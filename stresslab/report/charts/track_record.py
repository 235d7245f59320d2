"""The backtest over time, as a chart and a table: the account on the real bars before the origin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stresslab.analysis.result import StrategyResult
from stresslab.report.charts import binning
from stresslab.report.charts.chart import (
    POINTS,
    Axis,
    Chart,
    Shape,
    Tick,
    area,
    date_ticks,
    line,
    percent_tick,
    rounded,
    short,
    stamp_texts,
)
from stresslab.report.wording import UNDEFINED, money, percent, short_money

HEADINGS = ("Period", "Strategy", "Buy and hold", "Deepest drawdown in it")


def track_chart(strategy: StrategyResult, key: str) -> Chart | None:
    """The account and buy and hold over the backtest's time; None where the run kept none."""
    if strategy.track is None or len(strategy.track) < 2:
        return None
    own, held = (strategy.track[name].to_numpy(dtype=np.float64) for name in ("equity", "benchmark"))
    times = pd.DatetimeIndex(strategy.track.index)
    days = (times.as_unit("ns").asi8 / 86_400e9).astype(np.float64)
    x, y = Axis(float(days[0]), float(days[-1])), Axis.around(own[own > 0], held, log=True)
    kept = [binning.thin_line(values, 4 * POINTS) for values in (held, own)]
    shapes = [
        Shape(style, line(x.at(days[at]), y.at(np.maximum(values[at], y.low))))
        for style, values, at in (("median", held, kept[0]), ("real after", own, kept[1]))
    ]
    places, stamps = binning.thin(len(times), POINTS), stamp_texts(times)
    return Chart(
        key=f"{key}-track",
        title="The backtest: the account on the real bars before the origin",
        sentence=_sentence(strategy, own, held, stamps),
        x_ticks=date_ticks(times),
        y_ticks=[Tick(float(100 * y.at(tick)), short_money(tick)) for tick in y.ticks()],
        x_name="",
        y_name="currency of the bars" + (" (logarithmic)" if y.log else ""),
        shapes=shapes,
        legend=[("real", "the strategy"), ("median", "buy and hold")],
        hover={
            "unit": "money",
            "x": rounded(x.at(days[places])),
            "titles": [stamps[at] for at in places],
            "series": [
                {"name": "the strategy", "values": [short(float(value)) for value in own[places]]},
                {"name": "buy and hold", "values": [short(float(value)) for value in held[places]]},
            ],
        },
    )


def falls_chart(strategy: StrategyResult, key: str) -> Chart | None:
    """How far the account lies below its highest value so far; None where the run kept none."""
    if strategy.track is None or len(strategy.track) < 2:
        return None
    own = strategy.track["equity"].to_numpy(dtype=np.float64)
    falls = own / np.maximum.accumulate(own) - 1
    times = pd.DatetimeIndex(strategy.track.index)
    days = (times.as_unit("ns").asi8 / 86_400e9).astype(np.float64)
    x, y = Axis(float(days[0]), float(days[-1])), Axis.around(falls, [0.0])
    kept, places = binning.thin_line(falls, 4 * POINTS), binning.thin(len(times), POINTS)
    stamps, low = stamp_texts(times), int(falls.argmin())
    return Chart(
        key=f"{key}-falls",
        title="The backtest's drawdowns",
        sentence=f"At its deepest, on {stamps[low]}, the account lay {percent(-falls[low])} below its highest so far.",
        x_ticks=date_ticks(times, 4),
        y_ticks=[Tick(float(100 * y.at(tick)), percent_tick(tick)) for tick in y.ticks()],
        x_name="",
        y_name="below the highest value so far",
        shapes=[
            Shape("band b90", area(x.at(days[kept]), y.at(falls[kept]), y.at(np.zeros(len(kept))))),
            Shape("real after", line(x.at(days[kept]), y.at(falls[kept]))),
        ],
        legend=[],
        hover={
            "unit": "text",
            "x": rounded(x.at(days[places])),
            "titles": [stamps[at] for at in places],
            "series": [{"name": "drawdown", "text": [percent(-falls[at]) for at in places]}],
        },
    )


def _sentence(strategy: StrategyResult, own: np.ndarray, held: np.ndarray, stamps: list[str]) -> str:
    gain, other = (percent(float(values[-1] / values[0] - 1), signed=True) for values in (own, held))
    return (
        f"From {stamps[0]} to {stamps[-1]} {money(own[0])} became {money(own[-1])} ({gain}), with buy and hold "
        f"{money(held[-1])} ({other}); the deepest fall was {percent(-strategy.backtest_of('max_drawdown'))}. "
        "This is the one history that the universes ask about."
    )


def period_rows(strategy: StrategyResult) -> list[tuple[str, ...]]:
    """The backtest's years or months: returns of the strategy and of buy and hold, and the deepest drawdown."""
    return [
        (
            row.period,
            percent(row.total_return, signed=True),
            percent(row.benchmark, signed=True),
            UNDEFINED if row.max_drawdown is None else percent(-row.max_drawdown),
        )
        for row in strategy.studies.periods or []
    ]
