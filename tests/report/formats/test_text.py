"""The terminal's text of a stress test."""

from __future__ import annotations

import re

from stresslab.analysis.result import StressResult
from stresslab.metrics.measures import MEASURES
from stresslab.report.formats.text import brief, render
from stresslab.report.wording import CHECKS
from tests.make.results import make_result


def test_verdict_comes_first(single: StressResult, several: StressResult) -> None:
    """The first line names the strategy and its label; several strategies begin with one line each."""
    assert str(single).splitlines()[0] == f"follow: {single.strategies[0].verdict.label.upper()}"
    lines = render(several).splitlines()
    for line, strategy in zip(lines[1:], several.strategies, strict=False):
        assert line.split()[:2] == [strategy.name, strategy.verdict.label.upper()]


def test_lines_fit_a_terminal(result: StressResult) -> None:
    """No line is longer than 100 columns, ends in blanks or holds a control character."""
    for line in render(result).splitlines():
        assert len(line) <= 100
        assert line == line.rstrip()
        assert line.isprintable()


def test_all_evidence_is_there(result: StressResult) -> None:
    """Reasons, checks and measures of every strategy are printed, and no number as nan, None or inf."""
    text = render(result)
    flat = " ".join(text.split())
    for strategy in result.strategies:
        for reason in strategy.verdict.reasons:
            assert reason in flat
    for name in [*CHECKS.values(), *(row.label for row in MEASURES.values())]:
        assert len(re.findall(rf"{re.escape(name)} ", text)) >= len(result.strategies)
    assert not re.search(r"\b(nan|None|inf)\b", text)


def test_caution_is_printed(single: StressResult) -> None:
    """Warnings, and that realism was not assessed, stand below the evidence."""
    text = render(single)
    assert "Warning: Row 212" in text
    assert "realism was not assessed" in text


def test_names_cannot_control_the_terminal() -> None:
    """Escape sequences and line breaks in a name are dropped, and a long name is cut."""
    name = "a\x1b[31m\nb" + "c" * 200
    result = make_result("follow", "hold", universes=50, rename={"follow": name}, notices=["\x1b[2Jboo"])
    text = render(result)
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_brief_is_a_table_and_two_lines_a_strategy(several: StressResult) -> None:
    """Each strategy has a row, and a line for its label and one for its edge; no line is longer than a terminal."""
    lines = brief(several).splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert len(lines) == 1 + len(several.strategies) + 3 * len(several.strategies) + 2
    for one in several.strategies:
        assert any(line.startswith(f"{one.name}: {one.verdict.label.upper()}. ") for line in lines)
    assert lines[-1].endswith("to read before you rely on it.")
