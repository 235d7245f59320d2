"""Pooled evidence of many symbols: dates counted once, scale ignored, the best two left out."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.metrics.pooled import breadth, pooled

T = 4000


def test_independent_symbols_count_in_full() -> None:
    """Independent symbols are worth their number, and the same symbol many times is worth one."""
    rng = np.random.default_rng(0)
    assert pooled(rng.normal(size=(T, 8))).effective == pytest.approx(8, rel=0.05)
    assert pooled(np.repeat(rng.normal(size=(T, 1)), 8, axis=1)).effective == pytest.approx(1, abs=0.01)
    half = rng.normal(size=(T, 1)) + rng.normal(size=(T, 8))  # a correlation of one half: 8 / (1 + 7 / 2)
    assert pooled(half).effective == pytest.approx(8 / 4.5, rel=0.05)


def test_a_date_that_moves_all_counts_once() -> None:
    """Under no timing the pooled ratio is standard normal, however many symbols move together."""
    rng = np.random.default_rng(1)
    ratios = [pooled(rng.normal(size=(250, 1)) + 0.3 * rng.normal(size=(250, 20))).together for _ in range(400)]
    assert np.std(ratios) == pytest.approx(1.0, abs=0.12)


def test_no_symbol_counts_for_its_size() -> None:
    """A symbol that moves a hundred times as much is one symbol."""
    gains = np.random.default_rng(2).normal(0.05, 1, size=(T, 5))
    assert pooled(gains * np.array([100, 1, 1, 1, 0.01])).together == pytest.approx(pooled(gains).together)


def test_a_symbol_without_timing_says_nothing() -> None:
    """A symbol on which nothing was timed changes neither the evidence nor its own zero."""
    gains = np.random.default_rng(3).normal(0.05, 1, size=(T, 4))
    found = pooled(np.column_stack([gains, np.zeros(T)]))
    assert found.each[-1] == 0
    assert found.together == pytest.approx(pooled(gains).together)
    assert pooled(np.zeros((T, 3))).together == 0


def test_two_lucky_symbols_do_not_carry_the_rest() -> None:
    """Gains on two of ten symbols show in the pooled ratio and not in what is left without them."""
    gains = np.random.default_rng(4).normal(size=(T, 10))
    gains[:, :2] += 0.3
    found = pooled(gains)
    assert found.together > 5
    assert abs(found.without_best) < 3
    assert set(np.argsort(-found.each)[:2]) == {0, 1}


@pytest.mark.parametrize(
    ("symbols", "p_value", "without", "word"),
    [
        (10, 0.01, 0.02, "general"),
        (10, 0.01, 0.3, "concentrated"),
        (3, 0.01, 0.01, "concentrated"),
        (10, 0.2, 0.01, "unproven"),
    ],
)
def test_breadth_is_one_word(symbols: int, p_value: float, without: float, word: str) -> None:
    """General where it stands without its best symbols, concentrated where it does not, unproven where it is chance."""
    assert breadth(symbols, p_value, without) == word
