"""Sizes of a strategy against its accounts."""

from __future__ import annotations

import math

import pytest

from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.sides import sides
from stresslab.analysis.sizes import SizePlan, size_study
from stresslab.core.errors import InputError
from tests.make.cases import timed_case

LIMIT = Limit.parse("P(drawdown > 5%) <= 20%")


def test_size_one_is_the_strategy_itself() -> None:
    """At size 1 the figures are those of the accounts, on every side."""
    case, edge, losses = timed_case()
    study = size_study(sides(case, edge.posterior), edge.posterior, SizePlan(LIMIT), 0)
    assert losses is not None
    assert set(study.sides) == {"generated", "without", "supported"}
    assert study.judged == "supported"
    for name in ("without", "supported"):
        (own,) = (row for row in study.sides[name].rows if row.size == 1.0)
        assert own.loss.value == pytest.approx(losses[name]["probability_of_loss"]["value"], abs=1e-12)
    (own,) = (row for row in study.sides["generated"].rows if row.size == 1.0)
    assert own.drawdown.value == pytest.approx((case.metrics["max_drawdown"] < -0.05).mean())


def test_the_largest_size_keeps_the_limit() -> None:
    """A larger limit allows a larger size; the interval holds it."""
    case, edge, _ = timed_case()
    accounts = sides(case, edge.posterior)
    small, large = (
        size_study(accounts, edge.posterior, SizePlan(Limit.parse(text)), 0).sides["supported"].largest
        for text in ("P(drawdown > 5%) <= 20%", "P(drawdown > 5%) <= 60%")
    )
    assert 0 < small.low <= small.size <= small.high
    assert small.size < large.size


def test_credit_is_counted() -> None:
    """Interest lowers the growth of large sizes, and a margin call is a drawdown beyond any limit."""
    case, edge, _ = timed_case()
    accounts = sides(case, edge.posterior)
    free, costly = (
        size_study(accounts, edge.posterior, SizePlan(LIMIT, (3.0,), borrow_rate=rate), 0) for rate in (0.0, 0.3)
    )
    assert (free.sides["without"].rows[0].growth or 0) > (costly.sides["without"].rows[0].growth or 0)
    called = size_study(accounts, edge.posterior, SizePlan(LIMIT, (4.0,), maintenance=0.25), 0).sides["without"].rows[0]
    assert called.margin_call.value == called.drawdown.value == 1.0
    capped, cheap = (
        size_study(accounts, edge.posterior, SizePlan(LIMIT, (4.0,), borrow_rate=rate, max_leverage=1.0), 0)
        for rate in (0.3, 0.0)
    )
    assert capped.sides["without"].rows == cheap.sides["without"].rows  # nothing is held on credit
    assert capped.sides["without"].rows[0].margin_call.value == 0.0


def test_estimation_error_takes_its_part_of_kelly() -> None:
    """The haircut is one minus the ratio of the size with the posterior to that of the estimate alone."""
    case, edge, _ = timed_case()
    assert edge.posterior is not None
    study = size_study(sides(case, edge.posterior), edge.posterior, SizePlan(LIMIT), 0)
    assert study.estimate_kelly is not None
    if study.estimate_kelly > 0:
        assert study.haircut == pytest.approx(1 - (study.sides["supported"].kelly.value or 0) / study.estimate_kelly)
    else:
        assert study.haircut is None


def test_a_limit_that_chooses_no_size_is_refused() -> None:
    """P(loss) does not fall with the size."""
    with pytest.raises(InputError, match="drawdown"):
        SizePlan(Limit.parse("P(loss) <= 5%"))
    assert math.isinf(SizePlan(LIMIT).max_leverage)
