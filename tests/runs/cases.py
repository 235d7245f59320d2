"""Small stress tests on a random walk, and a generator whose universes and description can be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import stresslab as sl
from stresslab.analysis.result import StressResult
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.runs.stress_test import stress_test
from tests.make.arguments import arguments
from tests.make.bars import make_bars

HORIZON, COUNT = 20, 40
BARS = Bars.from_frame(make_bars(400).frame, symbol="WALK", source="test")
"""With an amount of their own, so that there is nothing to notice."""
BOOTSTRAP = sl.StationaryBootstrap(block=10)


def above_mean(bars: Any, window: int = 20) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Long while the close is above its mean."""
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above


def hold(bars: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Always long, from the first bar of the warm-up on."""
    return bars.close > 0, bars.close < 0


def short(bars: Any) -> pd.DataFrame:
    """Always short."""
    return bars.close * 0 - 1.0


def peek(bars: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Knows the next close."""
    up = bars.close.shift(-1) > bars.close
    return up, ~up


def run(strategy: Any = above_mean, bars: Bars = BARS, **changes: Any) -> StressResult:
    """A small stress test."""
    settings = {"generator": BOOTSTRAP, "universes": COUNT, "horizon": HORIZON, "seed": 3, "realism_origins": 0}
    return stress_test(strategy, bars, **arguments(**settings | {"warmup": 100, "jobs": 1} | changes))


@dataclass(frozen=True)
class Changed:
    """The bootstrap with its universes or its description changed."""

    change: Callable[[np.ndarray, float], np.ndarray] = lambda values, last: values
    described: tuple[tuple[str, Any], ...] = ()
    name = "changed"

    def sample(self, bars: Bars, horizon: int, universes: int, seed: int = 0, **options: Any) -> Universes:
        """What the bootstrap samples, changed."""
        made = BOOTSTRAP.sample(bars, horizon, universes, seed, **options)
        values = self.change(made.values.astype(np.float64), float(bars.values[-1, 3]))
        return Universes(values, made.timestamps, bars, made.ids, made.facts)

    def describe(self) -> dict[str, Any]:
        """What the bootstrap says, and more."""
        return BOOTSTRAP.describe() | {"name": self.name} | dict(self.described)


def refuse(values: np.ndarray, last: float) -> np.ndarray:
    """Universes that nobody should have asked for."""
    raise AssertionError("something was sampled")
