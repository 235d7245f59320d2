"""Typed studies: nothing that a formula gives is lost on the way into `result.json`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.result_models import Model
from stresslab.analysis.result_studies import Difference, ErrorBudget, ReverseStress, StrategyStudies, Timing
from stresslab.metrics.distribution import wilson
from stresslab.metrics.error_budget import budget
from stresslab.metrics.market_timing import timing
from stresslab.metrics.paired import difference
from stresslab.metrics.reverse_stress import reverse_stress
from tests.make.kept import assert_kept

RNG = np.random.default_rng(0)
RETURNS = 0.01 * RNG.standard_normal((400, 3))
CLOSES = 100 * np.exp(np.cumsum(0.01 * RNG.standard_normal((80, 41)), axis=1))
HELD = np.ones((40, 80))
FOUND: list[tuple[type[Model], Any]] = [
    (Difference, difference(pd.Series(RETURNS[:, 0]), pd.Series(RETURNS[:, 1])).to_dict()),
    (Timing, timing(RNG.random((40, 80)), 0.01 * RNG.standard_normal((40, 80)), 252).to_dict()),
    (ErrorBudget, budget(wilson(30, 100), 100, by_generator={"a": 0.2, "b": 0.4}).to_dict()),
    (ReverseStress, reverse_stress(CLOSES, HELD, CLOSES[:, -1] / CLOSES[:, 0] - 1, np.arange(80))[0].to_dict()),
]


@pytest.mark.parametrize(("model", "facts"), FOUND, ids=[model.__name__ for model, _ in FOUND])
def test_nothing_is_lost(model: type[Model], facts: dict[str, Any]) -> None:
    """The model holds every key and number of what the formula gives."""
    assert_kept(model, facts)


def test_a_study_that_was_not_asked_is_absent() -> None:
    """It has no key; what was answered before stays beside what is added."""
    studies = StrategyStudies.of({"horizon": {"universes": 2, "losing": [0, 1]}})
    assert set(studies.to_dict()) == {"horizon"}
    period = {"period": "2020", "total_return": 0.1, "benchmark": None, "max_drawdown": -0.1}
    both = studies.with_answers({"periods": [period]})
    assert set(both.to_dict()) == {"horizon", "periods"}
    assert both.to_dict()["periods"] == [period]
    assert StrategyStudies.of(both.to_dict()) == both
