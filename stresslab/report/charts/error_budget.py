"""The error of every headline figure in its parts, on one scale: chance, choice of generator, choice of origin.

The parts are formed by `stresslab.metrics.error_budget` from figures that a result holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stresslab.analysis.result import StrategyResult
from stresslab.analysis.result_models import Estimate, RiskFigures
from stresslab.analysis.result_studies import Fold
from stresslab.metrics.distribution import Interval
from stresslab.metrics.error_budget import Budget, budget, monte_carlo_variance, variance_within
from stresslab.report.captions import measure_of
from stresslab.report.charts.chart import Axis, Chart, Note, Point, Shape, Tick, box, percent_tick, upright
from stresslab.report.wording import interval, percent, share

PARTS: dict[str, str] = {
    "origins": "choice of origin",
    "generators": "choice of generator",
    "monte_carlo": "chance",
}
"""What each part is called, the first at the back of a bar."""
THICK: Mapping[str, float] = {"origins": 0.5, "generators": 0.34, "monte_carlo": 0.16}
"""How much of a row each part's bar fills."""
ROOM = 0.12
"""Share of the width on either side for the ends of a bar in figures."""
_DEPTH = 0.2

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Headline:
    """A headline figure, its budget, and how its numbers read."""

    name: str
    budget: Budget
    read: Callable[[float | None], str]

    def range_of(self, part: str) -> str | None:
        """The range of one part in words; None where it was not assessed.

        What origins differ by beyond chance may be nothing.
        """
        found = next((one for one in self.budget.parts if one.name == part), None)
        if found is None:
            return None
        if part == "origins" and found.width == 0:
            return "no more than chance"
        return interval(found.low, found.high, read=self._read)

    def _read(self, value: float | None, *, signed: bool = False) -> str:
        return self.read(value)


@dataclass(frozen=True)
class _Figure:
    """Where a headline figure stands: in the run's own distribution, and in a row of another generator or origin."""

    name: str
    read: Callable[[float | None], str]
    own: Callable[[StrategyResult], Interval]
    of_row: Callable[[RiskFigures | Fold], float | None]
    variance: Callable[[Fold], float]
    is_share: bool = False


def headlines(strategy: StrategyResult) -> list[Headline]:
    """The figures that stand on the first screen, each with the parts of its error that the run assessed."""
    others = [row for row in strategy.studies.alternative_generators or () if row.own_drift]
    folds = strategy.studies.walk_forward.origins if strategy.studies.walk_forward else ()
    found = []
    for one in _FIGURES:
        errors = budget(
            one.own(strategy),
            strategy.universes.count,
            by_generator={row.label: _number(one.of_row(row)) for row in others} or None,
            by_origin=[_number(one.of_row(row)) for row in folds] or None,
            variances=[one.variance(row) for row in folds] or None,
        )
        found.append(Headline(one.name, _within_bounds(errors) if one.is_share else errors, one.read))
    return found


def _within_bounds(found: Budget) -> Budget:
    """The budget of a share, no part of which leaves [0, 1]."""
    return replace(
        found, parts=tuple(replace(part, low=max(part.low, 0.0), high=min(part.high, 1.0)) for part in found.parts)
    )


def sentence(found: list[Headline]) -> str:
    """What to see in the bars: which part limits the first figure, and what more universes would change."""
    first = found[0]
    widest = first.budget.widest
    text = f"{first.name} is {first.read(first.budget.value)}; what limits it most is {PARTS[widest.name]}"
    if widest.name == "monte_carlo":
        return f"{text} ({first.range_of(widest.name)}), which more universes make smaller."
    return (
        f"{text} ({first.range_of(widest.name)}): more universes would narrow the thin bar alone "
        f"({first.range_of('monte_carlo')})."
    )


def chart(found: list[Headline], key: str, limits: Sequence[float] = ()) -> Chart | None:
    """One bar for each figure, all on one scale; None where chance is all that was assessed.

    Args:
        found: the figures, P(loss) first.
        key: of the chart.
        limits: what the verdict compares P(loss) with.
    """
    if all(len(one.budget.parts) < 2 for one in found):
        return None
    rows, shapes, points, notes = len(found), dict.fromkeys(PARTS, ""), [], []
    x = _scale([one.budget for one in found], limits)
    for at, one in enumerate(found):
        middle = 1 - (at + 0.5) / rows
        for part in one.budget.parts:
            if math.isfinite(part.width):
                half = THICK[part.name] / 2 / rows
                low, high = float(x.at(part.low)), float(x.at(part.high))
                shapes[part.name] += box(low, max(high, low + 0.004), middle - half, middle + half)
        value = float(x.at(one.budget.value))
        points.append(Point(100 * value, 100 * middle, "dot"))
        ends = _ends_of(one.budget)
        notes += [
            Note(100 * float(x.at(ends[0])) - 1.2, 100 * middle, one.read(ends[0]), "right"),
            Note(100 * float(x.at(ends[1])) + 1.2, 100 * middle, one.read(ends[1]), "left"),
            Note(100 * value, 100 * (middle + 0.37 / rows), one.read(one.budget.value)),
        ]
    present = [name for name in PARTS if shapes[name]]
    edges = "".join(upright(float(x.at(limit)), 1 - 0.98 / rows, 1 - 0.02 / rows) for limit in limits)
    ticks = x.ticks(6)
    return Chart(
        key=key,
        title="How sure each figure is",
        sentence=sentence(found),
        x_ticks=[Tick(float(100 * x.at(tick)), percent_tick(tick), bool(i % 2)) for i, tick in enumerate(ticks)],
        y_ticks=[Tick(100 * (1 - (at + 0.5) / rows), one.name) for at, one in enumerate(found)],
        x_name="percent, all figures on one scale",
        y_name="",
        shapes=[
            *(Shape(f"part-{name.replace('_', '-')}", shapes[name]) for name in present),
            *([Shape("bar-median", edges)] if edges else []),
        ],
        points=points,
        notes=notes,
        legend=[
            *((f"part-{name.replace('_', '-')}", PARTS[name]) for name in reversed(present)),
            *([("bar-median", f"thresholds of P(loss): {', '.join(map(share, limits))}")] if edges else []),
        ],
        hover={
            "unit": "text",
            "x": [round(point.at / 100, 4) for point in points],
            "y": [round(1 - (at + 0.5) / rows, 4) for at in range(rows)],
            "titles": [f"{one.name} {one.read(one.budget.value)}" for one in found],
            "series": [
                {"name": PARTS[name], "text": [one.range_of(name) or "" for one in found]} for name in reversed(present)
            ],
        },
        named=True,
    )


def _ends_of(found: Budget) -> tuple[float, float]:
    """What all parts lie within."""
    parts = [part for part in found.parts if math.isfinite(part.width)]
    numbers = [found.value, *(part.low for part in parts), *(part.high for part in parts)]
    return min(numbers), max(numbers)


def _scale(found: Sequence[Budget], limits: Sequence[float]) -> Axis:
    ends = [end for one in found for end in _ends_of(one)]
    low, high = min([*ends, *limits]), max([*ends, *limits])
    width = (high - low) or 0.01
    edge = width * ROOM / (1 - 2 * ROOM)
    return Axis(low - edge, high + edge)


def _interval(found: Estimate) -> Interval:
    return _between(found.value, (found.low, found.high))


def _between(value: float | None, ends: Any) -> Interval:
    low, high = ends
    return Interval(_number(value), _number(low), _number(high))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _median(one: StrategyResult) -> Interval:
    ends = one.universes.interval("total_return", "quantiles.0.5")
    return _between(measure_of(one, "total_return").median, ends)


def _shortfall(one: StrategyResult) -> Interval:
    ends = one.universes.interval("total_return", "expected_shortfall_97_5")
    return _between(measure_of(one, "total_return").expected_shortfall_97_5, ends)


def _chance(found: Estimate, universes: int) -> float:
    return monte_carlo_variance(_number(found.value), universes)


def _share(value: float | None) -> str:
    return percent(value) if value is None else share(value)


def _signed(value: float | None) -> str:
    return percent(value, signed=True)


_FIGURES = (
    _Figure(
        "P(loss)",
        _share,
        lambda one: _interval(one.universes.probability_of_loss),
        lambda row: row.probability_of_loss.value,
        lambda row: _chance(row.probability_of_loss, row.universes),
        is_share=True,
    ),
    _Figure(
        f"P(drawdown > {share(_DEPTH)})",
        _share,
        lambda one: _interval(one.universes.drawdown_beyond(_DEPTH)),
        lambda row: row.drawdown_beyond(_DEPTH).value,
        lambda row: _chance(row.drawdown_beyond(_DEPTH), row.universes),
        is_share=True,
    ),
    _Figure(
        "Median return",
        _signed,
        _median,
        lambda row: row.median_return,
        lambda row: variance_within(*row.median_interval),
    ),
    _Figure(
        "Expected shortfall 97.5",
        percent,
        _shortfall,
        lambda row: row.expected_shortfall_97_5.value,
        lambda row: variance_within(row.expected_shortfall_97_5.low, row.expected_shortfall_97_5.high),
    ),
)
"""The headline figures, in the order of the first screen."""
