"""Decisions that are written down: the same as the code's own, which is not run again."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.core.parallel import map_chunks
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import Strategy, load_strategies, recorded
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.recorded import ONE_BY_ONE, record
from tests.make.bars import make_bars

BARS = make_bars(300)
CALLS: list[int] = []


def above(bars: pd.DataFrame) -> Any:
    """Long above its average; takes one series."""
    CALLS.append(len(bars))
    if float(bars["close"].iloc[-1]) < 0:
        raise ValueError("no price")
    up = bars["close"].rolling(10).mean().to_numpy() < bars["close"].to_numpy()
    return pd.Series(up, index=bars.index), pd.Series(~up, index=bars.index)


@pytest.fixture
def strategy() -> Strategy:
    """The rule in its own call style."""
    (one,) = load_strategies(above, {})
    return detect_call_style(one, BARS)


@pytest.fixture
def universes() -> Universes:
    """More than two pieces of calls."""
    return StationaryBootstrap().sample(BARS, 20, 2 * ONE_BY_ONE + 7, 1)


def test_the_same_is_decided_and_no_code_is_run(strategy: Strategy, universes: Universes) -> None:
    """In all universes and in some of them, before and after the record has travelled to another process."""
    counted: list[int] = []
    CALLS.clear()
    written = record(strategy, universes, 100, 1e5, progress=counted.append)
    assert len(CALLS) == sum(counted) == len(universes)
    assert len(counted) == 3
    for some in (universes, universes.take(np.array([60, 3]))):
        expected = strategy.decide(strategy.panel(some, 100)).arrays()
        CALLS.clear()
        for one in (written, pickle.loads(pickle.dumps(written))):
            found = one.decide(one.panel(some, 100)).arrays()
            assert found.keys() == expected.keys()
            for name, array in expected.items():
                np.testing.assert_array_equal(found[name], array)
        assert CALLS == []


def test_other_bars_are_no_match(strategy: Strategy, universes: Universes) -> None:
    """A record answers for its own universes and its own rows alone."""
    written = record(strategy, universes, 100, 1e5)
    with pytest.raises(ValueError, match="nothing was recorded"):
        written.decide(written.panel(universes, 50))
    others = StationaryBootstrap().sample(BARS, 20, 6000, 1, ids=np.array([5000]))
    with pytest.raises(ValueError, match="nothing was recorded for 120 rows of universe 5000"):
        written.decide(written.panel(others, 100))


def test_failures_are_recorded_too(strategy: Strategy, universes: Universes) -> None:
    """A universe in which the code fails stays flat and is named again by whoever asks the record."""
    values = universes.values.copy()
    values[70, -1, :4] = -1.0
    broken = Universes(values, universes.timestamps, BARS, universes.ids)
    written = record(replace(strategy, excused=3), broken, 100, 1e5)
    written.log.failures.clear()
    decisions = written.decide(written.panel(broken.take(slice(65, 75)), 100))
    assert "no price" in written.log.failures[70]
    assert decisions.long_entries is not None
    assert not decisions.long_entries[:, 5].any()


@pytest.mark.parametrize(("patience", "jobs"), [(1e9, [1]), (0.0, [2])])
def test_processes_are_started_where_it_takes_long(
    strategy: Strategy, universes: Universes, monkeypatch: pytest.MonkeyPatch, patience: float, jobs: list[int]
) -> None:
    """One process where the rest is short, both at once where it is known to be long; the same is decided."""
    asked: list[int] = []

    def in_this_process(function: Any, pieces: Any, *, jobs: int) -> Any:
        asked.append(jobs)
        return map_chunks(function, pieces)

    monkeypatch.setattr(recorded, "map_chunks", in_this_process)
    found = record(strategy, universes, 100, 1e5, jobs=2, patience=patience)
    assert asked == jobs
    expected = strategy.decide(strategy.panel(universes, 100)).arrays()
    for name, array in found.decide(found.panel(universes, 100)).arrays().items():
        np.testing.assert_array_equal(array, expected[name])
