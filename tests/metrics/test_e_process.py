"""Evidence that may be looked at after every bar: its size under the claim, its power against it."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.metrics.e_process import STAKES, calibrated_threshold, e_process, first_crossing, probability_transform


def test_it_is_the_mean_wealth_of_its_stakes() -> None:
    """Every product is that of the formula, one stake at a time."""
    values = np.random.default_rng(1).uniform(size=30)
    expected = np.mean([np.cumprod(1 - stake * (values - 0.5)) for stake in STAKES], axis=0)
    assert e_process(values, -1) == pytest.approx(expected, rel=1e-12)


def test_false_alarms_are_as_rare_as_promised() -> None:
    """Of uniform sequences at most 5% ever reach 20, whenever one looks, and some do."""
    random = np.random.default_rng(2)
    crossed = [first_crossing(e_process(random.uniform(size=500), 1), 0.05) is not None for _ in range(2000)]
    assert 0.005 < np.mean(crossed) <= 0.05


def test_a_shift_is_found() -> None:
    """Values with a mean of 0.65 in place of 0.5 are found within a few hundred bars."""
    random = np.random.default_rng(3)
    found = [first_crossing(e_process(random.beta(1.3, 0.7, size=400), 1), 0.05) for _ in range(50)]
    assert all(bar is not None for bar in found)
    assert all(first_crossing(e_process(random.beta(1.3, 0.7, size=400), -1), 0.05) is None for _ in range(50))


def test_transforms_have_a_mean_of_one_half() -> None:
    """Also where many values are equal."""
    random = np.random.default_rng(4)
    sample = random.integers(0, 4, 5000)
    found = probability_transform(sample, sample)
    assert found.mean() == pytest.approx(0.5, abs=1e-12)
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("values", [[1.2], [-0.1], [float("nan")]])
def test_values_outside_are_refused(values: list[float]) -> None:
    """A bet on them could lose more than it holds."""
    with pytest.raises(ValueError, match="lie in"):
        e_process(values, 1)


def test_directions_are_two() -> None:
    """Zero is a bet on nothing."""
    with pytest.raises(ValueError, match="neither"):
        e_process([0.5], 0)


def test_many_sequences_are_those_one_by_one() -> None:
    """A matrix of sequences has the wealth of each."""
    values = np.random.default_rng(5).uniform(size=(20, 3))
    assert e_process(values, 1)[:, 1] == pytest.approx(e_process(values[:, 1], 1))


def test_a_threshold_holds_whatever_the_dependence() -> None:
    """Of sequences that stay on one side for long at most 2% exceed a threshold calibrated on their like."""
    random = np.random.default_rng(6)
    levels = random.uniform(0.3, 0.7, size=(1, 4000))
    values = np.clip(levels + random.uniform(-0.3, 0.3, size=(60, 4000)), 0, 1)
    highest = e_process(values, 1).max(axis=0)
    threshold = calibrated_threshold(highest[:2000], 0.02)
    assert (highest[2000:] > threshold).mean() < 0.035
    assert (highest[2000:] > 50).mean() > 0.1
    assert calibrated_threshold([1.0, 2.0], 0.02) == 50.0
