"""Typed results: what they take, what they refuse, and what JSON makes of them."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from pydantic import ValidationError

from stresslab.analysis.result_models import Check, Edge, Estimate, LookAhead, Luck, Share, UniverseSummary, check
from stresslab.metrics.distribution import Interval, describe_realised, describe_universes, wilson
from tests.make.results import make_result


def test_an_estimate_is_read_from_any_object_and_from_json() -> None:
    """What JSON has no number for becomes None; the round trip changes nothing."""
    found = Estimate.of(Interval(0.5, -math.inf, math.nan))
    assert found == Estimate(value=0.5, low=None, high=None)
    assert Estimate.of(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


@pytest.mark.parametrize("wrong", [{"value": 1.2}, {"value": None}, {"low": -0.1}, {"high": "high"}])
def test_a_share_lies_between_0_and_1(wrong: dict[str, object]) -> None:
    """A share outside, without a value, or of text is refused."""
    with pytest.raises(ValidationError):
        Share.of(wilson(3, 10).to_dict() | wrong)


def test_models_do_not_change() -> None:
    """A figure of a result cannot be set."""
    found = Share.of(wilson(3, 10))
    with pytest.raises(ValidationError):
        found.value = 0.1  # type: ignore[misc]


def test_a_check_takes_an_interval_a_number_or_nothing() -> None:
    """The ends are those of the interval; there are none without one."""
    with_ends = check("a", 0.1, None, "note", Interval(0.2, 0.1, 0.3))
    assert (with_ends.value, with_ends.low, with_ends.high) == (0.2, 0.1, 0.3)
    assert check("a", 0.1, True, "note", 0.2) == Check(
        name="a", value=0.2, low=None, high=None, threshold=0.1, passed=True, note="note"
    )
    assert check("a", None, None, "note").value is None


def test_an_edge_has_a_reason() -> None:
    """A label without a reason, or one that does not exist, is refused."""
    with pytest.raises(ValidationError):
        Edge(label="no", reasons=(), checks=())
    with pytest.raises(ValidationError):
        Edge.of({"label": "perhaps", "reasons": ["so"], "checks": []})


def test_nothing_of_the_distribution_is_lost() -> None:
    """The models hold every key that the statistics give, for the universes and for the real outcome."""
    metrics = make_result("follow", universes=30, horizon=10).strategies[0].metrics
    facts = describe_universes(metrics)
    assert json.loads(json.dumps(UniverseSummary.of(facts).to_dict())) == json.loads(json.dumps(facts))
    luck = describe_realised({str(name): float(value) for name, value in metrics.iloc[0].items()}, metrics)
    assert json.loads(json.dumps(Luck.of(luck).to_dict())) == json.loads(json.dumps(luck))


def test_a_missing_measure_is_named() -> None:
    """A distribution that lacks a measure is refused, and the message says which."""
    facts = describe_universes(make_result("follow", universes=30, horizon=10).strategies[0].metrics)
    del facts["measures"]["sharpe"]
    with pytest.raises(ValidationError, match="sharpe"):
        UniverseSummary.of(facts)


def test_figures_are_found_by_name_and_level() -> None:
    """The accessors give what the tables hold."""
    one = make_result("follow", universes=30, horizon=10).strategies[0]
    returns = one.universes.of_measure("total_return")
    assert returns.median == returns.quantile(0.5) == pytest.approx(float(one.metrics["total_return"].median()))
    low, high = one.universes.interval("total_return", "quantiles.0.5")
    assert low is not None
    assert high is not None
    assert low <= float(returns.median or 0) <= high
    deep = float((one.metrics["max_drawdown"] < -0.1).mean())
    assert one.universes.drawdown_beyond(0.1).value == pytest.approx(deep)


def test_fields_of_later_versions_are_passed_over() -> None:
    """A reader takes what it knows."""
    facts = {"found": [], "inconclusive": False, "bars": 1, "decisions": 1, "cuts": 1, "later": pd.Timestamp("2020")}
    assert LookAhead.of(facts).bars == 1
