"""Quantiles from counts: within the stated error of the exact ones, and the same whoever counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stresslab.metrics.quantile_sketch import ACCURACY, Sketch

LEVELS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
NUMBERS = st.floats(-1e12, 1e12, allow_subnormal=False).map(lambda x: 0.0 if abs(x) < 1e-200 else x)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 60)), elements=NUMBERS))
def test_quantiles_are_within_the_stated_error(values: np.ndarray) -> None:
    """Of either order statistic that numpy's quantile lies between, for numbers of both signs and zeros."""
    exact = np.quantile(values, LEVELS, axis=1).T
    size = np.abs(np.quantile(values, LEVELS, axis=1, method="lower").T)
    size = np.maximum(size, np.abs(np.quantile(values, LEVELS, axis=1, method="higher").T))
    found = Sketch.of(values).quantiles(LEVELS)
    assert (np.abs(found - exact) <= 1.001 * ACCURACY * size + 1e-12 * size).all()


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_parts_in_any_order_are_the_whole(seed: int, pieces: int) -> None:
    """Counts add up: the same bits as of all numbers at once."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(4, 50)) * np.exp(rng.normal(size=(4, 50)) * 3)
    parts = [Sketch.of(part) for part in np.array_split(values, pieces, axis=1)]
    rng.shuffle(parts)
    whole, merged = Sketch.of(values), Sketch.merged(parts)
    assert (merged.quantiles(LEVELS) == whole.quantiles(LEVELS)).all()
    assert all((a == b).all() for a, b in zip(whole.counts, merged.counts, strict=True))
