"""Universes moved as whole bars: without their shared drift, or with other shapes, and otherwise as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.data.bars import CLOSE, HIGH, LOW, OPEN, VOLUME
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.transforms import (
    MIN_PRICE,
    drift_neutral,
    log_shapes,
    mean_log_returns,
    rebuilt,
    repaired,
)
from tests.make.bars import make_bars
from tests.make.universes import assert_valid

BARS = make_bars(600, drift=2e-3)


@pytest.fixture(scope="module")
def sampled() -> Universes:
    """Universes of a market that rises."""
    return StationaryBootstrap(block=10).sample(BARS, 40, 300, seed=1)


def test_no_lead_drifts_and_nothing_else_changes(sampled: Universes) -> None:
    """Mean log returns are 0 at each lead; bars keep their inner shape, paths their differences, volumes their size."""
    assert mean_log_returns(sampled).mean() > 1e-3
    found = drift_neutral(sampled)
    assert mean_log_returns(found) == pytest.approx(np.zeros(40), abs=1e-7)
    assert_valid(found.values)
    before, after = log_shapes(sampled), log_shapes(found)
    assert after - after[:, :, :1] == pytest.approx(before - before[:, :, :1], abs=1e-6)  # relative to the open
    paths, moved = (np.log(one.values[:, :, CLOSE].astype(float)) for one in (sampled, found))
    assert moved - moved[:1] == pytest.approx(paths - paths[:1], abs=1e-6)
    assert np.array_equal(found.values[:, :, 4], sampled.values[:, :, 4])
    ratio = found.values[:, :, CLOSE] / sampled.values[:, :, CLOSE]
    assert found.values[:, :, 5] == pytest.approx(sampled.values[:, :, 5] * ratio, rel=1e-5)
    assert found.facts["drift_neutral"] is True


def test_paths_are_no_bridges(sampled: Universes) -> None:
    """The spread of final prices stays: a universe keeps what it drifted by itself."""
    first, last = (np.log(one.values[:, -1, CLOSE].astype(float)).std() for one in (sampled, drift_neutral(sampled)))
    assert last == pytest.approx(first, rel=1e-6)


def test_parts_use_the_drift_of_all(sampled: Universes) -> None:
    """Piece by piece with the drift of all universes gives what all at once gives, in any order."""
    drift = mean_log_returns(sampled)
    parts = [drift_neutral(sampled.take(slice(start, start + 100)), drift) for start in (0, 100, 200)]
    assert np.array_equal(Universes.concatenate(parts).values, drift_neutral(sampled).values)


def test_shapes_laid_end_to_end_are_the_bars(sampled: Universes) -> None:
    """Taking universes apart and putting them together again changes nothing but the last digit."""
    found = rebuilt(sampled, log_shapes(sampled))
    assert found.values == pytest.approx(sampled.values, rel=1e-5)
    assert_valid(found.values)
    assert found.values.dtype == sampled.values.dtype


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
