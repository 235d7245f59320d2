"""Several symbols sampled side by side: whose uniforms are coupled, and how far simulated returns follow them.

`coupling` draws a token at a given quantile; `generators.dependence` says which quantiles move together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stresslab.core.arrays import FloatArray
from stresslab.core.randomness import Stream, uniforms
from stresslab.data.bars import CLOSE
from stresslab.generators.dependence import Dependence, from_spearman
from stresslab.generators.kronos.coupling import Company
from stresslab.generators.kronos.sampler import TILE
from stresslab.generators.kronos.tiles import Meter, Plan, SampledHistory, sample_all

PILOT, PILOT_HISTORY = 20, 512
"""Bars of the pilot that says how far simulated returns follow their uniforms, and bars that it continues: the first
ones, so that all origins of one market share it."""
MIN_FIDELITY = 0.5
"""Where simulated returns follow their uniforms less than this, no more is made up for."""


def couple(origins: Sequence[SampledHistory], dependence: Dependence, seed: int) -> None:
    """Let the universes of these symbols move together."""
    for position, origin in enumerate(origins):
        origin.company = Company(position, _quantiles(dependence, seed, position))


def fidelities(origins: Sequence[SampledHistory], plan: Plan, jobs: int) -> list[float]:
    """How far simulated returns of each symbol follow the uniforms that they are made from: a correlation.

    A pilot of `TILE` universes of each symbol, independent of one another. It is the model's more than the market's:
    on 1,825 daily bars of five cryptocurrencies it was 0.97 to 0.99 for every symbol and origin.

    Args:
        origins: (K,) the histories of the symbols.
        plan: of the pilot, `PILOT` bars long.
        jobs: threads.
    """
    ids = np.arange(TILE)
    asked = uniforms(0, ids, PILOT, len(origins), stream=Stream.PILOT)  # (TILE, PILOT, K)
    for position, origin in enumerate(origins):
        origin.company = Company(position, _given(asked[:, :, position]))
    sample_all(plan, origins, ids, jobs, Meter(None, PILOT))
    return [_fidelity(origin, asked[:, :, position]) for position, origin in enumerate(origins)]


def _quantiles(dependence: Dependence, seed: int, position: int) -> Callable[[NDArray[np.int64], int], FloatArray]:
    """The uniforms (n, T) of one symbol."""
    return lambda ids, steps: dependence.uniforms(seed, ids, steps)[:, :, position]


def _given(numbers: FloatArray) -> Callable[[NDArray[np.int64], int], FloatArray]:
    """These uniforms (TILE, T), of the ids 0 ... TILE - 1."""
    return lambda ids, steps: numbers[ids, :steps]


def _fidelity(origin: SampledHistory, asked: FloatArray) -> float:
    """Correlation of simulated one-bar returns with the normal scores of their uniforms (n, T), from their ranks."""
    last = np.full((len(asked), 1), origin.bars.values[-1, CLOSE])
    returns = np.diff(np.log(np.concatenate([last, origin.values[:, :, CLOSE]], axis=1)), axis=1)
    ranked = stats.spearmanr(asked.ravel(), returns.ravel()).statistic
    return float(np.clip(from_spearman(ranked), MIN_FIDELITY, 1.0))
