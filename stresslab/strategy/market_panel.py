"""What a strategy over several symbols sees, and what it must answer with: one read-only panel of each symbol.

`market["BTCUSDT"].close` is a frame of one column per universe, as a strategy on one series knows it; `market.close` is
all symbols at once, columns (symbol, universe), for rules across symbols. Shapes: K symbols, N universes, W + T rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import StrategyError
from stresslab.data.bars import FIELDS
from stresslab.data.field_frames import FieldFrames
from stresslab.data.market_index import IndexUniverses
from stresslab.strategy.panel import SIDES, Decisions, Kind, Panel, booleans, frozen, weights


@dataclass(frozen=True, eq=False)
class MarketPanel(FieldFrames):
    """The last W history bars of K symbols, then the T bars of N universes; read-only.

    Attributes:
        known: history rows that come before the generated ones.
        rows: rows shown; fewer than there are after `until`.
    """

    _universes: IndexUniverses = field(repr=False)
    known: int
    rows: int

    @classmethod
    def of(cls, universes: IndexUniverses, warmup: int) -> MarketPanel:
        """The panel with at most `warmup` rows of history before the universes' bars."""
        known = max(0, min(warmup, len(universes.history)))
        return cls(universes, known, known + universes.horizon)

    def until(self, rows: int) -> MarketPanel:
        """The same panel as it looked when only its first `rows` rows had happened."""
        return MarketPanel(self._universes, self.known, min(self.rows, rows))

    def take(self, positions: slice) -> MarketPanel:
        """The same panel with some of its universes."""
        return MarketPanel(self._universes.take(positions), self.known, self.rows)

    @functools.cached_property
    def _panels(self) -> dict[str, Panel]:
        joint = self._universes.joint
        return {symbol: Panel(joint[symbol], self.known, self.rows) for symbol in self.symbols}

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the K symbols."""
        return self._universes.market.symbols

    @property
    def warmup(self) -> int:
        """W, how many of the rows are history."""
        return min(self.known, self.rows)

    @property
    def timestamps(self) -> pd.DatetimeIndex:
        """(W + T,) of the rows."""
        return self._panels[self.symbols[0]].timestamps

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) ids of the universes."""
        return self._universes.ids

    @property
    def shape(self) -> tuple[int, int]:
        """(W + T, N)."""
        return self.rows, len(self._universes)

    @property
    def width(self) -> int:
        """K, decisions of one universe."""
        return len(self.symbols)

    def __iter__(self) -> Iterator[str]:
        """The symbols."""
        return iter(self.symbols)

    def __len__(self) -> int:
        """K."""
        return len(self.symbols)

    def __getitem__(self, name: str) -> Any:
        """The bars of a symbol; of a field's name all symbols at once."""
        if name in self._panels:
            return self._panels[name]
        if name in FIELDS:
            return self.frame(name)
        raise LookupError(self._unknown(str(name)))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name if name.startswith("_") else self._unknown(name))

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name, [*self.symbols, *FIELDS], n=1)
        return f"the market has no {name!r}; " + (
            f"did you mean {near[0]!r}?" if near else f"its symbols are {', '.join(self.symbols)}"
        )

    def frame(self, name: str) -> pd.DataFrame:
        """One field of all symbols as a frame (W + T, K N), columns (symbol, universe)."""
        columns = pd.MultiIndex.from_product([self.symbols, self.ids], names=["symbol", "universe"])
        array = np.concatenate([self._panels[symbol].array(name) for symbol in self.symbols], axis=1)
        array.setflags(write=False)
        return pd.DataFrame(array, index=self.timestamps, columns=columns, copy=False)

    def rank(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Ranks across symbols in each row and universe, 0 the lowest, 1 the highest; NaN keeps its place.

        Args:
            frame: of all symbols, such as `market.close.pct_change(20)`.
        """
        return self._across(frame, _ranked)

    def zscore(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Deviation from the mean across symbols over their deviation, in each row and universe; 0 where all agree."""
        return self._across(frame, _standardised)

    def _across(self, frame: pd.DataFrame, function: Callable[[NDArray[Any]], NDArray[Any]]) -> pd.DataFrame:
        cube = np.asarray(frame, dtype=np.float64).reshape(len(frame), self.width, -1)  # (rows, K, N)
        return pd.DataFrame(function(cube).reshape(len(frame), -1), index=frame.index, columns=frame.columns)


def _ranked(cube: NDArray[Any]) -> NDArray[Any]:
    known = ~np.isnan(cube)
    order = np.argsort(np.argsort(np.where(known, cube, np.inf), axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(np.where(known, order / np.maximum(known.sum(axis=1, keepdims=True) - 1, 1), np.nan))


def _standardised(cube: NDArray[Any]) -> NDArray[Any]:
    count = (~np.isnan(cube)).sum(axis=1, keepdims=True)
    mean = np.nansum(cube, axis=1, keepdims=True) / np.maximum(count, 1)
    spread = np.sqrt(np.nansum((cube - mean) ** 2, axis=1, keepdims=True) / np.maximum(count, 1))
    return np.asarray(np.divide(cube - mean, spread, out=np.where(np.isnan(cube), np.nan, 0.0), where=spread > 0))


def read_market_decisions(kind: Kind, answer: Any, panel: MarketPanel) -> Decisions:
    """The user's answer, checked: weights by symbol, or a pair or four of signals by symbol.

    Each is a dict of frames by symbol (a symbol left out is not traded), or one frame with the columns of
    `market.close`.
    """
    if kind == "signals" or (kind == "any" and isinstance(answer, tuple | list)):
        if not isinstance(answer, tuple | list) or len(answer) not in (2, 4):
            what = f"{len(answer)} values" if isinstance(answer, tuple | list) else type(answer).__name__
            raise StrategyError(f"signals returned {what}; return (entries, exits), or {', '.join(SIDES)}")
        made: dict[str, Any] = {
            side: _laid(side, one, panel, booleans, False) for side, one in zip(SIDES, answer, strict=False)
        }
        return Decisions(**made, symbols=panel.symbols)
    return Decisions(weights=_laid("weights", answer, panel, _checked_weights, np.nan), symbols=panel.symbols)


def _checked_weights(what: str, frame: Any, panel: Panel) -> NDArray[np.float64]:
    return weights(frame, panel, what)


def _laid(what: str, answer: Any, panel: MarketPanel, read: Callable[..., NDArray[Any]], missing: Any) -> NDArray[Any]:
    """Decisions (W + T, N K), the K symbols of one universe side by side."""
    by_symbol = _by_symbol(what, answer, panel)
    rows, count = panel.shape
    made = np.full((rows, count, panel.width), missing)
    for at, symbol in enumerate(panel.symbols):
        if symbol in by_symbol:
            made[:, :, at] = read(f"{what} of {symbol}", by_symbol[symbol], panel[symbol])
    return frozen(made.reshape(rows, -1))


def _by_symbol(what: str, answer: Any, panel: MarketPanel) -> Mapping[str, Any]:
    if isinstance(answer, pd.DataFrame) and isinstance(answer.columns, pd.MultiIndex):
        answer = {symbol: answer[symbol] for symbol in answer.columns.unique(level=0)}
    if not isinstance(answer, Mapping):
        raise StrategyError(
            f"{what} is a {type(answer).__name__}; return a dict of frames by symbol, such as "
            f"{{{panel.symbols[0]!r}: ...}}, or one frame with the columns of market.close"
        )
    for symbol in answer:
        if symbol not in panel.symbols:
            near = get_close_matches(str(symbol), panel.symbols, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the market has {', '.join(panel.symbols)}"
            raise StrategyError(f"{what} names the symbol {symbol!r}; {hint}")
    return answer
