"""A case: one strategy with everything that studies ask of it, each account and each measure computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from stresslab.analysis.permutation_test import (
    LONGEST,
    timing_in_universes,
)
from stresslab.backtest import Backtest, Terms, buy_and_hold
from stresslab.backtest.evaluate import evaluate
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import StrategyError
from stresslab.core.parallel import WORTH_PROCESSES_SECONDS
from stresslab.core.plain_json import plain
from stresslab.data.bars import Bars
from stresslab.data.market_index import IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.transforms import drift_neutral
from stresslab.metrics.distribution import (
    DRAWDOWNS,
    expected_shortfall,
    probability_of_drawdown,
    probability_of_loss,
    wilson,
)
from stresslab.metrics.market_timing import Timing
from stresslab.metrics.performance import total_return
from stresslab.strategy import Strategy, describe_failures
from stresslab.strategy.recorded import record

STUDIED = 2000
"""Universes that studies look at, at most: the first of the run."""
STRATEGIES = 12
"""Strategies of a run that are studied, at most; in a larger grid only what costs nothing is asked of each."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """Bars that a strategy had not been fitted to, since it was frozen before them.

    Attributes:
        bars: all real bars, those before included.
        since: the last bar that had been seen when it was frozen.
        looks: how often those after it were looked at, this time included.
    """

    bars: Bars
    since: pd.Timestamp
    looks: int


def nobody(count: int) -> None:
    """Progress that nobody follows."""


class Benchmarks:
    """What cases share: buy and hold in the same universes, and others that are made of these, whatever the strategy.

    Each is computed once and kept for as long as the universes are in use.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._returns: WeakKeyDictionary[Universes, list[tuple[Terms, FloatArray]]] = WeakKeyDictionary()
        self._made: WeakKeyDictionary[Universes, dict[object, Universes]] = WeakKeyDictionary()

    def of(self, universes: Universes, terms: Terms) -> FloatArray:
        """(N,) total return of buy and hold in each universe."""
        known = self._returns.setdefault(universes, [])
        for on, returns in known:
            if on == terms:
                return returns
        found = total_return(buy_and_hold(universes, terms).equity)
        known.append((terms, found))
        return found

    def made(self, universes: Universes, what: object, make: Callable[[Universes], Universes]) -> Universes:
        """What is made of universes, by a name of its own."""
        known = self._made.setdefault(universes, {})
        if what not in known:
            known[what] = make(universes)
        return known[what]

    def drift_neutral(self, universes: Universes) -> Universes:
        """The same universes where the mean return of each lead is taken out."""
        return self.made(universes, "drift neutral", drift_neutral)


BENCHMARKS = Benchmarks()
"""Those of this process, for the universes that runs share."""


@dataclass(frozen=True, eq=False)
class Case:
    """One strategy and what it is studied in; each account is computed once, when it is first asked for.

    Attributes:
        strategy: whose logic is asked.
        universes: the first `STUDIED` of the run in which its code did not fail.
        history: real bars up to the origin.
        terms: of the accounts.
        seed: of the run.
        jobs: processes.
        followed: the real series after the origin; None without a full horizon of it.
        frozen: what followed since it was frozen; None for a strategy that was not.
        others: universes of other generators by name, for how far a figure depends on the choice of one.
        kept: the accounts in these universes, where the run kept them.
        all_metrics: measures in all universes of the run, one row each; those of these universes where it is None.
        benchmarks: shared by the cases of a run.
        compared: with buy and hold; where it is not, `excess_return` is NaN.
        folds: the test from other dates, where it was asked for.
        alternatives: rows of other generators, where they were asked for.
        sweep: rows of other settings of the generator, where they were asked for.
        what_if: "rows" of conditions and shocks and conditions "too_rare", where these were asked for.
        advance: called with the number of universes in which the strategy's code was newly run.
        work: universes in which all studies of all strategies run code, by which processes are worth starting.
    """

    strategy: Strategy
    universes: Universes
    history: Bars
    terms: Terms
    seed: int = 0
    jobs: int = 1
    followed: Universes | None = None
    frozen: Frozen | None = None
    others: Mapping[str, Universes] = field(default_factory=dict)
    kept: Backtest | None = None
    all_metrics: pd.DataFrame | None = None
    benchmarks: Benchmarks = field(default_factory=Benchmarks)
    compared: bool = True
    folds: Sequence[Any] | None = None
    alternatives: list[dict[str, Any]] | None = None
    sweep: list[dict[str, Any]] | None = None
    what_if: Mapping[str, list[dict[str, Any]]] | None = None
    advance: Callable[[int], None] = nobody
    work: int = 0

    @property
    def is_known(self) -> bool:
        """Whether the run kept the accounts in these universes and their measures."""
        return self.kept is not None and self.all_metrics is not None and len(self.kept) == len(self.universes)

    @cached_property
    def _evaluated(self) -> tuple[Universes, Backtest, pd.DataFrame]:
        """Universes in which the code does not fail, the accounts there and their measures."""
        if self.is_known:
            assert self.kept is not None
            assert self.all_metrics is not None
            return self.universes, self.kept, self.all_metrics.iloc[: len(self.kept)]
        held = self.benchmarks.of(self.universes, self.terms) if self.compared else np.full(len(self.universes), np.nan)
        (found,) = evaluate(
            [self.strategy],
            self.universes,
            self.terms,
            jobs=self.jobs,
            progress=self.advance,
            patience=self.patience,
            periods_per_year=self.history.periods_per_year,
            keep_accounts=2**32,
            benchmark=held,
        )
        if found.account is None:  # universes so few that all of them are excused
            raise StrategyError(describe_failures(self.strategy.name, found.log.failures, len(self.universes)))
        return (
            self.universes.take(np.flatnonzero(np.isin(self.universes.ids, found.account.ids))),
            found.account,
            found.metrics,
        )

    @property
    def evaluated(self) -> Universes:
        """These universes without those in which the code fails."""
        return self._evaluated[0]

    @property
    def account(self) -> Backtest:
        """The strategy's accounts in these universes."""
        return self._evaluated[1]

    @property
    def metrics(self) -> pd.DataFrame:
        """All measures in these universes."""
        return self._evaluated[2]

    @cached_property
    def inside(self) -> Backtest:
        """The same accounts, valued inside bars too."""
        (found,) = evaluate(
            [self.strategy],
            self.evaluated,
            self.terms,
            jobs=self.jobs,
            periods_per_year=self.history.periods_per_year,
            keep_accounts=2**32,
            benchmark=np.zeros(len(self.evaluated)),
            inside=True,
        )
        assert found.account is not None
        return found.account

    @property
    def run_metrics(self) -> pd.DataFrame:
        """All measures in all universes of the run."""
        return self.metrics if self.all_metrics is None else self.all_metrics

    @cached_property
    def timing(self) -> Timing:
        """Its timing in these universes."""
        universes, account, _ = self._evaluated
        return timing_in_universes(account, universes, self.history.periods_per_year)

    def elsewhere(self, universes: Universes, terms: Terms | None = None, *, compared: bool = True) -> Case:
        """The same strategy in other universes, or on other terms; with buy and hold there beside it, or without."""
        return replace(
            self, universes=universes, terms=terms or self.terms, kept=None, all_metrics=None, compared=compared
        )

    def with_strategy(self, strategy: Strategy) -> Case:
        """Another strategy in the same universes, without buy and hold beside it."""
        return replace(self.elsewhere(self.universes, compared=False), strategy=strategy)

    def with_answers(self, **answers: Any) -> Case:
        """The same case with what other generators or settings gave; what was computed is kept."""
        other = replace(self, **answers)
        computed = {name: value for name, value in vars(self).items() if name not in {one.name for one in fields(self)}}
        vars(other).update(computed)
        return other

    @cached_property
    def drift_neutral(self) -> Case:
        """The same strategy where the mean return of each lead is taken out."""
        return self.elsewhere(self.benchmarks.drift_neutral(self.universes))

    def measured(self, universes: Universes, terms: Terms | None = None) -> pd.DataFrame:
        """The measures of the strategy in other universes, or on other terms; universes in which it fails are out.

        Nothing is compared with buy and hold there. On other terms in the case's own universes they are kept, since
        several studies ask for the same ones.
        """
        if universes is not self.universes:
            return self.elsewhere(universes, terms, compared=False).metrics
        terms = terms or self.terms
        if terms == self.terms:
            return self.metrics
        if terms not in self._on_terms:
            other = self.elsewhere(universes, terms, compared=False)
            if replace(terms, costs=self.terms.costs) == self.terms:
                other = replace(other, strategy=self.decided, advance=nobody)
            self._on_terms[terms] = other.metrics
        return self._on_terms[terms]

    @cached_property
    def decided(self) -> Strategy:
        """The strategy with what it decides in these universes written down, for other costs and orders that wait.

        Of several symbols it is the strategy itself.
        """
        if isinstance(self.universes, IndexUniverses):
            return self.strategy
        return record(
            self.strategy, self.universes, self.terms.warmup, self.terms.init_cash, jobs=self.jobs,
            progress=self.advance, patience=self.patience,
        )  # fmt: skip

    @property
    def patience(self) -> float:
        """Seconds that these universes may take in one process: as a part of what all the work may take.

        None at all where it is known that all of it takes longer, since each call was timed.
        """
        work = max(self.work, len(self.universes))
        if self.strategy.form.seconds * work > WORTH_PROCESSES_SECONDS:
            return 0.0
        return WORTH_PROCESSES_SECONDS * len(self.universes) / work

    @property
    def permuted_bars(self) -> int:
        """Bars of the history that a permutation holds."""
        return min(len(self.history), LONGEST)

    @property
    def bars_per_permutation(self) -> float:
        """Bars of a permutation over those that a strategy sees of a universe."""
        return self.permuted_bars / (min(self.terms.warmup, len(self.history)) + self.universes.horizon)

    def permuted(self, count: int) -> None:
        """Say that the strategy was run on so many permutations of the history, each as long as several universes."""
        self.advance(round(count * self.bars_per_permutation))

    @cached_property
    def _on_terms(self) -> dict[Terms, pd.DataFrame]:
        """Measures in these universes on other terms, which several studies look at."""
        return {}


def figures(metrics: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """The figures of fragility, each with its Monte Carlo interval.

    Args:
        metrics: one row per universe.
        seed: of the shortfall's bootstrap.
    """
    returns, drawdowns = metrics["total_return"], metrics["max_drawdown"]
    return {
        "universes": len(metrics),
        "probability_of_loss": probability_of_loss(returns).to_dict(),
        "probability_of_drawdown": {
            str(depth): probability_of_drawdown(drawdowns, depth).to_dict() for depth in DRAWDOWNS
        },
        "expected_shortfall_97_5": expected_shortfall(returns, seed=seed).to_dict(),
        "median_return": plain(float(returns.median())),
        "time_under_water": plain(float(metrics["time_under_water"].median())),
        "ruined": wilson(int((returns <= -1).sum()), len(metrics)).to_dict(),
    }
