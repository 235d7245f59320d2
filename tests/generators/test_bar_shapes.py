"""Shapes: real bars relative to the close before, and back."""

from dataclasses import replace

import numpy as np
import pytest

from stresslab.data.bars import Bars
from stresslab.generators.bar_shapes import Shapes


def test_shapes_laid_in_order_are_the_history(bars):
    """From the first real close on, the shapes in their own order give the real prices back."""
    shapes = replace(Shapes.of(bars), close=float(bars.values[0, 3]))
    order = np.arange(len(shapes))[None]
    laid, held = shapes.assemble(shapes.prices[order], order)
    assert laid[0, :, :4] == pytest.approx(bars.values[1:, :4], rel=1e-6)
    assert held == 0


def test_volume_is_over_the_mean_of_the_month_before(bars):
    """The level of daily volume is the mean of the 21 or so bars before; the first bars take the first full month's."""
    month = round(bars.periods_per_year / 12)
    shapes, volume = Shapes.of(bars), bars.values[:, 4]
    for bar in (month, month + 1, 300, len(bars) - 1):
        assert shapes.volume[bar - 1] == pytest.approx(volume[bar] / volume[bar - month : bar].mean())
    assert shapes.volume[0] == pytest.approx(volume[1] / volume[:month].mean())
    assert shapes.level == pytest.approx(volume[-month:].mean())


def test_a_market_that_stood_still_has_no_relative_volume(bars):
    """Where a whole month traded nothing, the volume after it is zero instead of infinite."""
    frame = bars.frame.drop(columns="amount")
    frame.loc[frame.index[100:200], "volume"] = 0.0
    shapes = Shapes.of(Bars.from_frame(frame))
    assert np.all(np.isfinite(shapes.volume))
    assert not shapes.volume[130:200].any()
    assert np.all(shapes.premium == pytest.approx(1.0))


def test_prices_beyond_all_bounds_are_held_and_counted(bars):
    """A path that leaves e^50 stays finite, and its bars are counted as repaired."""
    shapes = Shapes.of(bars)
    for step in (1.0, -1.0):
        laid, held = shapes.assemble(np.full((2, 60, 4), step), np.zeros((2, 60), dtype=np.int64))
        assert np.all(np.isfinite(laid))
        assert np.all(laid[:, :, :4] > 0)
        assert held == 2 * 10
