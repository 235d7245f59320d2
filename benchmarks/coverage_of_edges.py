"""Whether the posterior's interval covers known edges, on many histories at the price of a few.

Permutations are what takes long. What they would show of the estimate without an edge, its mean and its deviation, is
taken from histories without an edge instead; all else is as in a run.
"""

from __future__ import annotations

import math

import numpy as np
from known_edges import YEAR, Market, timing_by_strength, timing_paths

from stresslab.metrics.edge_posterior import PRIOR_SD, edge_posterior
from stresslab.metrics.market_timing import gains_variance, series_timing


def covered(kind: str, count: int, seed: int, years: float = 10) -> list[bool]:
    """For each of `count` edges from the prior, whether the 90% interval from its own history holds it."""
    strengths, ratios = timing_by_strength(kind)
    edges = np.random.default_rng([seed, 602]).normal(0.0, PRIOR_SD, 2 * count)
    edges = edges[np.abs(edges) <= ratios.max()][:count]
    planted = np.interp(np.abs(edges), ratios, strengths)
    chance = series_timing(*timing_paths(Market(kind), count, years, [seed, 604]))
    held, earned = timing_paths(Market(kind, planted), count, years, [seed, 603])
    yearly = math.sqrt(YEAR / len(held))
    estimates = np.sign(edges) * (series_timing(held, earned) - chance.mean()) * yearly
    inside = []
    for at, edge in enumerate(edges):
        inflation = gains_variance(held[:, at], earned[:, at]).inflation
        error = float(chance.std(ddof=1)) * yearly
        found = edge_posterior(float(estimates[at]), error, inflation=inflation).interval()
        inside.append(bool(found.low <= edge <= found.high))
    return inside
