"""A comparison as text and as a page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stresslab.analysis.compare import compare
from stresslab.analysis.result import StressResult
from stresslab.report.formats.comparison import render_page, render_text
from tests.make.results import make_result


@pytest.fixture(scope="module")
def first() -> StressResult:
    """A run of two strategies."""
    return make_result("follow", "hold", universes=60)


def test_page_and_text_say_the_same(first: StressResult) -> None:
    """Both hold every strategy, its verdict and every difference; nothing undefined shows as nan."""
    other = replace(first, config=first.config | {"fees": 0.01}, strategies=first.strategies[::-1])
    found = compare([first, other], ["one", "two"])
    text, page = render_text(found), render_page(found)
    for word in ("one", "two", "A: follow", "B: hold"):
        assert word in page
        assert word in text
    for entry in found.entries:
        assert entry.strategy.verdict.label in page
        assert entry.strategy.verdict.label.upper() in text
    assert not re.search(r"\b(nan|None|inf)\b", text)
    assert page.startswith("<!DOCTYPE html>")


def test_names_are_no_markup(first: StressResult) -> None:
    """What a run is called is written into the page as text."""
    other = replace(first, config=first.config | {"fees": 0.01})
    page = render_page(compare([first, other], ["<script>alert(1)</script>", "two"]))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
