"""Bins, ticks and thinned lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.report.charts import binning

numbers = st.lists(st.floats(-1e6, 1e6).map(lambda number: round(number, 6)), min_size=1, max_size=60)


@given(numbers)
def test_histogram_counts_every_number(sample: list[float]) -> None:
    """Every number falls into a bin, edges increase, and there are not many bins."""
    found = binning.histogram(sample)
    assert found.counts.sum() == len(sample)
    assert (np.diff(found.edges) > 0).all()
    assert 1 <= len(found.counts) <= binning.MAX_BINS + 3


@given(numbers)
def test_histogram_keeps_losses_and_gains_apart(sample: list[float]) -> None:
    """No bin holds numbers on both sides of zero."""
    found = binning.histogram(sample)
    below, above = found.counts[found.edges[1:] <= 0], found.counts[found.edges[:-1] >= 0]
    assert below.sum() == sum(number < 0 for number in sample)
    assert above.sum() == sum(number >= 0 for number in sample)


def test_histogram_of_nothing() -> None:
    """Numbers that are not finite are left out, and an empty sample has empty bins."""
    assert binning.histogram([np.nan, np.inf]).counts.sum() == 0
    assert binning.histogram([]).counts.sum() == 0


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_and_inside(low: float, width: float) -> None:
    """Ticks are round, increase, lie within the axis, and are at most one more than asked for."""
    found = binning.ticks(low, low + width, 5)
    assert len(found) <= 6
    assert (np.diff(found) > 0).all()
    assert (found >= low - 1e-6 * width).all()
    assert (found <= low + width * (1 + 1e-6)).all()


def test_log_ticks() -> None:
    """A logarithmic axis over many decades has one tick a decade."""
    assert binning.log_ticks(0.5, 2e4).tolist() == [1, 10, 100, 1000, 10000]
    assert binning.log_ticks(1, 10).tolist() == [1, 2, 5, 10]


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 5000])
def test_thinned_line_keeps_its_shape(count: int) -> None:
    """A thinned line keeps its ends and extremes and has few points."""
    line = np.random.default_rng(count).normal(size=count).cumsum()
    kept = binning.thin_line(line, 100)
    assert len(kept) <= 102
    assert {0, count - 1, int(line.argmin()), int(line.argmax())} <= set(kept.tolist())
