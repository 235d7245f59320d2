"""Tables of evidence: a sentence that says what to see, headings, rows of text, and the pictures above."""

from __future__ import annotations

from dataclasses import dataclass

from stresslab.analysis.result_models import Estimate, RiskFigures, Share
from stresslab.analysis.result_studies import Difference
from stresslab.report.charts.chart import Chart
from stresslab.report.wording import UNDEFINED, interval, percent, probability, shares
from stresslab.report.wording import share as _defined_share

LONGEST_NUMBER = 24
"""Signs of a cell that may still be a number."""
HEADINGS = ("P(loss)", "P(drawdown > 20%)", "Expected shortfall 97.5%", "Median return", "Time under water")
"""Of the columns that `analysis.case.figures` fills."""


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        key: its anchor, unique on a page.
        title: above it.
        sentence: what to see in it.
        headings: of the columns; the first names the rows.
        rows: text cells; what follows a line break in one stands small below the rest.
        charts: above it.
        open: whether it is unfolded at first.
        brief: whether it stands in the PDF, too.
        dense: whether it has many columns of short numbers.
        pictured: whether its one chart says all that paper needs, where it stands among those of the strategy.
        orders: by what the cells after the first of each row are sorted, where a reader may sort the table.
    """

    key: str
    title: str
    sentence: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    charts: tuple[Chart, ...] = ()
    open: bool = False
    brief: bool = False
    dense: bool = False
    pictured: bool = False
    orders: tuple[tuple[float | None, ...], ...] = ()

    @property
    def prose(self) -> tuple[bool, ...]:
        """Which columns hold words rather than numbers."""
        return tuple(
            any(len(part) > LONGEST_NUMBER for row in self.rows for part in row[at].split("\n"))
            for at in range(len(self.headings))
        )


def share(value: float | None) -> str:
    """A share in percent, a dash where there is none."""
    return UNDEFINED if value is None else _defined_share(value)


def chance(cell: Estimate) -> str:
    """A figure, and its interval in a second line."""
    if isinstance(cell, Share):
        return f"{probability(cell)}\n{shares(cell)}"
    return f"{percent(cell.value)}\n{interval(cell.low, cell.high)}"


def versus(found: Difference, better: str, equal: str, worse: str) -> str:
    """In how many universes what: more in 30%, the same in 20%, less in 50% of the universes."""
    sides = [(better, found.better.value), (equal, found.equal.value), (worse, found.worse.value)]
    kept = [f"{word} in {share(value)}" for word, value in sides if word != equal or value]
    return f"{', '.join(kept)} of the universes"


def figures(row: RiskFigures) -> tuple[str, ...]:
    """The figures of fragility under some condition, in the order of `HEADINGS`."""
    return (
        chance(row.probability_of_loss),
        probability(row.drawdown_beyond(0.2)),
        chance(row.expected_shortfall_97_5),
        percent(row.median_return, signed=True),
        share(row.time_under_water),
    )
