"""Lists of trades on made bars: at random times, or by rules whose skill is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stresslab.data.bars import Bars
from stresslab.data.trades import TradeList


def trades_at(
    bars: Bars, places: list[tuple[int, int, int]], *, units: float = 1.0, fee: float = 0.0, multiplier: float = 1.0
) -> TradeList:
    """Trades from open to open: (side, bar of the entry, bar of the exit) each; a fee for both fills, per unit."""
    opens = bars.values[:, 0]
    side, first, last = (np.array(column) for column in zip(*places, strict=True))
    profit = units * multiplier * side * (opens[last] - opens[first]) - fee * units
    table = pd.DataFrame({
        "side": side, "units": units, "entered": bars.timestamps[first], "left": bars.timestamps[last],
        "entry_price": opens[first], "exit_price": opens[last], "profit": profit,
    })  # fmt: skip
    return TradeList.of(table, "test", "made")


def random_places(bars: int, seed: int, longest: int = 10, short: float = 0.3) -> list[tuple[int, int, int]]:
    """Trades one after the other at times that know nothing, from bar 2 on."""
    rng, at, found = np.random.default_rng(seed), 2, []
    while True:
        held, gap = int(rng.integers(1, longest)), int(rng.integers(1, longest))
        if at + held >= bars:
            return found
        found.append((1 if rng.random() > short else -1, at, at + held))
        at += held + gap
