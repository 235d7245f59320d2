"""Limits of a strategy against its accounts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.limits import LimitPlan, limit_study
from stresslab.analysis.result_decisions import LimitStudy
from stresslab.analysis.sides import Sides, sides
from stresslab.core.errors import InputError
from stresslab.metrics.account_rules import AccountRules
from tests.make.cases import timed_case

RULES = AccountRules(profit_target=0.03, daily_loss=0.02, maximum_loss=0.04, trailing="intrabar", minimum_days=3)


def accounts() -> Sides:
    """Of a strategy with a posterior."""
    case, edge, _ = timed_case()
    return sides(case, edge.posterior)


def study(*texts: str, rules: AccountRules | None = RULES, universes: str = "generated") -> LimitStudy:
    """Its limits."""
    case, _, _ = timed_case()
    plan = LimitPlan(tuple(map(Limit.parse, texts)), rules, universes)
    return limit_study(accounts(), plan, case.universes.timestamps, 0)


def test_estimates_are_those_of_the_run() -> None:
    """Value at risk, shortfall, P(loss) and P(drawdown) are those of the strategy's results."""
    case, _, _ = timed_case()
    returns = case.metrics["total_return"]
    found = [
        one.estimate.value
        for one in study("VaR 95 <= 5%", "P(loss) <= 5%", "P(drawdown > 5%) <= 5%", "ES 97.5 <= 5%").answers
    ]
    worst = np.sort(returns)[: int(np.ceil(0.025 * len(returns)))]
    assert found[:3] == pytest.approx(
        [-np.quantile(returns, 0.05), (returns < 0).mean(), (case.metrics["max_drawdown"] < -0.05).mean()], abs=1e-9
    )
    assert found[3] == pytest.approx(-worst[:3].sum() / 3.75 - 0.75 * worst[3] / 3.75, abs=1e-9)


def test_the_ends_of_an_account_add_up() -> None:
    """Each universe ends in one way; P(pass) as a limit is that row."""
    found = study("P(pass) >= 1%", "P(daily loss) <= 99%")
    for side in found.outcomes.values():
        assert sum(one.probability.value for one in side) == pytest.approx(1.0)
    rows = {one.name: one.probability.value for one in found.outcomes["generated"]}
    assert [one.estimate.value for one in found.answers] == [rows["passed"], rows.get("daily_loss", 0.0)]
    assert found.answers[0].passed is True


def test_limits_are_judged_where_they_are_asked_to_be() -> None:
    """The side that is judged gives the estimate; all stand beside it."""
    found = study("P(loss) <= 50%", universes="without")
    (answer,) = found.answers
    assert found.judged == "without"
    assert answer.estimate.value == answer.sides["without"]
    assert set(answer.sides) == {"generated", "without", "supported"}


def test_what_is_kept_follows_from_the_answers() -> None:
    """Only limits that are shown to be kept count; JSON and back is the same."""
    assert study("P(loss) <= 99%").kept
    assert not study("P(loss) <= 99%", "P(loss) <= 1%").kept
    assert LimitStudy.of(json.loads(json.dumps(study("P(loss) <= 9%").to_dict(), allow_nan=False))).answers


@pytest.mark.parametrize("text", ["P(pass) >= 50%", "P(daily loss) <= 5%"])
def test_a_limit_on_a_rule_that_is_not_there_is_refused(text: str) -> None:
    """There is nothing to pass without a target."""
    with pytest.raises(InputError, match="under `account`"):
        LimitPlan((Limit.parse(text),), AccountRules(maximum_loss=0.1))
