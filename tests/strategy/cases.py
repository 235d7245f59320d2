"""Panels of random walks, and the one line that a strategy of a user's fails with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.errors import StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.panel import Panel
from tests.make.bars import make_bars

WALKS = [make_bars(60, seed=seed) for seed in range(3)]


def make_panel(universes: int = 3, horizon: int = 30, history: int = 100, warmup: int = 50) -> Panel:
    """A panel of universes that are random walks of their own."""
    past = make_bars(200)[: history + horizon]
    values = np.stack([WALKS[seed][:horizon].values for seed in range(universes)])
    ids = np.arange(10, 10 + universes, dtype=np.int64)
    return Panel.of(Universes(values, past.timestamps[history:], past[:history], ids), warmup)


PANEL, ONE = make_panel(), make_panel(universes=1)


def load(argument: Any, **params: Any) -> Strategy:
    """The one strategy in an argument."""
    (strategy,) = load_strategies(argument, params)
    return strategy


def complaint(argument: Any, panel: Panel = PANEL, **params: Any) -> str:
    """The one line that loading and deciding ends in."""
    with pytest.raises(StrategyError) as caught:
        load(argument, **params).decide(panel)
    text = str(caught.value)
    assert "\n" not in text
    return text
