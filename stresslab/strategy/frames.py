"""Frames of universes whose rolling windows are laid out once, where pandas lays them out again for each column.

The numbers are pandas' own, computed by its own code from the same windows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.indexers import BaseIndexer

LAYOUTS = 64
"""Layouts that are kept: of so many pairs of a window and a number of rows."""
Bounds = tuple[NDArray[np.int64], NDArray[np.int64]]


class DataFrame(pd.DataFrame):
    """A frame as a strategy gets it: in everything a `pandas.DataFrame`, with quicker rolling windows of whole bars."""

    @property
    def _constructor(self) -> Callable[..., DataFrame]:
        """What is computed from such a frame is one again."""
        return DataFrame

    def rolling(self, window: Any, min_periods: int | None = None, *more: Any, **named: Any) -> Any:
        """Rolling windows; see `pandas.DataFrame.rolling`."""
        whole = isinstance(window, (int, np.integer)) and not isinstance(window, bool) and window > 0
        known = min_periods is None or (isinstance(min_periods, (int, np.integer)) and 0 <= min_periods <= window)
        if whole and known and not more and not named:
            window = Trailing(window_size=int(window))
        return super().rolling(window, min_periods, *more, **named)


class Trailing(BaseIndexer):
    """Windows of a fixed number of rows that end with each row."""

    def get_window_bounds(
        self,
        num_values: int = 0,
        min_periods: int | None = None,
        center: bool | None = None,
        closed: str | None = None,
        step: int | None = None,
    ) -> Bounds:
        """First row of each window, and the one after its last."""
        return _trailing(num_values, self.window_size)  # type: ignore[attr-defined] # its stubs leave it out


@lru_cache(maxsize=LAYOUTS)
def _trailing(rows: int, window: int) -> Bounds:
    end = np.arange(1, rows + 1, dtype=np.int64)
    start = np.maximum(end - window, 0)
    for bounds in (start, end):
        bounds.setflags(write=False)
    return start, end
