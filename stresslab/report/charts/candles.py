"""What really followed, and the worst universes of a strategy, as candlesticks: where it went in and out, what it held.

`stresslab.backtest.bar_records` chooses the universes that are kept.
"""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.analysis.result import StrategyResult
from stresslab.backtest.bar_records import WORST
from stresslab.core.arrays import FloatArray
from stresslab.data.universes import REAL
from stresslab.report.charts.chart import Axis, Chart, Point, Shape, Tick, box, rounded, upright
from stresslab.report.wording import money, percent, price, share

CANDLES = 130
"""Candles drawn at most; of longer universes, several bars make one."""
SIGNS = 40
"""Entries and exits up to which each has a sign; of more, the shading alone shows what was held."""
LEGEND = [("up", "rises"), ("down", "falls"), ("long", "held long"), ("short", "held short")]
ORDINALS = ("worst", "second worst", "third worst")
GAP = 0.035
"""Share of the height between a candle and its sign."""


def worst_charts(strategy: StrategyResult, key: str, init_cash: float, stamps: list[str]) -> list[Chart]:
    """A chart of each of the worst universes, the worst first; `stamps` are those of the origin and the horizon."""
    if strategy.replays is None:
        return []
    charts, kept = list[Chart](), strategy.replays[strategy.replays["universe"] != REAL]
    for place, (universe, bars) in enumerate(islice(kept.groupby("universe", sort=False), WORST)):
        rank = ORDINALS[place] if place < len(ORDINALS) else f"{place + 1}th worst"
        title = f"The {rank} universe, number {universe:,}"
        charts.append(bars_chart(bars, f"{key}-worst-{place + 1}", title, init_cash, stamps))
    return charts


def followed_chart(strategy: StrategyResult, key: str, init_cash: float, stamps: list[str]) -> Chart | None:
    """What really happened after the origin; None without a full horizon of real bars."""
    return universe_chart(strategy, REAL, f"{key}-followed", "What really happened, bar by bar", init_cash, stamps)


def universe_chart(
    strategy: StrategyResult, universe: int, key: str, title: str, init_cash: float, stamps: list[str]
) -> Chart | None:
    """One of the universes that were kept bar by bar; None for another."""
    if strategy.replays is None:
        return None
    bars = strategy.replays[strategy.replays["universe"] == universe]
    return None if bars.empty else bars_chart(bars, key, title, init_cash, stamps)


def bars_chart(bars: pd.DataFrame, key: str, title: str, init_cash: float, stamps: list[str]) -> Chart:
    """The bars of one universe, and what the strategy did in them.

    Args:
        bars: T rows with the columns of `stresslab.backtest.bar_records`.
        key: of the chart.
        title: of the chart.
        init_cash: currency of the bars.
        stamps: T + 1 texts, of the origin and the bars.
    """
    drawn = _merged(bars)
    last = drawn["last"].to_numpy()  # number of the last bar of each candle
    opens, highs, lows, closes = (drawn[name].to_numpy() for name in ("open", "high", "low", "close"))
    x, y = Axis(0.5, len(drawn) + 0.5), Axis.around(lows, highs, room=0.09)
    at = np.arange(1, len(drawn) + 1)
    rises = closes >= opens
    shapes = [*_held(drawn["side"].to_numpy(), x)]
    wicks = [
        upright(float(x.at(i)), float(y.at(lo)), float(y.at(hi))) for i, lo, hi in zip(at, lows, highs, strict=True)
    ]
    shapes.append(Shape("wick", "".join(wicks)))
    for style, chosen in (("up", rises), ("down", ~rises)):
        bodies = [_body(i, opens[i - 1], closes[i - 1], x, y) for i in at[chosen]]
        shapes.append(Shape(style, "".join(bodies)))
    entries, exits = _crossings(drawn["side"].to_numpy(), drawn["traded"].to_numpy())
    signs: list[Point] = []
    if len(entries) + len(exits) <= SIGNS:
        signs += [Point(float(100 * x.at(i + 1)), float(100 * (y.at(lows[i]) - GAP)), "in") for i in entries]
        signs += [Point(float(100 * x.at(i + 1)), float(100 * (y.at(highs[i]) + GAP)), "out") for i in exits]
    sides = set(drawn["side"])
    legend = [row for row in LEGEND if row[0] not in ("long", "short") or {"long": 1, "short": -1}[row[0]] in sides]
    if signs:
        legend += [("in", "goes in"), ("out", "comes out")]
    total = float(bars["equity"].iloc[-1]) / init_cash - 1
    ends = (0, len(drawn) - 1) if len(stamps[0]) > 10 else (0, len(drawn) // 2, len(drawn) - 1)
    return Chart(
        key=key,
        title=title,
        sentence=_sentence(bars, total, _entries(bars)),
        x_ticks=[Tick(float(100 * x.at(i + 1)), stamps[last[i]]) for i in dict.fromkeys(ends)],
        y_ticks=[Tick(float(100 * y.at(tick)), f"{tick:,.10g}") for tick in y.ticks()],
        x_name="" if len(drawn) == len(bars) else f"{-(-len(bars) // len(drawn))} bars a candle",
        y_name="price",
        shapes=[shape for shape in shapes if shape.path],
        points=signs,
        legend=legend,
        hover=_hover(drawn, x, stamps),
    )


def _sentence(bars: pd.DataFrame, total: float, entries: int) -> str:
    """What became of the price and of the account."""
    moved = float(bars["close"].iloc[-1] / bars["open"].iloc[0] - 1)
    held = float(np.mean(bars["position"].to_numpy() != 0))
    times = "once" if entries == 1 else "twice" if entries == 2 else f"{entries:,} times" if entries else "never"
    return (
        f"The price moves {percent(moved, signed=True)}, the account {percent(total, signed=True)}: it goes in {times} "
        f"and is in the market over {share(held)} of the bars."
    )


def _sides(position: NDArray[Any]) -> NDArray[np.int64]:
    return np.sign(np.round(position, 9)).astype(np.int64)


def _merged(bars: pd.DataFrame) -> pd.DataFrame:
    """Bars, or several in one candle where they are many: first open, extremes, last close, side and account."""
    size = -(-len(bars) // CANDLES)
    group = np.arange(len(bars)) // size
    table = bars.assign(side=_sides(bars["position"].to_numpy()), last=bars["step"])
    by = table.groupby(group)
    return by.agg(
        {
            **{"open": "first", "high": "max", "low": "min", "close": "last"},
            **{"side": "last", "traded": "sum", "equity": "last", "last": "last"},
        }
    )


def _body(at: int, first: float, last: float, x: Axis, y: Axis) -> str:
    """The path of a candle's body, at least a hair high."""
    low, high = sorted((float(y.at(first)), float(y.at(last))))
    return box(float(x.at(at - 0.36)), float(x.at(at + 0.36)), low, max(high, low + 0.002))


def _held(side: NDArray[np.int64], x: Axis) -> list[Shape]:
    """What was held, as shades over the whole height."""
    edges = [0, *(np.flatnonzero(np.diff(side)) + 1).tolist(), len(side)]
    paths = {1: "", -1: "", 0: ""}
    for start, end in pairwise(edges):
        paths[int(side[start])] += box(float(x.at(start + 0.5)), float(x.at(end + 0.5)), 0.0, 1.0)
    return [Shape("long", paths[1]), Shape("short", paths[-1])]


def _entries(bars: pd.DataFrame) -> int:
    """How often a position is opened."""
    return len(_crossings(_sides(bars["position"].to_numpy()), bars["traded"].to_numpy())[0])


def _crossings(side: NDArray[np.int64], traded: FloatArray) -> tuple[list[int], list[int]]:
    """Bars in which a position is opened, and those in which one is closed; a reversal is both.

    A position that is gone at the open of a bar in which nothing was traded was stopped out in the bar before.
    """
    before = np.concatenate([[0], side[:-1]])
    changed = side != before
    exits = [int(i) if traded[i] > 0 else int(i) - 1 for i in np.flatnonzero(changed & (before != 0))]
    if side[-1] != 0:
        exits.append(len(side) - 1)  # closed at the last close
    return np.flatnonzero(changed & (side != 0)).tolist(), exits


def _hover(drawn: pd.DataFrame, x: Axis, stamps: list[str]) -> dict[str, Any]:
    sides = {1: "long", -1: "short", 0: "none"}
    columns = [(name, [price(value) for value in drawn[name]]) for name in ("open", "high", "low", "close")]
    columns += [("held", [sides[side] for side in drawn["side"]]), ("account", [money(v) for v in drawn["equity"]])]
    return {
        "unit": "text",
        "x": rounded(x.at(np.arange(1, len(drawn) + 1))),
        "titles": [f"bar +{last:,} · {stamps[last]}" for last in drawn["last"]],
        "series": [{"name": name, "text": texts} for name, texts in columns],
    }
