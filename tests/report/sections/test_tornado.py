"""Costs, parameters and shocks in one table under one picture."""

from __future__ import annotations

from dataclasses import replace

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_studies import StrategyStudies
from stresslab.report.formats.html import render
from stresslab.report.sections import tornado
from stresslab.report.sections.studies import BRIEF, OPEN
from tests.make.figures import NO_EDGE, charts_of, row
from tests.make.pages import Page

SHOCKS = [
    row(0.9, -0.1, name="gap", label="a gap of 5% against the largest position"),
    row(0.6, -0.03, name="costs", label="costs x 3"),
]
COSTS = [row(0.38, 0.02, factor=0.0), row(0.4, 0.01, factor=1.0), row(0.6, -0.03, factor=3.0)]
PARAMETERS = {
    "as_given": row(0.4, 0.01),
    "moved": [row(0.35, 0.02, parameter="fast", value=8), row(0.55, -0.02, parameter="fast", value=12)],
    "refused": [{"parameter": "slow", "value": 9}],
}


def test_everything_that_was_changed_stands_in_it_once() -> None:
    """Costs as given are no change, costs of a shock that were multiplied before stand once; deltas from the base."""
    found = StrategyStudies.of({"costs": COSTS, "parameters": PARAMETERS, "shocks": SHOCKS})
    table = tornado.table(found, "strategy-1")
    assert table is not None
    assert [(line[0], line[1]) for line in table.rows] == [
        ("as it is", ""),
        ("no costs", "-2 points"),
        ("costs x 3", "+20 points"),
        ("fast=8", "-5 points"),
        ("fast=12", "+15 points"),
        ("a gap of 5% against the largest position", "+50 points"),
    ]
    assert [tick.label for tick in table.charts[0].y_ticks] == [
        "a gap of 5%",
        "costs x 3",
        "fast=12",
        "fast=8",
        "no costs",
    ]
    assert table.sentence.startswith(
        "The same universes with other costs, each parameter a little lower or higher and shocks. With parameters next "
        "to its own P(loss) lies between 35% and 55%"
    )
    assert "The strategy refuses slow=9." in table.sentence


def test_it_is_open_and_on_paper(single: StressResult) -> None:
    """The key that the page unfolds and paper keeps is one that a table has."""
    strategy = single.strategies[0]
    studies = strategy.studies.with_answers({"costs": COSTS})
    result = replace(single, strategies=[replace(strategy, edge=NO_EDGE, studies=studies)])
    assert "strategy-1-tornado" in charts_of(result)
    assert {"edge", "tornado"} <= set(OPEN) & set(BRIEF)
    page = Page(render(result))
    assert ("h4", {"id": "evidence-1-tornado"}) in page.tags
    at = page.tags.index(("h4", {"id": "evidence-1-tornado"}))
    assert page.tags[at - 2] == ("details", {"class": "fold", "open": None})


def test_without_changes_there_is_no_table(single: StressResult) -> None:
    """Nothing was changed where trading is free and no study was asked for."""
    assert tornado.table(StrategyStudies.of({"costs": []}), "k") is None
    assert tornado.table(StrategyStudies.of({"costs": [row(0.4, 0.0, factor=1.0)]}), "k") is None
