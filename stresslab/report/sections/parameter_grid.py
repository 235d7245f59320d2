"""P(loss) and the median return over the grid of a strategy's parameters: a line for one, a map for two or more.

Of more than two parameters the two along which P(loss) varies most are drawn, the others held at the values that were
best on the real bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.report.captions import measure_of
from stresslab.report.charts.chart import Axis, Chart, Mark, Shape, Tick, area, line, percent_tick, rounded
from stresslab.report.charts.grid_map import Grid, grid_maps, hover_rows, labelled, loss_of, median_of, named
from stresslab.report.wording import clean, number, percent, plain_value, share

ENOUGH = 8
"""Sets from which the ranks on the real bars and in the universes are compared."""
HELD = 0.3
"""Rank correlation below which the order of the real bars is called no guide."""


@dataclass(frozen=True)
class Content:
    """What the section shows of one strategy: a title, what to take along, the charts, and whether they are maps."""

    title: str
    sentences: list[str]
    charts: list[Chart]
    mapped: bool


def grids(result: StressResult) -> list[Grid]:
    """The grids of a result: each strategy that ran with several sets of parameters."""
    varied = list(result.grid)
    families: dict[str, list[StrategyResult]] = {}
    for one in result.strategies:
        if varied and one.name.endswith("]"):
            families.setdefault(one.name.rpartition("[")[0], []).append(one)
    return [_grid(name, found, varied) for name, found in families.items() if len(found) > 1]


def _grid(name: str, found: Sequence[StrategyResult], varied: Sequence[str]) -> Grid:
    values = {key: list(dict.fromkeys(_key(one.parameters.get(key)) for one in found)) for key in varied}
    names = [key for key in varied if len(values[key]) > 1]
    losses = pd.Series([loss_of(one) for one in found])
    sway = {
        key: float(losses.groupby([str(_key(one.parameters.get(key))) for one in found]).mean().std()) for key in names
    }
    if len(names) > 2:
        names.sort(key=lambda key: -sway[key])
    sets = {tuple(_key(one.parameters.get(key)) for key in names): one for one in found}
    best = max(sets, key=lambda key: (np.nan_to_num(sets[key].backtest_return, nan=-np.inf),))
    return Grid(clean(name), tuple(names), {key: values[key] for key in names}, sets, best)


def _key(value: Any) -> Any:
    """A parameter's value as what sets are found by."""
    return value if isinstance(value, int | float | str | bool) else str(value)


def contents(result: StressResult) -> list[Content] | None:
    """The section; None where nothing was varied."""
    found = grids(result)
    return [_content(one, f"grid-{at}") for at, one in enumerate(found, 1)] or None


def _content(grid: Grid, key: str) -> Content:
    title = f"{grid.name}: {len(grid.sets):,} sets of {' x '.join(map(clean, grid.names))}"
    draw = _lines if len(grid.names) == 1 else grid_maps
    return Content(title, _sentences(grid), draw(grid, key), len(grid.names) > 1)


def _sentences(grid: Grid) -> list[str]:
    """Whether what was best on the real bars is good in the universes, and whether ranks agree."""
    best, count = grid.sets[grid.best], len(grid.sets)
    ranked = sorted(grid.sets.values(), key=loss_of)
    rank = 1 + sum(loss_of(one) < loss_of(best) for one in ranked)
    sentences = [
        f"Best on the real bars before the origin: {named(grid, grid.best)} "
        f"({percent(best.backtest_return, signed=True)}). In the universes it loses in {share(loss_of(best))}, "
        f"number {rank:,} of {count:,}; the sets lie between {share(loss_of(ranked[0]))} and "
        f"{share(loss_of(ranked[-1]))}."
    ]
    real = np.array([one.backtest_return for one in ranked], dtype=np.float64)
    median = np.array([median_of(one) for one in ranked], dtype=np.float64)
    known = np.isfinite(real) & np.isfinite(median)
    if known.sum() >= ENOUGH and np.ptp(real[known]) > 0 and np.ptp(median[known]) > 0:
        from scipy import stats  # slow to import

        agree = float(stats.spearmanr(real[known], median[known]).statistic)
        meant = (
            "sets that were better on the real bars are better here, too"
            if agree >= HELD
            else "sets that were better on the real bars are worse here"
            if agree <= -HELD
            else "how good a set was on the real bars says next to nothing about it here"
        )
        sentences.append(f"Rank correlation of the backtest with the median return: {number(agree)}; {meant}.")
    if len(grid.names) > 2:
        rest = dict(zip(grid.names[2:], grid.best[2:], strict=True))
        sentences.append(
            f"Drawn are {clean(grid.names[0])} and {clean(grid.names[1])}, along which P(loss) varies most; the others "
            f"are held at the best set's {clean(plain_value(rest))}."
        )
    return sentences


def _lines(grid: Grid, key: str) -> list[Chart]:
    """P(loss) with its interval, and the median return with the middle half, along the one parameter."""
    values = grid.values[grid.names[0]]
    sets = [grid.sets[(value,)] for value in values]
    losses = [one.universes.probability_of_loss for one in sets]
    returns = [measure_of(one, "total_return") for one in sets]
    ends = [[part.low for part in losses], [part.value for part in losses], [part.high for part in losses]]
    spread = [[_nan(part.quantile(level)) for part in returns] for level in (0.25, 0.5, 0.75)]
    best = values.index(grid.best[0])
    lost = f"P(loss) lies between {share(min(ends[1]))} and {share(max(ends[1]))}; the band is its 95% interval."
    gained = (
        f"The median return lies between {percent(float(np.nanmin(spread[1])), signed=True)} and "
        f"{percent(float(np.nanmax(spread[1])), signed=True)}; half of the universes lie in the band."
    )
    return [
        _line(grid, f"{key}-loss", f"P(loss) over the grid of {grid.name}", "P(loss)", lost, ends, best, [0.0]),
        _line(
            grid,
            f"{key}-median",
            f"Median return over the grid of {grid.name}",
            "total return",
            gained,
            spread,
            best,
            [0.0],
        ),
    ]


def _line(
    grid: Grid,
    key: str,
    title: str,
    y_name: str,
    sentence: str,
    rows: list[list[float]],
    best: int,
    held: list[float],
) -> Chart:
    values = grid.values[grid.names[0]]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    order = np.argsort(np.asarray(values, dtype=np.float64)) if numeric else np.arange(len(values))
    places = np.asarray(values, dtype=np.float64) if numeric else np.arange(len(values), dtype=np.float64)
    low, middle, high = (np.asarray(row, dtype=np.float64)[order] for row in rows)
    x, y = Axis.around(places), Axis.around(low, middle, high, held)
    at = x.at(places[order])
    zero = np.full(2, float(y.at(0.0)))
    return Chart(
        key=key,
        title=title,
        sentence=sentence,
        x_ticks=[
            Tick(100 * float(x.at(places[i])), clean(plain_value(values[i]))) for i in order[labelled(len(values))]
        ],
        y_ticks=[Tick(100 * float(y.at(tick)), percent_tick(tick)) for tick in y.ticks()],
        x_name=clean(grid.names[0]),
        y_name=y_name,
        shapes=[
            Shape("b50", area(at, y.at(low), y.at(high))),
            Shape("baseline", line(np.array([0.0, 1.0]), zero)),
            Shape("real", line(at, y.at(middle))),
        ],
        marks=[Mark(100 * float(x.at(places[best])), f"best on the real bars: {named(grid, grid.best)}", "outcome")],
        hover={
            "unit": "text",
            "x": rounded(at),
            "titles": [named(grid, (values[i],)) for i in order],
            "series": hover_rows([grid.sets[(values[i],)] for i in order]),
        },
    )


def _nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
