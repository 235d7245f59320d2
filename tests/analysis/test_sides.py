"""Accounts without and with the supported edge, at closes and inside bars."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.analysis.sides import Side, sides
from tests.make.cases import timed_case


def test_the_sides_are_those_of_planted_losses() -> None:
    """P(loss) without and with the edge is that of the edge's own section."""
    case, edge, losses = timed_case()
    found = sides(case, edge.posterior).by_name
    assert losses is not None
    for name in ("without", "supported"):
        loss = (found[name].equity[-1] < 1).mean()
        assert loss == pytest.approx(losses[name]["probability_of_loss"]["value"], abs=1e-12)
    assert (found["generated"].equity[-1] < 1).mean() == pytest.approx((case.metrics["total_return"] < 0).mean())


def test_equity_lies_inside_its_bars() -> None:
    """Lows are at most and highs at least the close on every side."""
    case, edge, _ = timed_case()
    for side in sides(case, edge.posterior).by_name.values():
        assert (side.low <= side.equity[1:] + 1e-12).all()
        assert (side.high >= side.equity[1:] - 1e-12).all()


def test_without_a_posterior_there_is_one_side() -> None:
    """Nothing is planted where nothing is known of an edge."""
    case, _, _ = timed_case()
    found = sides(case, None)
    assert list(found.by_name) == ["generated"]
    assert found.best_known == "generated"
    assert found.with_edge(1.0) is None


def test_a_bar_that_earns_more_has_a_higher_low() -> None:
    """Low and high keep their distance from the close, in shares of equity at the beginning of the bar."""
    own = Side(np.array([[1.0], [1.1]]), np.array([[0.9]]), np.array([[1.2]]))
    planted = own.planted(np.array([[1.0], [1.3]]))
    assert (planted.low[0, 0], planted.high[0, 0]) == pytest.approx((1.1, 1.4))
