"""Universes as Python asks for them are those that a run judges strategies in."""

from __future__ import annotations

import numpy as np
import pytest

import stresslab as sl
from stresslab.core.errors import InputError
from stresslab.data.joint_universes import JointUniverses
from tests.make.bars import make_bars
from tests.make.markets import make_market


def test_the_universes_of_a_seed() -> None:
    """The same as the generator's own, after the origin that a run would have."""
    bars = make_bars(300)
    found = sl.sample(bars, "bootstrap", universes=4, horizon=20, seed=3)
    own = sl.StationaryBootstrap().sample(bars[:-20], 20, 4, 3)
    assert np.array_equal(found.values, own.values)
    assert found.timestamps[0] == bars.timestamps[-20]
    later = sl.sample(bars, sl.StationaryBootstrap(), universes=4, horizon=20, origin="end")
    assert later.timestamps[0] > bars.timestamps[-1]


def test_several_symbols_are_sampled_together() -> None:
    """A market gives joint universes."""
    found = sl.sample(make_market(count=300), "bootstrap", universes=3, horizon=10)
    assert isinstance(found, JointUniverses)
    assert found.values.shape == (3, 3, 10, 6)


def test_a_generator_that_is_none() -> None:
    """A name that is not known, a class, and anything else are refused with the remedy."""
    bars = make_bars(300)
    for given, said in (
        ("bootstap", "generator='bootstap' is not known"),
        (sl.Garch, r"write Garch\(\)"),
        (3, "give one of"),
    ):
        with pytest.raises(InputError, match=said):
            sl.sample(bars, given, universes=3, horizon=10)
