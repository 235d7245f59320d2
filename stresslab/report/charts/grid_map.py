"""Maps of a grid of parameters: P(loss) and the median return of each set with their intervals, by two parameters.

Sets that chance among the universes could have made as good as the best are grey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import StrategyResult
from stresslab.core.arrays import FloatArray
from stresslab.metrics.paired import sign_test
from stresslab.report.captions import measure_of
from stresslab.report.charts import heatmap
from stresslab.report.charts.chart import Axis, Chart, Note, Point, Tick, rounded
from stresslab.report.wording import clean, percent, plain_value, share, shares

LABELS = 10
"""Values of a parameter that are written along an axis, at most."""
LEVEL = 0.05
"""Of the tests that tell sets from the best, all together."""
MAX_WRITTEN, MAX_ON_A_PHONE = 12, 4
"""Columns or rows of a map up to which values are written into the cells, and on a phone."""
ALIKE = "not worse than the best by more than chance"


@dataclass(frozen=True)
class Grid:
    """The sets of one strategy.

    Attributes:
        name: of the strategy, without its set.
        names: of the parameters that vary, those that are drawn first.
        values: of each, in order.
        sets: results by values, in the order of `names`.
        best: values of the set with the highest return on the real bars before the origin.
    """

    name: str
    names: tuple[str, ...]
    values: Mapping[str, list[Any]]
    sets: Mapping[tuple[Any, ...], StrategyResult]
    best: tuple[Any, ...]


def named(grid: Grid, values: Sequence[Any]) -> str:
    """A set in words: fast=10, slow=50."""
    return ", ".join(
        f"{clean(name)}={clean(plain_value(value))}" for name, value in zip(grid.names, values, strict=False)
    )


def loss_of(one: StrategyResult) -> float:
    """P(loss) of a set."""
    return one.universes.probability_of_loss.value


def median_of(one: StrategyResult) -> float:
    """The median return of a set; NaN where there is none."""
    value = measure_of(one, "total_return").median
    return float("nan") if value is None else float(value)


def grid_maps(grid: Grid, key: str) -> list[Chart]:
    """Two maps over the two parameters that are drawn."""
    return [_map(grid, f"{key}-{name}", figure) for name, figure in (("loss", LOSS), ("median", MEDIAN))]


@dataclass(frozen=True)
class Figure:
    """What a map shows of each set.

    Attributes:
        title: above the map.
        value: of a set.
        ends: of its 95% interval.
        read: a value in words.
        gaps: how much worse a set was than another in each universe that both have.
        signed: whether losses and gains have hues of their own.
    """

    title: str
    value: Callable[[StrategyResult], float]
    ends: Callable[[StrategyResult], tuple[float | None, float | None]]
    read: Callable[[float], str]
    gaps: Callable[[pd.Series[float], pd.Series[float]], pd.Series[float]]
    signed: bool

    def best(self, sets: Mapping[tuple[Any, ...], StrategyResult]) -> tuple[Any, ...]:
        """The set with the lowest P(loss), or the highest median return."""
        sign = 1 if self.signed else -1
        return max(sets, key=lambda key: float(np.nan_to_num(sign * self.value(sets[key]), nan=-np.inf)))


LOSS = Figure(
    "P(loss) over the grid of {}",
    loss_of,
    lambda one: (one.universes.probability_of_loss.low, one.universes.probability_of_loss.high),
    share,
    lambda own, best: (own < 0).astype(np.float64) - (best < 0).astype(np.float64),
    signed=False,
)
MEDIAN = Figure(
    "Median return over the grid of {}",
    median_of,
    lambda one: one.universes.interval("total_return", "quantiles.0.5"),
    lambda value: percent(value, signed=True),
    lambda own, best: best - own,
    signed=True,
)


def undistinguished(grid: Grid, figure: Figure) -> set[tuple[Any, ...]]:
    """The sets that are not worse than the best one by more than chance among the universes explains.

    All sets trade in the same universes, so each is compared with the best by exact sign tests (`metrics.paired`), at
    5% divided by the number of comparisons: with 95% confidence the truly best set is among those that are named
    (subset selection; Gupta 1965, Hsu 1984).
    """
    best = figure.best(grid.sets)
    level = LEVEL / max(len(grid.sets) - 1, 1)
    returns = {key: one.metrics["total_return"] for key, one in grid.sets.items()}
    return {
        key
        for key, own in returns.items()
        if key == best or sign_test(figure.gaps(*own.align(returns[best], join="inner"))) > level
    }


def _map(grid: Grid, key: str, figure: Figure) -> Chart:
    across, up = (grid.values[name] for name in grid.names[:2])
    x, y = Axis(0, len(across)), Axis(0, len(up))
    cells: list[tuple[int, int, StrategyResult]] = []
    for i, first in enumerate(across):
        for j, second in enumerate(up):
            one = grid.sets.get((first, second, *grid.best[2:]))
            if one is not None:
                cells.append((i, j, one))
    numbers = np.array([figure.value(one) for _, _, one in cells])
    alike = undistinguished(grid, figure)
    same = [(across[i], up[j], *grid.best[2:]) in alike for i, j, _ in cells]
    shapes, legend = heatmap.heatmap_shapes(
        [(i, j) for i, j, _ in cells], numbers, len(across), len(up), signed=figure.signed, same=same
    )
    best = (across.index(grid.best[0]), up.index(grid.best[1]))
    title = figure.title.format(grid.name)
    return Chart(
        key=key,
        title=title,
        sentence=_map_sentence(grid, cells, numbers, figure.signed) + _alike_sentence(len(alike), len(grid.sets)),
        x_ticks=_value_ticks(across, x),
        y_ticks=[Tick(tick.at, tick.label) for tick in _value_ticks(up, y)],
        x_name=clean(grid.names[0]),
        y_name=clean(grid.names[1]),
        shapes=shapes,
        points=[Point(100 * float(x.at(best[0] + 0.1)), 100 * float(y.at(best[1] + 0.82)), "best")],
        notes=_cell_notes(cells, same, figure, (len(across), len(up))),
        legend=[*legend, *([("same", ALIKE)] if any(same) else []), ("best", "best on the real bars")],
        hover={
            "unit": "text",
            "x": rounded(np.array([(i + 0.5) / len(across) for i, _, _ in cells])),
            "y": rounded(np.array([(j + 0.5) / len(up) for _, j, _ in cells])),
            "titles": [named(grid, (across[i], up[j])) for i, j, _ in cells],
            "series": hover_rows([one for _, _, one in cells]),
        },
    )


def _cell_notes(
    cells: Sequence[tuple[int, int, StrategyResult]], same: Sequence[bool], figure: Figure, size: tuple[int, int]
) -> list[Note]:
    """The value in each cell and its interval below it, as far as there is room for them."""
    columns, rows = size
    if columns > MAX_WRITTEN or rows > MAX_WRITTEN:
        return []
    numbers = np.array([figure.value(one) for _, _, one in cells])
    edges, styles = heatmap.classes(numbers, signed=figure.signed)
    notes = []
    for (i, j, one), number_, grey in zip(cells, numbers, same, strict=True):
        if not np.isfinite(number_):
            continue
        place = min(max(int(np.searchsorted(edges, number_, side="right")) - 1, 0), len(styles) - 1)
        ground = "deep" if heatmap.deep(styles[place]) and not grey else "pale"
        crowded = " crowded" if columns > MAX_ON_A_PHONE else ""
        at, low = 100 * (i + 0.5) / columns, 100 * j / rows
        notes.append(Note(at, low + 62 / rows, figure.read(number_), style=f"{ground}{crowded}"))
        ends = figure.ends(one)
        if None not in ends:
            notes.append(Note(at, low + 30 / rows, _short_interval(*ends), style=f"{ground} fine{crowded}"))
    return notes


def _short_interval(low: float | None, high: float | None) -> str:
    """Both ends without what they share: 34 to 48%."""
    assert low is not None
    assert high is not None
    digits = 0 if max(abs(low), abs(high)) >= 0.1 else 1
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f}%"


def _alike_sentence(alike: int, count: int) -> str:
    """How many sets cannot be told from the best."""
    if alike == count:
        return f" None of the {count:,} sets can be told from the best by these universes (grey)."
    return (
        f" {alike:,} of {count:,} sets, the best included, cannot be told apart by these universes (grey)."
        if alike > 1
        else f" The best (grey) is better than each of the other {count - 1:,} by more than chance explains."
    )


def _map_sentence(
    grid: Grid, cells: Sequence[tuple[int, int, StrategyResult]], numbers: FloatArray, signed: bool
) -> str:
    """Where it is lightest and darkest, and whether the neighbours of the best set are like it."""
    across, up = (grid.values[name] for name in grid.names[:2])
    i, j = across.index(grid.best[0]), up.index(grid.best[1])
    near = [n for (a, b, _), n in zip(cells, numbers, strict=True) if max(abs(a - i), abs(b - j)) == 1]
    own = float(numbers[[(a, b) for a, b, _ in cells].index((i, j))])

    def read(value: float) -> str:
        return percent(value, signed=True) if signed else share(value)

    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    text = f"{'It' if signed else 'P(loss)'} lies between {read(low)} and {read(high)}"
    if near and np.isfinite(near).all():
        text += (
            f"; at the set that was best on the real bars it is {read(own)}, at its neighbours {read(float(min(near)))}"
            f" to {read(float(max(near)))}: a result worth trusting does not hang on one cell"
        )
    return f"{text}."


def hover_rows(sets: Sequence[StrategyResult]) -> list[dict[str, Any]]:
    """What stands under a pointer."""
    losses = [one.universes.probability_of_loss for one in sets]
    return [
        {"name": "P(loss)", "text": [f"{share(one.value)} ({shares(one)})" for one in losses]},
        {"name": "median return", "text": [percent(median_of(one), signed=True) for one in sets]},
        {"name": "backtest", "text": [percent(one.backtest_return, signed=True) for one in sets]},
    ]


def _value_ticks(values: Sequence[Any], axis: Axis) -> list[Tick]:
    """Some of a parameter's values at the middle of their cells."""
    return [
        Tick(100 * float(axis.at(at + 0.5)), clean(plain_value(values[at])), bool(place % 2))
        for place, at in enumerate(labelled(len(values)))
    ]


def labelled(count: int) -> list[int]:
    """Which of so many values are written: every one, every second, every third ..."""
    return list(range(0, count, -(-count // LABELS)))
