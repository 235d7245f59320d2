"""Timing of fixed positions: its size where nobody has skill, its power where somebody has, and moved spells."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.metrics.market_timing import series_timing
from stresslab.metrics.trade_timing import fixed_timing, relocated, share_as_good, spells_of


def without_skill(rule: str, bars: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a rule that looks at the last 20 bars, and independent returns with fat tails."""
    count = bars + 30
    returns = 0.01 * rng.standard_t(4, count)
    moves = np.concatenate([[0.0], np.cumsum(returns)])
    past = np.concatenate([np.zeros(20), moves[20:-1] - moves[:-21]])
    if rule == "random":
        held = np.repeat(rng.random(count // 10 + 1) < 0.5, 10)[:count]
    else:
        held = past > 0 if rule == "follow" else past < 0
    return held[30:].astype(float), returns[30:]


def rejected(rule: str, bars: int, times: int, seed: int) -> float:
    """How often a test at 5% against 99 random orders of the returns says that a rule without skill has some."""
    rng, found = np.random.default_rng(seed), 0
    for _ in range(times):
        held, returns = without_skill(rule, bars, rng)
        orders = np.stack([rng.permutation(returns) for _ in range(99)], axis=1)
        own, drawn = fixed_timing(held, returns)[0], fixed_timing(held, orders)
        found += share_as_good(own, drawn) <= 0.05
    return found / times


@pytest.mark.parametrize("rule", ["random", "follow", "fade"])
def test_size_without_skill(rule: str) -> None:
    """At 5% it is taken in by 1 to 9% of 300 rules without skill on 120 bars; the error of such a share is 1.3%."""
    assert 0.01 <= rejected(rule, 120, 300, 1) <= 0.09


@pytest.mark.parametrize(("rule", "sign"), [("fade", 1), ("follow", -1)])
def test_the_second_sum_takes_out_the_bias(rule: str, sign: int) -> None:
    """Without skill the ratio is 0 on average in 1,500 cases of 120 bars; without the sum it is not, by a third."""
    rng = np.random.default_rng(7)
    cases = [without_skill(rule, 120, rng) for _ in range(1500)]
    own = np.mean([fixed_timing(held, returns)[0] for held, returns in cases])
    plain = np.mean([series_timing(held[:, None], returns[:, None])[0] for held, returns in cases])
    assert abs(own) < 0.1  # its standard error is 0.03
    assert sign * plain > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["random", "follow", "fade"])
@pytest.mark.parametrize("bars", [120, 500, 1500])
def test_size_without_skill_in_many_cases(rule: str, bars: int) -> None:
    """The same in 1,500 cases: 2.5 to 8%."""
    assert 0.025 <= rejected(rule, bars, 1500, bars) <= 0.08


def test_skill_is_found_and_measured() -> None:
    """A rule that knows a little of each return: its ratio is that of correlation times the root of the bars."""
    rng, ratios = np.random.default_rng(3), []
    for _ in range(200):
        returns = rng.normal(0, 0.01, 1000)
        held = (rng.normal(0, 1, 1000) + 0.15 * returns / 0.01 > 0).astype(float)
        ratios.append(fixed_timing(held, returns)[0])
    correlation = 0.15 / np.sqrt(1 + 0.15**2) * np.sqrt(2 / np.pi)  # of a sign with a normal
    assert np.mean(ratios) == pytest.approx(correlation * np.sqrt(1000), rel=0.05)


def test_constant_exposure_times_nothing() -> None:
    """Whatever the market does."""
    returns = np.random.default_rng(0).normal(0.01, 0.01, (50, 3))
    assert fixed_timing(np.ones(50), returns).tolist() == [0.0, 0.0, 0.0]


def test_spells_keep_holding_times_directions_and_sizes() -> None:
    """Moved paths have the same spells and the same gaps, in another order."""
    path = np.array([0, 0, 1, 1, 0.5, 0, 0, 0, -2, 0, 3, 3, 3, 0], dtype=float)
    spells = spells_of(path)
    assert [one.tolist() for one in spells.held] == [[1, 1, 0.5], [-2], [3, 3, 3]]
    assert spells.gaps.tolist() == [2, 3, 1, 1]
    moved = relocated(spells, 200, np.random.default_rng(1))
    assert moved.shape == (14, 200)
    for column in moved.T:
        again = spells_of(column)
        assert sorted(one.tolist() for one in again.held) == sorted(one.tolist() for one in spells.held)
        assert sorted(again.gaps.tolist()) == [1, 1, 2, 3]
    assert len({tuple(column) for column in moved.T}) > 20


def test_moved_spells_earn_their_exposure() -> None:
    """Where every bar earns the same, times do not matter."""
    path = np.repeat([0.0, 1.0, 0.0, -0.5], [3, 4, 2, 1])
    moved = relocated(spells_of(path), 10, np.random.default_rng(1))
    np.testing.assert_allclose(moved.T @ np.full(10, 0.01), (4 - 0.5) * 0.01)
