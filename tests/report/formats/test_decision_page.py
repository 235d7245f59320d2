"""The page of what follows a verdict."""

from __future__ import annotations

from stresslab.report.formats.decision_page import DecisionPage, PageSection, render_decision
from stresslab.report.sections.table import Table

TABLE = Table("one", "A table", "What to see.", ("Name", "Value"), (("<b>first</b>", "1%"),), open=True)


def test_a_page_shows_what_it_is_given() -> None:
    """Title, chips, headline, table and notes stand on it; what is written as markup stays text."""
    section = PageSection("part", "The part", [TABLE], ["The answer."], ["A note."])
    page = render_decision(DecisionPage("size", "How large", "on bars", [section], [("alert", "outside")], "run 1"))
    for text in ("How large", "The answer.", "A note.", "What to see.", "outside", "run 1", "&lt;b&gt;first&lt;/b&gt;"):
        assert text in page
    assert "<b>first</b>" not in page
    assert 'id="part"' in page
