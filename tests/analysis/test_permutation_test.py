"""Timing of real accounts: what the engine earns is what timing sees, and permutations tell order from none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis import permutation_test as module
from stresslab.analysis.permutation_test import (
    Permutations,
    permutation_test,
    positions_and_returns,
    sequential_p_value,
    timing_in_universes,
)
from stresslab.backtest import Costs, Terms, backtest
from stresslab.core.errors import InputError
from stresslab.core.parallel import map_chunks
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.garch import Garch
from stresslab.generators.permutation import permuted_bars
from stresslab.metrics.market_timing import series_timing
from stresslab.metrics.multiple_testing import family_p_value, permutations_needed
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from tests.make.bars import make_bars

FREE = Terms(costs=Costs(0.0, 0.0), warmup=50)


def hold(bars):
    """Always fully invested."""
    return pd.DataFrame(1.0, index=bars.close.index, columns=bars.close.columns)


def momentum(bars):
    """Long after a bar that rose, short after one that fell."""
    return np.sign(bars.close - bars.open)


def averages(bars):
    """Cross of two averages."""
    above = bars.close.rolling(3).mean() > bars.close.rolling(8).mean()
    return above, ~above


def strategy_of(function) -> Strategy:
    """A function as a strategy."""
    return load_strategies(function, {})[0]


def trending(edge: float, count: int = 600, seed: int = 0) -> Bars:
    """Bars whose body leans to the side of the last one's, by so many deviations."""
    rng = np.random.default_rng(seed)
    bodies, side = np.empty(count), 1.0
    for bar, shock in enumerate(rng.normal(size=count)):
        bodies[bar] = 0.01 * (edge * side + shock)
        side = 1.0 if bodies[bar] >= 0 else -1.0
    gaps = 0.003 * rng.normal(size=count)
    closes = 100 * np.exp(np.cumsum(gaps + bodies))
    opens = closes * np.exp(-bodies)
    frame = pd.DataFrame(
        {"open": opens, "high": np.maximum(opens, closes), "low": np.minimum(opens, closes), "close": closes},
        index=pd.bdate_range("2010-01-01", periods=count),
    )
    return Bars.from_frame(frame)


@pytest.mark.parametrize("function", [hold, momentum, averages])
def test_positions_times_returns_are_the_engine_s_equity(function) -> None:
    """Without costs, final over initial equity is the product of 1 + position x return over bars, in every universe."""
    universes = StationaryBootstrap(block=10).sample(make_bars(300), 40, 30, seed=2)
    account = backtest(strategy_of(function), universes, FREE)
    held, earned = positions_and_returns(account, universes)
    assert np.prod(1 + held * earned, axis=0) == pytest.approx(account.equity[-1] / account.equity[0], rel=1e-10)


def test_buy_and_hold_times_nothing_anywhere() -> None:
    """Neither in universes nor on real bars, with costs or without; no permutation is made for it."""
    bars = make_bars(600, drift=3e-3)
    universes = StationaryBootstrap(block=10).sample(bars, 40, 50, seed=2)
    for terms in (FREE, Terms(warmup=50)):
        assert not timing_in_universes(backtest(strategy_of(hold), universes, terms), universes).timed
        found = permutation_test(strategy_of(hold), bars, terms, Permutations(50))
        assert (found.p_value, found.timed, found.permutations) == (1.0, False, 0)


def test_the_p_value_counts_permutations() -> None:
    """It is (b + 1) / (m + 1) of the statistic on the permutations by their ids, whatever the chunks."""
    bars, strategy = trending(0.05, 400), strategy_of(momentum)
    found = permutation_test(strategy, bars, FREE, Permutations(120, stop=1000, seed=5))
    real = Universes.from_bars(bars[50:], bars[:50])
    statistic = series_timing(*positions_and_returns(backtest(strategy, real, FREE), real))[0]
    permuted = permuted_bars(bars, 50, range(120), seed=5)
    others = series_timing(*positions_and_returns(backtest(strategy, permuted, FREE), permuted))
    assert found.p_value == pytest.approx(((others >= statistic).sum() + 1) / 121)
    assert found.statistic == pytest.approx(statistic)
    assert found.sharpe.value == pytest.approx((statistic - others.mean()) * np.sqrt(bars.periods_per_year / 350))
    assert found.permutations == 120
    assert found.bars == 350


def test_an_edge_in_the_order_of_bars_is_found_and_its_mirror_is_not() -> None:
    """Momentum is found by the rule that follows it; the rule that fades it has a p-value of about 1, and soon."""
    bars = trending(0.25)
    found = permutation_test(strategy_of(momentum), bars, FREE, Permutations(199))
    assert found.p_value == 1 / 200
    assert found.sharpe.low > 0
    faded = permutation_test(strategy_of(lambda bars: -momentum(bars)), bars, FREE, Permutations(199, stop=20))
    assert faded.p_value > 0.9
    assert faded.permutations < 30
    assert faded.sharpe.high < 0


@pytest.mark.slow
def test_workers_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes give what one does, the interval included, however many permutations each made until the stop."""
    monkeypatch.setattr("stresslab.core.parallel.WORTH_PROCESSES_SECONDS", 0.0)
    bars, strategy = trending(0.02, 6200), strategy_of(momentum)
    for stop in (99, 5):
        one, two = (permutation_test(strategy, bars, FREE, Permutations(320, stop=stop), jobs=jobs) for jobs in (1, 2))
        assert one == two


def test_slow_code_is_asked_in_pieces_that_can_be_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each permutation is a call of its own, ten are a piece; it says so after each, and may stop there."""

    def one_series(bars: pd.DataFrame) -> pd.Series:
        """Long after a bar that rose."""
        return pd.Series(np.sign(bars["close"].to_numpy() - bars["open"].to_numpy()), index=bars.index)

    bars, counted = make_bars(200), list[int]()
    strategy = detect_call_style(strategy_of(one_series), bars)
    assert strategy.one_by_one
    found = permutation_test(strategy, bars, FREE, Permutations(60, 60), progress=counted.append)
    assert counted == [10] * 6
    assert found.permutations == 60
    monkeypatch.setattr(module, "map_chunks", lambda function, pieces, *, jobs: map_chunks(function, pieces))
    monkeypatch.setattr(module, "worth_processes", lambda seconds, jobs: True)
    for most, stop in ((60, 60), (999, 2)):
        several = permutation_test(strategy, bars, FREE, Permutations(most, stop), jobs=2)
        assert several == permutation_test(strategy, bars, FREE, Permutations(most, stop))
    stopped = list[int]()
    permutation_test(strategy, bars, FREE, Permutations(999, 2), progress=stopped.append)
    assert sum(stopped) < 100


def test_permutations_on_which_the_code_fails_speak_against_an_edge() -> None:
    """They stay flat, which is no bad timing; each counts as one that is as good, and the others as ever."""
    bars = trending(0.25, 400)

    def failing(bars):
        if (bars.close.iloc[60] > 1.02 * bars.close.iloc[50]).any():
            raise ValueError("no such path")
        return momentum(bars)

    whole = permutation_test(strategy_of(momentum), bars, FREE, Permutations(60, stop=60))
    assert whole.p_value == 1 / 61
    real = bars[:61].close
    assert real.iloc[60] <= 1.02 * real.iloc[50]
    paths = permuted_bars(bars, 50, range(60)).values[:, :, 3]
    fail = int((paths[:, 10] > 1.02 * paths[:, 0]).sum())
    assert 5 < fail < 55
    found = permutation_test(replace(strategy_of(failing), excused=60), bars, FREE, Permutations(60, stop=60))
    assert found.p_value == (fail + 1) / 61
    assert np.isfinite(found.sharpe.value)


def test_long_series_make_fewer_permutations_and_still_decide() -> None:
    """Nothing changes below what is afforded; beyond, at least five times what the size needs, and an earlier stop."""
    assert Permutations(trials=1).affordable(5_000) == Permutations(999, 50, trials=1)
    assert Permutations(trials=1).affordable(100_000) == Permutations(200, 10, trials=1)
    assert Permutations(trials=1).affordable(1_000_000) == Permutations(95, 10, trials=1)
    assert Permutations(trials=1).affordable(40_000) == Permutations(500, 25, trials=1)
    assert Permutations(trials=3).affordable(1_000_000) == Permutations(290, 10, trials=3)
    assert Permutations(trials=500).affordable(1_000_000) == Permutations(999, 10, trials=500)


@pytest.mark.parametrize("trials", [1, 1.5, 3, 50, 1000])
def test_the_permutations_that_a_size_needs(trials: float) -> None:
    """With so many the smallest p-value is significant as the best of the trials, with one fewer it is not."""
    needed = permutations_needed(0.05, trials)
    assert family_p_value(1 / (needed + 1), trials) <= 0.05 * (1 + 1e-9)
    assert family_p_value(1 / needed, trials) > 0.05


def test_stopping_early_by_hand() -> None:
    """The second exceedance at the fourth draw gives 2/4; without it (b + 1) / (m + 1)."""
    exceeded = np.array([False, True, False, True, True])
    assert sequential_p_value(exceeded, 2) == (0.5, 4)
    assert sequential_p_value(exceeded, 9) == (4 / 6, 5)
    assert sequential_p_value(np.zeros(99, dtype=bool), 5) == (0.01, 99)
    with pytest.raises(InputError, match="999 and 50"):
        permutation_test(strategy_of(hold), make_bars(200), permutations=Permutations(0))


def test_sequential_p_values_are_valid() -> None:
    """Under the null the p-value is at most u in at most a share u of tests, stopped early or not."""
    rng = np.random.default_rng(3)
    found = []
    for rank in rng.uniform(size=4000):
        found.append(sequential_p_value(rng.uniform(size=199) >= rank, 20)[0])
    for level in (0.02, 0.05, 0.2, 0.6):
        assert np.mean(np.array(found) <= level) <= level + 3 * np.sqrt(level * (1 - level) / 4000)
    assert np.mean(np.array(found) <= 0.2) > 0.15


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
def test_permutation_keeps_its_size_where_volatility_clusters(sign: int) -> None:
    """On bars without an edge, volatility clustered, nominal 5% rejects 5% of rules on the last bar and on averages."""
    rejected = []
    for seed in range(300):
        bars = make_bars(350, seed)
        function = (lambda b: sign * momentum(b)) if seed % 2 else (lambda b: sign * (2.0 * averages(b)[0] - 1))
        rejected.append(
            permutation_test(strategy_of(function), bars, FREE, Permutations(99, seed=seed)).p_value <= 0.05
        )
    assert 0.015 <= np.mean(rejected) <= 0.09  # 5% with 3 errors of 300


def test_a_generator_without_the_pattern_does_not_show_it() -> None:
    """A rule with an edge on the real bars times nothing in GARCH universes, which know no direction."""
    bars = trending(0.25)
    universes = Garch().sample(bars, 60, 600, seed=1)
    found = timing_in_universes(backtest(strategy_of(momentum), universes, FREE), universes)
    assert found.p_value > 0.01
    assert found.sharpe.high < 0.6


def test_long_series_are_permuted_few_at_a_time() -> None:
    """The memory of a piece is bounded: as the bars become millions, permutations are made one by one."""
    quick = strategy_of(momentum)
    lengths = (1000, 100_000, 500_000, 2_000_000, 5_000_000, 9_000_000)
    assert [module._piece(quick, steps) for steps in lengths] == [500, 10, 4, 1, 1, 1]

    def on_bar(state, bar):
        return 1.0

    slow = strategy_of(on_bar)
    assert slow.one_by_one
    assert [module._piece(slow, steps) for steps in lengths] == [10, 10, 4, 1, 1, 1]


def test_of_very_long_series_the_last_bars_are_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no others were known."""
    bars = make_bars(600)
    (strategy,) = load_strategies(lambda bars: (bars.close > bars.close.shift(1)).astype(float), {})
    few = Permutations(most=19)
    alone = permutation_test(strategy, bars[200:], Terms(warmup=50), few)
    monkeypatch.setattr(module, "LONGEST", 400)
    assert permutation_test(strategy, bars, Terms(warmup=50), few) == alone
    assert alone.bars == 350
