"""The dossier in words."""

from __future__ import annotations

from dataclasses import replace

from stresslab.analysis.dossier import STANDING_LIMITATIONS, challenge, findings, standing_assumptions
from stresslab.analysis.result import StressResult
from stresslab.analysis.result_dossier import Dossier, Signature
from stresslab.report.formats.html import render
from stresslab.report.sections.dossier import REGULATION, dossier
from tests.make.pages import Page
from tests.make.results import make_result


def with_dossier() -> StressResult:
    """A result with a dossier."""
    result = make_result("churn", "favour")
    return replace(
        result,
        dossier=Dossier(
            title="Trend <b>one</b>", owner="Desk A", developer="", validator="Model validation",
            intended_use="Overlay", materiality="medium", version="2", assumptions=tuple(standing_assumptions(result)),
            limitations=STANDING_LIMITATIONS, findings=tuple(findings(result)), changes=None,
            challenge=challenge(*result.strategies), conclusion="Use it.", sign_off=(Signature(role="Committee"),),
        ),
    )  # fmt: skip


def test_points_and_findings_are_numbered() -> None:
    """A1, L1, F1, each with what it says; facts that are missing are left out."""
    found = dossier(with_dossier())
    assert found is not None
    assert [table.rows[0][0] for table in found.tables[:3]] == ["A1", "L1", "F1"]
    assert "Developer" not in dict(found.facts)
    assert dossier(make_result("follow")) is None


def test_the_page_ends_with_signatures() -> None:
    """Everything stands on the page as text, and what may be claimed of it is said as it is."""
    page = render(with_dossier())
    words = Page(page).text
    for text in ("Desk A", "Use it.", "Committee", "Champion: churn", "SR 26-2, formerly SR 11-7", REGULATION):
        assert text in words
    assert "<b>one</b>" not in page
    assert page.index('id="signoff"') > page.index('id="dossier"')
