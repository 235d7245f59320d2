"""Who takes part in a run: strategies in the form that their code takes, checked, and which of them came through.

A strategy that fails on the history ends the run before it begins; one that fails later leaves the others theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.backtest.portfolio import PORTFOLIO
from stresslab.core.errors import InputError, LookAheadError, StrategyError
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.runs.shard_result import Contestants
from stresslab.strategy import LOCATED, Strategy, describe_failures
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.lookahead.check import LookAheadReport, find_lookahead


@dataclass(frozen=True)
class Entrants:
    """The strategies of a run, each with the report of its look-ahead check.

    Attributes:
        strategies: in the order given.
        lookaheads: one report for each.
        failed: by name, why a strategy (or the portfolio) that was there has no result.
        allowed: universes in which the code of each may fail.
    """

    strategies: list[Strategy]
    lookaheads: list[LookAheadReport]
    failed: Mapping[str, str]
    allowed: int

    @classmethod
    def admitted(
        cls,
        strategies: Sequence[Strategy],
        history: Bars,
        *,
        allow_lookahead: bool = False,
        allow_failures: int = 0,
        advance: Callable[[int], None] | None = None,
    ) -> Entrants:
        """Strategies that run on the history, in their forms, and do not look ahead unless that is allowed.

        Raises:
            LookAheadError: one of them looks ahead.
            StrategyError: the code of one fails on real bars.
        """
        if isinstance(allow_failures, bool) or not isinstance(allow_failures, int) or allow_failures < 0:
            raise InputError(f"allow_failures={allow_failures!r} is no number of universes; give 0 or more")
        admitted, reports = [], []
        for one in strategies:
            strategy = detect_call_style(one, history)
            report = find_lookahead(strategy, history)
            if report.found and not allow_lookahead:
                raise LookAheadError(
                    f"strategy {strategy.name!r} looks ahead: {report.found[0]}; decide from bars up to the current "
                    "one, or give `allow_lookahead` to go on and have every page say so"
                )
            admitted.append(replace(strategy, excused=max(allow_failures, LOCATED)))
            reports.append(report)
            if advance is not None:
                advance(1)
        return cls(admitted, reports, {}, allow_failures)

    def without(self, failed: Mapping[str, str]) -> Entrants:
        """Those that are left.

        Raises:
            StrategyError: none is.
        """
        kept = [at for at, one in enumerate(self.strategies) if one.name not in failed]
        if not kept:
            raise StrategyError(next(iter(failed.values())))
        return replace(
            self,
            strategies=[self.strategies[at] for at in kept],
            lookaheads=[self.lookaheads[at] for at in kept],
            failed={**self.failed, **failed},
        )


def failures_on(
    names: Sequence[str], found_on: Mapping[str, Sequence[StrategyEvaluation]], allowed: int
) -> dict[str, str]:
    """Why strategies have no result, by name.

    Args:
        names: of the strategies (and the portfolio), in the order of the evaluations.
        found_on: evaluations by ground; those on "universes" may have failed in a few.
        allowed: universes in which the code of each may fail.
    """
    failed = {}
    for at, name in enumerate(names):
        in_universes = found_on["universes"][at]
        count = len(in_universes.log.failures)
        errors = [of[at].error for of in found_on.values() if of[at].error]
        if errors:
            failed[name] = errors[0]
        elif count > allowed or in_universes.metrics.empty:
            told = describe_failures(name, in_universes.log.failures, in_universes.universes)
            failed[name] = f"{told} (`allow_failures={count}` would leave these universes out)"
    return failed


def remaining(
    found_on: Mapping[str, Sequence[StrategyEvaluation]], names: Sequence[str], failed: Mapping[str, str]
) -> dict[str, list[StrategyEvaluation]]:
    """The evaluations of those that did not fail."""
    kept = [at for at, name in enumerate(names) if name not in failed]
    return {ground: [found[at] for at in kept] for ground, found in found_on.items()}


def met(universes: Universes, evaluation: StrategyEvaluation) -> Universes:
    """The universes that a strategy has a result in."""
    failures = evaluation.log.failures
    return universes if not failures else universes.take(np.flatnonzero(~np.isin(universes.ids, list(failures))))


def came_through(
    entrants: Entrants, judged: Contestants, found_on: dict[str, list[StrategyEvaluation]]
) -> tuple[Entrants, Contestants, dict[str, list[StrategyEvaluation]]]:
    """Those whose code did not fail, what they trade in, and what was found of them."""
    names = [one.name for one in judged.strategies] + ([PORTFOLIO] if judged.shares else [])
    failed = failures_on(names, found_on, entrants.allowed)
    if not failed:
        return entrants, judged, found_on
    entrants = entrants.without(failed)
    shares = {} if PORTFOLIO in failed else judged.shares
    return entrants, replace(judged, strategies=entrants.strategies, shares=shares), remaining(found_on, names, failed)


def joint(strategies: list[Strategy], lookaheads: list[LookAheadReport], shares: Mapping[str, float]) -> dict[str, Any]:
    """What the look-ahead check found in the strategies of a book, the first one that looks ahead if any does."""
    parts = [found for one, found in zip(strategies, lookaheads, strict=True) if one.name in shares]
    return next((one for one in parts if one.found), parts[0]).to_dict()
