"""Evidence on bars that nobody had seen: no edge where there is none, and the edge where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stresslab.metrics.fresh_evidence import MIN_BARS, WINDOWS, combined_p_value, fresh_timing, reoptimise

YEAR = 252.0


@pytest.mark.parametrize("sign", [1, -1])
def test_rules_on_martingales_have_no_fresh_timing(sign: int) -> None:
    """On returns with a drift and volatility that clusters, rules that follow or fade are at their nominal size."""
    rng, found = np.random.default_rng(7), []
    for _ in range(400):
        sigma = 0.01 * np.exp(0.5 * np.cumsum(rng.normal(0, 0.05, 600)))
        earned = 0.0004 + sigma * rng.standard_normal(600)
        held = sign * np.sign(np.concatenate([[0.0], earned[:-1]]))
        timing = fresh_timing(held, earned, 200, YEAR)
        assert timing is not None
        found.append(timing.p_value)
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_a_fresh_edge_is_measured() -> None:
    """A known lean is found again with its error."""
    rng = np.random.default_rng(8)
    side = rng.choice([-1.0, 1.0], 5000)
    earned = 0.01 * (0.1 * side + rng.standard_normal(5000))
    timing = fresh_timing(side, earned, 1000, YEAR)
    assert timing is not None
    assert timing.bars == 4000
    assert timing.error == pytest.approx(np.sqrt(YEAR / 4000))
    assert timing.sharpe == pytest.approx(0.1 * np.sqrt(YEAR), abs=3 * timing.error)
    assert timing.evidence.sharpe == timing.sharpe


def test_nothing_is_known_before_its_time() -> None:
    """What follows a bar changes nothing of what was counted up to it."""
    rng = np.random.default_rng(9)
    side, earned = rng.choice([-1.0, 1.0], 300), rng.normal(0, 0.01, 300)
    whole = fresh_timing(side[:200], earned[:200], 100, YEAR)
    later = fresh_timing(side[:200], np.concatenate([earned[:199], [5.0]]), 100, YEAR)
    assert whole is not None
    assert later is not None
    assert fresh_timing(side[:199], earned[:199], 100, YEAR) == fresh_timing(side[:199], earned[:199], 100, YEAR)
    assert whole.sharpe != later.sharpe


def test_symbols_of_a_market_are_added_up() -> None:
    """One symbol as a market is that series; what one gains another may lose, so that nothing is left."""
    rng = np.random.default_rng(10)
    side, earned = rng.choice([-1.0, 1.0], 500), rng.normal(0.001, 0.01, 500)
    alone = fresh_timing(side, earned, 100, YEAR)
    assert fresh_timing(side[:, None], earned[:, None], 100, YEAR) == alone
    assert fresh_timing(np.stack([side, -side], axis=1), np.stack([earned, earned], axis=1), 100, YEAR) is None
    twice = fresh_timing(np.stack([side, side], axis=1), np.stack([earned, earned], axis=1), 100, YEAR)
    assert twice is not None
    assert alone is not None
    assert twice.sharpe == pytest.approx(alone.sharpe)


def test_the_procedure_holds_the_symbols_of_its_choice() -> None:
    """Positions of a market are those of the set that was chosen, and a change costs what all symbols trade."""
    rng, steps = np.random.default_rng(11), 1200
    earned = rng.normal(0, 0.01, (steps, 2))
    half = steps // 2
    earned[:half, 0] += 0.02
    earned[half:, 1] += 0.06
    held = np.stack([np.full((steps, 3), 0.25), np.tile([0.5, 0.0, 0.5], (steps, 1))], axis=1)  # (T, M, K)
    made, free = reoptimise(earned, held, 0.01), reoptimise(earned, held)
    assert made is not None
    assert free is not None
    changed = int(np.flatnonzero(np.diff(made.chosen))[0]) + 1
    at = int(made.starts[changed])
    assert made.position[at - 1].tolist() == [0.25, 0.25, 0.25]
    assert made.position[at].tolist() == [0.5, 0.0, 0.5]
    assert (free.returns - made.returns)[at - made.starts[0]] == pytest.approx(0.01 * 0.75)


def test_too_few_bars_or_no_timing() -> None:
    """Few bars, and exposure that never varies, are no evidence."""
    earned = np.random.default_rng(1).normal(0, 0.01, 300)
    assert fresh_timing(np.ones(300), earned, 300 - MIN_BARS + 1, YEAR) is None
    assert fresh_timing(np.ones(300), earned, 100, YEAR) is None


def test_reoptimisation_trades_what_was_best_before() -> None:
    """The choice of a window is that of the bars before it, and changing it costs."""
    rng, steps = np.random.default_rng(2), 960
    earned = rng.normal(0, 0.01, (steps, 2))
    earned[:480, 0] += 0.004
    earned[480:, 1] += 0.02
    held = np.tile([1.0, -1.0], (steps, 1))
    found, charged = reoptimise(earned, held), reoptimise(earned, held, 0.001)
    assert found is not None
    assert charged is not None
    assert len(found.chosen) == WINDOWS
    assert found.chosen[0] == 0
    assert found.chosen[-1] == 1
    assert len(found.returns) == steps - found.starts[0]
    at = found.starts[int(np.argmax(found.chosen == 1))]
    assert found.position[at - 1 : at + 1].tolist() == [1.0, -1.0]
    changes = int((np.diff(found.chosen) != 0).sum())
    assert (found.returns - charged.returns).sum() == pytest.approx(0.002 * changes)
    later = earned.copy()
    later[found.starts[3] :] = rng.normal(0, 0.05, (steps - found.starts[3], 2))
    again = reoptimise(later, held)
    assert again is not None
    assert again.chosen[:4].tolist() == found.chosen[:4].tolist()


def test_reoptimisation_needs_candidates_and_bars() -> None:
    """One candidate, or a short history, leaves nothing to choose."""
    assert reoptimise(np.zeros((1000, 1)), np.zeros((1000, 1))) is None
    assert reoptimise(np.zeros((200, 3)), np.zeros((200, 3))) is None


def test_fisher_combines() -> None:
    """Fisher's rule for one p-value is that p-value, and is uniform for uniform ones."""
    assert combined_p_value([0.03]) == pytest.approx(0.03)
    assert combined_p_value([]) == 1.0
    assert combined_p_value([0.1, 0.1]) == pytest.approx(float(stats.combine_pvalues([0.1, 0.1])[1]))
