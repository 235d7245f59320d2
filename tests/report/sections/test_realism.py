"""How the pages tell whether the universes behave like this market."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stresslab.analysis.result_realism import RealismSection
from stresslab.core.text import percent
from stresslab.realism import Check, Realism
from stresslab.report.formats import html, text
from stresslab.report.sections.realism import evidence
from tests.make.results import make_result

NAN, INF = float("nan"), float("inf")
CHECKS = (
    Check("volatility", 1.3, 1.2, 1.4, 0.8, 1.25, "open", "Universes are 1.30 [1.20, 1.40] times as volatile."),
    Check("coverage_90", 0.5, 0.3, 0.7, 0.75, 0.98, "failed", "12 of 24 outcomes lie in the 90% intervals."),
    Check("reversion", NAN, -INF, INF, -0.2, 0.2, "not assessable", "Universes lead nan% back; [-inf%, inf%] of it."),
    Check("clustering", 0.01, -0.05, 0.06, -0.15, 0.15, "passed", "It differs by +0.010."),
)


def found(label: Any) -> RealismSection:
    """A realism section with one check of each outcome."""
    reasons = (CHECKS[1].reason, CHECKS[0].reason)
    return RealismSection.of(Realism(label, reasons, CHECKS, 24, 60, 64, "2001-01-01", "2014-01-01").to_dict())


def test_not_assessed_is_said_plainly() -> None:
    """Without an assessment both pages say so, and show no checks of realism."""
    result = make_result("hold", universes=50)
    sentence = "The universes' realism was not assessed"
    assert evidence(result).warning
    assert sentence in html.render(result).replace("&#39;", "'")
    assert sentence in " ".join(text.render(result).split())
    assert "realism-title" not in html.render(result)
    assert "Realism of the universes" not in text.render(result)


@pytest.mark.parametrize("label", ["trusted", "no fault found", "not trusted"])
def test_label_and_checks_are_shown(label: str) -> None:
    """An assessment is shown with its label, reasons, and every check's outcome, value and range."""
    result = make_result("hold", universes=50, realism=found(label))
    page, lines = html.render(result).replace("&#39;", "'"), text.render(result)
    assert f"realism: {label}" in page
    assert f"Realism of the universes: {label.upper()}" in lines
    assert evidence(result).warning is (label != "trusted")
    for row in evidence(result).rows:
        assert row.name in page
        assert row.name in lines
        assert f'class="answer {row.style}">{row.outcome}' in page
    assert CHECKS[1].reason in page
    assert percent(0.75) in page
    assert max(len(line) for line in lines.splitlines()) <= 100


def test_what_withholds_no_verdict_is_said() -> None:
    """Universes that lack timing alone are not trusted, and the page says why a verdict rests on them."""
    lacks = Check("lag_one", 0.2, 0.15, 0.25, -0.1, 0.1, "failed", "Lag-1 autocorrelation of returns differs.")
    for checks, said in (((lacks, CHECKS[3]), True), ((lacks, CHECKS[1]), False)):
        made = Realism("not trusted", (lacks.reason,), checks, 24, 60, 64, "2001-01-01", "2014-01-01")
        sentence = evidence(make_result("hold", universes=50, realism=RealismSection.of(made.to_dict()))).sentence
        assert ("a verdict may rest on them" in sentence) is said


def test_undefined_numbers_are_not_printed() -> None:
    """What a check could not assess reads as a dash, in its numbers and in its sentence."""
    result = make_result("hold", universes=50, realism=found("no fault found"))
    row = evidence(result).rows[2]
    assert (row.value, row.interval, row.style) == ("–", "–", "open")
    assert row.reason == "Universes lead – back; [–, –] of it."
    assert not re.search(r"\b(nan|inf)\b", text.render(result))


def test_no_origins_at_all() -> None:
    """A history too short for any origin has no fault and no checks."""
    empty = Realism("no fault found", ("No origin has 120 bars before it.",), (), 0, 60, 64, None, None).to_dict()
    result = make_result("hold", universes=50, realism=RealismSection.of(empty))
    assert "No origin has 120 bars before it." in html.render(result)
    assert "No origin has 120 bars before it." in " ".join(text.render(result).split())
