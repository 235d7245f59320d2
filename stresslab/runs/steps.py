"""The steps of a run, in their order: each takes what the one before it made and the plan, and says how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from stresslab.analysis.alternative_generators import alternative_generators
from stresslab.analysis.case import BENCHMARKS, STRATEGIES, STUDIED, Case
from stresslab.analysis.edge import Trials
from stresslab.analysis.generator_sensitivity import check_tunable, settings, sweep
from stresslab.analysis.multiple_testing import compare_strategies
from stresslab.analysis.planted_losses import other_universes
from stresslab.analysis.reoptimisation import reoptimisation
from stresslab.analysis.result import StrategyResult
from stresslab.analysis.strategy_run import StrategyRun, shares_of, strategies_of
from stresslab.analysis.studies import Question, judged, left_out, studied, universes_to_judge, universes_to_study
from stresslab.analysis.summarise import findings_of, held_value, strategy_result
from stresslab.analysis.walk_forward import UNIVERSES, FoldPlan, fold_ends, walk_forward
from stresslab.backtest.evaluate import Evaluator, StrategyEvaluation
from stresslab.core.progress import Countdown, Stages
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars, symbols_of
from stresslab.data.origin import after_origin, before_origin, split_at_origin
from stresslab.data.universes import Universes
from stresslab.generators.matched import ALTERNATIVES
from stresslab.generators.registry import make_generator
from stresslab.realism import ASSESSED, Realism, Trust
from stresslab.runs.admission import admit, suited_to
from stresslab.runs.cached import cached, realism_from
from stresslab.runs.environment import code
from stresslab.runs.plan import Plan
from stresslab.runs.shard_result import ShardResult
from stresslab.runs.shard_stream import MAX_FOR_PRECISION, ShardStream, at_most, to_precision
from stresslab.runs.trial_ledger import Earlier, Entry, before, fresh_bars
from stresslab.runs.what_if import with_what_if


@dataclass(frozen=True, eq=False)
class Window:
    """The real bars of a run on both sides of its origin.

    Attributes:
        bars: all of them.
        history: up to the origin.
        future: after it, at most a horizon; None where there are none.
        horizon: bars of a universe.
        warmup: bars that indicators warm up on.
    """

    bars: Bars
    history: Bars
    future: Bars | None
    horizon: int
    warmup: int

    @cached_property
    def before(self) -> Universes:
        """The real bars before the origin as one universe."""
        return before_origin(self.history, self.warmup)

    @cached_property
    def after(self) -> Universes | None:
        """The real bars after the origin as one universe; None where they are no full horizon."""
        return after_origin(self.history, self.future, self.horizon)

    @property
    def looked_at(self) -> Bars:
        """Bars up to the end of the horizon."""
        return self.bars[: len(self.history) + self.horizon]


def split(bars: Bars | Market, plan: Plan) -> Window:
    """History and what followed, of a market those of its index, which carries it.

    Dates of a walk-forward test that do not fit are refused before anything is computed.
    """
    bars = IndexBars.of(bars) if isinstance(bars, Market) else bars
    plan.terms.check_symbols(symbols_of(bars))
    history, future = split_at_origin(bars, plan.origin, plan.horizon)
    if plan.studies.walk_forward is not None:
        fold_ends(history, plan.horizon, plan.studies.walk_forward)
    plan.studies.what_if.check_history(plan.horizon, history)
    return Window(bars, history, future, plan.horizon, plan.terms.warmup)


def admit_strategies(plan: Plan, window: Window, stages: Stages) -> list[StrategyRun]:
    """The strategies that run on the history and do not look ahead, and the portfolio."""
    strategies, _ = suited_to(window.bars, plan.strategies)
    with stages.stage("look-ahead check", len(strategies)) as advance:
        return admit(
            strategies, window.history, plan.shares, allow_lookahead=plan.allow_lookahead,
            allow_failures=plan.compute.allow_failures, seed=plan.seed, advance=advance,
        )  # fmt: skip


def assess_generator(plan: Plan, window: Window, stages: Stages) -> Realism | None:
    """How the generator's universes compare with what followed past origins; None where that was not asked."""
    origins = plan.studies.realism_origins
    if not origins:
        return None
    with stages.stage("realism", origins) as advance:
        return realism_from(
            window.history, plan.generator, min(plan.horizon, ASSESSED), origins, plan.seed,
            jobs=plan.compute.workers, progress=advance,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sample:
    """The universes of a run.

    Attributes:
        first: of them, at most `STUDIED`.
        result: counts and quantiles over all of them.
    """

    first: Universes
    result: ShardResult


def evaluate_universes(runs: list[StrategyRun], plan: Plan, window: Window, stages: Stages) -> Sample:
    """Sample the universes shard by shard and run every strategy in them; fills `universes` of each run.

    Accounts are kept of those strategies alone that studies may look at: all would take gigabytes in a grid.
    """
    symbols = len(window.bars.market.series) if isinstance(window.bars, IndexBars) else 1
    size, kept = at_most(plan.shard_size(symbols), symbols), at_most(STUDIED, symbols)
    stream = ShardStream(
        plan.generator, window.history, plan.horizon, plan.seed, plan.compute.workers, size, kept,
        plan.compute.cluster, plan.compute.folder, _decisive(runs, plan, window), plan.compute.store,
    )  # fmt: skip
    evaluator = replace(_evaluator(runs, plan, window), keep_accounts=kept, kept_of=frozenset(_best(runs)))
    count = plan.universes
    with stages.stage("sampling", count) as sampled, stages.stage("backtest", count) as tested:
        result = stream.evaluate(evaluator, 0, count, sampled, tested)
    if plan.studies.precision is not None:
        with stages.stage("precision", 1):
            result = to_precision(plan.studies.precision, stream, evaluator, result)
    result = result.without_copies()
    for run, found in zip(runs, result.found, strict=True):
        run.universes = found
    return Sample(stream.first(result), result)


def evaluate_real(runs: list[StrategyRun], plan: Plan, window: Window, stages: Stages) -> None:
    """Run every strategy on the real bars; fills `backtest` and `realised`."""
    evaluator = replace(_evaluator(runs, plan, window), keep_equity=True)
    with stages.stage("real bars", 1 if window.after is None else 2) as advance:
        for run, found in zip(runs, evaluator.on(window.before, progress=advance), strict=True):
            run.backtest = found
        if window.after is not None:
            for run, found in zip(runs, evaluator.on(window.after, progress=advance), strict=True):
                run.realised = found


def _evaluator(runs: Sequence[StrategyRun], plan: Plan, window: Window) -> Evaluator:
    """Of the run's strategies on its terms; where one fails, the others keep theirs."""
    runs = list(runs)
    return Evaluator(
        tuple(strategies_of(runs)), plan.terms, window.history.periods_per_year, portfolio=shares_of(runs),
        keep_going=True,
    )  # fmt: skip


def _decisive(runs: Sequence[StrategyRun], plan: Plan, window: Window) -> dict[str, Any]:
    """Everything that decides what comes of a shard, as plain JSON."""
    return {
        "config": dict(plan.config),
        "data": {"digest": window.bars.digest},
        "generator": plan.generator.describe(),
        "strategies": {run.name: run.source for run in runs if run.strategy is not None},
        "code": code()["sha256"],
    }


@dataclass(frozen=True, eq=False)
class Studied:
    """The results of a run's strategies, one by one and together.

    Attributes:
        results: in the order given.
        together: what is known of all strategies together, as plain JSON.
        notes: what was left out, and why.
        entry: what the ledger is to hold of this run.
        earlier: what the ledger says of earlier ones.
    """

    results: list[StrategyResult]
    together: dict[str, Any]
    notes: list[str]
    entry: Entry
    earlier: Earlier

    @property
    def trials(self) -> Trials:
        """That each strategy is judged as the best of."""
        selection = self.together["selection"]
        return Trials(float(selection["effective_trials"]), bool(selection["assumed"]))


def judge_strategies(
    runs: list[StrategyRun], sample: Sample, realism: Realism | None, plan: Plan, window: Window, stages: Stages
) -> tuple[Studied, dict[int, Case]]:
    """Summarise every strategy and judge those with the best backtests.

    Returns:
        What is known with the verdicts, and by position the cases of those that studies may look at.
    """
    trust = Trust() if realism is None else realism.trust(plan.accept_untrusted)
    span = plan.horizon, window.history.periods_per_year
    held = held_value(window.before, plan.terms, span[1])
    findings = [findings_of(run, trust, span, plan.criteria.level, MAX_FOR_PRECISION) for run in runs]
    results = [
        strategy_result(run, (found, plan.criteria), plan.seed, held, plan.terms.risk_free)
        for run, found in zip(runs, findings, strict=True)
    ]  # fmt: skip
    entry = Entry.of(window.looked_at, strategies_of(runs), plan.terms)
    earlier = before(plan.compute.ledger, entry)
    together = compare_strategies(
        results, runs, np.asarray(held, dtype=np.float64), plan.studies.trials, plan.seed, earlier.with_these
    )
    together["ledger"] = None if plan.compute.ledger is None else earlier.to_dict()
    known = Studied(results, together, [], entry, earlier)
    cases = _widened(_cases(runs, sample, plan, window, earlier), plan, window, stages, known)
    counts = {at: universes_to_judge(case, plan.studies.permutations) for at, case in cases.items()}
    later = {at: universes_to_study(case) for at, case in cases.items()}
    work = sum(counts.values()) + sum(later.values())
    with stages.stage("evidence", max(1, sum(counts.values()))) as advance:
        for at, case in cases.items():
            left = Countdown(counts[at], advance)
            question = Question(
                known.trials, findings[at], plan.criteria, plan.studies.permutations, plan.studies.size_plan(),
                plan.studies.limits,
            )  # fmt: skip
            cases[at] = case.with_answers(advance=left, work=work)
            results[at] = judged(results[at], cases[at], question, known.notes)
            left.finish()
    return known, cases


def study_strategies(
    runs: list[StrategyRun], known: Studied, cases: dict[int, Case], plan: Plan, window: Window, stages: Stages
) -> Studied:
    """What no verdict depends on: re-optimisation of a grid, and the studies of each strategy that was judged."""
    results, notes, together = list(known.results), list(known.notes), dict(known.together)
    counts = {at: universes_to_study(case) for at, case in cases.items()}
    with stages.stage("studies", max(1, sum(counts.values()))) as advance:
        if plan.studies.permutations:
            with left_out("walk-forward re-optimisation", notes):
                together["reoptimisation"] = reoptimisation(strategies_of(runs), window.history, plan.terms)
        for at, case in cases.items():
            left = Countdown(counts[at], advance)
            results[at] = studied(results[at], case.with_answers(advance=left), notes)
            left.finish()
    return replace(known, results=results, notes=notes, together=together)


def _cases(runs: list[StrategyRun], sample: Sample, plan: Plan, window: Window, earlier: Earlier) -> dict[int, Case]:
    """A case of each strategy that is studied, by its position: those with the best backtests, if there are many."""
    jobs, others = plan.compute.workers, dict[str, Universes]()
    if plan.studies.permutations:
        others = other_universes(
            window.history, plan.generator.name, plan.horizon, plan.seed, jobs,
            lambda name: cached(make_generator(name), plan.compute.store),
        )  # fmt: skip
    return {
        at: Case(
            strategy, _without_failures(sample.first, runs[at].in_universes), window.history, plan.terms, plan.seed,
            jobs, window.after, fresh_bars(earlier, at, window.looked_at), others=others,
            kept=runs[at].in_universes.account,
            all_metrics=runs[at].in_universes.metrics, benchmarks=BENCHMARKS,
        )
        for at in _best(runs)
        if (strategy := runs[at].strategy) is not None
    }  # fmt: skip


def _best(runs: Sequence[StrategyRun]) -> list[int]:
    """Positions of the strategies that are studied, in order: those with the best backtests, if there are many."""
    returns = [
        float(run.in_backtest.metrics["total_return"].iloc[0])
        if run.strategy is not None and not run.in_backtest.error and not run.in_backtest.metrics.empty
        else -np.inf
        for run in runs
    ]
    best = np.argsort(-np.nan_to_num(np.asarray(returns), nan=-np.inf), kind="stable")[:STRATEGIES]
    return sorted(int(at) for at in best)


def _without_failures(universes: Universes, evaluation: StrategyEvaluation) -> Universes:
    """The universes in which a strategy's code did not fail."""
    failures = evaluation.log.failures
    return universes if not failures else universes.take(np.flatnonzero(~np.isin(universes.ids, list(failures))))


def _widened(cases: dict[int, Case], plan: Plan, window: Window, stages: Stages, known: Studied) -> dict[int, Case]:
    """The cases with what other dates, generators and settings gave, where these were asked for."""
    asked, generator, jobs = plan.studies, plan.generator, plan.compute.workers
    if not cases:
        return cases
    if asked.walk_forward is not None:
        ends = fold_ends(window.history, plan.horizon, asked.walk_forward)
        common = FoldPlan(generator, plan.horizon, plan.terms, min(plan.universes, UNIVERSES), plan.seed, jobs)
        strategies = [case.strategy for case in cases.values()]
        with stages.stage("walk-forward", len(ends)) as advance, left_out("the test from other dates", known.notes):
            folds = walk_forward(strategies, window.history, ends, common, advance)
            cases = {at: case.with_answers(folds=folds[case.strategy.name]) for at, case in cases.items()}
    if asked.alternative_generators:
        count = len(ALTERNATIVES)
        with stages.stage("alternative generators", count) as advance, left_out("other generators", known.notes):
            rows = alternative_generators(list(cases.values()), generator, plan.horizon, advance)
            cases = {at: case.with_answers(alternatives=rows[case.strategy.name]) for at, case in cases.items()}
    if asked.generator_sweep:
        tunable = check_tunable(generator)
        chosen = settings(tunable, int(next(iter(cases.values())).universes.facts["context"]))
        with stages.stage("generator sweep", len(chosen)) as advance, left_out("other settings", known.notes):
            fits, rows = sweep(list(cases.values()), tunable, plan.horizon, chosen, advance)
            known.together["generator_sweep"] = fits
            cases = {at: case.with_answers(sweep=rows[case.strategy.name]) for at, case in cases.items()}
    return with_what_if(cases, plan, window.history, stages, known.notes)
