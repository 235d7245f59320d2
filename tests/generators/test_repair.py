"""Impossible bars become possible, possible ones stay as they are, and what changed is counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.generators.transforms import MIN_PRICE, repaired
from tests.make.bars import make_bars

OPEN, HIGH, LOW, CLOSE, VOLUME, AMOUNT = range(6)


def wild(seed: int, scale: float) -> np.ndarray:
    """Bars (4, 30, 6) of noise around 100, most of them impossible, some negative."""
    return 100.0 + scale * np.random.default_rng(seed).standard_t(3, size=(4, 30, 6))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.0, 1000.0), last=st.floats(1e-6, 1e9))
def test_any_bars_become_possible(seed: int, scale: float, last: float) -> None:
    """High is highest, low lowest, prices are above zero, volume and amount not below, also in float32."""
    values = wild(seed, scale)
    before = values.copy()
    bars, _ = repaired(values, last)
    np.testing.assert_array_equal(values, before)  # what came in is left alone
    for seen in (bars, bars.astype(np.float32)):
        prices = seen[..., : CLOSE + 1]
        np.testing.assert_array_equal(seen[..., HIGH], prices.max(axis=-1))
        np.testing.assert_array_equal(seen[..., LOW], prices.min(axis=-1))
        assert (prices > 0).all()
        assert (seen[..., VOLUME:] >= 0).all()
    assert bars[..., : CLOSE + 1].min() >= MIN_PRICE * last


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.0, 1000.0))
def test_repair_changes_only_what_it_counts(seed: int, scale: float) -> None:
    """The count is the number of impossible bars; every other bar is untouched, and a second repair finds none."""
    values = wild(seed, scale)
    bars, count = repaired(values, 100.0)
    prices = values[..., : CLOSE + 1]
    impossible = (
        (values[..., HIGH] < prices.max(axis=-1))
        | (values[..., LOW] > prices.min(axis=-1))
        | (prices < MIN_PRICE * 100.0).any(axis=-1)
        | (values[..., VOLUME:] < 0).any(axis=-1)
    )
    assert count == impossible.sum()
    np.testing.assert_array_equal(bars[~impossible], values[~impossible])
    again, none = repaired(bars, 100.0)
    assert none == 0
    np.testing.assert_array_equal(again, bars)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_open_and_close_of_positive_prices_are_kept(seed: int) -> None:
    """Repair moves shadows, not the open nor the close, unless these are not above zero."""
    values = np.abs(wild(seed, 50.0)) + 1.0
    bars, _ = repaired(values, 100.0)
    np.testing.assert_array_equal(bars[..., [OPEN, CLOSE]], values[..., [OPEN, CLOSE]])


def test_real_bars_need_no_repair() -> None:
    """Real bars pass through unchanged."""
    values = make_bars(300).values[None]
    bars, count = repaired(values, float(values[0, -1, CLOSE]))
    assert count == 0
    np.testing.assert_array_equal(bars, values)
