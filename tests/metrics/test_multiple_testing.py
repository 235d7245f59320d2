"""Selection: the papers' worked numbers, slow versions of fast formulas, and error rates that hold."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from stresslab.core.errors import InputError
from stresslab.metrics.multiple_testing import (
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    family_p_value,
    probabilistic_sharpe,
    probability_of_overfitting,
    sharpe_of,
    superior_ability,
)

DAILY = 2.5 / math.sqrt(250)


def test_probabilistic_sharpe_published() -> None:
    """Two years of monthly returns with a ratio of 0.458: 0.982 if normal, 0.913 with their skew and kurtosis.

    The example of Bailey & Lopez de Prado (2012), whose kurtosis of 10.164 is raw.
    """
    assert probabilistic_sharpe(0.458, 0.0, 24) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(0.458, 0.0, 24, -2.448, 10.164) == pytest.approx(0.913, abs=5e-4)


def test_deflated_sharpe_published() -> None:
    """An annual ratio of 2.5 over 1,250 days: threshold 0.1132 and 0.9004 after 100 trials, 0.9505 after 46.

    The example of Bailey & Lopez de Prado (2014): variance 1/2 a year, skewness -3, kurtosis 10; had the returns been
    normal, 88 trials would leave 0.9505.
    """
    threshold = expected_maximum_sharpe(100, 0.5 / 250)
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    assert probabilistic_sharpe(DAILY, threshold, 1250, -3, 10) == pytest.approx(0.9004, abs=5e-5)
    fewer = expected_maximum_sharpe(46, 0.5 / 250)
    assert probabilistic_sharpe(DAILY, fewer, 1250, -3, 10) == pytest.approx(0.9505, abs=5e-5)
    normal = expected_maximum_sharpe(88, 0.5 / 250)
    assert probabilistic_sharpe(DAILY, normal, 1250) == pytest.approx(0.9505, abs=5e-5)


def test_expected_maximum_is_that_of_drawn_maxima() -> None:
    """The formula is within 3% of the mean maximum of normal numbers, and 0 for one trial."""
    rng = np.random.default_rng(1)
    for trials in (10, 50, 400):
        drawn = rng.normal(size=(4000, trials)).max(axis=1).mean()
        assert expected_maximum_sharpe(trials, 1.0) == pytest.approx(drawn, rel=0.03)
    assert expected_maximum_sharpe(1, 1.0) == 0.0
    with pytest.raises(InputError, match="count every variant"):
        expected_maximum_sharpe(0.5, 1.0)


def test_deflated_sharpe_of_returns_uses_raw_kurtosis() -> None:
    """From returns it is the formula with scipy's skewness and Pearson's kurtosis, and the variance of no skill."""
    returns = 0.001 + 0.01 * np.random.default_rng(2).standard_t(4, 800)
    found = deflated_sharpe(returns, 20)
    ratio = returns.mean() / returns.std(ddof=1)
    assert found.kurtosis == pytest.approx(stats.kurtosis(returns) + 3)
    assert found.threshold == pytest.approx(expected_maximum_sharpe(20, 1 / 799))
    expected = probabilistic_sharpe(ratio, found.threshold, 800, stats.skew(returns), stats.kurtosis(returns) + 3)
    assert found.deflated == pytest.approx(expected)
    assert found.deflated < found.probabilistic
    assert math.isnan(deflated_sharpe(np.zeros(50), 5).deflated)


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_deflated_sharpe_rejects_the_best_of_many(correlation: float) -> None:
    """The best of 50 without skill passes 95% in at most about 5% of histories, told of the others' spread or not."""
    rng = np.random.default_rng(3)
    passed = np.zeros(3)
    for _ in range(200):
        common, own = rng.normal(size=(500, 1)), rng.normal(size=(500, 50))
        returns = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own
        ratios = sharpe_of(returns)
        best = returns[:, np.argmax(ratios)]
        known = deflated_sharpe(best, 50, float(ratios.var(ddof=1)))
        unknown = deflated_sharpe(best, effective_trials(returns))
        passed += [known.probabilistic > 0.95, known.deflated > 0.95, unknown.deflated > 0.95]
    assert passed[0] / 200 > (0.8 if correlation == 0 else 0.1)
    assert passed[1] / 200 < 0.08
    assert passed[2] / 200 < 0.03


def test_effective_trials_of_known_structures() -> None:
    """Copies count once, families of copies by the family, independent trials by the trial, idle ones as one."""
    rng = np.random.default_rng(4)
    base = rng.normal(size=(4000, 3))
    assert effective_trials(np.repeat(base[:, :1], 20, axis=1)) == pytest.approx(1.0, abs=1e-3)
    assert effective_trials(np.repeat(base, 20, axis=1)) == pytest.approx(3.0, abs=0.05)
    assert effective_trials(rng.normal(size=(4000, 30))) == pytest.approx(30, rel=0.02)
    assert effective_trials(np.column_stack([base, np.zeros((4000, 5))])) == pytest.approx(4.0, abs=0.05)
    assert effective_trials(base[:, :1]) == 1.0


def test_a_rule_and_its_opposite_are_two_trials() -> None:
    """One of them wins by chance twice as often as one alone would: the test looks at one side."""
    rng = np.random.default_rng(5)
    base = rng.normal(size=(4000, 2))
    assert effective_trials(np.column_stack([base[:, 0], -base[:, 0]])) == pytest.approx(2.0)
    assert effective_trials(np.column_stack([base, -base, base, base])) == pytest.approx(4.0, abs=0.05)
    alone = rng.normal(size=(4000, 10))
    crowd = np.column_stack([np.repeat(base[:, :1], 200, axis=1), alone])
    assert effective_trials(crowd) == pytest.approx(11.0, abs=0.3)
    z = rng.normal(size=20_000)
    best = np.maximum(z, -z)
    rejected = np.mean([family_p_value(p, 2.0) <= 0.05 for p in stats.norm.sf(best)])
    assert rejected == pytest.approx(0.05, abs=0.006)


def test_exposure_to_the_market_makes_no_trial_a_copy() -> None:
    """Twenty rules that are in nine bars of ten, at random: their returns look alike, their timing does not."""
    rng = np.random.default_rng(6)
    market = 0.01 * rng.normal(size=2000)
    held = rng.uniform(size=(2000, 20)) < 0.9
    returns = held * market[:, None]
    assert effective_trials(returns) < 8
    assert effective_trials(returns, market) == pytest.approx(20, rel=0.05)
    assert effective_trials(np.column_stack([market, 0.5 * market, returns[:, 0]]), market) == pytest.approx(2.0)
    assert effective_trials(np.repeat(returns[:, :1], 9, axis=1), market) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_sidak_with_effective_trials_keeps_its_level(correlation: float) -> None:
    """The smallest of 40 correlated p-values, corrected, is below 5% in at most 5% of cases."""
    rng = np.random.default_rng(5)
    common, own = rng.normal(size=(4000, 1)), rng.normal(size=(4000, 40))
    z = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own
    trials = effective_trials(z)
    smallest = stats.norm.sf(z.max(axis=1))
    rejected = np.mean([family_p_value(p, trials) <= 0.05 for p in smallest])
    assert rejected <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4000)
    assert rejected >= 0.005


def test_family_p_value_by_hand() -> None:
    """1 - 0.99^10, and the p-value itself for one trial; small ones keep their digits."""
    assert family_p_value(0.01, 10) == pytest.approx(1 - 0.99**10)
    assert family_p_value(0.2, 1) == pytest.approx(0.2)
    assert family_p_value(1e-18, 2) == pytest.approx(2e-18)
    assert family_p_value(1.0, 3) == 1.0


def overfitting_slowly(returns: np.ndarray, splits: int) -> tuple[float, float]:
    """PBO and probability of loss as the paper words it, one halving at a time."""
    blocks = np.split(returns, splits)
    below, lost, count = 0, 0, 0
    for chosen in combinations(range(splits), splits // 2):
        inside = np.concatenate([blocks[i] for i in chosen])
        outside = np.concatenate([blocks[i] for i in range(splits) if i not in chosen])
        best = int(np.argmax(inside.mean(axis=0) / inside.std(axis=0, ddof=1)))
        ratios = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
        relative = stats.rankdata(ratios)[best] / (returns.shape[1] + 1)
        below += math.log(relative / (1 - relative)) <= 1e-12
        lost += ratios[best] < 0
        count += 1
    return below / count, lost / count


@pytest.mark.parametrize("trials", [2, 7, 10])
def test_overfitting_equals_the_slow_version(trials: int) -> None:
    """Sums over blocks give what concatenating blocks gives, for odd and even numbers of trials."""
    returns = 0.0005 + 0.01 * np.random.default_rng(trials).standard_t(4, (240, trials))
    found = probability_of_overfitting(returns, 8)
    assert (found.probability, found.loss) == pytest.approx(overfitting_slowly(returns, 8))
    assert (found.halvings, found.trials) == (70, trials)


def test_overfitting_of_the_papers_extremes() -> None:
    """Trials of equal means over all bars overfit surely (the paper's full overfit); a true winner does not."""
    rng = np.random.default_rng(6)
    returns = rng.normal(size=(960, 50))
    equal = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    full = probability_of_overfitting(equal)
    assert full.probability > 0.99
    assert full.slope < -0.9
    assert full.halvings == 12_870
    winner = returns.copy()
    winner[:, 7] += 0.3
    assert probability_of_overfitting(winner).probability == 0.0
    assert probability_of_overfitting(winner).loss == 0.0


def test_overfitting_without_skill_is_a_coin_flip() -> None:
    """Over many histories of pure noise the best of one half is above the median of the other half the time."""
    rng = np.random.default_rng(7)
    found = [probability_of_overfitting(rng.normal(size=(320, 11)), 8).probability for _ in range(150)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_overfitting_refuses_what_cannot_be_halved() -> None:
    """Odd blocks, one trial, too few bars."""
    for shape, splits in (((100, 5), 7), ((100, 1), 8), ((10, 5), 8)):
        with pytest.raises(InputError, match="cannot be cut"):
            probability_of_overfitting(np.ones(shape), splits)


def test_superior_ability_tells_winners_from_losers() -> None:
    """A trial that beats buy and hold is found by both tests; trials that trail it are not."""
    rng = np.random.default_rng(8)
    market = 0.01 * rng.normal(size=600)
    noise = 0.01 * rng.normal(size=(600, 6))
    losers = superior_ability(market[:, None] + noise - 0.002, market, draws=200)
    assert losers.consistent > 0.2
    assert losers.superior == ()
    better = market[:, None] + noise
    better[:, 4] += 0.003
    found = superior_ability(better, market, draws=200)
    assert found.consistent < 0.05
    assert found.lower <= found.consistent <= found.upper
    assert found.superior == (4,)


def test_superior_ability_of_copies_of_the_benchmark() -> None:
    """Trials that are buy and hold cannot be superior; beside others they are left out."""
    market = 0.01 * np.random.default_rng(9).normal(size=300)
    alone = superior_ability(np.repeat(market[:, None], 3, axis=1), market)
    assert (alone.consistent, alone.superior) == (1.0, ())
    better = market + 0.002 + 0.005 * np.random.default_rng(10).normal(size=300)
    assert superior_ability(np.column_stack([market, better]), market, draws=200).superior == (1,)
