"""Universes and what followed, for monitors."""

from __future__ import annotations

import numpy as np

from stresslab.analysis.tracking import Live, Reference, Watch

BARS, COUNT = 80, 400


def moves(seed: int, count: int = COUNT, drift: float = 0.0) -> np.ndarray:
    """Log returns (BARS, count)."""
    return drift + 0.01 * np.random.default_rng(seed).standard_t(5, (BARS, count)) / np.sqrt(5 / 3)


def reference(claim: float = 0.4, seed: int = 1) -> Reference:
    """A market without a trend, and accounts whose bars have a mean of so many deviations."""
    market, own = moves(seed), moves(seed + 1, drift=0.01 * claim)
    past = moves(seed + 2)[:, 0]
    equity = np.exp(np.cumsum(own, axis=0))
    return Reference(np.exp(np.cumsum(market, axis=0)), equity, equity, past)


def watch() -> Watch:
    """Monitors on these."""
    return Watch(reference())


def live(seed: int, claim: float = 0.4, factor: float = 1.0) -> Live:
    """A life of the same law, or with another edge or volatility."""
    market, own = factor * moves(seed, 1)[:, 0], moves(seed + 1, 1, drift=0.01 * claim)[:, 0]
    return Live(np.exp(np.cumsum(market)), np.exp(np.cumsum(own)))
