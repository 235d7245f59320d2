"""Does the posterior of an edge cover? Constants are chosen on these processes, which the verdict's benchmark omits.

    python -u benchmarks/edge_error.py
    python -u benchmarks/edge_error.py --years 5 --cosines 8 16 24

Markets have stochastic volatility with leverage and Student-t shocks. Rules that live on six kinds of edge trade them:
trends with half-lives of 20 and 120 bars (long or flat), five-day reversion, exposure by inverse volatility, turns of
the month, and regimes. True edges come from the prior; one of the other sign is had by the opposite rule. Nothing here
asks for bars or costs, so thousands of histories are cheap.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.metrics import market_timing
from stresslab.metrics.distribution import wilson
from stresslab.metrics.edge_posterior import PRIOR_SD, edge_posterior
from stresslab.metrics.market_timing import gains_variance, series_timing

YEAR, BURN, BASE = 252, 400, 0.01
KINDS = ("trend 20", "trend 120", "fade 5", "inverse volatility", "turn of the month", "regimes")
STRENGTHS = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6, 0.8])


def history(kind: str, strength: FloatArray, steps: int, seed: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Positions decided before each bar and returns (T, N), for edges of strengths (N,) in units of a deviation."""
    rng, count = np.random.default_rng(seed), len(strength)
    half_life = {"trend 20": 20, "trend 120": 120}.get(kind, 60)
    keep, calm = 0.5 ** (1 / half_life), 0.5 ** (1 / 40)
    follow = 2 * math.log(2) / half_life if kind.startswith("trend") else 0.1
    hidden, regime, level, mean = np.zeros(count), np.ones(count), np.zeros(count), np.zeros(count)
    fast, slow, last = np.full(count, BASE**2), np.full(count, BASE**2), np.zeros((5, count))
    held, earned = np.empty((steps + BURN, count)), np.empty((steps + BURN, count))
    for step in range(steps + BURN):
        hidden = keep * hidden + math.sqrt(1 - keep**2) * rng.standard_normal(count)
        regime = np.where(rng.random(count) < 1 / 90, -regime, regime)
        turn = float(step % 21 in (19, 20, 0, 1))
        week = last.sum(axis=0)
        position, lean = {
            "trend 20": ((mean > 0).astype(float), hidden),
            "trend 120": ((mean > 0).astype(float), hidden),
            "fade 5": (
                -np.sign(week) * (np.abs(week) > 0.7 * np.sqrt(5 * fast)),
                -np.clip(week / (BASE * math.sqrt(5)), -2, 2),
            ),
            "inverse volatility": (np.clip(np.sqrt(slow / fast), 0.2, 2), np.where(fast < slow, 1.0, -0.5)),
            "turn of the month": (np.full(count, turn), np.full(count, turn - 4 / 17 * (1 - turn))),
            "regimes": (np.where(mean > 0, 1.0, -1.0), regime),
        }[kind]
        shock = rng.standard_t(5, count) * math.sqrt(0.6)
        move = BASE * (strength * lean + np.exp(0.5 * level - 0.125) * shock)
        held[step], earned[step] = position, move
        level = calm * level + math.sqrt(1 - calm**2) * (-0.4 * shock + math.sqrt(0.84) * rng.standard_normal(count))
        mean = (1 - follow) * mean + follow * move
        fast, slow = 0.94 * fast + 0.06 * move**2, 0.995 * slow + 0.005 * move**2
        last = np.vstack([last[1:], move[None]])
    return held[BURN:], earned[BURN:]


def coverage(kind: str, years: float, count: int, seed: int, cosines: Sequence[int]) -> list[str]:
    """Rows of the table: for each number of cosines the share of edges from the prior inside their 90% interval."""
    steps, yearly = round(years * YEAR), math.sqrt(YEAR / round(years * YEAR))
    ratios = []
    for strength in STRENGTHS:
        held, earned = history(kind, np.full(200, strength), steps, [seed, KINDS.index(kind)])
        ratios.append(float(series_timing(held, earned).mean()) * yearly)
    bias, true = ratios[0], np.array(ratios) - ratios[0]
    rng = np.random.default_rng([seed, 1])
    edges = rng.normal(0.0, PRIOR_SD, 4 * count)
    edges = edges[np.abs(edges) < true[-1]][:count]
    held, earned = history(kind, np.interp(np.abs(edges), true, STRENGTHS), steps, [seed, 2, KINDS.index(kind)])
    found = np.sign(edges) * (series_timing(held, earned) * yearly - bias)
    rows = []
    for number in cosines:
        market_timing.COSINES = number
        inside = []
        for at, (edge, estimate) in enumerate(zip(edges, found, strict=True)):
            inflation = gains_variance(held[:, at], earned[:, at]).inflation
            interval = edge_posterior(float(estimate), yearly, inflation=inflation).interval()
            inside.append(interval.low <= edge <= interval.high)
        share = wilson(sum(inside), len(inside))
        rows.append(f"| {kind} | {years:g} | {number} | {share.value:.1%} [{share.low:.1%}, {share.high:.1%}] |")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=float, default=10.0)
    parser.add_argument("--count", type=int, default=300, help="edges of each kind")
    parser.add_argument("--cosines", type=int, nargs="+", default=[market_timing.COSINES])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    write: Callable[[str], int] = sys.stdout.write
    write("| edge | years | cosines | 90% interval covers |\n|---|---:|---:|---:|\n")
    for kind in KINDS:
        write("\n".join(coverage(kind, given.years, given.count, given.seed, given.cosines)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
