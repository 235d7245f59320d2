"""Strategies against each other in the same universes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stresslab.metrics.paired import ALL_PAIRS, correlations, differences, sign_test


def table(columns: int, rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Returns that share most of their luck; the later the column, the better by a hundredth."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.2, (rows, 1))
    values = common + 0.01 * np.arange(columns) + rng.normal(0, 0.02, (rows, columns))
    return pd.DataFrame(values, columns=[f"s{number}" for number in range(columns)])


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    """Mean and interval equal scipy's; the pair is much sharper than two samples apart."""
    numbers = table(2)
    (found,) = differences(numbers)
    assert (found.first, found.second) == ("s1", "s0")
    test = stats.ttest_rel(numbers["s1"], numbers["s0"])
    interval = test.confidence_interval(0.95)
    assert found.mean.value == pytest.approx((numbers["s1"] - numbers["s0"]).mean())
    assert (found.mean.low, found.mean.high) == pytest.approx((interval.low, interval.high))
    apart = stats.ttest_ind(numbers["s1"], numbers["s0"]).confidence_interval(0.95)
    assert found.mean.high - found.mean.low < (apart.high - apart.low) / 5
    assert found.better.value == pytest.approx((numbers["s1"] > numbers["s0"]).mean())


def test_the_interval_covers_the_true_difference() -> None:
    """In about 95% of 400 sets of universes."""
    covered = [differences(table(2, rows=100, seed=seed))[0] for seed in range(400)]
    signs = [1 if one.first == "s1" else -1 for one in covered]
    held = [one.mean.low <= 0.01 * sign <= one.mean.high for one, sign in zip(covered, signs, strict=True)]
    assert 0.92 <= np.mean(held) <= 0.98


def test_every_pair_of_few_and_the_best_against_many() -> None:
    """Twelve strategies have 66 pairs; of thirteen the best meets each other one."""
    assert len(differences(table(ALL_PAIRS))) == ALL_PAIRS * (ALL_PAIRS - 1) // 2
    many = differences(table(ALL_PAIRS + 1))
    assert len(many) == ALL_PAIRS
    assert {one.first for one in many} == {f"s{ALL_PAIRS}"}


def test_ties_undefined_universes_and_a_single_one() -> None:
    """Ties are no wins, a universe without a number is left out, and one universe says nothing about its error."""
    numbers = pd.DataFrame({"a": [0.1, 0.1, math.nan, 0.3], "b": [0.1, 0.2, 0.0, 0.1]})
    (found,) = differences(numbers)
    assert found.first == "a"
    assert found.mean.value == pytest.approx(0.1 / 3)
    assert (found.better.value, found.equal.value, found.worse.value) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    back = found.reversed
    assert (back.first, back.mean.value, back.better) == ("b", -found.mean.value, found.worse)
    (same,) = differences(numbers[["a"]].assign(b=numbers["a"] + 1e-16))
    assert (same.better.value, same.equal.value, same.worse.value) == (0.0, 1.0, 0.0)
    (alone,) = differences(numbers.iloc[:1])
    assert (alone.mean.low, alone.mean.high) == (-math.inf, math.inf)
    assert alone.to_dict()["mean"] == {"value": 0.0, "low": None, "high": None}
    (none,) = differences(numbers.iloc[2:3])
    assert math.isnan(none.mean.value)


def test_correlations() -> None:
    """As pandas has them; a strategy that never varies has none."""
    numbers = table(2).assign(still=0.0)
    found = correlations(numbers)
    assert found["s0"]["s1"] == pytest.approx(np.corrcoef(numbers["s0"], numbers["s1"])[0, 1])
    assert found["s0"]["still"] is None


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [([1, 1, 1, 1], 1 / 16), ([1, 1, 1, -1], 5 / 16), ([0, 0, 1e-15], 1.0), ([-1, -2], 1.0), ([1, np.nan, 0], 0.5)],
)
def test_the_sign_test_is_the_toss_of_a_coin(gaps: list[float], expected: float) -> None:
    """Exact, with ties and what has no number left out."""
    assert sign_test(gaps) == pytest.approx(expected)


def test_the_sign_test_of_losses_is_mcnemar_s() -> None:
    """One-sided, from the universes in which one of the two loses alone."""
    rng = np.random.default_rng(0)
    first, second = rng.random(300) < 0.4, rng.random(300) < 0.3
    alone = int((first & ~second).sum()), int((second & ~first).sum())
    expected = stats.binomtest(alone[0], sum(alone), 0.5, alternative="greater").pvalue
    assert sign_test(first.astype(float) - second.astype(float)) == pytest.approx(expected)
