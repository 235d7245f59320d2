"""The surface of the generator's knobs, on a generator whose answer is known and on the real one."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.analysis.case import Case
from stresslab.analysis.generator_sensitivity import MARKET, SERIES, Tunable, settings, sweep
from stresslab.backtest import Terms
from stresslab.core.errors import InputError
from stresslab.data.market_index import IndexBars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.transforms import log_shapes, rebuilt
from stresslab.strategy import load_strategies
from tests.make.markets import make_market
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
    assert {row["universes"] for row in rows["hold"]} == {SERIES.universes}


def test_the_runs_own_row_is_the_run() -> None:
    """Its figures are those of the first universes."""
    generator = Walk()
    own = case(generator)
    (chosen,) = (one for one in settings(generator, 250) if one.own)
    _, rows = sweep([own], generator, 60, [chosen])
    metrics = own.measured(own.universes.take(slice(0, SERIES.universes)))
    assert rows["trend"][0]["median_return"] == float(metrics["total_return"].median())


def test_without_origins_realism_is_open() -> None:
    """A history too short for two origins leaves the strategy's figures, and null beside them."""
    bars, generator = BARS[:150], Walk()
    (strategy,) = load_strategies([trend], {})
    own = Case(strategy, generator.sample(bars, 60, 50, 5), bars, Terms(), seed=5)
    about, rows = sweep([own], generator, 60, settings(generator, 150)[:3])
    assert [row["volatility_ratio"] for row in about["settings"]] == [None] * 3
    assert len(rows["trend"]) == 3


@dataclass(frozen=True)
class Heated(StationaryBootstrap):
    """Whole days of all symbols, each deviation times the temperature; keeps what it was asked."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    context: int | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    def sample(self, bars: Any, horizon: int, universes: int, seed: int = 0, **options: Any) -> Any:
        """Days of the history, as volatile as the temperature says."""
        self.asked.append((universes, horizon))
        made = super().sample(bars, horizon, universes, seed, **options)
        return made.each(lambda part, _: rebuilt(part, self.temperature * log_shapes(part), generator={}))

    def adjusted(self, **settings: Any) -> Heated:
        """Other settings, one list of what was asked."""
        return replace(self, **settings)


def test_several_symbols_get_what_each_costs() -> None:
    """Fewer universes and shorter past dates than a series, of all symbols together, and every setting its figures."""
    history = IndexBars.of(make_market(count=700))
    generator = Heated()
    (strategy,) = load_strategies([equal_parts], {})
    own = Case(strategy, generator.sample(history, 30, 300, 5), history, Terms(warmup=50), seed=5)
    chosen = [one for one in settings(generator, 250) if one.context == 250 and one.top_p == 1]
    generator.asked.clear()
    about, rows = sweep([own], generator, 30, chosen)
    assert (about["origins"], about["universes"], about["horizon"]) == (12, 64, 20)
    assert Counter(generator.asked) == {(MARKET.universes, 30): 4, (64, 20): 5 * 12}
    assert {row["universes"] for row in rows["equal_parts"]} == {MARKET.universes} == {256}
    metrics = own.measured(own.universes.take(slice(0, MARKET.universes)))
    assert rows["equal_parts"][2]["median_return"] == float(metrics["total_return"].median())
    ratios = [row["volatility_ratio"] for row in about["settings"]]
    assert np.divide(ratios, ratios[2]) == pytest.approx([0.8, 0.9, 1.0, 1.1, 1.2], rel=0.02)
    falls = [row["expected_shortfall_97_5"]["value"] for row in rows["equal_parts"]]
    assert all(low < high for low, high in itertools.pairwise(falls))


@pytest.mark.slow
def test_kronos_tries_settings_on_several_symbols() -> None:
    """Each with a dependence of its own, fitted once for all its past dates that share their first bars."""
    history, generator = IndexBars.of(make_market(symbols=2, count=160)), Kronos(context=64)
    (strategy,) = load_strategies([equal_parts], {})
    own = Case(strategy, generator.sample(history, 4, 32, 5), history, Terms(warmup=50), seed=5)
    tried = ((0.9, 0.9, 64), (1.0, 1.0, 64))
    chosen = [one for one in settings(generator, 64) if (one.temperature, one.top_p, one.context) in tried]
    assert [one.own for one in chosen] == [True, False]
    about, rows = sweep([own], generator, 4, chosen)
    assert about["origins"] >= 9
    assert all(0.1 < row["volatility_ratio"] < 10 for row in about["settings"])
    assert {row["universes"] for row in rows["equal_parts"]} == {32}


def equal_parts(market: Any) -> Any:
    """Equal parts of all symbols."""
    return {symbol: market[symbol].close * 0 + 1 / len(market) for symbol in market}


def test_every_past_date_has_the_longest_context() -> None:
    """A run of few bars sees more of its history than the first past dates have; those begin later then."""

    @dataclass(frozen=True)
    class Strict(Walk):
        """Refuses fewer bars than its context, as Kronos does."""

        def sample(self, bars: Any, *given: Any, **options: Any) -> Any:
            if len(bars) < (self.context or 0):
                raise InputError(f"context={self.context} is more than the {len(bars)} bars")
            return super().sample(bars, *given, **options)

    generator = Strict()
    about, _ = sweep([case(generator)], generator, 10, settings(generator, 502)[:3])
    assert about["origins"] == 12
    assert all(row["volatility_ratio"] for row in about["settings"])
    (strategy,) = load_strategies([trend], {})
    short = Case(strategy, generator.sample(BARS[:200], 10, 50, 5), BARS[:200], Terms(), seed=5)
    about, rows = sweep([short], generator, 10, settings(generator, 200)[:3])
    assert (about["origins"], len(rows["trend"])) == (0, 3)
    assert about["settings"][0]["volatility_ratio"] is None


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
