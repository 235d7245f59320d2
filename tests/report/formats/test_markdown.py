"""The summary in Markdown: P(loss) without and with the edge stands in a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import Edge
from stresslab.report.formats.markdown import EDGE_FIGURES, summary
from stresslab.report.wording import probability
from tests.make.cases import timed_case


@pytest.fixture
def judged(several: StressResult) -> StressResult:
    """Several strategies, of which the first has an edge that was assessed."""
    _, edge, losses = timed_case()
    found = Edge.of(edge.to_dict() | {"losses": losses})
    first, *others = several.strategies
    return replace(several, strategies=[replace(first, edge=found), *others])


def test_the_edge_has_a_table_of_its_own(judged: StressResult) -> None:
    """Its probability and P(loss) twice stand in a row of each strategy whose edge was assessed."""
    lines = summary(judged).splitlines()
    head = lines.index(f"| Strategy | Edge | {' | '.join(EDGE_FIGURES)} |")
    assert len(lines[head + 1].split("|")) == len(lines[head + 2].split("|")) == 7
    first = judged.strategies[0]
    assert first.edge is not None
    assert first.edge.losses is not None
    assert lines[head + 2].startswith(f"| {first.name} | {first.edge.label} | ")
    for row in (first.edge.losses.without, first.edge.losses.supported):
        assert f" {probability(row.probability_of_loss)} (chance " in lines[head + 2].replace("\\", "")
    assert lines[head + 3] == ""  # none was assessed for the others


def test_without_an_edge_there_is_no_such_table(several: StressResult) -> None:
    """Nothing stands there where no edge was assessed."""
    assert EDGE_FIGURES[1] not in summary(several)
