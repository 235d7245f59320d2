"""What a reader must know before relying on a run: one sentence each, from what was set and what was found.

The report decides how they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stresslab.analysis.case import STRATEGIES
from stresslab.analysis.permutation_test import LONGEST
from stresslab.analysis.result import StrategyResult
from stresslab.analysis.strategy_run import StrategyRun
from stresslab.backtest.portfolio import PORTFOLIO
from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import MEASURED
from stresslab.generators.garch import FITTED
from stresslab.realism import Realism
from stresslab.runs.trial_ledger import LEDGER, Earlier
from stresslab.strategy import CallLog, Strategy, describe_failures
from stresslab.strategy.loading import import_seconds
from stresslab.strategy.lookback import find_lookback

LONG_IMPORT_SECONDS = 1.0
"""Seconds of an import that are worth a word, libraries left out, which are imported once."""
MOST_LOOKBACKS = 20
"""Strategies (of a grid) whose need of history is looked for."""


def of_generator(generator: Mapping[str, Any], in_sample: bool | None) -> list[str]:
    """What the generator's settings and training mean for the figures."""
    notices = []
    if in_sample:
        notices.append(
            f"In-sample for the generator: it was trained on bars up to {generator['trained_until']}, after the "
            "origin, so it may know what followed."
        )
    if generator.get("top_p", 1.0) < 1.0 or generator.get("top_k", 0) > 0:
        notices.append(
            f"top_p={generator.get('top_p')}, top_k={generator.get('top_k')} cut the tails of every bar, so risk is "
            "understated; risk figures are meant for top_p=1 and top_k=0."
        )
    if generator.get("temperature", 1.0) != 1.0:
        notices.append(
            f"temperature={generator['temperature']} is not the distribution that the model learned: below 1 it "
            "narrows the universes, above 1 it widens them."
        )
    return notices


def of_copies(sampled: int, distinct: int) -> list[str]:
    """That universes are identical, and count once."""
    if distinct == sampled:
        return []
    which = "is" if distinct == 1 else "are"
    return [
        f"Only {distinct:,} of {sampled:,} universes {which} distinct: identical ones count once, in every figure and "
        "interval. Settings that cut the generator's choices (top_k, top_p, a low temperature) make copies."
    ]


def of_long_history(bars: int, permutations: int) -> list[str]:
    """Of which of so many bars some parts of a run are, where that is not all of them.

    Args:
        bars: of the history.
        permutations: of the test of timing; 0 where there is none.
    """
    parts = []
    if permutations and bars > LONGEST:
        parts.append(f"the last {LONGEST:,} decide whether its timing is luck")
    if bars > max(MEASURED, FITTED):
        parts.append(
            f"the last {MEASURED:,} decide the length of the bootstrap's blocks, and the last {FITTED:,} the "
            "parameters of GARCH"
        )
    return [f"Of {bars:,} bars of history {', '.join(parts)}; all else is of all of them."] if parts else []


def of_future(future: Bars | None, horizon: int) -> list[str]:
    """Why there is no realised outcome where one might be expected."""
    if future is None or len(future) == horizon:
        return []
    return [
        f"Only {len(future)} of {horizon} real bars follow the origin: they are drawn but not compared, since risk "
        "grows with the horizon."
    ]


def of_ledger(earlier: Earlier, trials: float) -> list[str]:
    """That the same bars were tested before, and that what is chosen now is judged as one of so many.

    Args:
        earlier: what the ledger beside the runs says.
        trials: that this run's strategies are judged as the best of.
    """
    notices = []
    if earlier.runs:
        runs = "once" if earlier.runs == 1 else f"{earlier.runs:,} times"
        variants = "1 variant" if earlier.variants == 1 else f"{earlier.variants:,} variants"
        notices.append(
            f"These bars were tested {runs} before, with {variants} of strategies ({LEDGER} beside the runs): edge and "
            f"Sharpe ratio are judged as those of the best of {trials:.3g} trials."
        )
    if earlier.unread:
        lines = "1 line" if earlier.unread == 1 else f"{earlier.unread:,} lines"
        notices.append(f"{lines} of {LEDGER} cannot be read: these bars may have been tested more often than is known.")
    return notices


def of_unassessed(results: Sequence[StrategyResult]) -> list[str]:
    """Whose edge was not assessed, and what its label goes by then.

    Args:
        results: of every strategy, and of the portfolio where there is one.
    """
    notices = []
    left = [one.name for one in results if one.edge is None]
    rules = [name for name in left if name != PORTFOLIO]
    if rules:
        them = " and ".join(rules) if len(rules) <= 2 else f"{len(rules):,} strategies"
        notices.append(
            f"The edge of {them} was not assessed: that takes hundreds of runs on permuted bars, made for the "
            f"{STRATEGIES} strategies with the best backtests, and which the code must not fail in. Without it a label "
            "goes by P(loss) as generated, and is never robust; run these strategies by themselves."
        )
    if PORTFOLIO in left:
        notices.append(
            "The edge of the portfolio was not assessed: it holds accounts, and has no rule of its own to run on "
            "permuted bars. Its label goes by P(loss) as generated, and is never robust; read its strategies' edges."
        )
    return notices


def of_realism(found: Realism | None, accepted: bool) -> list[str]:
    """That a verdict rests on universes which the gate does not trust."""
    if found is None or found.label != "not trusted" or not accepted:
        return []
    return [
        "The universes are not trusted on this market; the verdict rests on them because `accept_untrusted` was given."
    ]


def of_lookahead(runs: Sequence[StrategyRun]) -> list[str]:
    """Strategies that look ahead although that was allowed, and those that could not be checked."""
    notices = []
    for run in runs:
        report = run.lookahead
        if run.strategy is None:
            continue
        if report.found:
            notices.append(f"{run.name} LOOKS AHEAD ({report.found[0]}): its figures are no evidence.")
        elif report.chance:
            notices.append(
                f"{run.name} DECIDES BY CHANCE: {report.chance} is another one each time on the very same bars, "
                "so no run of it can be repeated, and whether it looks ahead is open; seed random numbers inside it."
            )
        elif report.inconclusive:
            notices.append(f"{run.name}: whether it looks ahead is open: {report.covered}.")
    return notices


def of_lookback(runs: Sequence[StrategyRun], history: Bars, warmup: int, horizon: int) -> list[str]:
    """Strategies that need more history than the warm-up shows them, with the number to give."""
    strategies = [run.strategy for run in runs if run.strategy is not None][:MOST_LOOKBACKS]
    found = [(one.name, find_lookback(one, history, warmup, horizon)) for one in strategies]
    return [f"{name}: {one}." for name, one in found if one is not None and not one.enough]


def of_orders(runs: Sequence[StrategyRun]) -> list[str]:
    """Decisions on real bars that contradicted each other, and orders that filled where nobody traded."""
    notices = []
    for run in runs:
        if run.strategy is None:
            continue
        real = [one for one in (run.backtest, run.realised) if one is not None]  # before and after the origin
        conflicts, untraded = sum(one.conflicts for one in real), sum(one.untraded for one in real)
        if conflicts:
            bars = "1 real bar" if conflicts == 1 else f"{conflicts:,} real bars"
            notices.append(
                f"{run.name} contradicts itself in {bars} (entry and exit of one side, or entries of both sides, "
                "at one close): such a bar is ignored and what is held stays; make one of the two win in the code."
            )
        if untraded:
            bars = "1 real bar" if untraded == 1 else f"{untraded:,} real bars"
            notices.append(
                f"{run.name} trades in {bars} in which, by their volume, nobody traded (flat, volume 0): such "
                "fills were not to be had; look at the warnings about the bars."
            )
    return notices


def of_calls(runs: Sequence[StrategyRun]) -> list[str]:
    """What calling the strategies' code cost and left behind: calls one by one, excused failures, printing, warnings.

    The parameter sets of one strategy share a sentence, but for failures.
    """
    notices, alone, printed = [], dict[str, list[Strategy]](), dict[str, CallLog]()
    imported: dict[str, float] = {}
    for run in runs:
        if (strategy := run.strategy) is None:
            continue
        evaluation, family = run.in_universes, strategy.name.partition("[")[0]
        log = evaluation.log
        if strategy.form.one_by_one:
            alone.setdefault(family, []).append(strategy)
        if log.characters or log.warnings:
            printed.setdefault(family, CallLog()).add(log)
        if strategy.path is not None and import_seconds(strategy.path) >= LONG_IMPORT_SECONDS:
            imported[Path(strategy.path).name] = import_seconds(strategy.path)
        if log.failures:
            why = describe_failures(strategy.name, log.failures, evaluation.universes)
            notices.append(f"{why[0].upper()}{why[1:]}; its results leave these out, and studies stay flat there.")
    for name, sets in alone.items():
        form = sets[0].form
        notices.append(
            f"{name} was written for one series: it is called once for each universe (about {1000 * form.seconds:,.0f} "
            f"ms for {form.rows:,} bars) and not once for all of them; docs/strategies.md says how to make it faster."
        )
    for name, log in printed.items():
        first = " ".join(log.beginning.split())
        if log.characters:
            notices.append(f"{name} printed {log.characters:,} characters, which are not shown; they begin {first!r}.")
        notices += [f"{name}'s code warns: {text}." for text in log.warnings]
    notices += [
        f"{name} runs for {seconds:.1f} s each time it is imported, which every process does again: put what is not "
        'the strategy, such as a backtest of its own or a download, under `if __name__ == "__main__":`.'
        for name, seconds in imported.items()
    ]
    return notices
