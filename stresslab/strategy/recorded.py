"""A strategy with what it decides in some universes written down, so that other terms do not run its code again.

Decisions do not depend on costs. Who asks for the same universes at other costs, or with orders that wait, asks this.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.parallel import WORTH_PROCESSES_SECONDS, chunks, map_chunks, worth_processes
from stresslab.data.universes import Universes
from stresslab.strategy.bar_state import Opened
from stresslab.strategy.market_panel import MarketPanel
from stresslab.strategy.panel import Decisions, Panel
from stresslab.strategy.sandbox import CallLog
from stresslab.strategy.strategy import Strategy

TOGETHER = 1000
"""Universes in one call, at most."""
ONE_BY_ONE = 50
"""The same where each is a call of its own: a piece of the work that can be counted."""


@dataclass(frozen=True, eq=False)
class RecordedStrategy(Strategy):
    """A strategy that answers with what it decided before, in the same universes.

    Attributes:
        ids: (N,) of the universes.
        recorded: (W + T, N) what it decided there.
        failures: error by id of a universe in which its code failed.
    """

    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    recorded: Decisions = field(default_factory=Decisions)
    failures: Mapping[int, str] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the strategy as it pickles itself, and what was recorded beside it."""
        own = Strategy(**{one.name: getattr(self, one.name) for one in fields(Strategy)})
        return _recorded, (own, self.ids, self.recorded, self.failures)

    def decide(
        self,
        panel: Panel | MarketPanel,
        *,
        allow_silence: bool = False,
        init_cash: float = 100_000.0,
        accounts: Opened | None = None,
    ) -> Decisions:
        """What was decided in these universes; the rows must be those that were recorded."""
        at = pd.Index(self.ids).get_indexer(pd.Index(panel.ids))
        rows = len(next(iter(self.recorded.arrays().values())))
        if (at < 0).any() or rows != panel.rows:
            raise ValueError(f"nothing was recorded for {panel.rows} rows of universe {panel.ids[int(np.argmin(at))]}")
        failed = {int(one) for one in panel.ids} & self.failures.keys()
        self.log.failures.update({one: self.failures[one] for one in failed})
        return self.recorded.with_arrays({name: array[:, at] for name, array in self.recorded.arrays().items()})


def record(
    strategy: Strategy,
    universes: Universes,
    warmup: int,
    init_cash: float,
    *,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
    patience: float = WORTH_PROCESSES_SECONDS,
) -> Strategy:
    """Run a strategy of one series in N universes, and write down what it decides.

    A strategy that orders on its account is given back as it is: on other terms it may decide otherwise.

    Args:
        strategy: whose code is run.
        universes: N universes of T bars.
        warmup: W, bars of history before them, at most.
        init_cash: of the accounts.
        jobs: processes, where the code takes long.
        progress: called with the number of universes newly done.
        patience: seconds that it may take in one process; where that is 0, others are started at once.
    """
    work = _Pieces(strategy, universes, warmup, init_cash)
    pieces = chunks(np.arange(len(universes), dtype=np.int64), ONE_BY_ONE if strategy.one_by_one else TOGETHER)
    parts: dict[int, tuple[Decisions, Mapping[int, str]]] = {}

    def done(position: int, part: tuple[Decisions, Mapping[int, str]]) -> None:
        parts[position] = part
        if progress is not None:
            progress(len(pieces[position]))

    rest, first = math.inf, 1 if patience > 0 else 0
    if first:
        started = time.perf_counter()
        done(0, work(pieces[0]))
        rest = (time.perf_counter() - started) * (len(pieces) - 1)
    workers = jobs if worth_processes(rest, jobs, patience) else 1
    for position, part in map_chunks(work, pieces[first:], jobs=workers):
        done(position + first, part)
    ordered = [parts[position] for position in range(len(pieces))]
    failures = {one: error for _, failed in ordered for one, error in failed.items()}
    decisions = Decisions.side_by_side([part for part, _ in ordered])
    return strategy if decisions.on_account else _recorded(strategy, universes.ids, decisions, failures)


def _recorded(
    strategy: Strategy, ids: NDArray[np.int64], decisions: Decisions, failures: Mapping[int, str]
) -> RecordedStrategy:
    own = {one.name: getattr(strategy, one.name) for one in fields(Strategy)}
    return RecordedStrategy(**own, ids=ids, recorded=decisions, failures=failures)


@dataclass(frozen=True)
class _Pieces:
    """What a strategy decides in some of the universes, by their positions."""

    strategy: Strategy
    universes: Universes
    warmup: int
    init_cash: float

    def __call__(self, positions: NDArray[np.int64]) -> tuple[Decisions, Mapping[int, str]]:
        """The decisions, and the errors of universes in which the code failed."""
        strategy = replace(self.strategy, log=CallLog())
        panel = strategy.panel(self.universes.take(slice(int(positions[0]), int(positions[-1]) + 1)), self.warmup)
        decisions = strategy.decide(panel, allow_silence=True, init_cash=self.init_cash)
        return decisions, dict(strategy.log.failures)
