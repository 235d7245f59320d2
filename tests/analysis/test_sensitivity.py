"""Sensitivity to costs and parameters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from stresslab.analysis.sensitivity import COST_FACTORS, costs, nearby, parameters
from stresslab.backtest import Costs
from stresslab.data.bars import Bars
from tests.make.cases import bootstrap_case
from tests.make.strategies import hold, trend


def test_costs_hurt_the_more_the_higher_they_are(nasdaq: Bars) -> None:
    """The row of one times the costs is the base case; without costs there is nothing to ask."""
    own = bootstrap_case(nasdaq, trend)
    rows = costs(own)
    assert [row["factor"] for row in rows] == list(COST_FACTORS)
    medians = [row["median_return"] for row in rows]
    assert medians == sorted(medians, reverse=True)
    assert medians[1] == float(own.measured(own.universes)["total_return"].median())
    free = replace(own, terms=replace(own.terms, costs=Costs(fees=0.0, slippage=0.0)))
    assert costs(free) == []


def crossing(bars: Any, fast: int = 10, slow: int = 20, share: float = 0.5) -> Any:
    """Long above; the fast window must be the shorter."""
    if fast >= 12:
        raise ValueError("too slow")
    close = bars.close
    return share * (close.rolling(fast).mean() > close.rolling(slow).mean()).astype(float)


def test_parameters_are_moved_one_at_a_time(nasdaq: Bars) -> None:
    """Down and up by a fifth; what the code refuses is named, and the given ones stand beside."""
    found = parameters(bootstrap_case(nasdaq, crossing))
    assert found is not None
    assert [(row["parameter"], row["value"]) for row in found["moved"]] == [
        ("fast", 8), ("slow", 16), ("slow", 24), ("share", 0.4), ("share", 0.6),
    ]  # fmt: skip
    assert found["refused"] == [{"parameter": "fast", "value": 12}]
    by_share = {row["value"]: row["expected_shortfall_97_5"]["value"] for row in found["moved"][-2:]}
    as_given = found["as_given"]["expected_shortfall_97_5"]["value"]
    assert by_share[0.4] < as_given < by_share[0.6]  # exposure scales what is lost


def test_without_parameters_nothing_is_moved(nasdaq: Bars) -> None:
    """There is no such study then."""
    assert parameters(bootstrap_case(nasdaq, hold)) is None


@pytest.mark.parametrize(
    ("value", "allowed", "expected"),
    [
        (10, None, [8, 12]),
        (2, None, [1, 3]),
        (-10, None, [-12, -8]),
        (0.5, None, [0.4, 0.6]),
        (0.1, (0.05, 0.11), [0.08, 0.11]),
        (10, (10, 50), [12]),
        (0, None, []),
        (True, None, []),
        (math.nan, None, []),
        ("ema", None, []),
        ("ema", ["sma", "ema", "wma"], ["sma", "wma"]),
        (5, [5, 10], [10]),
    ],
)
def test_what_is_next_to_a_value(value: Any, allowed: Any, expected: list[Any]) -> None:
    """A fifth away, within what is declared; of a list the neighbours."""
    assert nearby(value, allowed) == expected
