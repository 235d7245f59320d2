"""stress_test(): the one place where bars, generator, strategies, engine, statistics and verdict meet.

It reads as a table of contents: plan, split at the origin, admit, assess the generator, evaluate in universes and on
real bars, judge, study, summarise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from stresslab.analysis.result import StressResult
from stresslab.analysis.verdict import Criteria
from stresslab.backtest import Costs, Terms
from stresslab.core.progress import Progress, Stages
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from stresslab.data.sources.given import bars_of
from stresslab.generators.base import Generator
from stresslab.generators.registry import as_generator
from stresslab.runs.admission import without_failed
from stresslab.runs.cached import cached
from stresslab.runs.plan import Compute, Plan, Studies
from stresslab.runs.steps import (
    admit_strategies,
    assess_generator,
    evaluate_real,
    evaluate_universes,
    judge_strategies,
    split,
    study_strategies,
)
from stresslab.runs.summary import summarise


def stress_test(
    strategy: Any,
    bars: Bars | Market | pd.DataFrame | str | os.PathLike[str] | Sequence[str],
    generator: Generator | str | None = None,
    universes: int = 1000,
    horizon: int = 250,
    origin: str | pd.Timestamp | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    *,
    params: Mapping[str, Any] | None = None,
    grid: Mapping[str, Any] | None = None,
    terms: Terms | None = None,
    studies: Studies | None = None,
    compute: Compute | None = None,
    criteria: Criteria | None = None,
    allow_lookahead: bool = False,
    accept_untrusted: bool = False,
    progress: Progress | None = None,
    on_verdict: Callable[[StressResult], None] | None = None,
    config: Mapping[str, Any] | None = None,
) -> StressResult:
    """Run strategies on universes that could have followed the history, and on what did follow.

    Args:
        strategy: path, `path:name`, callable, or a list of these.
        bars: real bars, a frame of them, or where they are (see `load_bars`); a market of several symbols, or a list of
            sources, is judged as one portfolio.
        generator: makes the universes, or its name: "kronos" (the bundled one, by default), "bootstrap" or "garch".
        universes: how many.
        horizon: generated bars.
        origin: last bar that the generator sees: a date, "end", or None for `horizon` bars before the end.
        costs: of fills and of holding; short for `terms=Terms(costs=...)`.
        seed: whole number; the same seed gives the same universes whatever `compute`.
        params: keyword arguments for the strategies.
        grid: values by parameter, such as {"fast": [5, 10]} or {"fast": "5:20:5"}; strategies that have these run once
            for every set.
        terms: of the accounts: costs, sizing, stops, cash, warm-up, leverage; `Terms()` by default.
        studies: what is asked beyond the distribution of results; `Studies()` by default.
        compute: what computes it; `Compute()` by default.
        criteria: thresholds of the verdict.
        allow_lookahead: go on, and say so, when a strategy's decisions depend on later bars.
        accept_untrusted: judge on universes that the realism gate does not trust.
        progress: called with (stage, done, total); without it a line below a notebook's cell says how far it is.
        on_verdict: called with the result as soon as its verdicts are known, before the studies that none depends on.
        config: what to record as the run's settings beside these arguments.

    Raises:
        InputError: a setting, the bars or a strategy are wrong; the message is one line.
    """
    terms, compute = terms or Terms(), compute or Compute()
    plan = Plan.of(
        strategy, params, grid,
        generator=cached(as_generator(generator), compute.store),
        universes=universes, horizon=horizon, origin=origin, seed=seed,
        terms=terms if costs is None else replace(terms, costs=costs), studies=studies or Studies(),
        compute=compute, criteria=criteria or Criteria(), allow_lookahead=allow_lookahead,
        accept_untrusted=accept_untrusted, config=config,
    )  # fmt: skip
    stages = Stages(progress)
    window = split(bars_of(bars), plan)
    runs = admit_strategies(plan, window, stages)
    realism = assess_generator(plan, window, stages)
    evaluate_real(runs, plan, window, stages)
    sample = evaluate_universes(runs, plan, window, stages)
    runs, failed = without_failed(runs, plan.compute.allow_failures)
    known, cases = judge_strategies(runs, sample, realism, plan, window, stages)
    if on_verdict is not None:
        on_verdict(summarise(runs, failed, known, sample, realism, plan, window, stages))
    known = study_strategies(runs, known, cases, plan, window, stages)
    stages.finish()
    return summarise(runs, failed, known, sample, realism, plan, window, stages)
