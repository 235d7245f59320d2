"""Are universes of one run independent? The variance of P(loss) over seeds, over that of independent universes.

    python benchmarks/independence.py --seeds 400

Independent universes lose binomially: with N of them the share that loses varies by p (1 - p) / N over seeds. A ratio
below 1 means that universes of one run are coupled and intervals are too wide, above 1 that they share chance. The
expected error of a ratio is sqrt(2 / seeds), so several histories are pooled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.data.sources.load import load_bars
from stresslab.generators.registry import make_generator

HISTORIES = ("2002-06-28", "2005-06-30", "2008-06-30", "2011-06-30")
TREND = 10
"""Bars whose mean the trend rule compares the close with."""


def buy_and_hold(closes: FloatArray, history: FloatArray) -> FloatArray:
    """Log return (N,) over the horizon; closes are (N, H)."""
    return np.asarray(np.log(closes[:, -1] / history[-1]))


def trend(closes: FloatArray, history: FloatArray) -> FloatArray:
    """Log return (N,) of holding each bar whose previous close lies above its mean of `TREND` bars."""
    past = np.broadcast_to(history[-TREND:], (len(closes), TREND))
    whole = np.concatenate([past, closes], axis=1)
    means = np.lib.stride_tricks.sliding_window_view(whole, TREND, axis=1).mean(axis=2)  # (N, H + 1)
    held = whole[:, TREND - 1 : -1] > means[:, :-1]
    returns = np.diff(np.log(whole[:, TREND - 1 :]), axis=1)
    return np.asarray((held * returns).sum(axis=1))


RULES: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {"buy and hold": buy_and_hold, "trend": trend}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="kronos")
    parser.add_argument("--data", default="sample:nasdaq")
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--universes", type=int, default=64)
    parser.add_argument("--horizon", type=int, default=20)
    given = parser.parse_args(arguments)
    generator = make_generator(given.generator)
    ratios: dict[str, list[float]] = {name: [] for name in RULES}
    for end in HISTORIES:
        bars = load_bars(given.data, until=end)
        history = bars.values[:, 3]
        losses = {name: np.empty(given.seeds) for name in RULES}
        for seed in range(given.seeds):
            closes = generator.sample(bars, given.horizon, given.universes, seed).values[:, :, 3].astype(np.float64)
            for name, rule in RULES.items():
                losses[name][seed] = (rule(closes, history) < 0).mean()
        for name, shares in losses.items():
            p = shares.mean()
            ratios[name].append(float(shares.var(ddof=1) / (p * (1 - p) / given.universes)))
        sys.stderr.write(f"{end}: " + ", ".join(f"{name} {values[-1]:.3f}" for name, values in ratios.items()) + "\n")
    error = np.sqrt(2 / (given.seeds - 1) / len(HISTORIES))
    for name, values in ratios.items():
        sys.stdout.write(f"{name}: variance over independent {np.mean(values):.3f} (error {error:.3f})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
