"""Strategies beside the best of them, universe by universe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.report.sections.pairs import contrasts
from tests.make.results import make_result


def test_the_best_stands_first_with_its_lead() -> None:
    """Strategies by mean return, each with the paired lead of the best and how often it is ahead."""
    result = make_result("hold", "churn", "favour", universes=200)
    found = contrasts(result)
    assert found is not None
    returns = {one.name: one.metrics["total_return"] for one in result.strategies}
    assert [rival.name for rival in found.rivals] == sorted(returns, key=lambda name: -returns[name].mean())
    assert found.rivals[0].name == "favour"
    lead = 100 * float((returns["favour"] - returns["churn"]).mean())
    assert found.rivals[-1].difference == f"+{lead:.1f}%"
    assert "ahead of 2 of the other 2" in found.sentence
    ahead = float((returns["favour"] > returns["hold"]).mean() + 0.5 * (returns["favour"] == returns["hold"]).mean())
    place = found.names.index("hold")
    assert float(found.matrix[0][place].rstrip("%")) == pytest.approx(100 * ahead, abs=0.06)
    assert float(found.matrix[place][0].rstrip("%")) == pytest.approx(100 * (1 - ahead), abs=0.06)


def test_one_strategy_has_no_rivals(single: StressResult) -> None:
    """With one strategy there is nothing to compare."""
    assert contrasts(single) is None


def test_thirty_strategies_are_compared_with_the_best() -> None:
    """Of many strategies each stands against the best, and no matrix grows beyond reading."""
    base = make_result("hold", "follow", "churn", universes=40)
    many = [replace(base.strategies[i % 3], name=f"s{i}") for i in range(30)]
    found = contrasts(replace(base, strategies=many))
    assert found is not None
    assert len(found.rivals) == 30
    assert found.matrix == []
