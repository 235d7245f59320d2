"""How often volatility rises after real origins, and how often drawdowns then break the bounds of the universes.

    python benchmarks/rising_volatility.py [--generators bootstrap,garch]

Origins lie a horizon apart over the bundled samples, so that what followed one does not overlap what followed another.
A drawdown breaks its bound where it is deeper than that of 95% of the universes of the same origin.
"""

from __future__ import annotations

import argparse

import numpy as np

from stresslab.analysis.conditions import VOLATILITY_UP
from stresslab.core.text import percent
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.sources.load import load_bars
from stresslab.data.universes import Universes
from stresslab.generators.registry import make_generator
from stresslab.metrics.distribution import wilson

SAMPLES = ("sample:nasdaq", "sample:sp500", "sample:bitcoin")
HORIZON, UNIVERSES, FIRST, BOUND = 60, 500, 750, 0.95


def deepest(universes: Universes) -> np.ndarray:
    """Maximum drawdown of closes (N,), in logs, from the last real close on."""
    closes = np.log(universes.values[:, :, CLOSE].astype(np.float64))
    paths = np.concatenate([np.full((len(closes), 1), np.log(universes.history.values[-1, CLOSE])), closes], axis=1)
    return (np.maximum.accumulate(paths, axis=1) - paths).max(axis=1)


def origins(bars: Bars, name: str) -> list[tuple[bool, bool, float]]:
    """Of each origin: whether volatility rose, whether the drawdown broke its bound, and the generator's P(rise)."""
    found = []
    for end in range(FIRST, len(bars) - HORIZON + 1, HORIZON):
        history, future = bars[:end], bars[end : end + HORIZON]
        real = Universes.from_bars(future, history)
        made = make_generator(name).sample(history, HORIZON, UNIVERSES, seed=end)
        bound = float(np.quantile(deepest(made), BOUND))
        found.append(
            (bool(VOLATILITY_UP.met(real)[0]), bool(deepest(real)[0] > bound), float(VOLATILITY_UP.met(made).mean()))
        )
    return found


def main() -> None:
    """Print a line for each generator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generators", default="bootstrap,garch")
    for name in parser.parse_args().generators.split(","):
        found = [row for sample in SAMPLES for row in origins(load_bars(sample), name)]
        rose = [row for row in found if row[0]]
        parts = [
            ("volatility rose 1.2 times", len(rose), len(found)),
            ("drawdown beyond the bound, all", sum(row[1] for row in found), len(found)),
            ("drawdown beyond the bound, volatility rose", sum(row[1] for row in rose), len(rose)),
        ]
        told = []
        for what, count, of in parts:
            part = wilson(count, of)
            told.append(f"{what}: {count} of {of}, {percent(part.value)} ({percent(part.low)} to {percent(part.high)})")
        mean = percent(float(np.mean([row[2] for row in found])))
        print(f"{name}: {'; '.join(told)}; the generator's own probability of the rise: {mean} on average")


if __name__ == "__main__":
    main()
