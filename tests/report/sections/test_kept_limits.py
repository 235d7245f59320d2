"""Limits in words."""

from __future__ import annotations

from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.limits import LimitPlan, limit_study
from stresslab.analysis.result_decisions import LimitStudy
from stresslab.analysis.sides import sides
from stresslab.metrics.account_rules import AccountRules
from stresslab.report.sections.kept_limits import headline, limit_tables, rules_sentence
from tests.make.cases import timed_case


def study(*texts: str) -> LimitStudy:
    """Limits of a strategy under rules."""
    case, edge, _ = timed_case()
    plan = LimitPlan(tuple(map(Limit.parse, texts)), AccountRules(profit_target=0.03, maximum_loss=0.04))
    return limit_study(sides(case, edge.posterior), plan, case.universes.timestamps, 0)


def test_the_headline_names_what_is_not_kept() -> None:
    """Kept, broken and undecided limits, or how the account ends where there are none."""
    loss = study("P(loss) <= 99%").answers[0].estimate.value or 0.0
    undecided = f"P(loss) <= {100 * loss:.6g}%"
    told = headline(study("P(loss) <= 99%", "P(loss) <= 1%", undecided))
    assert told.startswith("1 of 3 limits kept; broken: P(loss) <= 1%; undecided: P(loss) <= ")
    assert headline(study("P(loss) <= 99%")) == "Every limit is kept."
    assert headline(study()).startswith("The account reaches its target in ")


def test_tables_hold_each_limit_and_each_end() -> None:
    """One row a limit with the answer, one a way in which accounts end."""
    limits, ends = limit_tables({"one": study("P(loss) <= 99%")})
    assert limits.rows[0][:2] == ("P(loss) <= 99%", "✓ kept")
    assert {row[0] for row in ends.rows} >= {"reaches the target", "still open at the end"}
    assert "a profit of 3% at a close passes" in ends.sentence


def test_rules_are_said_in_words() -> None:
    """Each rule that is there, and none that is not."""
    told = rules_sentence({"daily_loss": 0.05, "maximum_loss": 0.1, "trailing": "close", "maximum_days": 30})
    assert told == (
        "Rules, on equity inside each bar: a fall of 5% within a day ends it, so does one of 10% below the highest "
        "close so far, and day 31."
    )
    assert rules_sentence({}) == ""
