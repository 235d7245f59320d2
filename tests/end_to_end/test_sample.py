"""The committed sample is a whole run, and its page has the sections and the figures of its result."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from stresslab.analysis.result import StressResult
from stresslab.report.formats.html import render
from stresslab.report.wording import percent, share
from stresslab.runs.folder import load_run
from stresslab.runs.verify import verify

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


@pytest.fixture(scope="module")
def sample() -> StressResult:
    """The sample as it is read."""
    return load_run(SAMPLE)


def sections(page: str) -> list[str]:
    """The anchors of a page's sections."""
    return re.findall(r'<section id="([^"]+)"', page)


def test_no_file_of_the_sample_was_changed() -> None:
    """Each has the hash that the run wrote down."""
    assert verify(SAMPLE).whole


def test_the_page_has_the_sections_that_the_code_makes(sample: StressResult) -> None:
    """Where this fails, docs/architecture.md has the commands that make the sample again."""
    assert sections((SAMPLE / "report.html").read_text()) == sections(render(sample))


@pytest.mark.parametrize("file", ["report.html", "summary.md"])
def test_pages_hold_the_figures_of_the_result(sample: StressResult, file: str) -> None:
    """Label, P(loss) with its interval, and the median return of each strategy."""
    text = re.sub(r"\s+", " ", re.sub(r"\\|<[^>]*>", "", html.unescape((SAMPLE / file).read_text())))
    for one in sample.strategies:
        loss = one.universes.probability_of_loss
        figures = [share(loss.value), share(loss.low), share(loss.high)]
        figures.append(percent(one.universes.of_measure("total_return").median, signed=True))
        for words in (one.name, one.verdict.label, *figures):
            assert words in text
