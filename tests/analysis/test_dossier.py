"""Findings, changes, and champion against challenger."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stresslab.analysis.dossier import challenge, change_log, findings, standing_assumptions
from tests.make.results import make_result


def test_findings_follow_from_checks() -> None:
    """A losing strategy is a high finding, a failed check a medium one, an open one low; high ones come first."""
    result = make_result("churn", "favour")
    found = findings(result)
    churn = next(one for one in result.strategies if one.name == "churn")
    assert churn.verdict.label in ("losing", "lucky")
    assert any(one.severity == "high" and one.about == "churn" for one in found)
    order = ["high", "medium", "low"]
    places = [order.index(one.severity) for one in found]
    assert places == sorted(places)
    for one in result.strategies:
        failed = [check for check in one.verdict.checks if check.passed is False and check.value is not None]
        texts = [finding.text for finding in found if finding.about == one.name and finding.severity == "medium"]
        assert sum("failed" in text for text in texts) >= len(failed)
    assert any("realism was not assessed" in one.text for one in found)


def test_the_challenger_is_compared_universe_by_universe() -> None:
    """Mean difference and share of better universes are those of plain numpy, and the conclusion follows."""
    result = make_result("churn", "favour")
    champion, challenger = result.strategies
    gaps = challenger.metrics["total_return"].to_numpy() - champion.metrics["total_return"].to_numpy()
    found = challenge(champion, challenger)
    assert found.difference is not None
    assert found.better is not None
    assert found.difference.value == pytest.approx(gaps.mean())
    assert found.better.value == pytest.approx(np.mean(gaps > 0))
    assert found.conclusion.startswith("The challenger returns more on average")
    assert challenge(challenger, champion).conclusion.startswith("The challenger returns less on average")


def test_without_common_universes_nothing_is_concluded() -> None:
    """The figures stand side by side."""
    champion, challenger = make_result("churn", "favour").strategies
    found = challenge(champion, challenger, "seed 1 against 2")
    assert found.difference is None
    assert "seed 1 against 2" in found.conclusion


def test_the_change_log_names_what_differs() -> None:
    """Settings that differ, and P(loss) then and now."""
    now = make_result("follow")
    before = replace(now, config=now.config | {"fees": 0.123})
    log = change_log(before, "old", now)
    assert [(one.name, one.before) for one in log.changes] == [("fees", "0.123")]
    loss = now.strategies[0].universes.probability_of_loss.value
    assert log.losses == (("follow", loss, loss),)
    assert len(standing_assumptions(now)) == 3
