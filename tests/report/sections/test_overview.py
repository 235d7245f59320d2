"""The overview of all strategies, and which of them have a page."""

from __future__ import annotations

from dataclasses import replace

from stresslab.analysis.result import StressResult
from stresslab.report.formats.html import render
from stresslab.report.formats.markdown import summary
from stresslab.report.formats.text import render as told
from stresslab.report.sections.overview import MAX_PAGES, overview_rows, roles
from stresslab.report.sections.strategy import strategy_pages
from tests.make.results import make_result


def test_edge_stands_beside_every_verdict(studied: StressResult) -> None:
    """In the page, the overview, the summary and the terminal; the book has a line with its parts."""
    page, text, terminal = render(studied), summary(studied), told(studied)
    for one in studied.strategies[:-1]:
        assert one.edge is not None
        label = one.edge.label
        assert f'<span class="edge {label}">edge: {label}</span>' in page
        assert f"| {one.verdict.label} | {label} |" in text
        assert f"{one.verdict.label.upper()}, edge: {label}" in terminal
    book = overview_rows(studied)[-1]
    assert (book.edge, book.note) == (None, "capital: 60% hold, 40% trend")
    assert "capital: 60% hold, 40% trend" in page


def test_two_hundred_strategies_stay_one_page() -> None:
    """All stand in the overview; pages have those that a reader asks for first; the page stays small."""
    base = make_result("hold", "follow", "churn", universes=60, horizon=30)
    many = [replace(base.strategies[i % 3], name=f"s[fast={i}]", parameters={"fast": i}) for i in range(200)]
    result = replace(base, strategies=many, config=base.config | {"grid": {"fast": list(range(200))}})
    chosen = roles(result)
    assert 2 <= len(chosen) <= 5
    losses = [one.universes.probability_of_loss.value for one in many]
    told_of = {why: at for at, whys in chosen.items() for why in whys.split(", and ")}
    assert losses[told_of["the lowest P(loss)"]] == min(losses)
    assert losses[told_of["the highest P(loss)"]] == max(losses)
    page = render(result)
    assert len(page) < 1_500_000
    assert page.count('<article class="strategy"') == len(strategy_pages(result)) == len(chosen)
    assert all(f"fast={i}]" in page for i in range(200))
    assert page.count('<a href="#strategy-') == len(chosen)
    assert len(summary(result).splitlines()) < 60
    assert len(told(result).splitlines()) < 500
    at_most = replace(base, strategies=[replace(many[0], name=str(i)) for i in range(MAX_PAGES)])
    assert len(strategy_pages(at_most)) == MAX_PAGES
