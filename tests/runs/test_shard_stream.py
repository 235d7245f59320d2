"""Strategies measured shard by shard: the same numbers wherever, and errors that come once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stresslab as sl
from stresslab.backtest import Terms
from stresslab.backtest.evaluate import Evaluator
from stresslab.core.errors import StrategyError
from stresslab.core.parallel import Workers
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.runs.shard_stream import MAX_FOR_PRECISION, ShardStream, at_most, to_precision
from stresslab.strategy import load_strategies
from tests.make.strategies import ABOVE_MEAN, trend


def test_a_broken_strategy_is_tried_once_on_a_cluster(bars: Bars, cluster: Workers, tmp_path: Path) -> None:
    """Not in each of a thousand shards."""
    note = f"    open({str(tmp_path / 'calls')!r}, 'a').write('x') + 'y'\n"
    (tmp_path / "broken.py").write_text(ABOVE_MEAN.replace("    above =", note + "    above ="))
    strategies = load_strategies([str(tmp_path / "broken.py")], {})
    stream = ShardStream(StationaryBootstrap(block=10), bars, 5, 0, 1, size=64, cluster=cluster)
    evaluator = Evaluator(tuple(strategies), Terms(warmup=50), bars.periods_per_year, keep_going=True)
    with pytest.raises(StrategyError, match=r"broken\.py"):
        stream.evaluate(evaluator, 0, 640)
    assert (tmp_path / "calls").read_text() == "x"


def test_a_worker_without_the_strategy_says_so(bars: Bars, cluster: Workers, tmp_path: Path) -> None:
    """Files do not travel: each worker must find them under the same path."""
    (tmp_path / "gone.py").write_text(ABOVE_MEAN)
    strategies = load_strategies([str(tmp_path / "gone.py")], {})
    (tmp_path / "gone.py").unlink()
    stream = ShardStream(StationaryBootstrap(block=10), bars, 5, 0, 1, size=64, cluster=cluster)
    with pytest.raises(StrategyError, match=r"gone\.py does not exist"):
        stream.evaluate(Evaluator(tuple(strategies), Terms(warmup=50), bars.periods_per_year, keep_going=True), 0, 64)


def test_precision_samples_until_it_is_reached(bars: Bars) -> None:
    """Half of the interval of P(loss) is what was asked; the first universes are those of a run without it."""
    plain = sl.stress_test(
        trend, bars, StationaryBootstrap(), universes=300, horizon=40, studies=sl.Studies(realism_origins=0)
    )
    precise = sl.stress_test(
        trend,
        bars,
        StationaryBootstrap(),
        universes=300,
        horizon=40,
        studies=sl.Studies(realism_origins=0, precision=0.02),
    )
    chance = precise.strategies[0].universes.probability_of_loss
    assert (chance.high - chance.low) / 2 <= 0.02
    assert 300 < precise.universes_count < MAX_FOR_PRECISION
    assert len(precise.strategies[0].metrics) == precise.universes_count
    first = precise.strategies[0].metrics.iloc[:300]
    np.testing.assert_array_equal(first["total_return"], plain.strategies[0].metrics["total_return"])


@pytest.fixture
def evaluator(bars: Bars) -> Evaluator:
    """Of a strategy that trades now and then."""
    strategies = load_strategies([trend], {"window": 20})
    return Evaluator(tuple(strategies), Terms(warmup=50), bars.periods_per_year, keep_going=True)


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_the_size_of_a_shard_changes_nothing(bars: Bars, evaluator: Evaluator, size: int) -> None:
    """Rows, fans and facts are those of all universes at once, and as many of the first are kept as asked."""
    whole = ShardStream(StationaryBootstrap(block=10), bars, 5, 0, 1, size=150, kept=10).evaluate(evaluator, 0, 150)
    stream = ShardStream(StationaryBootstrap(block=10), bars, 5, 0, 1, size=size, kept=10)
    sampled, tested = [], []
    parts = stream.evaluate(evaluator, 0, 150, sampled.append, tested.append)
    pd.testing.assert_frame_equal(parts.found[0].metrics, whole.found[0].metrics, check_exact=True)
    assert (parts.closes.quantiles((0.1, 0.9)) == whole.closes.quantiles((0.1, 0.9))).all()
    assert parts.facts == whole.facts
    assert (sum(sampled), sum(tested)) == (150, 150)
    first = stream.first(parts)
    assert np.array_equal(first.values, StationaryBootstrap(block=10).sample(bars, 5, 10, 0).values)


def test_finished_shards_are_not_computed_again(bars: Bars, evaluator: Evaluator, tmp_path: Path) -> None:
    """After a stop in the third shard the first two are read from their folder, and the result is the same."""
    stream = ShardStream(StationaryBootstrap(block=10), bars, 5, 0, 1, size=40, work=tmp_path, plan={"run": 1})

    def stop(count: int, seen: list[int]) -> None:
        seen.append(count)
        if sum(seen) > 80:
            raise KeyboardInterrupt

    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        stream.evaluate(evaluator, 0, 150, lambda count: stop(count, seen))
    again: list[int] = []
    resumed = stream.evaluate(evaluator, 0, 150, again.append)
    assert again[:2] == [40, 40]
    assert sum(again) == 150
    undisturbed = replace(stream, work=None).evaluate(evaluator, 0, 150)
    pd.testing.assert_frame_equal(resumed.found[0].metrics, undisturbed.found[0].metrics, check_exact=True)


def test_precision_that_is_there_asks_for_no_more(bars: Bars, evaluator: Evaluator) -> None:
    """Nor do universes that are mostly copies, for more of them would say nothing new; 1,000 are always asked for."""
    stream = ShardStream(StationaryBootstrap(block=10), bars, 5, 0, 1)
    few = stream.evaluate(evaluator, 0, 100)
    enough = to_precision(0.2, stream, evaluator, few)
    assert enough.universes == 1000
    assert to_precision(0.2, stream, evaluator, enough) is enough
    copies = replace(few, digests=np.zeros_like(few.digests))
    assert to_precision(0.001, stream, evaluator, copies) is copies


@pytest.mark.parametrize(
    ("universes", "symbols", "expected"),
    [(1024, 1, 1024), (1024, 5, 1024), (1024, 10, 512), (1024, 500, 64), (7, 1, 7)],
)
def test_large_markets_are_held_in_smaller_pieces(universes: int, symbols: int, expected: int) -> None:
    """As many bars at a time as of five symbols, in whole tiles of 64, and one tile at least."""
    assert at_most(universes, symbols) == expected


def test_runs_of_the_same_universes_share_them(bars: Bars) -> None:
    """The first ones of the next run are the same object, so that what was made of them is there; others are not."""
    generator, evaluator = StationaryBootstrap(block=10), Evaluator(tuple(load_strategies([trend], {})), Terms())

    def first(seed: int, history: Bars = bars, count: int = 30) -> Universes:
        stream = ShardStream(generator, history, 5, seed, 1, 64, 20)
        return stream.first(stream.evaluate(evaluator, 0, count))

    one = first(3)
    np.testing.assert_array_equal(one.values, generator.sample(bars, 5, 20, 3).values)
    assert first(3) is first(3, count=25) is one
    for other in (first(4), first(3, bars[1:]), first(3, replace(bars, symbol="OTHER"))):
        assert other is not one
    assert len(first(3, count=10)) == 10
    assert first(3) is not one
    np.testing.assert_array_equal(first(3).values, one.values)
