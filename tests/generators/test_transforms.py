"""Universes moved as whole bars: without their shared drift, or with other shapes, and otherwise as they were."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.transforms import CLOSE, drift_neutral, log_shapes, mean_log_returns, rebuilt
from tests.generators.test_bootstrap import assert_valid
from tests.make.bars import make_bars

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
