"""The index of a market: one series that carries the market through slices, processes and universes."""

from __future__ import annotations

import pickle

import numpy as np

from stresslab.data.market_index import IndexBars, IndexUniverses
from stresslab.data.universes import REAL, Universes, universes_after
from stresslab.generators.bootstrap import StationaryBootstrap
from tests.make.markets import make_market

INDEX = IndexBars.of(make_market(count=200))


def test_it_grows_by_the_mean_of_its_symbols() -> None:
    """The index has the mean of its symbols' returns, and its bars are possible."""
    closes = INDEX.market.values[:, :, 3]
    np.testing.assert_allclose(np.diff(np.log(INDEX.close)), np.log((closes[:, 1:] / closes[:, :-1]).mean(axis=0)))
    assert (INDEX.values[:, 1] >= INDEX.values[:, [0, 3]].max(axis=1)).all()
    assert (INDEX.values[:, 2] <= INDEX.values[:, [0, 3]].min(axis=1)).all()


def test_the_market_goes_along() -> None:
    """A slice, a copy in another process and what follows carry their own part of the market."""
    part = INDEX[50:100]
    assert isinstance(part, IndexBars)
    assert part.market.timestamps.equals(part.timestamps)
    again = pickle.loads(pickle.dumps(part))
    assert again.digest == part.digest == part.market.digest
    real = Universes.from_bars(INDEX[150:], INDEX[:150])
    assert isinstance(real, IndexUniverses)
    assert real.ids.tolist() == [REAL]
    np.testing.assert_allclose(real.values[0, :, 3], INDEX[150:].values[:, 3])


def test_universes_are_made_of_their_payload_again() -> None:
    """Universes taken apart, laid together and made of their joint values again are the same."""
    made = StationaryBootstrap(block=5).sample(INDEX, 10, 6, seed=2)
    assert isinstance(made, IndexUniverses)
    joined = Universes.concatenate([made.take([0, 1]), made.take(slice(2, 6))])
    again = universes_after(INDEX, made.payload, made.timestamps, made.ids)
    for other in (joined, again):
        np.testing.assert_array_equal(other.values, made.values)
        np.testing.assert_array_equal(other.payload, made.payload)
    doubled = made.each(lambda part, at: part)
    np.testing.assert_array_equal(doubled.values, made.values)
