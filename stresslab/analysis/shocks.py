"""Hypothetical shocks laid over universes: gaps, higher volatility, higher costs, bars without trading.

What a strategy makes of them is found by running it again; here universes, costs and decisions
are changed and no account is known. N is universes, T bars.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stresslab.analysis.case import Case, figures, nobody
from stresslab.backtest.result import JointBacktest
from stresslab.core.arrays import BoolArray, FloatArray
from stresslab.core.errors import InputError
from stresslab.data.bars import AMOUNT, CLOSE
from stresslab.data.market_index import IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.transforms import changed, log_shapes, rebuilt
from stresslab.strategy import Strategy
from stresslab.strategy.bar_state import Opened
from stresslab.strategy.fills import postponed_fills
from stresslab.strategy.market_panel import MarketPanel
from stresslab.strategy.panel import SIDES, Decisions, FillRules, Panel

BarIndex = NDArray[np.int64]

NOWHERE = -1
"""The bar of a universe in which nothing is laid."""
CLOSED_BARS = 5
"""Bars without liquidity."""


def worst_bar(position: ArrayLike) -> BarIndex:
    """The bar before whose open a gap hurts most: the one after the largest position, the first of several (N,).

    What is held over bar t-1 meets the gap before the open of bar t, as orders fill after it. Positions up to there do
    not depend on the gap, so that of the base case may be asked. `NOWHERE` where nothing is ever held.

    Args:
        position: (T, N) held over each bar in the base case.
    """
    size = np.abs(np.asarray(position, dtype=np.float64))[:-1]  # (T - 1, N)
    if not len(size):
        return np.full(np.shape(position)[1], NOWHERE, dtype=np.int64)
    return np.asarray(np.where(size.max(axis=0) > 0, size.argmax(axis=0) + 1, NOWHERE), dtype=np.int64)


def adverse_sign(position: ArrayLike, bar: BarIndex) -> FloatArray:
    """The sign of a price move before bar `bar` that loses money: -1 against a long position, 1 against a short (N,).

    Args:
        position: (T, N) held over each bar in the base case.
        bar: (N,) as from `worst_bar`.
    """
    held = np.asarray(position, dtype=np.float64)[np.maximum(bar - 1, 0), np.arange(len(bar))]
    return np.where(held < 0, 1.0, -1.0)


def gap(universes: Universes, size: ArrayLike, bar: ArrayLike) -> Universes:
    """Universes whose prices jump between the close before a bar and its open, and go on from there.

    Args:
        universes: base case.
        size: relative jump, -0.1 for a fall of 10%; one for all or (N,).
        bar: the bar that opens after the jump; one for all or (N,), `NOWHERE` for none.
    """
    jump = np.broadcast_to(np.asarray(size, dtype=np.float64), len(universes))
    at = np.broadcast_to(np.asarray(bar, dtype=np.int64), len(universes))
    if (jump <= -1).any() or not np.isfinite(jump).all():
        raise InputError(f"a gap of {float(jump.min()):g} leaves no price above 0; give more than -1, such as -0.1")
    if (at >= universes.horizon).any() or (at < NOWHERE).any():
        raise InputError(f"a gap at bar {int(at.max())} is not among the {universes.horizon} bars, counted from 0")
    after = (np.arange(universes.horizon) >= at[:, None]) & (at[:, None] != NOWHERE)  # (N, T)
    factors = np.where(after, 1 + jump[:, None], 1.0)
    values = universes.values.astype(np.float64)
    values[:, :, : CLOSE + 1] *= factors[:, :, None]
    values[:, :, AMOUNT] *= factors
    return changed(universes, values)


def scale_volatility(universes: Universes, factor: float) -> Universes:
    """Universes whose bars deviate `factor` times as much from their own path's mean log return, gaps and all.

    Every path still ends where it ended: what grows is the way there.

    Args:
        universes: base case.
        factor: of the volatility, such as 1.5.
    """
    if not 0 < factor < 100:
        raise InputError(f"volatility x {factor:g} is not a factor above 0; write for example 1.5")
    shapes = log_shapes(universes)
    own = shapes[:, :, CLOSE].mean(axis=1)[:, None, None]
    return rebuilt(universes, own + factor * (shapes - own))


def closed_from(bar: ArrayLike, bars: int, horizon: int) -> BoolArray:
    """Where the market is closed (T, N): `bars` bars from each universe's bar on.

    Args:
        bar: (N,) first of them, `NOWHERE` for none.
        bars: how many.
        horizon: T.
    """
    first = np.asarray(bar, dtype=np.int64)
    steps = np.arange(horizon)[:, None]
    return np.asarray((first != NOWHERE) & (steps >= first) & (steps < first + bars))


def postponed_targets(targets: FloatArray, closed: BoolArray) -> FloatArray:
    """Orders by weight that wait while the market is closed: the last one fills at the first open after it (T, N).

    Args:
        targets: (T, N) to be filled at each open, NaN where nothing is ordered.
        closed: (T, N).
    """
    orders = np.array(targets, dtype=np.float64)
    waiting = np.full(orders.shape[1], np.nan)
    for row, shut in zip(orders, closed, strict=True):
        newest = np.where(np.isnan(row), waiting, row)
        row[:] = np.where(shut, np.nan, newest)
        waiting = np.where(shut, newest, np.nan)
    return orders


def postponed_rows(signals: Sequence[BoolArray], closed: BoolArray) -> BarIndex:
    """The bar whose signals, and the levels beside them, each bar's open is given: the last one with a signal (T, N).

    -1 where nothing is ordered. While the market is closed orders wait.

    Args:
        signals: entries and exits, each (T, N), to be filled at each open.
        closed: (T, N).
    """
    given = np.any(np.stack(list(signals)), axis=0)  # (T, N)
    rows = np.full(given.shape, -1, dtype=np.int64)
    waiting = np.full(given.shape[1], -1, dtype=np.int64)
    for bar, shut in enumerate(closed):
        newest = np.where(given[bar], bar, waiting)
        rows[bar] = np.where(shut, -1, newest)
        waiting = np.where(shut, newest, -1)
    return rows


@dataclass(frozen=True, eq=False)
class DelayedOrders(Strategy):
    """A strategy whose orders wait while the market is closed; its decisions are unchanged.

    What is still open after the last bar is closed at its close all the same, and stops inside a bar do not wait.

    Attributes:
        inner: decides.
        closed: (T, N) where the market is closed, by the universes' bars.
        ids: (N,) of those universes.
    """

    inner: Strategy | None = None
    closed: BoolArray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    ids: BarIndex = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, strategy: Strategy, closed: BoolArray, ids: BarIndex) -> DelayedOrders:
        """The same strategy in universes that do not always trade."""
        own = {one.name: getattr(strategy, one.name) for one in fields(Strategy)}
        return cls(**own, inner=strategy, closed=closed, ids=ids)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the strategy as it pickles itself, and what is closed beside it."""
        return DelayedOrders.of, (self.inner, self.closed, self.ids)

    def decide(
        self,
        panel: Panel | MarketPanel,
        *,
        allow_silence: bool = False,
        init_cash: float = 100_000.0,
        accounts: Opened | None = None,
    ) -> Decisions:
        """What the strategy decides, moved to the rows whose orders fill (row W - 1 + t fills at the open of bar t)."""
        assert self.inner is not None
        decisions = self.inner.decide(panel, allow_silence=allow_silence, init_cash=init_cash, accounts=accounts)
        first = max(panel.warmup - 1, 0)
        rows = slice(first, panel.rows - 1)
        closed = self.closed[first + 1 - panel.warmup :, pd.Index(self.ids).get_indexer(pd.Index(panel.ids))]
        closed = np.repeat(closed[: panel.rows - 1 - first], decisions.width, axis=1)
        if isinstance(decisions.rules, FillRules):
            return decisions.with_arrays(postponed_fills(decisions.levels, first + 1, closed))
        arrays = {name: array.copy() for name, array in decisions.arrays().items()}
        if decisions.weights is not None:
            for targets in arrays.values():
                targets[rows] = postponed_targets(targets[rows], closed)
        else:
            given = postponed_rows([array[rows] for name, array in arrays.items() if name in SIDES], closed)
            for array in arrays.values():
                nothing = False if array.dtype == np.bool_ else np.nan
                array[rows] = np.where(
                    given < 0, nothing, np.take_along_axis(array[rows], np.maximum(given, 0), axis=0)
                )
        return decisions.with_arrays(arrays)


@dataclass(frozen=True)
class Shock:
    """One row of the table of shocks.

    Attributes:
        label: what people read.
        lay: the universes of the shock, from those of the base case, the position held there (T, N), and the bar after
            the largest one (N,); of a market for each symbol, after the largest exposure.
        costs: factor of the costs.
        closed: bars without a fill, from the bar after the largest position on.
        alike: whether the universes of the shock are the same whatever is held.
    """

    label: str
    lay: Callable[[Universes, FloatArray, BarIndex], Universes] = lambda universes, position, bar: universes
    costs: float = 1.0
    closed: int = 0
    alike: bool = False

    def runner(self, strategy: Strategy, universes: Universes, position: FloatArray) -> Strategy:
        """What to run on the shocked universes: the strategy itself, or one whose orders wait while bars are closed.

        Args:
            strategy: of the base case.
            universes: of the base case.
            position: (T, N) held there.
        """
        if not self.closed:
            return strategy
        return DelayedOrders.of(
            strategy, closed_from(worst_bar(position), self.closed, universes.horizon), universes.ids
        )


def _gap_against(size: float) -> Callable[[Universes, FloatArray, BarIndex], Universes]:
    def lay(universes: Universes, position: FloatArray, bar: BarIndex) -> Universes:
        return gap(universes, size * adverse_sign(position, bar), bar)

    return lay


def _wilder(factor: float) -> Callable[[Universes, FloatArray, BarIndex], Universes]:
    return lambda universes, position, bar: scale_volatility(universes, factor)


SHOCKS: Mapping[str, Shock] = MappingProxyType(
    {
        "gap-5": Shock("a gap of 5% against the largest position", _gap_against(0.05)),
        "gap-10": Shock("a gap of 10% against the largest position", _gap_against(0.10)),
        "gap-20": Shock("a gap of 20% against the largest position", _gap_against(0.20)),
        "volatility-1.5": Shock("volatility x 1.5", _wilder(1.5), alike=True),
        "volatility-2": Shock("volatility x 2", _wilder(2.0), alike=True),
        "costs-3": Shock("costs x 3", costs=3.0),
        "illiquid": Shock(f"no fills for {CLOSED_BARS} bars after the largest position", closed=CLOSED_BARS),
    }
)


RUN_AGAIN = sum(shock.costs == 1 and not shock.closed for shock in SHOCKS.values())
"""Shocks that change the bars, so that the strategy's code is run again; the others ask for what it decided before."""


def shocks(case: Case) -> list[dict[str, Any]]:
    """The figures with each hypothetical shock laid over the universes, but for costs that would be none."""
    return [
        {"name": name, "label": shock.label, **figures(_shocked(case, shock), case.seed)}
        for name, shock in SHOCKS.items()
        if case.terms.costs.can_be_scaled(shock.costs)
    ]


def _shocked(case: Case, shock: Shock) -> pd.DataFrame:
    held = case.account.position
    bar, account = worst_bar(held), case.account

    def shocked(base: Universes) -> Universes:
        if isinstance(base, IndexUniverses) and isinstance(account, JointBacktest):
            return base.each(lambda part, at: shock.lay(part, account.positions[at], bar))
        return shock.lay(base, held, bar)

    base = case.universes
    universes = case.benchmarks.made(base, shock.label, shocked) if shock.alike else shocked(base)
    terms = replace(case.terms, costs=case.terms.costs.scaled(shock.costs))
    if not shock.closed:
        return case.measured(universes, terms)
    runner = shock.runner(case.decided, case.universes, held)
    return replace(case.with_strategy(runner), advance=nobody).measured(universes, terms)
