"""Frames of universes whose rolling windows are laid out once, where pandas lays them out again for each column.

The numbers are pandas' own, computed by its own kernels from the same windows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.indexers import BaseIndexer
from pandas.api.typing import Rolling

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
            return cast(Any, Windows)(self, Trailing(window_size=int(window)), min_periods)
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


class Windows(Rolling):  # type: ignore[type-arg] # not generic when it runs
    """Rolling windows that hand each column to pandas' kernel without the steps around it."""

    def _apply(
        self, func: Callable[..., Any], name: str, numeric_only: bool = False, numba_args: Any = (), **more: Any
    ) -> Any:
        """A figure of every window: by a kernel of pandas, called as `Rolling._apply` calls it."""
        mine, plain = cast(Any, self), cast(Any, super())  # their stubs leave the parts out
        frame, window = mine._selected_obj, mine.window
        if KNOWN and name != "count" and not numba_args and not more and isinstance(window, Trailing):
            values: NDArray[Any] = frame.to_numpy() if frame.ndim == 2 else np.zeros((0, 0))
            if values.size and values.dtype == np.float64 and not np.isinf(values).any():
                rows, columns = values.shape
                start, end = window.get_window_bounds(rows)
                least = mine._get_window_indexer().window_size if mine.min_periods is None else mine.min_periods
                found = np.empty((columns, rows))
                with np.errstate(all="ignore"):
                    for column, row in zip(values.T, found, strict=True):
                        row[:] = func(column, start, end, least)
                return DataFrame(cast(Any, found.T), index=frame.index, columns=frame.columns, copy=False)
        return plain._apply(func, name, numeric_only, numba_args, **more)


KNOWN = [*inspect.signature(getattr(Rolling, "_apply", None) or len).parameters] == [
    *("self", "func", "name", "numeric_only", "numba_args", "kwargs")
]
"""Whether pandas takes a figure of windows as it is taken here; where another version does not, its own way is gone."""


@lru_cache(maxsize=LAYOUTS)
def _trailing(rows: int, window: int) -> Bounds:
    end = np.arange(1, rows + 1, dtype=np.int64)
    start = np.maximum(end - window, 0)
    for bounds in (start, end):
        bounds.setflags(write=False)
    return start, end
