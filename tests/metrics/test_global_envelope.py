"""Simultaneous bands: their size over the whole path, and what they find."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.metrics.global_envelope import envelope_p_value, extreme_rank_lengths, scaled_envelope


def walks(random: np.random.Generator, bars: int, count: int, volatility: float = 1.0) -> np.ndarray:
    """Random walks (T, N)."""
    return np.asarray(np.cumsum(volatility * random.normal(size=(bars, count)), axis=0))


def by_hand(curves: np.ndarray) -> list[float]:
    """Extreme rank lengths by comparing sorted lists of ranks."""
    count = curves.shape[1]
    lists = []
    for own in curves.T:
        below = [(row <= value).sum() for row, value in zip(curves, own, strict=True)]
        above = [(row >= value).sum() for row, value in zip(curves, own, strict=True)]
        lists.append(sorted(min(pair) for pair in zip(below, above, strict=True)))
    return [sum(other <= own for other in lists) / count for own in lists]


@pytest.mark.parametrize("digits", [8, 0])
def test_the_measure_is_that_of_sorted_lists(digits: int) -> None:
    """Also where many values are equal."""
    curves = np.round(walks(np.random.default_rng(1), 12, 25), digits)
    assert extreme_rank_lengths(curves) == pytest.approx(by_hand(curves))


def test_a_path_of_the_same_law_leaves_as_rarely_as_promised() -> None:
    """5% of walks leave a 95% band somewhere in 60 bars, and far more leave a pointwise one."""
    random = np.random.default_rng(2)
    band = scaled_envelope(walks(random, 60, 4000), 0.95)
    fresh = walks(random, 60, 4000)
    left = np.mean([band.first_outside(path) is not None for path in fresh.T])
    assert 1 - band.level <= 0.05
    assert left == pytest.approx(1 - band.level, abs=0.012)
    low, high = np.quantile(fresh, (0.025, 0.975), axis=1)
    assert ((fresh < low[:, None]) | (fresh > high[:, None])).any(axis=0).mean() > 0.15


def test_p_values_are_uniform_under_the_claim() -> None:
    """At most 5% are below 0.05 and about half below one half."""
    random = np.random.default_rng(3)
    found = np.array([envelope_p_value(walks(random, 20, 1)[:, 0], walks(random, 20, 99)) for _ in range(400)])
    assert (found <= 0.05).mean() < 0.08
    assert 0.42 < (found <= 0.5).mean() < 0.58
    assert found.min() >= 0.01


def test_a_doubled_volatility_is_found() -> None:
    """Most walks of twice the volatility leave the band."""
    random = np.random.default_rng(4)
    band = scaled_envelope(walks(random, 120, 1000), 0.95)
    left = [band.first_outside(path) is not None for path in walks(random, 120, 200, 2.0).T]
    assert np.mean(left) > 0.4


def test_times_without_variation_say_nothing() -> None:
    """The common start of all paths is no evidence, nor are paths that never move."""
    curves = np.vstack([np.ones((1, 50)), walks(np.random.default_rng(5), 10, 50)])
    assert extreme_rank_lengths(curves) == pytest.approx(extreme_rank_lengths(curves[1:]))
    assert extreme_rank_lengths(np.ones((5, 7))).tolist() == [1.0] * 7


def test_too_few_curves_say_how_rarely_a_path_stays() -> None:
    """A hundred curves cannot make a 99.9% band: it is that of all, with the level that it holds."""
    random = np.random.default_rng(6)
    left = [
        scaled_envelope(walks(random, 60, 100), 0.999).first_outside(walks(random, 60, 1)[:, 0]) is not None
        for _ in range(400)
    ]
    level = scaled_envelope(walks(random, 60, 100), 0.999).level
    assert level == pytest.approx(100 / 101)
    assert 1 - np.mean(left) > level - 0.025


def test_more_times_than_curves_keep_their_level() -> None:
    """Of 400 walks of 250 bars a 99% band is left by about one in a hundred further ones."""
    random = np.random.default_rng(7)
    bands = [scaled_envelope(walks(random, 250, 400), 0.99) for _ in range(10)]
    left = [band.first_outside(path) is not None for band in bands for path in walks(random, 250, 200).T]
    assert np.mean(left) <= 0.02
