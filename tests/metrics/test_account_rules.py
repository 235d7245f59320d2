"""Account rules against a loop that reads like the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.metrics.account_rules import AccountRules, EquityInBars, rule_outcomes
from tests.make.account_loop import by_hand


def accounts(seed: int, bars: int, universes: int, per_day: int) -> EquityInBars:
    """Random equity with lows and highs around each close."""
    random = np.random.default_rng(seed)
    close = np.cumprod(1 + random.normal(0, 0.02, (bars, universes)), axis=0)
    before = np.vstack([np.ones((1, universes)), close[:-1]])
    low = np.minimum(close, before) - random.exponential(0.005, close.shape)
    high = np.maximum(close, before) + random.exponential(0.005, close.shape)
    return EquityInBars(close, low, high, np.arange(bars) // per_day)


fractions = st.one_of(st.none(), st.floats(0.01, 0.2))
RULES: Any = st.builds(
    AccountRules,
    profit_target=fractions,
    daily_loss=fractions,
    maximum_loss=fractions,
    trailing=st.sampled_from(["static", "close", "intrabar"]),
    minimum_days=st.integers(0, 10),
    maximum_days=st.one_of(st.none(), st.integers(1, 30)),
    consistency=st.one_of(st.none(), st.floats(0.1, 1.0)),
)


@settings(max_examples=150, deadline=None)
@given(rules=RULES, seed=st.integers(0, 10_000), per_day=st.integers(1, 5))
def test_every_account_ends_as_by_hand(rules: AccountRules, seed: int, per_day: int) -> None:
    """The rule, the bar and the days of each account are those of a loop."""
    equity = accounts(seed, 40, 5, per_day)
    found = rule_outcomes(equity, rules)
    for universe in range(5):
        ended, bar, days = by_hand(equity, rules, universe)
        assert (str(found.ended_by[universe]), int(found.bar[universe])) == (ended, bar)
        assert found.days[universe] == pytest.approx(days, nan_ok=True)


def test_a_broken_rule_comes_before_a_target_in_the_same_bar() -> None:
    """A bar that falls to the limit and closes at the target breaks the limit."""
    one = EquityInBars(np.array([[1.2]]), np.array([[0.8]]), np.array([[1.2]]), np.array([0]))
    assert rule_outcomes(one, AccountRules(profit_target=0.1, maximum_loss=0.1)).ended_by.tolist() == ["maximum_loss"]
