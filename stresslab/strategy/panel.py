"""What a strategy sees and what it must answer with: a read-only panel of bars, and decisions checked against it.

`strategy.strategy` calls the code that decides, `loading` finds it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import StrategyError
from stresslab.core.text import nearest
from stresslab.data.bars import FIELDS
from stresslab.data.field_frames import FieldFrames
from stresslab.data.universes import Universes
from stresslab.strategy.frames import DataFrame

Kind = Literal["signals", "weights", "on_bar", "any"]
"""What is called and what it answers; "any": a function of bars whose answer decides (a pair or four: signals)."""
SIDES = ("long_entries", "long_exits", "short_entries", "short_exits")


@dataclass(frozen=True, eq=False)
class Panel(FieldFrames):
    """What a strategy sees: the last W history bars, then the universe's T bars, for N universes; read-only.

    Attributes:
        known: history rows that come before the generated ones.
        rows: rows shown; fewer than there are after `until`.
    """

    _universes: Universes = field(repr=False)
    known: int
    rows: int
    _arrays: dict[str, NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, universes: Universes, warmup: int) -> Panel:
        """The panel with at most `warmup` rows of history before the universes' bars."""
        known = max(0, min(warmup, len(universes.history)))
        return cls(universes, known, known + universes.horizon)

    def until(self, rows: int) -> Panel:
        """The same panel as it looked when only its first `rows` rows had happened."""
        return Panel(self._universes, self.known, min(self.rows, rows))

    def take(self, positions: slice) -> Panel:
        """The same panel with some of its universes."""
        return Panel(self._universes.take(positions), self.known, self.rows)

    @property
    def warmup(self) -> int:
        """W, how many of the rows are history."""
        return min(self.known, self.rows)

    @functools.cached_property
    def timestamps(self) -> pd.DatetimeIndex:
        """(W + T,) of the rows."""
        history = self._universes.history.timestamps
        return pd.DatetimeIndex(history[len(history) - self.known :].append(self._universes.timestamps)[: self.rows])

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) ids of the universes."""
        return self._universes.ids

    @property
    def symbol(self) -> str:
        """What the bars are of."""
        return self._universes.history.symbol

    @property
    def width(self) -> int:
        """Decisions of one universe: one."""
        return 1

    @property
    def shape(self) -> tuple[int, int]:
        """(W + T, N)."""
        return self.rows, len(self._universes)

    def array(self, name: str) -> NDArray[np.float64]:
        """One field as a read-only array (W + T, N), each universe contiguous in memory."""
        if name not in self._arrays:
            at, past = FIELDS.index(name), self._universes.history.values
            values = np.empty((len(self._universes), self.known + self._universes.horizon))  # (N, W + T)
            values[:, : self.known] = past[len(past) - self.known :, at]
            values[:, self.known :] = self._universes.values[:, :, at]
            values = values[:, : self.rows].copy() if self.rows < values.shape[1] else values
            values.setflags(write=False)
            self._arrays[name] = values.T
        return self._arrays[name]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """One field as a frame: `bars["close"]` is `bars.close`."""
        if not isinstance(name, str) or name not in FIELDS:
            raise LookupError(_unknown(f"{name!r}", str(name)))
        return self.frame(name)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name if name.startswith("_") else _unknown(f"attribute {name!r}", name))

    def frame(self, name: str) -> pd.DataFrame:
        """One field as a frame (W + T, N)."""
        return DataFrame(self.array(name), index=self.timestamps, columns=self.ids, copy=False)


def _unknown(what: str, name: str) -> str:
    near = nearest(name, FIELDS)
    if near:
        return f"bars have no {what}; did you mean {near!r}?"
    return (
        f"bars have no {what}: universes continue one series, with {', '.join(FIELDS)}; there are no other symbols, "
        "and longer bars are resampled from these"
    )


class Bar(NamedTuple):
    """One bar of one universe, as `on_bar` gets it."""

    timestamp: pd.Timestamp
    open: float
    high: float
    low: float
    close: float
    volume: float
    amount: float


class OrderRules(NamedTuple):
    """What holds for all orders with prices of a strategy.

    Attributes:
        lifetime: bars for which an entry waits; 0 until it is replaced or cancelled.
        entries: trades in one direction that may be open at once.
        one_cancels_other: whether the fill of an entry cancels the waiting one of the other side.
        on_account: whether they were given bar by bar by code that saw the account: on other terms it may order
            otherwise, and an exit and an entry for one open are a trade that leaves and a new one.
    """

    lifetime: int
    entries: int
    one_cancels_other: bool
    on_account: bool = False


class FillRules(NamedTuple):
    """Of decisions that are fills, as `fills` lays them.

    Attributes:
        slots: fills that one bar may have.
    """

    slots: int


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a strategy wants at the close of each row: read-only arrays (W + T, N), signals or weights.

    Attributes:
        long_entries: where to go long, or None for weights.
        long_exits: where to leave a long position.
        short_entries: where to go short, or None for a strategy that never does.
        short_exits: where to cover.
        weights: target fraction of equity, 1 fully long, -1 fully short, NaN keeps what is held; None for signals.
        symbols: of a market, whose K columns of one universe stand side by side (W + T, N K); empty for one series.
        levels: prices, sizes and lifetimes of orders, by name; beside signals, and empty where orders fill at the open.
        rules: of such orders, or `FillRules` where `levels` are fills; None without.
    """

    long_entries: NDArray[np.bool_] | None = None
    long_exits: NDArray[np.bool_] | None = None
    short_entries: NDArray[np.bool_] | None = None
    short_exits: NDArray[np.bool_] | None = None
    weights: NDArray[np.float64] | None = None
    symbols: tuple[str, ...] = ()
    levels: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    rules: OrderRules | FillRules | None = None

    @property
    def width(self) -> int:
        """Columns of one universe: as many as there are symbols."""
        return max(1, len(self.symbols))

    @property
    def is_weights(self) -> bool:
        """Whether these are target weights."""
        return self.weights is not None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, without those that are None."""
        named = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _NO_ARRAYS}
        return {name: array for name, array in named.items() if array is not None} | dict(self.levels)

    def with_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> Decisions:
        """Decisions of the same kind with other arrays, named as `arrays` names them."""
        levels = {name: array for name, array in arrays.items() if name in self.levels}
        plain: dict[str, Any] = {name: array for name, array in arrays.items() if name not in self.levels}
        return Decisions(**plain, symbols=self.symbols, levels=levels, rules=self.rules)

    def of_symbol(self, symbol: str) -> Decisions:
        """Those of one symbol of a market (W + T, N)."""
        own = slice(self.symbols.index(symbol), None, self.width)
        arrays = {name: frozen(array[:, own]) for name, array in self.arrays().items()}
        return replace(self.with_arrays(arrays), symbols=())

    @property
    def on_account(self) -> bool:
        """Whether they were given by code that saw the account."""
        return isinstance(self.rules, OrderRules) and self.rules.on_account

    @property
    def universes(self) -> int:
        """N."""
        return int(next(iter(self.arrays().values())).shape[1]) // self.width

    @property
    def is_silent(self) -> bool:
        """Whether these are weights that never say anything."""
        return self.weights is not None and bool(np.isnan(self.weights).all())

    def flat(self) -> Decisions:
        """Decisions of the same kind in one universe that never hold anything."""
        nothing = {
            name: np.full_like(array[:, : self.width], np.nan if name in self.levels else 0)
            for name, array in self.arrays().items()
        }
        return self.with_arrays({name: frozen(array) for name, array in nothing.items()})

    def flat_in(self, universes: int) -> Decisions:
        """Decisions of the same kind in so many universes that never hold anything."""
        return self.with_arrays(
            {name: frozen(np.repeat(array, universes, axis=1)) for name, array in self.flat().arrays().items()}
        )

    @classmethod
    def side_by_side(cls, parts: Sequence[Decisions]) -> Decisions:
        """Universes side by side, in the order given; where others order on their account, silent ones are flat.

        Raises:
            StrategyError: not all of them are of one kind.
        """
        orders = next((part for part in parts if part.on_account), None)
        if orders is not None:
            parts = [orders.flat_in(part.universes) if part.is_silent else part for part in parts]
        named = [part.arrays() for part in parts]
        if any(one.keys() != named[0].keys() for one in named) or any(one.rules != parts[0].rules for one in parts):
            kinds = sorted({", ".join(one) for one in named})
            raise StrategyError(
                f"answers with {' in one universe and with '.join(kinds)} in another; decide on one kind"
            )
        joined = {name: frozen(np.concatenate([one[name] for one in named], axis=1)) for name in named[0]}
        return parts[0].with_arrays(joined)


_NO_ARRAYS = ("symbols", "levels", "rules")


def read_decisions(kind: Kind, answer: Any, panel: Panel) -> Decisions:
    """The user's answer, checked: a pair or four of boolean frames are signals, a single frame is weights."""
    one_series = isinstance(answer, list) and len(answer) == panel.rows and panel.shape[1] == 1
    if kind == "signals" or (kind == "any" and isinstance(answer, (tuple, list)) and not one_series):
        if not isinstance(answer, (tuple, list)) or len(answer) not in (2, 4):
            what = f"{len(answer)} values" if isinstance(answer, (tuple, list)) else type(answer).__name__
            raise StrategyError(f"signals returned {what}; return (entries, exits), or {', '.join(SIDES)}")
        sides = {side: booleans(side, frame, panel) for side, frame in zip(SIDES, answer, strict=False)}
        return Decisions(
            sides["long_entries"], sides["long_exits"], sides.get("short_entries"), sides.get("short_exits")
        )
    return Decisions(weights=weights(answer, panel))


def booleans(side: str, frame: Any, panel: Panel) -> NDArray[np.bool_]:
    """A frame or array of True and False, checked."""
    values = _values(side, frame, panel)
    if values.dtype != bool:
        if pd.isna(values).any():
            raise StrategyError(
                f"{side} has NaN at {first_stamp(pd.isna(values), panel)}; use .fillna(False), and "
                ".shift(1, fill_value=False) to shift"
            )
        if values.dtype.kind not in "iufO" or not np.isin(values, (0, 1)).all():
            raise StrategyError(f"{side} is {values.dtype} and not only True or False; compare, as in close > average")
        values = values.astype(bool)
    return frozen(values)


def weights(frame: Any, panel: Panel, what: str = "weights") -> NDArray[np.float64]:
    """A frame or array of target weights, checked."""
    values = _values(what, frame, panel)
    try:
        if values.dtype.kind not in "biufO" or _has_text(values):
            raise TypeError
        values = np.where(pd.isna(values), np.nan, values).astype(np.float64)
    except (TypeError, ValueError):
        raise StrategyError(f"{what} are {values.dtype}, not numbers; return a float frame, 1 = fully long") from None
    if np.isinf(values).any():
        raise StrategyError(f"{what} are infinite at {first_stamp(np.isinf(values), panel)}; divide by what is never 0")
    return frozen(values)


def _has_text(values: NDArray[Any]) -> bool:
    return values.dtype == object and any(isinstance(value, str) for value in values.flat)


def _values(what: str, frame: Any, panel: Panel) -> NDArray[Any]:
    """The array in a frame (or an array) of the panel's shape; a Series or list only where there is one universe."""
    if isinstance(frame, list) and panel.shape[1] == 1:
        frame = pd.Series(frame, dtype=None if frame else float).to_numpy()
    if isinstance(frame, pd.Series) and panel.shape[1] > 1:
        raise StrategyError(
            f"{what} is a Series of {len(frame)} for {panel.shape[1]} universes; return a frame of bars.close's shape, "
            f"{panel.shape}: begin with bars.close, not with one column"
        )
    if not isinstance(frame, (pd.DataFrame, pd.Series, np.ndarray)):
        raise StrategyError(f"{what} is a {type(frame).__name__}; return a frame of bars.close's shape, {panel.shape}")
    values = frame.to_numpy() if isinstance(frame, (pd.DataFrame, pd.Series)) else frame
    if values.ndim == 1 and panel.shape[1] == 1:
        values = values[:, None]
    if values.shape != panel.shape:
        raise StrategyError(f"{what} has shape {values.shape}, bars.close has {panel.shape}; drop no rows or columns")
    if not isinstance(frame, np.ndarray) and not frame.index.equals(panel.timestamps):
        raise StrategyError(f"{what} has another index than bars.close; use .reindex(bars.close.index)")
    if isinstance(frame, pd.DataFrame) and not frame.columns.equals(pd.Index(panel.ids)):
        raise StrategyError(f"{what} has other columns than bars.close; pass columns=bars.close.columns")
    return values


def first_stamp(where: NDArray[np.bool_], panel: Panel) -> str:
    """Time stamp of the first row that has a True."""
    return str(panel.timestamps[int(where.any(axis=1).argmax())])


def frozen(values: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to."""
    values = values.view()
    values.setflags(write=False)
    return values
