"""The page of all runs in a folder: a table that is sorted and filtered in the browser, with links to the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stresslab.analysis.result_models import Share
from stresslab.report.formats.html import environment
from stresslab.report.wording import GLYPHS, UNDEFINED, percent, probability, shares


@dataclass(frozen=True)
class IndexRow:
    """One strategy of one run.

    Attributes:
        strategy: its name.
        market: symbol of the bars.
        label: of the verdict.
        edge: its label, or a dash.
        loss: P(loss) as generated.
        without: P(loss) without an edge; None where that was not asked.
        planted: P(loss) with the edge that the real bars support, likewise.
        realism: whether the universes are trusted.
        universes: how many there are.
        seed: of the run; None where it is unknown.
        median: of the total return.
        horizon: bars.
        generator: name of what made the universes.
        limits: whether they are kept; empty without limits.
        created: when the run was stored.
        state: since the run; empty where it is not tracked.
        run: name of the run's folder.
        report: address of its page, from the index.
        tracking: address of the page that says the state; empty without one.
    """

    strategy: str
    market: str
    label: str
    edge: str
    loss: Share
    without: Share | None
    planted: Share | None
    realism: str
    universes: int
    seed: object
    median: float | None
    horizon: int
    generator: str
    limits: str
    created: str
    state: str
    run: str
    report: str
    tracking: str

    @property
    def glyph(self) -> str:
        """Beside the label."""
        return GLYPHS[self.label]

    @property
    def date(self) -> str:
        """When it was stored, to the minute."""
        return self.created[:16].replace("T", " ")

    @property
    def loss_text(self) -> str:
        """P(loss) as people read it."""
        return probability(self.loss)

    @property
    def losses(self) -> tuple[str, str]:
        """P(loss) without and with the edge as people read them."""
        sides = (self.without, self.planted)
        without, planted = (UNDEFINED if one is None else probability(one) for one in sides)
        return without, planted

    @property
    def interval(self) -> str:
        """Its interval."""
        return shares(self.loss)

    @property
    def median_text(self) -> str:
        """The median return as people read it."""
        return percent(self.median, signed=True)


FILTERS = ("market", "label", "edge", "realism", "generator", "limits", "state")
"""Columns with a list of values to choose from."""
OPTIONAL = ("limits", "state")
"""Those that some rows have no value in, so that one value is a choice."""


def render_index(folder: str, rows: Sequence[IndexRow], runs: int, unread: Sequence[tuple[str, str]]) -> str:
    """The page as text.

    Args:
        folder: name of the folder.
        rows: the newest run first.
        runs: how many there are.
        unread: (name, why) of what could not be read.
    """
    values = {name: sorted({getattr(row, name) for row in rows} - {"", UNDEFINED}) for name in FILTERS}
    outside = sum(row.state == "outside" for row in rows)
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            folder=folder,
            rows=rows,
            runs=runs,
            unread=unread,
            filters={name: known for name, known in values.items() if len(known) > (name not in OPTIONAL)},
            outside=outside,
            picture=None,
        )
    )
