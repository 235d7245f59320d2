"""Real-looking bars made from a seed: no file, no network, the same at every call."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stresslab.data.bars import Bars


def make_bars(count: int = 600, seed: int = 0, start: str = "2015-01-01", freq: str = "B", drift: float = 3e-4) -> Bars:
    """Bars of a random walk with fat tails, volatility that clusters, gaps, shadows and volume."""
    rng = np.random.default_rng(seed)
    volatility = 0.01 * np.exp(0.5 * np.convolve(rng.normal(size=count + 50), np.ones(50) / 7, mode="valid")[:count])
    gaps = 0.3 * volatility * rng.standard_t(4, count)
    bodies = drift + volatility * rng.standard_t(4, count)
    closes = 100.0 * np.exp(np.cumsum(gaps + bodies))
    opens = closes * np.exp(-bodies)
    highs = np.maximum(opens, closes) * np.exp(0.5 * volatility * rng.exponential(size=count))
    lows = np.minimum(opens, closes) * np.exp(-0.5 * volatility * rng.exponential(size=count))
    volumes = np.exp(12.0 + 0.4 * rng.normal(size=count))
    frame = pd.DataFrame(
        {"open": opens, "high": highs, "low": lows, "close": closes, "volume": volumes},
        index=pd.date_range(start, periods=count, freq=freq),
    )
    return Bars.from_frame(frame, symbol="WALK", source="test")
