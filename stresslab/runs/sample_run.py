"""Universes in memory, as Python asks for them; folders of shards are for `generators.sharded`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market_index import IndexUniverses
from stresslab.data.origin import split_at_origin
from stresslab.data.sources.given import bars_of
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.generators.registry import as_generator


def sample(
    bars: Any,
    generator: Generator | str | None = None,
    universes: int = 1000,
    horizon: int = 250,
    origin: str | pd.Timestamp | None = None,
    seed: int = 0,
) -> Universes | JointUniverses:
    """Universes that could have followed real bars: those that `stress_test` judges strategies in.

    Args:
        bars: real bars, a market, a frame, or where they are; see `load_bars`.
        generator: makes the universes, or its name; the bundled Kronos by default.
        universes: how many.
        horizon: generated bars.
        origin: last bar that the generator sees: a date, "end", or None for `horizon` bars before the end.
        seed: whole number; the same seed gives the same universes.

    Returns:
        N universes; of several symbols, joint ones.

    Raises:
        InputError: the bars, the generator or a setting cannot be used.
    """
    made, real = as_generator(generator), bars_of(bars)
    history, _ = split_at_origin(real, origin, horizon)
    found = made.sample(history, horizon, universes, seed)
    return found.joint if isinstance(found, IndexUniverses) else found
