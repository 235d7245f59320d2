"""How fragile a result is: drift, timing, the worst universes, and where the uncertainty comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.analysis.case import Case
from stresslab.analysis.fragility import fragility, random_timing, worst_universes
from stresslab.backtest import Costs, Terms
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.transforms import drift_neutral
from stresslab.strategy import load_strategies
from tests.make.cases import bootstrap_case
from tests.make.strategies import hold, trend


def test_without_drift_buy_and_hold_loses_more_often(nasdaq: Bars) -> None:
    """As generated it mostly wins; with the shared drift taken out the mean log return is 0, less costs."""
    own = bootstrap_case(nasdaq, hold, 1000)
    found = fragility(own)
    drifting, flat = found["as_generated"], found["drift_neutral"]
    assert drifting["probability_of_loss"]["high"] < flat["probability_of_loss"]["low"]
    logs = np.log1p(own.measured(drift_neutral(own.universes))["total_return"])
    gap = np.log(own.universes.values[:, 0, 0] / own.history.values[-1, 3]).mean()  # the first gap is nobody's
    assert logs.mean() == pytest.approx(-0.002 - gap, abs=0.0015)
    assert found["against_buy_and_hold"]["mean"]["value"] == pytest.approx(0, abs=1e-12)


def walks(bars: Bars, momentum: float, count: int = 600, horizon: int = 60) -> Universes:
    """Universes whose returns remember a part of the one before; opens are the closes before."""
    shocks = 0.01 * np.random.default_rng(3).standard_normal((count, horizon))
    returns = np.zeros_like(shocks)
    for bar in range(horizon):
        returns[:, bar] = shocks[:, bar] + (momentum * returns[:, bar - 1] if bar else 0.0)
    closes = bars.values[-1, 3] * np.exp(np.cumsum(returns, axis=1))
    opens = np.hstack([np.full((count, 1), bars.values[-1, 3]), closes[:, :-1]])
    ends = np.maximum(opens, closes), np.minimum(opens, closes)
    values = np.stack([opens, *ends, closes, np.full_like(closes, 1e6), 1e6 * closes], axis=-1)
    return Universes(values, bars.calendar.future(bars.timestamps, horizon), bars, np.arange(count))


def follow(bars: Any) -> Any:
    """Long after a bar that rose, short after one that fell."""
    return np.sign(bars.close.diff())


@pytest.mark.parametrize("momentum", [0.0, 0.25, -0.25])
def test_random_timing_is_beaten_by_momentum_alone(nasdaq: Bars, momentum: float) -> None:
    """Where returns remember the one before; on martingales the two cannot be told apart, fading bars are mistimed."""
    (strategy,) = load_strategies([follow], {})
    free = Terms(Costs(fees=0.0, slippage=0.0), position="flat")
    found = random_timing(Case(strategy, walks(nasdaq, momentum), nasdaq, free))
    assert found is not None
    mean = found["difference"]["mean"]
    assert (mean["low"] > 0, mean["high"] < 0) == (momentum > 0, momentum < 0)
    assert found["random"]["median_return"] == pytest.approx(0, abs=0.02)
    own, other = (found[side]["probability_of_loss"]["value"] for side in ("own", "random"))
    assert abs(own - other) < 0.06 if momentum == 0 else (own < other) == (momentum > 0)


def test_what_never_varies_has_no_timing_to_lose(nasdaq: Bars) -> None:
    """Buy and hold in another universe is buy and hold."""
    found = random_timing(bootstrap_case(nasdaq, hold))
    assert found is not None
    assert found["own"]["median_return"] == pytest.approx(found["random"]["median_return"], abs=1e-9)
    assert random_timing(bootstrap_case(nasdaq, lambda bars: bars.close * 0.0)) is None


def test_what_broke_it_names_universes_that_exist(nasdaq: Bars) -> None:
    """Groups share out the worst universes; representatives are among them."""
    own = bootstrap_case(nasdaq, trend)
    groups = worst_universes(own)
    assert sum(group["of_worst"] for group in groups) == pytest.approx(1)
    returns = own.measured(own.universes)["total_return"]
    worst = set(returns.nsmallest(10).index)
    assert {one for group in groups for one in group["representatives"]} <= worst
