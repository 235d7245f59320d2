"""The surface of the generator's knobs, on a generator whose answer is known and on the real one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import stresslab as sl
from stresslab.analysis.case import Case
from stresslab.analysis.generator_sensitivity import UNIVERSES, Tunable, settings, sweep
from stresslab.backtest import Terms
from stresslab.core.errors import InputError
from stresslab.generators.kronos.generator import Kronos
from stresslab.strategy import load_strategies
from tests.make.strategies import hold, trend
from tests.realism.cases import Walk, normal_bars

BARS = normal_bars(2000, seed=4)


def case(generator: Walk, function: object = trend, universes: int = 600) -> Case:
    """One strategy in a walk's universes."""
    (strategy,) = load_strategies([function], {})
    return Case(strategy, generator.sample(BARS, 60, universes, 5), BARS, Terms(), seed=5)


def test_every_combination_is_there_once_and_one_is_the_runs() -> None:
    """Of temperatures about the run's own, nuclei, and parts of its context."""
    found = settings(Walk(temperature=1.3, top_p=0.97), 400)
    assert len({(one.temperature, one.top_p, one.context) for one in found}) == len(found) == 5 * 4 * 2
    assert [(one.temperature, one.top_p, one.context) for one in found if one.own] == [(1.3, 0.97, 400)]
    assert {one.context for one in found} == {400, 100}
    assert {one.temperature for one in found} == {1.04, 1.17, 1.3, 1.43, 1.56}


def test_knobs_that_cannot_be_turned_stay() -> None:
    """top_k switches top-p off, nothing is hotter than 100, and a short context is not made shorter."""
    assert {one.top_p for one in settings(Walk(top_k=5, top_p=0.8), 400)} == {0.8}
    assert max(one.temperature for one in settings(Walk(temperature=95.0), 400)) == 95
    assert {one.context for one in settings(Walk(), 20)} == {20}
    assert {one.context for one in settings(Walk(), 60)} == {60, 32}


def test_a_walk_gets_as_volatile_as_its_temperature() -> None:
    """On common random numbers the ratio of volatilities is that of the temperatures, to rounding."""
    generator = Walk()
    own = case(generator, hold)
    chosen = [one for one in settings(generator, 250) if one.context == 250 and one.top_p == 1]
    about, rows = sweep([own], generator, 60, chosen)
    ratios = [row["volatility_ratio"] for row in about["settings"]]
    assert np.divide(ratios, ratios[2]) == pytest.approx([0.8, 0.9, 1.0, 1.1, 1.2], rel=0.01)
    assert ratios[2] == pytest.approx(1, abs=0.15)
    base = about["settings"][2]
    assert (base["own"], base["crps_over_own"], base["crps_error"]) == (True, 1.0, 0.0)
    assert about["settings"][0]["coverage_90"] < base["coverage_90"] <= about["settings"][4]["coverage_90"]
    falls = [row["expected_shortfall_97_5"]["value"] for row in rows["hold"]]
    assert all(low < high for low, high in itertools.pairwise(falls))
    assert {row["universes"] for row in rows["hold"]} == {UNIVERSES}


def test_the_runs_own_row_is_the_run() -> None:
    """Its figures are those of the first universes."""
    generator = Walk()
    own = case(generator)
    (chosen,) = (one for one in settings(generator, 250) if one.own)
    _, rows = sweep([own], generator, 60, [chosen])
    metrics = own.measured(own.universes.take(slice(0, UNIVERSES)))
    assert rows["trend"][0]["median_return"] == float(metrics["total_return"].median())


def test_without_origins_realism_is_open() -> None:
    """A history too short for two origins leaves the strategy's figures, and null beside them."""
    bars, generator = BARS[:150], Walk()
    (strategy,) = load_strategies([trend], {})
    own = Case(strategy, generator.sample(bars, 60, 50, 5), bars, Terms(), seed=5)
    about, rows = sweep([own], generator, 60, settings(generator, 150)[:3])
    assert [row["volatility_ratio"] for row in about["settings"]] == [None] * 3
    assert len(rows["trend"]) == 3


def test_a_generator_without_knobs_is_refused_before_anything_is_sampled() -> None:
    """In one line with a remedy."""
    with pytest.raises(InputError, match=r"generator=bootstrap has no .*; use kronos, or leave out `generator_sweep`"):
        sl.stress_test(trend, BARS, sl.StationaryBootstrap(), horizon=60, studies=sl.Studies(generator_sweep=True))


def test_kronos_has_all_knobs_and_its_context_is_the_one_it_uses() -> None:
    """A context given as the number of bars that a run used samples the same universes."""
    generator = Kronos()
    assert isinstance(generator, Tunable)
    free = generator.sample(BARS, 5, 3, 1)
    given = generator.adjusted(context=free.facts["context"]).sample(BARS, 5, 3, 1)
    np.testing.assert_array_equal(free.values, given.values)
