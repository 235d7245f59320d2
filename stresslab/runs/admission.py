"""Which strategies take part in a run: those that run on the history and do not look ahead, and the portfolio of them.

A strategy that fails on the history ends the run before it begins; where one fails later, the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from stresslab.analysis.strategy_run import StrategyRun
from stresslab.backtest.portfolio import PORTFOLIO
from stresslab.core.errors import LookAheadError, StrategyError
from stresslab.data.bars import Bars
from stresslab.data.market_index import IndexBars
from stresslab.strategy import LOCATED, Strategy, describe_failures
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.lookahead.check import EVERY_BAR_SECONDS, find_lookahead


def suited_to(bars: Bars, strategies: Sequence[Strategy]) -> tuple[list[Strategy], list[str]]:
    """The strategies that can trade the bars, and a notice of those that cannot, which need several symbols.

    Where none can, all stay, so that the first says what is missing.
    """
    others = [one for one in strategies if one.takes_market and not isinstance(bars, IndexBars)]
    if not others or len(others) == len(strategies):
        return list(strategies), []
    named = ", ".join(one.name for one in others)
    several = "trades" if len(others) == 1 else "trade"
    return (
        [one for one in strategies if one not in others],
        [f"Left out: {named}, which {several} several symbols; the data are one series."],
    )


def admit(
    strategies: Sequence[Strategy],
    history: Bars,
    shares: Mapping[str, float],
    *,
    allow_lookahead: bool = False,
    allow_failures: int = 0,
    seed: int = 0,
    advance: Callable[[int], None] | None = None,
) -> list[StrategyRun]:
    """Strategies in the call style that their code takes, and last the portfolio where there is one.

    Args:
        strategies: as they were loaded.
        history: real bars up to the origin.
        shares: of the portfolio, by name; empty without one.
        allow_lookahead: take strategies that look ahead.
        allow_failures: universes in which the code of each may fail.
        seed: of what the look-ahead check draws.
        advance: called with 1 after each strategy.

    Raises:
        LookAheadError: one of them looks ahead.
        StrategyError: the code of one fails on real bars.
    """
    runs, patience = [], EVERY_BAR_SECONDS / max(1, len(strategies))
    for one in strategies:
        strategy = detect_call_style(one, history)
        report = find_lookahead(strategy, history, seed=seed, patience=patience)
        if report.found and not allow_lookahead:
            raise LookAheadError(
                f"strategy {strategy.name!r} looks ahead: {report.found[0]}; decide from bars up to the current "
                "one, or give `allow_lookahead` to go on and have every page say so"
            )
        strategy = replace(strategy, excused=max(allow_failures, LOCATED))
        runs.append(StrategyRun(strategy.name, strategy.parameters, report, strategy))
        if advance is not None:
            advance(1)
    if shares:
        reports = [run.lookahead for run in runs if run.name in shares]
        report = next((one for one in reports if one.found), reports[0])
        runs.append(StrategyRun(PORTFOLIO, dict(shares), report))
    return runs


def without_failed(runs: Sequence[StrategyRun], allowed: int) -> tuple[list[StrategyRun], dict[str, str]]:
    """The runs that may have a result, and why the others have none, by name.

    Args:
        runs: evaluated, at least in universes.
        allowed: universes in which the code of each may fail.

    Raises:
        StrategyError: no strategy is left.
    """
    for run in runs:
        run.failure = run.failure or _failure(run, allowed)
    failed = {run.name: run.failure for run in runs if run.failure}
    kept = [run for run in runs if not run.failure]
    if not any(run.strategy is not None for run in kept):
        raise StrategyError(next(iter(failed.values())))
    return kept, failed


def _failure(run: StrategyRun, allowed: int) -> str:
    """Why a strategy has no result; empty where it has one."""
    evaluated = [found for found in (run.universes, run.backtest, run.realised) if found is not None]
    for found in evaluated:
        if found.error:
            return found.error
    failures = run.in_universes.log.failures
    if len(failures) > allowed or run.in_universes.metrics.empty:
        described = describe_failures(run.name, failures, run.in_universes.universes)
        return f"{described} (`allow_failures={len(failures)}` would leave these universes out)"
    return ""
