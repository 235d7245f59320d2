"""Does a generator read its history? Simulated histories whose order is known, and what their universes make of it.

    python benchmarks/prompt.py
    python benchmarks/prompt.py --generator bootstrap

* The slope of the universes' lag-1 autocorrelation on the history's, over AR(1) histories from -0.2 to 0.2: 1 reads it,
  0 does not.
* The annual Sharpe ratio, less that of the mean position, of following and of fading the last bar in universes of
  martingale histories: anything but 0 is an edge that the generator made up.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from stresslab.core.arrays import FloatArray
from stresslab.data.bars import Bars
from stresslab.generators.registry import make_generator
from stresslab.metrics import stylized_facts

BARS, YEAR, STEPS = 600, 252, 16
COEFFICIENTS = (-0.2, -0.1, 0.0, 0.1, 0.2)


def history(coefficient: float, rng: np.random.Generator) -> Bars:
    """Daily bars of an AR(1) with t(5) shocks of 1%, the path inside each bar a Brownian bridge."""
    shocks = 0.01 * rng.standard_t(5, BARS) / np.sqrt(5 / 3)
    returns = np.empty(BARS)
    for bar in range(BARS):
        returns[bar] = coefficient * (returns[bar - 1] if bar else 0.0) + shocks[bar]
    closes = np.cumsum(returns)
    opens = closes - returns
    inside = np.cumsum(0.01 * rng.normal(size=(BARS, STEPS)) / np.sqrt(STEPS), axis=1)
    bridge = opens[:, None] + inside + (returns - inside[:, -1])[:, None] * np.arange(1, STEPS + 1) / STEPS
    highs, lows = (side(bridge, axis=1) for side in (np.max, np.min))
    prices = np.exp([opens, np.maximum(highs, opens), np.minimum(lows, opens), closes]) * 100
    names = ("open", "high", "low", "close")
    frame = pd.DataFrame(
        dict(zip(names, prices, strict=True)), index=pd.date_range("2012-01-02", periods=BARS, freq="B")
    )
    frame["volume"] = 1e6 * np.exp(0.3 * rng.normal(size=BARS))
    return Bars.from_frame(frame, symbol="AR")


def sampled(generator: object, bars: Bars, given: argparse.Namespace, seed: int) -> FloatArray:
    """Log returns (N, H) of universes."""
    values = generator.sample(bars, given.horizon, given.universes, seed).values[:, :, 3].astype(np.float64)  # type: ignore[attr-defined]
    return np.diff(np.log(values), axis=1, prepend=np.log(bars.values[-1, 3]))


def timing_sharpe(returns: FloatArray) -> float:
    """Annual Sharpe ratio of holding the sign of the last bar, less that of holding its mean always."""
    position, earned = np.sign(returns[:, :-1]), returns[:, 1:]
    timed = (position - position.mean()) * earned
    return float(timed.mean() / timed.std() * np.sqrt(YEAR))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="kronos")
    parser.add_argument("--histories", type=int, default=4, help="of each coefficient")
    parser.add_argument("--martingales", type=int, default=16, help="histories without any order")
    parser.add_argument("--universes", type=int, default=64)
    parser.add_argument("--horizon", type=int, default=60)
    given = parser.parse_args(arguments)
    generator = make_generator(given.generator)
    own, made = [], []
    for place, coefficient in enumerate(COEFFICIENTS):
        for number in range(given.histories):
            bars = history(coefficient, np.random.default_rng(1000 * place + number))
            own.append(stylized_facts.lag_one(np.diff(np.log(bars.values[:, 3]))[None]))
            made.append(stylized_facts.lag_one(sampled(generator, bars, given, number)))
    fit = stats.linregress(own, made)
    half = float(stats.t.ppf(0.975, len(own) - 2)) * fit.stderr
    sys.stdout.write(
        f"slope of universes' lag-1 autocorrelation on the history's: {fit.slope:.2f} [{fit.slope - half:.2f}, "
        f"{fit.slope + half:.2f}], {len(own)} histories\n"
    )
    sharpes = [
        timing_sharpe(sampled(generator, history(0.0, np.random.default_rng(9000 + number)), given, number))
        for number in range(given.martingales)
    ]
    mean, half = float(np.mean(sharpes)), 1.96 * float(np.std(sharpes, ddof=1)) / len(sharpes) ** 0.5
    sys.stdout.write(
        f"timing Sharpe ratio of momentum by the last bar in universes of martingales: {mean:+.2f} "
        f"[{mean - half:+.2f}, {mean + half:+.2f}], reversion {-mean:+.2f}, {len(sharpes)} histories\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
