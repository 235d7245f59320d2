"""Tables of evidence: a sentence that says what to see, headings, rows of text, and the pictures above."""

from __future__ import annotations

from dataclasses import dataclass

from stresslab.analysis.result_models import Estimate, RiskFigures
from stresslab.report.charts.chart import Chart
from stresslab.report.wording import UNDEFINED, interval, percent
from stresslab.report.wording import share as _defined_share

LONGEST_NUMBER = 24
"""Signs of a cell that may still be a number."""
HEADINGS = ("P(loss)", "P(drawdown > 20%)", "Expected shortfall 97.5%", "Median return", "Time under water")
"""Of the columns that `figures` fills."""


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
    """

    key: str
    title: str
    sentence: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    charts: tuple[Chart, ...] = ()

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
    """A share, and its interval in a second line."""
    return f"{share(cell.value)}\n{interval(cell.low, cell.high)}"


def figures(row: RiskFigures) -> tuple[str, ...]:
    """The figures of fragility under some condition, in the order of `HEADINGS`."""
    return (
        chance(row.probability_of_loss),
        share(row.drawdown_beyond(0.2).value),
        chance(row.expected_shortfall_97_5),
        percent(row.median_return, signed=True),
        share(row.time_under_water),
    )
