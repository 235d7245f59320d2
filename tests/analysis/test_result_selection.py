"""Typed facts about choosing a strategy: nothing that a formula gives is lost on the way into `result.json`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.analysis.result_models import Model
from stresslab.analysis.result_selection import DeflatedSharpe, Ledger, Overfitting, SuperiorAbility
from stresslab.metrics.multiple_testing import deflated_sharpe, probability_of_overfitting, superior_ability
from stresslab.runs.trial_ledger import Earlier
from tests.make.kept import assert_kept

RETURNS = 0.01 * np.random.default_rng(0).standard_normal((400, 3))
TEST = superior_ability(RETURNS, RETURNS[:, 0] * 0.5, draws=50).to_dict()
FOUND: list[tuple[type[Model], Any]] = [
    (DeflatedSharpe, deflated_sharpe(RETURNS[:, 0], 5).to_dict()),
    (Overfitting, probability_of_overfitting(RETURNS).to_dict()),
    (SuperiorAbility, TEST | {"superior": [str(one) for one in TEST["superior"]]}),
    (Ledger, Earlier(1, 2, 1.5, 0.5, 0).to_dict()),
]


@pytest.mark.parametrize(("model", "facts"), FOUND, ids=[model.__name__ for model, _ in FOUND])
def test_nothing_is_lost(model: type[Model], facts: dict[str, Any]) -> None:
    """The model holds every key and number of what the formula gives."""
    assert_kept(model, facts)
