"""Cells of tables of evidence: figures with their intervals, and who does better in how many universes."""

from __future__ import annotations

import pandas as pd
import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_studies import Difference
from stresslab.metrics.paired import difference
from stresslab.report.sections.table import HEADINGS, Table, chance, figures, share, versus


def table(*rows: tuple[str, ...]) -> Table:
    """A table of two columns."""
    return Table("key", "Title", "See.", ("name", "what"), rows)


def test_columns_of_words_are_not_those_of_numbers() -> None:
    """By their longest line, not by their longest cell."""
    assert table(("a", "12.3%\n9.8% to 15.1%"), ("b", "1")).prose == (False, False)
    assert table(("a", "1"), ("b", "a market that falls and then falls")).prose == (False, True)


def test_a_figure_stands_over_its_interval(studied: StressResult) -> None:
    """Two lines; the five figures of a condition are in the order of their headings."""
    rows = studied.strategies[0].studies.costs
    assert rows
    cells = figures(rows[0])
    assert len(cells) == len(HEADINGS)
    loss = rows[0].probability_of_loss
    assert cells[0] == chance(loss)
    first, second = cells[0].split("\n")
    assert first.endswith("%")
    assert " to " in second
    assert cells[4] == share(rows[0].time_under_water)


def test_a_share_that_is_not_there_is_a_dash() -> None:
    """And one that is, in percent."""
    assert share(0.25) == "25%"
    assert share(None) == "–"


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 9.0], "more in 75%, less in 25% of the universes"),
        (
            [1.0, 2.0, 3.0, 4.0],
            [1.0, 1.0, 2.0, 9.0],
            "more in 50%, the same in 25%, less in 25% of the universes",
        ),
    ],
)
def test_who_is_better_where(own: list[float], other: list[float], words: str) -> None:
    """Equal universes are counted where there are any."""
    found = Difference.of(difference(pd.Series(own), pd.Series(other)).to_dict())
    assert versus(found, "more", "the same", "less") == words
