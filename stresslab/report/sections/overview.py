"""Every strategy of a run in one line, and which of them have a page of their own where they are very many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.backtest.portfolio import PORTFOLIO
from stresslab.report import wording
from stresslab.report.captions import measure_of
from stresslab.report.sections.grid_ranking import ranked
from stresslab.report.wording import GLYPHS, clean, percent, share

MAX_PAGES = 30
"""Strategies up to which each has a page of its own."""


@dataclass(frozen=True)
class Gauge:
    """P(loss) on a scale from 0 to 100%: value, interval and both thresholds, in percent of its length."""

    value: float
    low: float
    high: float
    robust: float
    lucky: float
    text: str
    scale: str


@dataclass(frozen=True)
class Cell:
    """A number as people read it, and what it is sorted by; None sorts last."""

    text: str
    order: float | None = None


@dataclass(frozen=True)
class OverviewRow:
    """A strategy in the overview.

    Attributes:
        key: of its page.
        name: as shown.
        note: what else it is: the parts of a book.
        label: of the verdict.
        glyph: beside the label.
        edge: its label; None where that was not asked.
        gauge: P(loss).
        overview: numbers, in the order of `OVERVIEW`.
        linked: whether it has a page.
    """

    key: str
    name: str
    note: str
    label: str
    glyph: str
    edge: str | None
    gauge: Gauge
    overview: list[Cell]
    linked: bool


OVERVIEW = (
    "P(loss)", "without an edge", "with its edge", "Median return", "5% quantile", "ES 97.5", "Median drawdown",
    "P(drawdown > 20%)", "Real outcome",
)  # fmt: skip
"""Headings of the overview's numbers, in the order of `StrategyPage.overview`."""


def overview_rows(result: StressResult) -> list[OverviewRow]:
    """Every strategy in the overview: as given, or the lowest P(loss) first where they are very many.

    Sets of a grid stand as they would be chosen, the best on the real bars first.
    """
    paged, order = roles(result), ranked(result)
    found = [overview_row(one, at, at in paged) for at, one in enumerate(result.strategies)]
    if order is not None:
        return [found[at] for at in order]
    return found if len(found) <= MAX_PAGES else sorted(found, key=lambda one: one.gauge.value)


def overview_row(strategy: StrategyResult, at: int, linked: bool) -> OverviewRow:
    """The strategy at a place, from 0, in the overview."""
    return OverviewRow(
        key=f"strategy-{at + 1}",
        name=clean(strategy.name),
        note=f"capital: {book}" if (book := shares_of(strategy)) else "",
        label=strategy.verdict.label,
        glyph=GLYPHS[strategy.verdict.label],
        edge=None if strategy.edge is None else strategy.edge.label,
        gauge=gauge(strategy),
        overview=overview(strategy),
        linked=linked,
    )


def shares_of(strategy: StrategyResult) -> str:
    """The parts of a book in words; empty for a strategy."""
    if strategy.source is not None or strategy.name != PORTFOLIO:
        return ""
    return ", ".join(f"{share(float(part))} {clean(name)}" for name, part in strategy.parameters.items())


def roles(result: StressResult) -> dict[int, str]:
    """The strategies that have a page of their own, by place from 0, and what singles them out among very many.

    All have one as long as there are at most `MAX_PAGES`; of more, those that a reader would ask for first, and the
    book. Every one stands in the overview and in the tables.
    """
    found = result.strategies
    if len(found) <= MAX_PAGES:
        return dict.fromkeys(range(len(found)), "")
    losses = np.array([one.universes.probability_of_loss.value for one in found])
    real = np.array([one.backtest_return for one in found], dtype=np.float64)
    order = np.argsort(losses, kind="stable")
    single = [
        (int(np.argmax(np.nan_to_num(real, nan=-np.inf))), "the best on the real bars before the origin"),
        (int(order[0]), "the lowest P(loss)"),
        (int(order[len(order) // 2]), "P(loss) in the middle"),
        (int(order[-1]), "the highest P(loss)"),
    ]
    single += [(at, "the portfolio") for at, one in enumerate(found) if shares_of(one)]
    reported: dict[int, str] = {}
    for at, why in single:
        reported[at] = f"{reported[at]}, and {why}" if at in reported else why
    return reported


def gauge(strategy: StrategyResult) -> Gauge:
    """P(loss) beside the thresholds that the verdict compared it with."""
    loss = strategy.universes.probability_of_loss
    limits = {check.name: check.threshold for check in strategy.verdict.checks}
    robust, lucky = limits.get("probability_of_loss_robust"), limits.get("probability_of_loss_lucky")
    decides = next((check for check in strategy.verdict.checks if check.name == "probability_of_loss_lucky"), None)
    counts = ""
    if decides is not None and decides.value is not None and decides.value != loss.value:
        counts = f"; what counts is P(loss) {_side(decides.note)}, {share(decides.value)}"
    return Gauge(
        value=100 * loss.value,
        low=100 * loss.low,
        high=100 * loss.high,
        robust=100 * (robust or 0.0),
        lucky=100 * (1.0 if lucky is None else lucky),
        text=f"P(loss) {wording.probability(loss)}, 95% interval {wording.shares(loss)}",
        scale=", ".join(
            f"{name} {share(limit)}"
            for name, limit in (("Robust up to", robust), ("lucky or losing from", lucky))
            if limit is not None
        )
        + counts,
    )


def _side(note: str) -> str:
    """Which P(loss) a check of the verdict compared, in the words of the page."""
    return "with its edge" if note.startswith("with the supported edge") else "without an edge"


def overview(strategy: StrategyResult) -> list[Cell]:
    """The strategy's numbers in the overview, in the order of `OVERVIEW`."""
    returns, falls = measure_of(strategy, "total_return"), measure_of(strategy, "max_drawdown")
    loss, deep = strategy.universes.probability_of_loss, strategy.universes.drawdown_beyond(0.2)
    real = None if strategy.realised is None else strategy.realised_return
    shortfall = returns.expected_shortfall_97_5
    return [
        Cell(wording.probability(loss), loss.value),
        *losses(strategy),
        _signed(returns.median),
        _signed(returns.quantile(0.05)),
        Cell(percent(shortfall), shortfall),
        Cell(percent(falls.median), falls.median),
        Cell(wording.probability(deep), deep.value),
        _signed(real),
    ]


def losses(strategy: StrategyResult) -> tuple[Cell, Cell]:
    """P(loss) without an edge and with the strategy's; a dash where that was not asked."""
    found = None if strategy.edge is None else strategy.edge.losses
    if found is None:
        return Cell(wording.UNDEFINED), Cell(wording.UNDEFINED)
    sides = (found.without.probability_of_loss, found.supported.probability_of_loss)
    without, planted = (Cell(wording.probability(side), side.value) for side in sides)
    return without, planted


def _signed(value: float | None) -> Cell:
    return Cell(percent(value, signed=True), value)
