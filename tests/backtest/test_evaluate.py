"""Strategies on many universes: the same numbers from memory and from disk, in one process and in several."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Costs, Sizing, Stops, Terms, backtest, buy_and_hold
from stresslab.backtest.evaluate import ONE_BY_ONE, TRIED, Evaluator, _Pieces, evaluate, measures
from stresslab.core.errors import DataError, StrategyError
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import Strategy, load_strategies
from tests.make.bars import make_bars

BARS = make_bars(300)
UNIVERSES = StationaryBootstrap(block=10).sample(BARS, 20, 90, 3)
TERMS = Terms(Costs(fixed_fee=1.0, borrow_fee=0.02), stops=Stops(stop_loss=0.03), warmup=50, risk_free=0.02)
PATIENT = {"chunk": 25}
CODE = "def weights(bars, window=10):\n    return 2 * (bars.close > bars.close.rolling(window).mean()) - 1.0\n"


def above_mean(bars: Any, window: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Long above the mean."""
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above


@pytest.fixture
def strategies(tmp_path: Path) -> list[Strategy]:
    """One in this process and one in a file."""
    path = tmp_path / "two_sides.py"
    path.write_text(CODE)
    return load_strategies([above_mean, str(path)], {})


@pytest.mark.parametrize("terms", [Terms(warmup=50), TERMS])
def test_pieces_are_the_whole(strategies: list[Strategy], terms: Terms) -> None:
    """However it is cut, each strategy has the measures and the equity of one backtest of all universes."""
    found = evaluate(strategies, UNIVERSES, terms, keep_equity=True, **PATIENT)
    periods = BARS.periods_per_year
    for one, evaluation in zip(strategies, found, strict=True):
        run, benchmark = backtest(one, UNIVERSES, terms), buy_and_hold(UNIVERSES, terms)
        expected = measures(run, periods, benchmark, terms.risk_free)
        pd.testing.assert_frame_equal(evaluation.metrics, expected, check_exact=True)
        assert evaluation.equity is not None
        np.testing.assert_array_equal(evaluation.equity, run.equity)
    assert evaluate(strategies, UNIVERSES, terms)[0].equity is None


def test_disk_and_memory_agree(strategies: list[Strategy], tmp_path: Path) -> None:
    """Shards that are read one after the other give what the universes in memory give."""
    UNIVERSES.save(tmp_path / "shards", shard=40)
    streamed = evaluate(strategies, tmp_path / "shards", TERMS, **PATIENT)
    together = evaluate(strategies, Universes.load(tmp_path / "shards"), TERMS)
    for one, other in zip(streamed, together, strict=True):
        pd.testing.assert_frame_equal(one.metrics, other.metrics, check_exact=True)


@pytest.mark.parametrize("from_disk", [False, True])
@pytest.mark.slow
def test_processes_change_nothing(strategies: list[Strategy], from_disk: bool, tmp_path: Path) -> None:
    """Two processes give the same tables to the last bit, in the order of the universes."""
    source: Any = UNIVERSES
    if from_disk:
        UNIVERSES.save(tmp_path / "shards", shard=30)
        source = tmp_path / "shards"
    one = evaluate(strategies, source, TERMS, jobs=1, **PATIENT)
    two = evaluate(strategies, source, TERMS, jobs=2, patience=0.0, **PATIENT)
    for before, after in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(before.metrics, after.metrics, check_exact=True)
        assert list(after.metrics.index) == list(range(90))


def test_little_work_stays_in_this_process() -> None:
    """Processes are started only where the rest takes longer than they take to start."""
    seen = set()

    def watched(bars: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        seen.add(os.getpid())
        return above_mean(bars)

    evaluate(load_strategies(watched, {}), UNIVERSES, Terms(warmup=50), jobs=2, **PATIENT)
    assert seen == {os.getpid()}


def test_progress_counts_universes(strategies: list[Strategy]) -> None:
    """Every universe is told once."""
    told: list[int] = []
    evaluate(strategies, UNIVERSES, Terms(warmup=50), progress=told.append, **PATIENT)
    assert sum(told) == 90
    assert len(told) == 4


def test_faults_are_told_as_they_are(tmp_path: Path) -> None:
    """A strategy that raises in a worker and a folder without universes give their one line."""

    def broken(bars: Any) -> Any:
        if 80 in bars.close.columns:
            raise ValueError("no")
        return above_mean(bars)

    with pytest.raises(StrategyError, match="strategy 'broken' raised ValueError: no"):
        evaluate(load_strategies(broken, {}), UNIVERSES, Terms(warmup=50), jobs=2, patience=0.0, **PATIENT)
    with pytest.raises(DataError, match="holds no universes"):
        evaluate(load_strategies(above_mean, {}), tmp_path)


def test_terms_reach_the_accounts() -> None:
    """Sizing by half the equity halves the turnover, up to what costs and drift change."""
    (full,) = evaluate(load_strategies(above_mean, {}), UNIVERSES, Terms(warmup=50))
    (half,) = evaluate(load_strategies(above_mean, {}), UNIVERSES, Terms(sizing=Sizing(fraction=0.5), warmup=50))
    traded = full.metrics["turnover"] > 0
    ratio = half.metrics["turnover"][traded] / full.metrics["turnover"][traded]
    assert ratio.median() == pytest.approx(0.5, rel=0.01)


def one_bar(state: dict[str, Any], bar: Any) -> float:
    """Long after a bar that rose."""
    return float(bar.close > bar.open)


def test_few_universes_tell_how_long_the_others_take() -> None:
    """Code that takes universes one by one is tried on a few of them; each is in one piece, in order."""
    alone = Evaluator(tuple(load_strategies([one_bar], {})), Terms(warmup=50))
    together = Evaluator(tuple(load_strategies([above_mean], {})), Terms(warmup=50))
    many = UNIVERSES.take(np.arange(90).repeat(3))
    pieces = _Pieces(alone, many).pieces()
    np.testing.assert_array_equal(np.concatenate(pieces), np.arange(270))
    sizes = [len(part) for part in pieces]
    assert sizes[:2] == [TRIED, TRIED]
    assert max(sizes) <= ONE_BY_ONE
    assert [len(part) for part in _Pieces(together, many).pieces()] == [270]
    whole = measures(backtest(alone.strategies[0], UNIVERSES, alone.terms), BARS.periods_per_year)
    found = evaluate(alone.strategies, UNIVERSES, alone.terms, chunk=20)[0].metrics
    for column in ("total_return", "sharpe", "trades"):
        pd.testing.assert_series_equal(found[column], whole[column], check_exact=True)
