"""Bars as people give them in Python: bars, a market, a frame, or the name of a source."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd

from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars
from stresslab.data.sources.load_market import load_data


def bars_of(given: Any) -> Bars:
    """The bars of one symbol, or of several the index that carries their market.

    Args:
        given: `Bars`, a `Market`, a pandas frame with open, high, low and close, what `load_bars` and `load_market`
            read (a file, `sample:bitcoin`, a folder), or a list of these sources.

    Raises:
        InputError: it is none of these, or cannot be read.
    """
    if isinstance(given, Bars):
        return given
    if isinstance(given, Market):
        return IndexBars.of(given)
    if isinstance(given, pd.DataFrame):
        return Bars.from_frame(given, symbol="frame", source="DataFrame")
    if isinstance(given, (str, os.PathLike)):
        return load_data([os.fspath(given)])
    if isinstance(given, (list, tuple)) and given and all(isinstance(one, (str, os.PathLike)) for one in given):
        return load_data([os.fspath(one) for one in given])
    raise InputError(
        f"bars={given!r:.60} are no bars; give a file or a sample such as 'sample:bitcoin', a DataFrame with open, "
        "high, low and close, or what sl.load_bars returns"
    )
