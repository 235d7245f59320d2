"""Strategies on many universes, piece by piece: measures are kept, accounts are not, so memory does not grow with N.

Universes come from memory or, shard by shard, from a folder. What is computed of a piece depends on that piece alone,
so that one process and many give the same numbers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest import CHUNK, Backtest, Terms, backtest, buy_and_hold
from stresslab.backtest.portfolio import combine
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import StrategyError
from stresslab.core.parallel import map_chunks
from stresslab.data.universes import Universes, shards
from stresslab.metrics.measures import MEASURES, MeasureInputs
from stresslab.metrics.performance import total_return
from stresslab.metrics.quantile_sketch import Sketch
from stresslab.strategy import CallLog, Strategy

ONE_BY_ONE = 50
"""Universes at a time of strategies that take them one by one: the work is in their code, and processes share it."""
WORTH_PROCESSES_SECONDS = 15.0
"""Seconds of work in one process that are worth starting others: each imports for a few seconds first."""

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StrategyEvaluation:
    """One strategy on N universes.

    Attributes:
        metrics: (N,) rows by universe id, one column per measure; universes in which its code failed have none.
        equity: (T+1, N) currency, or None where it was not kept.
        fan: how the equity is distributed at each of T+1 times, or None where it was not counted.
        losing: (T+1,) universes in which it lies below the initial capital, counted where the fan is.
        log: what calls of its code left behind: what was printed, and why it failed in which universe.
        error: why there is no result at all; empty where there is one.
        universes: in how many it was evaluated.
        conflicts: bars in them, all together, whose decisions contradicted each other and were ignored.
        untraded: bars without volume in which it traded.
    """

    metrics: pd.DataFrame
    equity: FloatArray | None = None
    fan: Sketch | None = None
    losing: NDArray[np.int64] | None = None
    log: CallLog = field(default_factory=CallLog)
    error: str = ""
    universes: int = 0
    conflicts: int = 0
    untraded: int = 0

    @classmethod
    def concatenate(cls, parts: Sequence[StrategyEvaluation]) -> StrategyEvaluation:
        """Universes side by side, in the order given."""
        log, universes = CallLog(), sum(part.universes for part in parts)
        for part in parts:
            log.add(part.log)
        failed = next((part.error for part in parts if part.error), "")
        if failed:
            return cls(pd.DataFrame(), log=log, error=failed, universes=universes)
        curves = [part.equity for part in parts if part.equity is not None]
        fans = [part.fan for part in parts if part.fan is not None]
        losing = [part.losing for part in parts if part.losing is not None]
        return cls(
            pd.concat([part.metrics for part in parts]),
            np.concatenate(curves, axis=1) if curves else None,
            Sketch.merged(fans) if fans else None,
            np.sum(losing, axis=0) if losing else None,
            log,
            universes=universes,
            conflicts=sum(part.conflicts for part in parts),
            untraded=sum(part.untraded for part in parts),
        )


def evaluate(
    strategies: Sequence[Strategy],
    universes: Universes | str | Path,
    terms: Terms | None = None,
    *,
    periods_per_year: float | None = None,
    jobs: int = 1,
    keep_equity: bool = False,
    keep_fan: bool = False,
    portfolio: Mapping[str, float] | None = None,
    progress: Callable[[int], None] | None = None,
    patience: float = WORTH_PROCESSES_SECONDS,
    chunk: int = CHUNK,
    keep_going: bool = False,
    broken: Collection[int] = (),
) -> list[StrategyEvaluation]:
    """Backtest strategies on the same universes and measure them, with buy and hold beside them.

    Args:
        strategies: each meets every universe.
        universes: N universes, or a folder that `Universes.save` wrote, which is read shard by shard.
        terms: of the accounts; `Terms()` by default.
        periods_per_year: bars in a year; the history's by default.
        jobs: processes. Two pieces are done in this one; others are started where the rest would take it longer than
            `patience`, and at once where that is 0.
        keep_equity: keep equity curves, 8 bytes per universe and bar.
        keep_fan: count how equity is distributed at each time, and where it lies below the initial capital.
        portfolio: share of the initial capital by name of the strategy; see `stresslab.backtest.portfolio`.
        progress: called with the number of universes done.
        patience: seconds.
        chunk: universes at a time, at most; fewer where a strategy takes them one by one.
        keep_going: where a strategy's code fails, finish the others; its evaluation then says why.
        broken: positions of strategies that have failed already, and are not tried again.

    Returns:
        One evaluation for each strategy, in the order given, and last one for the portfolio where there is one.

    Raises:
        DataError: the folder holds no universes, or a price is not above zero.
        StrategyError: a strategy's code raised or answered with what is no decision, and the others shall not go on.
    """
    if any(one.one_by_one for one in strategies):
        chunk = min(chunk, ONE_BY_ONE)
    shares = dict(portfolio or {})
    work = _Work(
        tuple(strategies), universes, terms or Terms(), periods_per_year, keep_equity, keep_fan, chunk, shares,
        keep_going, frozenset(broken),
    )  # fmt: skip
    pieces = work.pieces()
    found: dict[int, list[StrategyEvaluation]] = {}

    def done(position: int, result: list[StrategyEvaluation]) -> None:
        found[position] = result
        if progress is not None:
            progress(result[0].universes)

    rest, first = math.inf, 2 if patience > 0 else 0
    for position, piece in enumerate(
        pieces[:first]
    ):  # the first imports, so its time says nothing; the next one's does
        started = time.perf_counter()
        done(position, work(piece))
        rest = (time.perf_counter() - started) * (len(pieces) - first)
    failed = {at for result in found.values() for at, one in enumerate(result) if one.error}
    work = replace(work, broken=work.broken | failed)
    for position, result in map_chunks(work, pieces[first:], jobs=jobs if rest > patience else 1):
        done(position + first, result)
    ordered = [found[position] for position in range(len(pieces))]
    return [StrategyEvaluation.concatenate([piece[at] for piece in ordered]) for at in range(len(ordered[0]))]


@dataclass(frozen=True)
class _Work:
    """What is done with a piece: positions of universes in memory, or the position of one shard on disk."""

    strategies: tuple[Strategy, ...]
    universes: Universes | str | Path
    terms: Terms
    periods_per_year: float | None
    keep_equity: bool
    keep_fan: bool
    chunk: int
    portfolio: dict[str, float]
    keep_going: bool = False
    broken: frozenset[int] = frozenset()
    """Positions of strategies that have failed already."""

    def pieces(self) -> list[Positions]:
        """Pieces of nearly equal size; one shard each on disk."""
        if isinstance(self.universes, Universes):
            return _split(len(self.universes), self.chunk)
        return [np.array([position]) for position in range(len(shards(self.universes)))]

    def __call__(self, piece: Positions) -> list[StrategyEvaluation]:
        """Every strategy on a piece."""
        if isinstance(self.universes, Universes):
            return self._on(self.universes.take(slice(int(piece[0]), int(piece[-1]) + 1)))
        shard = Universes.load_shard(shards(self.universes)[int(piece[0])])
        parts = [self._on(shard.take(slice(part[0], part[-1] + 1))) for part in _split(len(shard), self.chunk)]
        return [StrategyEvaluation.concatenate(of_one) for of_one in zip(*parts, strict=True)]

    def _on(self, universes: Universes) -> list[StrategyEvaluation]:
        periods = self.periods_per_year or universes.history.periods_per_year
        benchmark = buy_and_hold(universes, self.terms, periods_per_year=periods)
        before = StrategyEvaluation(pd.DataFrame(), error="it failed before", universes=len(universes))
        found = [
            before if at in self.broken else self._attempted([one], universes, benchmark, periods, self._alone)
            for at, one in enumerate(self.strategies)
        ]
        if self.portfolio:
            places = [at for at, one in enumerate(self.strategies) if one.name in self.portfolio]
            members = [self.strategies[at] for at in places]
            failed = not self.broken.isdisjoint(places)
            found.append(before if failed else self._attempted(members, universes, benchmark, periods, self._together))
        return found

    def _attempted(
        self,
        members: list[Strategy],
        universes: Universes,
        benchmark: Backtest,
        periods: float,
        run: Callable[[list[Strategy], Universes, float], Backtest],
    ) -> StrategyEvaluation:
        """What the accounts of some strategies are worth, without universes in which their code failed."""
        try:
            account = run(members, universes, periods)
        except StrategyError as error:
            if not self.keep_going:
                raise
            return StrategyEvaluation(pd.DataFrame(), log=_logged(members), error=str(error), universes=len(universes))
        log = _logged(members)
        kept = ~np.isin(universes.ids, list(log.failures))
        table = measures(account, periods, benchmark, self.terms.risk_free)
        equity = account.equity
        if not kept.all():
            table, equity = table[kept], equity[:, kept]
        fan = losing = None
        if self.keep_fan:
            fan = Sketch.of(equity, unit=self.terms.init_cash)
            losing = (equity < self.terms.init_cash).sum(axis=1)
        return StrategyEvaluation(
            table, equity if self.keep_equity else None, fan, losing, log, universes=len(universes),
            conflicts=int(account.conflicts.sum()), untraded=int(account.untraded.sum()),
        )  # fmt: skip

    def _alone(self, members: list[Strategy], universes: Universes, periods: float) -> Backtest:
        return backtest(members[0], universes, self.terms, periods_per_year=periods)

    def _together(self, members: list[Strategy], universes: Universes, periods: float) -> Backtest:
        """The portfolio's accounts, each member's on its share of the capital."""
        cash = self.terms.init_cash
        shares = [replace(self.terms, init_cash=cash * self.portfolio[one.name]) for one in members]
        parts = [
            backtest(one, universes, terms, periods_per_year=periods)
            for one, terms in zip(members, shares, strict=True)
        ]
        return combine(parts, cash)


def _logged(members: list[Strategy]) -> CallLog:
    """What calls of these strategies left behind until now."""
    log = CallLog()
    for one in members:
        log.add(one.log.take())
    return log


def _split(count: int, most: int) -> list[Positions]:
    """Consecutive positions in pieces of at most so many, as equal as can be."""
    return np.array_split(np.arange(count), -(-count // most))


def curves(evaluation: StrategyEvaluation) -> NDArray[np.float64]:
    """The curves that were kept."""
    assert evaluation.equity is not None
    return evaluation.equity


def measures(
    account: Backtest, periods_per_year: float, benchmark: Backtest | None = None, risk_free: float = 0.0
) -> pd.DataFrame:
    """All measures of a strategy in each universe.

    Args:
        account: of the strategy.
        periods_per_year: bars in a year.
        benchmark: buy and hold in the same universes, which `excess_return` compares with; None leaves it undefined.
        risk_free: interest a year, which Sharpe and Sortino subtract bar by bar.

    Returns:
        (N,) rows indexed by universe id, one column per measure in the order of `MEASURES`.
    """
    held = np.full(len(account.ids), np.nan) if benchmark is None else total_return(benchmark.equity)
    inputs = MeasureInputs(account, periods_per_year, held, risk_free)
    columns = {name: row.compute(inputs) for name, row in MEASURES.items()}
    return pd.DataFrame(columns, index=pd.Index(account.ids, name="universe"))
