"""Bars that are put into universes."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import InputError
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.inserted_bars import PRIOR_BARS, crisis_bars, gap_bar, halted_bars, wilder_bars
from tests.make.bars import make_bars
from tests.make.universes import assert_valid

BASE = StationaryBootstrap(block=10).sample(make_bars(300), 100, 7, seed=2)
VALUES = BASE.values.astype(np.float64)


def test_a_gap_moves_the_whole_bar() -> None:
    """Its open lies 8% lower over the close before, and what happens inside it stays."""
    bars = gap_bar(BASE, 9, -0.08)
    assert_valid(bars)
    np.testing.assert_allclose(bars[:, 0, :4], 0.92 * VALUES[:, 9, :4])
    np.testing.assert_allclose(bars[:, 0, 4], VALUES[:, 9, 4])
    with pytest.raises(InputError, match="a gap of -1 leaves no price above 0; give more than -1"):
        gap_bar(BASE, 9, -1.0)


@pytest.mark.parametrize("at", [0, 30])
def test_wilder_bars_deviate_more(at: int) -> None:
    """Log returns, gaps and shadows deviate twice as much from the history's drift."""
    bars = wilder_bars(BASE, at, 20, 2.0)
    assert_valid(bars)
    closes = np.concatenate([np.full((7, 1), BASE.history.values[-1, 3]), VALUES[:, :, 3]], axis=1)
    own = np.diff(np.log(closes[:, at : at + 21]), axis=1)
    past = np.log(BASE.history.values[:, 3])
    drift = (past[-1] - past[0]) / (len(past) - 1)
    moved = np.diff(np.log(np.concatenate([closes[:, at : at + 1], bars[:, :, 3]], axis=1)), axis=1)
    np.testing.assert_allclose(moved - drift, 2 * (own - drift), atol=1e-9)
    with pytest.raises(InputError, match="volatility x 0 is not a factor above 0"):
        wilder_bars(BASE, at, 20, 0.0)


def test_a_halt_stands_still_and_reopens_where_the_base_is() -> None:
    """Three bars at the last close without volume, then the base's own bar."""
    bars = halted_bars(BASE, 10, 3)
    assert bars.shape == (7, 4, 6)
    assert (bars[:, :3, :4] == VALUES[:, 9, 3][:, None, None]).all()
    assert not bars[:, :3, 4:].any()
    assert np.array_equal(bars[:, 3], VALUES[:, 13])


def test_a_crisis_has_the_units_of_each_universe() -> None:
    """Prices move by its volatility of the bars before, volumes by their mean; both reach back into the history."""
    shapes = np.array([[-1.0, 0.5, -6.0, -5.0], [0.5, 3.0, 0.0, 2.0]])
    bars = crisis_bars(BASE, 40, shapes, np.array([3.0, 2.0]))
    assert_valid(bars)
    for universe in range(7):
        closes = np.concatenate([BASE.history.values[:, 3], VALUES[universe, :40, 3]])
        moved = np.diff(np.log(closes))[-PRIOR_BARS:]
        sigma = np.sqrt(np.mean(moved**2))
        assert np.log(bars[universe, 0, 0] / closes[-1]) == pytest.approx(-sigma)
        assert np.log(bars[universe, 0, 3] / closes[-1]) == pytest.approx(-5 * sigma)
        assert np.log(bars[universe, 1, 3] / bars[universe, 0, 3]) == pytest.approx(2 * sigma)
        volumes = np.concatenate([BASE.history.values[:, 4], VALUES[universe, :40, 4]])[-PRIOR_BARS:]
        assert bars[universe, 0, 4] == pytest.approx(3 * volumes.mean())
