"""Strategies on many universes, piece by piece: measures are kept, accounts are not, so memory does not grow with N.

Universes come from memory or, shard by shard, from a folder. What is computed of a piece depends on that piece alone,
so that one process and many give the same numbers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest import CHUNK, Backtest, Terms, backtest, buy_and_hold
from stresslab.backtest.portfolio import PORTFOLIO, combine
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import StrategyError
from stresslab.core.parallel import WORTH_PROCESSES_SECONDS, map_chunks, worth_processes
from stresslab.data.universes import Universes, shards
from stresslab.metrics.measures import MEASURES, MeasureInputs
from stresslab.metrics.performance import total_return
from stresslab.metrics.quantile_sketch import Sketch
from stresslab.strategy import CallLog, Strategy

ONE_BY_ONE = 50
"""Universes at a time of strategies that take them one by one: the work is in their code, and processes share it."""

TRIED = 8
"""Of these, the universes in each of the first two pieces, which tell how long the others will take."""

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
        account: of the first universes in which its code did not fail, or None where none was kept.
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
    account: Backtest | None = None

    def only(self, ids: NDArray[np.int64]) -> StrategyEvaluation:
        """Measures and accounts of some of the universes; fans and counts keep them all."""
        account = self.account
        if account is not None:
            account = account.take(np.flatnonzero(np.isin(account.ids, ids)))
        return replace(self, metrics=self.metrics[self.metrics.index.isin(ids)], account=account)

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
        accounts = [part.account for part in parts if part.account is not None]
        return cls(
            pd.concat([part.metrics for part in parts]),
            np.concatenate(curves, axis=1) if curves else None,
            Sketch.merged(fans) if fans else None,
            np.sum(losing, axis=0) if losing else None,
            log,
            universes=universes,
            conflicts=sum(part.conflicts for part in parts),
            untraded=sum(part.untraded for part in parts),
            account=Backtest.concatenate(accounts) if accounts else None,
        )


def evaluate(
    strategies: Sequence[Strategy],
    universes: Universes | str | Path,
    terms: Terms | None = None,
    *,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
    patience: float = WORTH_PROCESSES_SECONDS,
    **options: Any,
) -> list[StrategyEvaluation]:
    """Backtest strategies on the same universes and measure them, with buy and hold beside them.

    Args:
        strategies: each is run in every universe.
        universes: N universes, or a folder that `Universes.save` wrote, which is read shard by shard.
        terms: of the accounts; `Terms()` by default.
        jobs: processes. Two pieces are done in this one; others are started where the rest would take it longer than
            `patience`, and at once where that is 0.
        progress: called with the number of universes done.
        patience: seconds.
        options: further attributes of the `Evaluator`.

    Returns:
        One evaluation for each strategy, in the order given, and last one for the portfolio where there is one.

    Raises:
        DataError: the folder holds no universes, or a price is not above zero.
        StrategyError: a strategy's code raised or answered with what is no decision, and the others shall not go on.
    """
    return Evaluator(tuple(strategies), terms or Terms(), **options).on(universes, jobs, progress, patience)


@dataclass(frozen=True)
class Evaluator:
    """Strategies on terms, ready to be run in any universes; it travels to other processes.

    Attributes:
        strategies: each is run in every universe.
        terms: of the accounts.
        periods_per_year: bars in a year; the history's where it is None.
        keep_equity: keep equity curves, 8 bytes per universe and bar.
        keep_fan: count how equity is distributed at each time, and where it lies below the initial capital.
        keep_accounts: keep the accounts of universes with ids below this, about 70 bytes per universe and bar.
        kept_of: positions of the strategies whose accounts are kept; None keeps those of all, the portfolio's included.
        portfolio: share of the initial capital by name of the strategy; see `stresslab.backtest.portfolio`.
        chunk: universes at a time, at most; fewer where a strategy takes them one by one.
        keep_going: where a strategy's code fails, finish the others; its evaluation then says why.
        broken: positions of strategies that have failed already, and are not tried again.
        benchmark: (N,) total returns of buy and hold in universes in memory, where they are known.
        inside: value the accounts of single strategies inside bars too.
    """

    strategies: tuple[Strategy, ...]
    terms: Terms = field(default_factory=Terms)
    periods_per_year: float | None = None
    keep_equity: bool = False
    keep_fan: bool = False
    keep_accounts: int = 0
    kept_of: frozenset[int] | None = None
    portfolio: Mapping[str, float] = field(default_factory=dict)
    chunk: int = CHUNK
    keep_going: bool = False
    broken: frozenset[int] = frozenset()
    benchmark: FloatArray | None = None
    inside: bool = False

    @property
    def names(self) -> list[str]:
        """Of the evaluations, in their order."""
        return [one.name for one in self.strategies] + ([PORTFOLIO] if self.portfolio else [])

    def without_broken(self, found: Sequence[StrategyEvaluation]) -> Evaluator:
        """The same, where strategies that have failed are not tried again.

        Raises:
            StrategyError: all have.
        """
        errors = [one.error for one in found]
        if all(errors):
            raise StrategyError(errors[0])
        failed = {at for at, error in enumerate(errors[: len(self.strategies)]) if error}
        return replace(self, broken=self.broken | failed)

    def on(
        self,
        universes: Universes | str | Path,
        jobs: int = 1,
        progress: Callable[[int], None] | None = None,
        patience: float = WORTH_PROCESSES_SECONDS,
    ) -> list[StrategyEvaluation]:
        """See `evaluate`."""
        work = _Pieces(self, universes)
        pieces = work.pieces()
        found: dict[int, list[StrategyEvaluation]] = {}

        def done(position: int, result: list[StrategyEvaluation]) -> None:
            found[position] = result
            if progress is not None:
                progress(result[0].universes)

        rest, first = math.inf, 2 if patience > 0 else 0
        for position, piece in enumerate(pieces[:first]):  # the first one imports, so the second one's time counts
            started = time.perf_counter()
            done(position, work(piece))
            each = (time.perf_counter() - started) / len(piece)
            rest = each * sum(map(len, pieces[first:]))
        failed = {at for result in found.values() for at, one in enumerate(result) if one.error}
        work = replace(work, evaluator=replace(self, broken=self.broken | failed))
        workers = jobs if worth_processes(rest, jobs, patience) else 1
        for position, result in map_chunks(work, pieces[first:], jobs=workers):
            done(position + first, result)
        ordered = [found[position] for position in range(len(pieces))]
        return [StrategyEvaluation.concatenate([piece[at] for piece in ordered]) for at in range(len(ordered[0]))]

    @property
    def piece(self) -> int:
        """Universes at a time."""
        return min(self.chunk, ONE_BY_ONE) if self.one_by_one else self.chunk

    @property
    def one_by_one(self) -> bool:
        """Whether the work is in the code of a strategy that takes universes one by one."""
        return any(one.one_by_one for one in self.strategies)

    def __call__(self, universes: Universes) -> list[StrategyEvaluation]:
        """Every strategy on universes in memory, all at once."""
        periods = self.periods_per_year or universes.history.periods_per_year
        held = self.benchmark
        if held is None:
            held = total_return(buy_and_hold(universes, self.terms, periods_per_year=periods).equity)
        before = StrategyEvaluation(pd.DataFrame(), error="it failed before", universes=len(universes))
        found = [
            before if at in self.broken else self._keeping(at)._attempted([one], universes, held, periods)
            for at, one in enumerate(self.strategies)
        ]
        if self.portfolio:
            places = [at for at, one in enumerate(self.strategies) if one.name in self.portfolio]
            members = [self.strategies[at] for at in places]
            failed = not self.broken.isdisjoint(places)
            portfolio = self._keeping(len(self.strategies))
            found.append(before if failed else portfolio._attempted(members, universes, held, periods))
        return found

    def _keeping(self, at: int) -> Evaluator:
        """The same for one strategy, whose accounts are kept or not; the portfolio stands behind the last."""
        return self if self.kept_of is None or at in self.kept_of else replace(self, keep_accounts=0)

    def _attempted(
        self,
        members: list[Strategy],
        universes: Universes,
        held: FloatArray,
        periods: float,
    ) -> StrategyEvaluation:
        """What a strategy's accounts, or a portfolio's, are worth, without universes in which their code failed."""
        try:
            account = (self._alone if len(members) == 1 else self._together)(members, universes, periods)
        except StrategyError as error:
            if not self.keep_going:
                raise
            return StrategyEvaluation(pd.DataFrame(), log=_logged(members), error=str(error), universes=len(universes))
        log = _logged(members)
        kept = ~np.isin(universes.ids, list(log.failures))
        table = measures(account, periods, held, self.terms.risk_free)
        equity = account.equity
        if not kept.all():
            table, equity = table[kept], equity[:, kept]
        fan = losing = None
        if self.keep_fan:
            fan = Sketch.of(equity, unit=self.terms.init_cash)
            losing = (equity < self.terms.init_cash).sum(axis=1)
        return StrategyEvaluation(
            table,
            equity if self.keep_equity else None,
            fan,
            losing,
            log,
            universes=len(universes),
            conflicts=int(account.conflicts.sum()),
            untraded=int(account.untraded.sum()),
            account=self._kept(account, kept),
        )

    def _kept(self, account: Backtest, kept: NDArray[np.bool_]) -> Backtest | None:
        """The accounts of the first universes, where they are kept."""
        chosen = np.flatnonzero(kept & (account.ids < self.keep_accounts))
        return account.take(chosen) if len(chosen) else None

    def _alone(self, members: list[Strategy], universes: Universes, periods: float) -> Backtest:
        return backtest(members[0], universes, self.terms, periods_per_year=periods, inside=self.inside)

    def _together(self, members: list[Strategy], universes: Universes, periods: float) -> Backtest:
        """The portfolio's accounts, each member's on its share of the capital."""
        cash = self.terms.init_cash
        shares = [replace(self.terms, init_cash=cash * self.portfolio[one.name]) for one in members]
        parts = [
            backtest(one, universes, terms, periods_per_year=periods)
            for one, terms in zip(members, shares, strict=True)
        ]
        return combine(parts, cash)


@dataclass(frozen=True)
class _Pieces:
    """Universes in pieces of nearly equal size: positions of those in memory, or the position of one shard on disk."""

    evaluator: Evaluator
    universes: Universes | str | Path

    def pieces(self) -> list[Positions]:
        """One after the other; a shard each on disk."""
        if isinstance(self.universes, Universes):
            return _split(len(self.universes), self.evaluator.piece, tried=self.evaluator.one_by_one)
        return [np.array([position]) for position in range(len(shards(self.universes)))]

    def __call__(self, piece: Positions) -> list[StrategyEvaluation]:
        """Every strategy on a piece."""
        if isinstance(self.universes, Universes):
            part, held = slice(int(piece[0]), int(piece[-1]) + 1), self.evaluator.benchmark
            evaluator = self.evaluator if held is None else replace(self.evaluator, benchmark=held[part])
            return evaluator(self.universes.take(part))
        shard = Universes.load_shard(shards(self.universes)[int(piece[0])])
        parts = [
            self.evaluator(shard.take(slice(part[0], part[-1] + 1)))
            for part in _split(len(shard), self.evaluator.piece)
        ]
        return [StrategyEvaluation.concatenate(of_one) for of_one in zip(*parts, strict=True)]


def _logged(members: list[Strategy]) -> CallLog:
    """What calls of these strategies left behind until now."""
    log = CallLog()
    for one in members:
        log.add(one.log.take())
    return log


def _split(count: int, most: int, *, tried: bool = False) -> list[Positions]:
    """Consecutive positions in pieces of at most so many, as equal as can be; after two small ones to try."""
    positions = np.arange(count)
    first = [positions[:TRIED], positions[TRIED : 2 * TRIED]] if tried and most > TRIED and count > 2 * most else []
    rest = positions[sum(map(len, first)) :]
    return first + np.array_split(rest, -(-len(rest) // most))


def curves(evaluation: StrategyEvaluation) -> NDArray[np.float64]:
    """The curves that were kept."""
    assert evaluation.equity is not None
    return evaluation.equity


def measures(
    account: Backtest, periods_per_year: float, benchmark: Backtest | FloatArray | None = None, risk_free: float = 0.0
) -> pd.DataFrame:
    """All measures of a strategy in each universe.

    Args:
        account: of the strategy.
        periods_per_year: bars in a year.
        benchmark: buy and hold in the same universes, or its total returns (N,), which `excess_return` compares with;
            None leaves it undefined.
        risk_free: interest a year, which Sharpe and Sortino subtract bar by bar.

    Returns:
        (N,) rows indexed by universe id, one column per measure in the order of `MEASURES`.
    """
    if benchmark is None:
        benchmark = np.full(len(account.ids), np.nan)
    held = total_return(benchmark.equity) if isinstance(benchmark, Backtest) else benchmark
    inputs = MeasureInputs(account, periods_per_year, held, risk_free)
    columns = {name: row.compute(inputs) for name, row in MEASURES.items()}
    return pd.DataFrame(columns, index=pd.Index(account.ids, name="universe"))
