"""Rolling origins: independent, before the end, and seen only up to themselves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.randomness import Stream, derive
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import Universes
from stresslab.realism.rolling_origins import CONTEXT, MIN_HISTORY, between, observe, origin_positions, roll
from tests.realism.cases import Walk, normal_bars


@given(st.integers(0, 4000), st.integers(1, 300), st.integers(1, 60))
def test_origins_do_not_overlap(count: int, horizon: int, most: int) -> None:
    """At least a horizon apart, each after enough history and followed by a whole horizon, the last one latest."""
    found = origin_positions(count, horizon, most)
    assert len(found) <= most
    assert all(later - earlier >= horizon for earlier, later in itertools.pairwise(found))
    assert all(MIN_HISTORY <= position <= count - horizon for position in found)
    if count - horizon >= MIN_HISTORY:
        assert found[-1] == count - horizon or most == 1
        assert len(found) == min(most, (count - horizon - MIN_HISTORY) // horizon + 1)


def test_a_full_context_is_preferred() -> None:
    """Where there are enough origins with a full context, those with less are not used; else the latest are."""
    assert min(origin_positions(4000, 20, 24)) > CONTEXT
    assert origin_positions(1000, 60, 12) == list(range(940 - 11 * 60, 941, 60))


@given(st.integers(0, 2000), st.integers(1, 100), st.integers(1, 60))
def test_origins_between_fill_up_what_is_missing(count: int, horizon: int, most: int) -> None:
    """Only where there are too few a horizon apart, never more than wanted, inside, and no nearer than a third."""
    apart = origin_positions(count, horizon, most)
    found = between(apart, horizon, most)
    assert len(apart) + len(found) <= most
    assert not found or len(apart) < most
    every = sorted({*apart, *found})
    assert len(every) == len(apart) + len(found)
    assert all(later - earlier >= horizon // 3 for earlier, later in itertools.pairwise(every))
    assert all(apart[0] < end < apart[-1] for end in found)


def test_origins_between_lie_half_way_or_at_thirds() -> None:
    """Half-way where that is enough, else at thirds."""
    assert between([100, 130, 160], 30, 4) in ([115], [145])
    assert between([100, 130, 160], 30, 5) == [115, 145]
    assert between([100, 130, 160], 30, 9) == [110, 120, 140, 150]
    assert between([100, 130, 160], 30, 3) == between([100], 30, 9) == between([100, 101], 1, 9) == []


class Spy(Walk):
    """Notes what it was shown."""

    def sample(self, bars: Bars, horizon: int, universes: int, seed: int = 0, **more: object) -> Universes:
        """Note the bars and the seed."""
        SEEN.append((len(bars), seed))
        return super().sample(bars, horizon, universes, seed, **more)


SEEN: list[tuple[int, int]] = []


def test_a_generator_sees_only_the_past() -> None:
    """At each origin the bars up to it and another seed; any number of workers gives the same origins."""
    bars, ends = normal_bars(600), [300, 400, 500]
    SEEN.clear()
    alone = roll(bars, Spy(), ends, 50, 8, seed=3).origins
    assert SEEN == [(end, derive(3, Stream.REALISM, number)) for number, end in enumerate(ends)]
    together = roll(bars, Walk(), ends, 50, 8, seed=3, jobs=3).origins
    for one, other, end in zip(alone, together, ends, strict=True):
        assert one.at == bars.timestamps[end - 1]
        assert np.array_equal(one.paths, other.paths)
        assert one.real == pytest.approx(np.log(bars.values[end : end + 50, CLOSE] / bars.values[end - 1, CLOSE]))
        assert one.real_returns[0] == pytest.approx(np.diff(np.log(bars.values[end - 1 : end + 50, CLOSE])))
        assert one.repaired == 1 / (8 * 50)
        before = np.log(bars.values[max(0, end - 1 - CONTEXT) : end - 1, CLOSE])
        assert one.displacement == pytest.approx(np.log(bars.values[end - 1, CLOSE]) - before.mean())
        assert one.spread == pytest.approx(before.std())


def test_refusals_are_kept() -> None:
    """An origin at which the generator has too little history is left out, in the generator's own words."""
    found = roll(normal_bars(600), Walk(least=350), [300, 400, 500], 50, 8)
    assert len(found.origins) == 2
    assert found.refusals == ("300 bars are too few for the walk, which needs 350; load more",)


def test_volume_is_compared_where_there_is_any() -> None:
    """Constant or no volume says nothing about volume and volatility."""
    bars = normal_bars(300)
    assert np.isnan(observe(Walk().sample(bars[:250], 20, 4), bars[250:270]).volume_volatility).all()
