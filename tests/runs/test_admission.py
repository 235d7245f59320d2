"""Strategies that fail, on the history or in a few universes, and what becomes of the others."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab import StationaryBootstrap, stress_test
from stresslab.analysis.result import StressResult
from stresslab.backtest.evaluate import evaluate
from stresslab.core.errors import InputError, LookAheadError, StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import LOCATED, load_strategies
from stresslab.strategy.panel import Panel
from tests.make.arguments import arguments
from tests.make.bars import make_bars

BARS = make_bars(400)
N = 90


def above_mean(bars: Any) -> Any:
    """Long above the mean."""
    above = bars.close > bars.close.rolling(20).mean()
    return above, ~above


def failing_in(*ids: int) -> Any:
    """A rule that raises where any of these universes is there."""

    def fragile(bars: Any) -> Any:
        bad = [one for one in ids if one in bars.close.columns and bars.close.index[-1] > BARS.timestamps[280]]
        if bad and (bars.close.columns >= 0).all():
            raise ValueError(f"no {bad[0]}")
        return above_mean(bars)

    return fragile


def universes(count: int = N) -> Universes:
    """Walks of their own after one history."""
    values = np.stack([make_bars(40, seed=seed).values for seed in range(count)])
    history = BARS[:300]
    return Universes(values, history.calendar.future(history.timestamps, 40), history, np.arange(count))


def run(strategy: Any, **changed: Any) -> StressResult:
    """A small stress test."""
    settings: dict[str, Any] = {"universes": N, "horizon": 40, "realism_origins": 0, "jobs": 1, "warmup": 100}
    return stress_test(strategy, BARS, StationaryBootstrap(), **arguments(**settings | changed))


# ---------------------------------------------------------------------------------------------------- one call


@pytest.mark.parametrize("ids", [(4,), (0, 1, 89), (17, 44, 63)])
def test_failing_universes_are_found_by_halving(ids: tuple[int, ...]) -> None:
    """Exactly those universes are flat and told, and all others decide as they would without them."""
    (strategy,) = load_strategies(failing_in(*ids), {})
    excusing = load_strategies(failing_in(*ids), {})[0]
    object.__setattr__(excusing, "excused", 5)
    shown = Panel.of(universes(), 100)
    with pytest.raises(StrategyError, match=f"raised ValueError: no {ids[0]}"):
        strategy.decide(shown)
    decisions = excusing.decide(shown)
    (plain,) = load_strategies(above_mean, {})
    expected = plain.decide(shown)
    for name, array in decisions.arrays().items():
        other = expected.arrays()[name].copy()
        other[:, list(ids)] = False
        np.testing.assert_array_equal(array, other)
    assert sorted(excusing.log.failures) == list(ids)
    assert f"raised ValueError: no {ids[0]}" in excusing.log.failures[ids[0]]


def test_many_failures_are_not_all_looked_for() -> None:
    """The search ends after some; the line says how many at least, and shows the first."""
    (strategy,) = load_strategies(failing_in(*range(N)), {})
    object.__setattr__(strategy, "excused", 0)
    with pytest.raises(StrategyError, match=rf"fails in at least {LOCATED + 1} of 90 universes \(0, 1, 2,.*\.\.\.\)"):
        strategy.decide(Panel.of(universes(), 100))


def test_the_real_series_is_never_excused() -> None:
    """A failure on real bars is told at once."""

    def broken(bars: Any) -> Any:
        raise ValueError("no")

    (strategy,) = load_strategies(broken, {})
    object.__setattr__(strategy, "excused", 5)
    with pytest.raises(StrategyError, match="'broken' raised ValueError: no"):
        strategy.decide(Panel.of(Universes.from_bars(BARS[300:], BARS[:300]), 100))


def test_an_event_loop_fails_where_it_fails() -> None:
    """Universes taken one by one are told one by one."""

    def on_bar(state: dict[str, Any], bar: Any) -> float:
        if bar.close == top:
            raise ValueError("too high")
        return 1.0

    top = float(universes().values[7, 20, 3])
    (strategy,) = load_strategies(on_bar, {})
    object.__setattr__(strategy, "excused", 1)
    weights = strategy.decide(Panel.of(universes(12), 0)).weights
    assert weights is not None
    assert (weights == (np.arange(12) != 7)).all()


# ------------------------------------------------------------------------------------------------- evaluation


def test_the_others_go_on() -> None:
    """A strategy that fails has no result and says why; the other's is what it is alone. Without leave it raises."""
    both = load_strategies([above_mean, failing_in(3)], {})
    found = evaluate(both, universes(), keep_going=True, portfolio={"above_mean": 0.5, "fragile": 0.5}, chunk=30)
    (alone,) = evaluate(both[:1], universes(), chunk=30)
    pd.testing.assert_frame_equal(found[0].metrics, alone.metrics)
    assert found[1].metrics.empty
    assert "raised ValueError: no 3" in found[1].error
    assert "raised ValueError: no 3" in found[2].error
    with pytest.raises(StrategyError, match="no 3"):
        evaluate(both, universes())


@pytest.mark.parametrize("jobs", [1, 2])
def test_excused_universes_have_no_row(jobs: int) -> None:
    """Rows and curves of universes in which the code failed are left out, whatever worker met them."""
    strategies = load_strategies([failing_in(3, 50)], {})
    object.__setattr__(strategies[0], "excused", 2)
    (found,) = evaluate(
        strategies, universes(), jobs=jobs, keep_equity=True, chunk=30, patience=15.0 if jobs == 1 else 0.0
    )
    assert found.equity is not None
    assert (len(found.metrics), found.equity.shape, found.universes) == (88, (41, 88), 90)
    assert set(range(N)) - set(found.metrics.index) == {3, 50} == set(found.log.failures)
    (plain,) = evaluate(load_strategies(above_mean, {}), universes())
    pd.testing.assert_frame_equal(found.metrics, plain.metrics.loc[found.metrics.index])


# ----------------------------------------------------------------------------------------------------- a whole run


def test_a_run_says_which_universes_failed() -> None:
    """Alone and without leave, a strategy that fails in three universes ends the run, which names them."""
    with pytest.raises(StrategyError, match=r"fails in 3 of 90 universes \(5, 6, 70\); in universe 5: raised ValueE"):
        run(failing_in(5, 6, 70))


def test_a_run_leaves_them_out_with_leave() -> None:
    """With leave they are left out of the results, counted and shown; one more is too many."""
    result = run([failing_in(5, 6, 70), above_mean], allow_failures=3)
    fragile, plain = result.strategies
    assert (len(fragile.metrics), len(plain.metrics), fragile.universes.count) == (87, 90, 87)
    assert not {5, 6, 70} & set(fragile.metrics.index)
    assert result.failed == {}
    assert any("fails in 3 of 90 universes (5, 6, 70)" in notice for notice in result.notices)
    shared = plain.metrics.loc[fragile.metrics.index]
    pd.testing.assert_frame_equal(fragile.metrics, shared)
    assert result.config["allow_failures"] == 3
    with pytest.raises(StrategyError, match="`allow_failures=3` would"):
        run(failing_in(5, 6, 70), allow_failures=2)


def test_the_others_results_are_kept() -> None:
    """One strategy that fails takes nothing from the others, whose results are those of a run without it."""
    result, alone = run([failing_in(5), above_mean]), run(above_mean)
    assert [one.name for one in result.strategies] == ["above_mean"]
    pd.testing.assert_frame_equal(result.metrics, alone.metrics)
    assert list(result.failed) == ["fragile"]
    assert any("No result: strategy 'fragile' fails in 1 of 90" in notice for notice in result.notices)
    assert result.strategies[0].edge == alone.strategies[0].edge


def test_a_book_without_a_member_is_none() -> None:
    """A portfolio whose member fails has no result either, and the others have theirs."""
    result = run([failing_in(5), above_mean], portfolio={"fragile": 0.5, "above_mean": 0.5})
    assert [one.name for one in result.strategies] == ["above_mean"]
    assert set(result.failed) == {"fragile", "portfolio"}


def test_a_study_that_fails_is_left_out() -> None:
    """Where the code fails in a study alone, the study is left out and said so."""

    def nervous(bars: Any) -> Any:
        if (bars.close.pct_change() < -0.19).any().any():
            raise ValueError("a crash")
        return above_mean(bars)

    result = run(nervous)
    assert len(result.metrics) == N
    assert "shocks" not in result.strategies[0].studies
    assert any(notice.startswith("Left out: shocks of nervous") for notice in result.notices)


def test_chance_and_printing_are_said() -> None:
    """Chance without a seed and what was printed are in the notices."""

    def dice(bars: Any) -> Any:
        print("rolling")
        return bars.close * 0 + np.random.default_rng().random(bars.close.shape)

    notices = " ".join(run(dice).notices)
    assert "dice DECIDES BY CHANCE: at 2015-01-01 the weight is another one each time on the very same bars" in notices
    assert re.search(r"dice printed \d+ characters, which are not shown; they begin 'rolling", notices)


def test_what_takes_one_series_is_said() -> None:
    """A function for one series runs, in every parameter set, with one notice of what that costs."""

    def one(bars: Any, window: int = 20) -> Any:
        closes = bars["close"]
        return [float(a > b) for a, b in zip(closes, closes.rolling(window).mean(), strict=True)]

    result = run(one, grid={"window": [10, 20]})
    assert [strategy.name for strategy in result.strategies] == ["one[window=10]", "one[window=20]"]
    assert result.config["grid"] == {"window": [10, 20]}
    told = [notice for notice in result.notices if "was written for one series" in notice]
    assert len(told) == 1
    assert told[0].startswith("one was written for one series: it is called once for each universe (about ")


def test_before_the_run_begins() -> None:
    """What fails or looks ahead on the history is told before any universe is sampled."""

    def peeks(bars: Any) -> Any:
        return bars.close.shift(-1) > bars.close, bars.close.shift(-1) < bars.close

    def broken(bars: Any) -> Any:
        raise ValueError("at once")

    stages: list[str] = []
    for rule, error in ((peeks, LookAheadError), (broken, StrategyError)):
        with pytest.raises(error):
            run([above_mean, rule], progress=lambda stage, *_: stages.append(stage))
    assert set(stages) == {"look-ahead check"}
    with pytest.raises(InputError, match="allow_failures=-1 is no number"):
        run(above_mean, allow_failures=-1)
