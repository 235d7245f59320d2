"""Rules that are looked at for look-ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from stresslab.data.bars import Bars
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import LookAheadReport, find_lookahead

Rule = Callable[[Any], Any]


def look(rule: Rule, bars: Bars, **settings_: int) -> LookAheadReport:
    """The report on a function of bars."""
    (strategy,) = load_strategies(rule, {})
    return find_lookahead(strategy, bars, **settings_)


def around(close: pd.DataFrame, level: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """In above a level, out below it."""
    return close > level, close < level
