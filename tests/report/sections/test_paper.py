"""Which charts a PDF leaves out, and why."""

from __future__ import annotations

import re

import pytest

from stresslab.analysis.result import StressResult
from stresslab.report.formats import html
from stresslab.report.formats.registry import on_paper
from stresslab.report.sections.paper import LEFT_OUT, left_out
from stresslab.report.sections.registry import parts


@pytest.mark.parametrize("name", ["single", "several", "assessed", "studied"])
def test_paper_shows_every_chart_that_it_does_not_leave_out(name: str, request: pytest.FixtureRequest) -> None:
    """Each chart of the page is drawn on paper once, or has a reason for being left out; there is no third kind."""
    result: StressResult = request.getfixturevalue(name)
    prepared = parts(result)
    drawn: list[str] = []
    html.render(result, prepared, draw=lambda chart, size: (drawn.append(chart.key), "data:,")[1])
    charts = [chart.key for part in prepared for chart in part.charts]
    assert sorted(drawn) == sorted(key for key in charts if not left_out(key))


def test_the_page_draws_what_paper_leaves_out(studied: StressResult) -> None:
    """Every chart stands on the page, once."""
    charts = [chart.key for part in parts(studied) for chart in part.charts]
    assert sorted(re.findall(r'data-chart="([^"]+)"', html.render(studied))) == sorted(charts)


def test_every_reason_has_a_chart(studied: StressResult) -> None:
    """No pattern is left from a chart that is gone."""
    charts = [chart.key for part in parts(studied) for chart in part.charts]
    for pattern, why in LEFT_OUT.items():
        assert why
        if "symbols" not in pattern:
            assert any(re.fullmatch(pattern, key) for key in charts), pattern


def test_a_picture_on_paper_is_in_the_page(single: StressResult) -> None:
    """Nothing is fetched when it is printed."""
    page = html.render(single, draw=on_paper)
    assert re.findall(r'<img src="(.{26})', page)
    assert set(re.findall(r'<img src="(.{26})', page)) == {"data:image/svg+xml;base64,"}
