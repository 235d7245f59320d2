"""The page of all runs, as text."""

from __future__ import annotations

from stresslab.report.formats.index_page import render_index
from tests.make.indexed import rows
from tests.make.pages import Page


def test_every_row_stands_on_the_page() -> None:
    """Links, figures and states; names that try to be markup stay text."""
    page = render_index("reports", rows(), 12, [("broken", "cut <short>")])
    words = Page(page).text
    assert "12 runs, 12 strategies" in words
    assert "4 outside what the run expected" in words
    assert 'href="run-7/report.html"' in page
    assert 'href="tracking/run-7/track.html"' in page
    assert "<script>alert(1)</script>" not in page
    assert "58.3%" in words
    assert "cut &lt;short&gt;" in page


def test_filters_are_those_that_divide() -> None:
    """A column with one value in all rows is no filter, a state that some lack is."""
    page = render_index("reports", rows(), 12, [])
    for name in ("market", "label", "edge", "limits", "state"):
        assert f'data-filter="{name}"' in page
    assert 'data-filter="generator"' not in page
