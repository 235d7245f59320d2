"""stress_test(): the one place where bars, generator, strategies, engine, statistics and verdict meet."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.analysis.alternative_generators import contrasts as run_contrasts
from stresslab.analysis.case import STRATEGIES, STUDIED, Case
from stresslab.analysis.edge import Trials
from stresslab.analysis.generator_sensitivity import check_tunable, surface
from stresslab.analysis.generator_sensitivity import settings as settings_of
from stresslab.analysis.multiple_testing import together
from stresslab.analysis.permutation_test import PERMUTATIONS
from stresslab.analysis.planted_losses import other_universes
from stresslab.analysis.result import LEVELS, StressResult
from stresslab.analysis.result_document import DataSummary
from stresslab.analysis.result_realism import RealismSection
from stresslab.analysis.result_studies import RunStudies
from stresslab.analysis.studies import left_out, studied
from stresslab.analysis.summarise import findings_of, held_value, strategy_result
from stresslab.analysis.verdict import Criteria
from stresslab.analysis.walk_forward import UNIVERSES, choose_origins, relive
from stresslab.backtest import Costs, Sizing, Stops, Terms
from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.backtest.portfolio import PORTFOLIO, check_portfolio
from stresslab.core.limits import chunk_size, parse_size
from stresslab.core.parallel import Workers
from stresslab.core.plain_json import recorded
from stresslab.core.progress import Progress, Stages
from stresslab.core.randomness import check_seed
from stresslab.data.bars import CLOSE, Bars, describe_data
from stresslab.data.origin import real_grounds, split_at_origin
from stresslab.generators.base import Generator, check_horizon, universe_ids
from stresslab.generators.matched import ALTERNATIVES
from stresslab.generators.registry import make_generator
from stresslab.realism import ORIGINS, assess_realism
from stresslab.runs import notices
from stresslab.runs.admission import Entrants, came_through, joint, met
from stresslab.runs.environment import code, environment
from stresslab.runs.shard_result import Contestants
from stresslab.runs.shard_stream import MAX_FOR_PRECISION, Stream, to_precision
from stresslab.runs.trial_ledger import Earlier, Entry, before
from stresslab.strategy import CALL_TIMEOUT_SECONDS, load_strategies
from stresslab.strategy.parameters import grid_values

DRAWN_HISTORY = 250
"""Bars before the origin that a result keeps for its pictures, at least."""
SAMPLE_PATHS = 30


def stress_test(
    strategy: Any,
    bars: Bars,
    generator: Generator | None = None,
    universes: int = 1000,
    horizon: int = 250,
    origin: str | pd.Timestamp | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    *,
    params: Mapping[str, Any] | None = None,
    warmup: int = 500,
    position: str = "carry",
    init_cash: float = 100_000.0,
    sizing: Sizing | None = None,
    stops: Stops | None = None,
    max_leverage: float = 1.0,
    risk_free: float = 0.0,
    rebalance: str = "on-change",
    book: Mapping[str, float] | None = None,
    origins: int | str | Sequence[str] | None = None,
    contrasts: bool = False,
    knobs: bool = False,
    trials: float | None = None,
    ledger: str | os.PathLike[str] | Earlier | None = None,
    permutations: int = PERMUTATIONS,
    precision: float | None = None,
    grid: Mapping[str, Any] | None = None,
    strategy_timeout: float = CALL_TIMEOUT_SECONDS,
    allow_failures: int = 0,
    allow_lookahead: bool = False,
    realism_origins: int = ORIGINS,
    accept_untrusted: bool = False,
    criteria: Criteria | None = None,
    jobs: int = 0,
    memory: str | int | None = None,
    cluster: Workers | None = None,
    work: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    config: Mapping[str, Any] | None = None,
) -> StressResult:
    """Run strategies on universes that could have followed the history, and on what did follow.

    Args:
        strategy: path, `path:name`, callable, or a list of these.
        bars: real bars.
        generator: makes the universes; the bundled Kronos by default.
        universes: how many.
        horizon: generated bars.
        origin: last bar that the generator sees: a date, "end", or None for `horizon` bars before the end.
        costs: of fills and of holding; `Costs()` by default.
        seed: whole number; the same seed gives the same universes whatever `jobs`.
        params: keyword arguments for the strategies.
        warmup: real bars that indicators warm up on.
        position: "carry" opens the position held at the origin at the first generated open, "flat" does not.
        init_cash: starting cash.
        sizing: how large a full position is; all of the equity by default.
        stops: orders that leave a position inside a bar; none by default.
        max_leverage: most exposure over equity that an order may lead to; there is no margin engine beyond that.
        risk_free: interest a year on cash, and what Sharpe and Sortino subtract.
        rebalance: when target weights are orders: "on-change", "every-bar" or "band=0.05".
        book: shares of the capital by name of the strategy, traded side by side and judged as one more result, "book".
        origins: repeat the test from dates across the history: how many, a distance such as "3M", or months.
        contrasts: repeat it in worlds of other generators, on matched volatility.
        knobs: repeat it over the generator's temperature, top-p and context.
        trials: variants that were tried before these strategies were chosen; without it 20 are assumed at least.
        ledger: folder of runs that were stored; variants of strategies that these tested on the same bars count as
            trials too. What a ledger said, for a run that is done again.
        permutations: random orders of the real bars, at most, by which a strategy's timing on them is judged; 0 leaves
            that out.
        precision: sample more universes until half the interval of every P(loss) is at most this.
        grid: values by parameter, such as {"fast": [5, 10]} or {"fast": "5:20:5"}; strategies that have these run once
            for every set.
        strategy_timeout: seconds that one call of a strategy's code may take: a chunk of universes, or one universe
            where they are taken one by one.
        allow_failures: universes in which the code of a strategy may fail, and which its results then leave out.
        allow_lookahead: go on, and say so, when a strategy's decisions depend on later bars.
        realism_origins: past origins at which the generator is compared with what followed; 0 leaves that out.
        accept_untrusted: judge on universes that the realism gate does not trust.
        criteria: thresholds of the verdict.
        jobs: workers; 0 means one per processor.
        memory: that all processes together may take, such as "4GB"; no limit by default.
        cluster: samples universes and runs the strategies in them on these workers; see `stresslab.core.dask.connect`.
        work: folder that keeps finished universes; the same call with it goes on where it was stopped.
        progress: called with (stage, done, total); without it a line below a notebook's cell says how far it is.
        config: what to record as the run's settings beside these arguments.

    Raises:
        InputError: a setting, the bars or a strategy are wrong; the message is one line.
    """
    criteria, generator = criteria or Criteria(), generator or make_generator("kronos")
    terms = Terms(
        costs or Costs(),
        sizing or Sizing(),
        stops or Stops(),
        init_cash,
        warmup,
        position,
        max_leverage,
        risk_free,
        rebalance,
    )
    jobs = jobs or os.cpu_count() or 1
    horizon, seed = check_horizon(horizon), check_seed(seed)
    universe_ids(universes, None)
    if knobs:
        check_tunable(generator)
    history, future = split_at_origin(bars, origin, horizon)
    strategies = load_strategies(strategy, dict(params or {}), grid, patience=strategy_timeout)
    shares = check_portfolio(book, [one.name for one in strategies]) if book else {}
    ends = None if origins is None else choose_origins(history, horizon, origins)
    size = chunk_size(None if memory is None else parse_size(memory), jobs, horizon, warmup)
    settings = recorded(
        {
            "strategies": [one.name for one in strategies],
            "params": dict(params or {}),
            **({"grid": {name: grid_values(name, values) for name, values in grid.items()}} if grid else {}),
            **({"allow_failures": allow_failures} if allow_failures else {}),
            "universes": universes,
            "horizon": horizon,
            "origin": None if origin is None else str(origin),
            "seed": seed,
            "warmup": warmup,
            "position": position,
            **terms.recorded(),
            "allow_lookahead": allow_lookahead,
            "realism_origins": realism_origins,
            "accept_untrusted": accept_untrusted,
            "book": shares or None,
            "origins": list(origins) if isinstance(origins, tuple | list) else origins,
            "contrasts": contrasts,
            "knobs": knobs,
            "trials": trials,
            "permutations": permutations,
            "precision": precision,
        }
        | dict(config or {})
    )
    stages = Stages(progress)

    with stages.stage("look-ahead check", len(strategies)) as advance:
        entrants = Entrants.admitted(
            strategies, history, allow_lookahead=allow_lookahead, allow_failures=allow_failures, advance=advance
        )
    found = None
    if realism_origins:
        with stages.stage("realism", realism_origins) as advance:
            found = assess_realism(
                history, generator, horizon, origins=realism_origins, seed=seed, jobs=jobs, progress=advance
            )
    trust = (None, None) if found is None else found.trust(accept_untrusted)
    real = real_grounds(history, future, horizon, warmup)
    plan = {
        "config": settings,
        "data": {"digest": bars.digest},
        "generator": generator.describe(),
        "strategies": {one.name: {"path": one.path, "sha256": one.digest} for one in entrants.strategies},
        "code": code()["sha256"],
    }
    stream = Stream(
        generator, history, horizon, seed, jobs, size, STUDIED, cluster, None if work is None else Path(work), plan
    )
    judged = Contestants(entrants.strategies, terms, shares, history.periods_per_year, jobs)
    found_on: dict[str, list[StrategyEvaluation]] = {}
    with stages.stage("sampling", universes) as advance, stages.stage("backtest", universes + len(real)) as tested:
        outcome = stream.meet(judged, 0, universes, advance, tested)
        found_on["universes"] = list(outcome.found)
        found_on |= {name: judged.on(ground, tested) for name, ground in real.items()}
    entrants, judged, found_on = came_through(entrants, judged, found_on)
    if precision is not None:
        with stages.stage("precision", 1):
            outcome = replace(outcome, found=tuple(found_on["universes"]))
            outcome = to_precision(precision, stream, judged, outcome)
            found_on["universes"] = list(outcome.found)
        entrants, judged, found_on = came_through(entrants, judged, found_on)
    outcome = replace(outcome, found=tuple(found_on["universes"])).without_copies()
    found_on["universes"] = list(outcome.found)
    sampled = stream.first(outcome)
    strategies, lookaheads, shares = entrants.strategies, entrants.lookaheads, dict(judged.shares)
    named: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, str | None] | None]] = [
        (one.name, one.parameters, seen.to_dict(), {"path": one.path, "sha256": one.digest})
        for one, seen in zip(strategies, lookaheads, strict=True)
    ]
    if shares:
        named.append((PORTFOLIO, shares, joint(strategies, lookaheads, shares), None))
    held = held_value(real["backtest"], terms)
    span = horizon, history.periods_per_year
    findings = [
        findings_of(
            {where: evaluations[at] for where, evaluations in found_on.items()}, trust, span, criteria.level,
            MAX_FOR_PRECISION,
        )
        for at in range(len(named))
    ]  # fmt: skip
    results = [
        strategy_result(
            one,
            {where: evaluations[at] for where, evaluations in found_on.items()},
            (findings[at], criteria),
            seed,
            held,
        )
        for at, one in enumerate(named)
    ]
    looked_at = _to_study([one.backtest["total_return"] for one in results[: len(strategies)]])
    followed = real.get("realised")
    others = other_universes(history, generator.name, horizon, seed, jobs) if permutations else {}
    cases = {
        at: Case(
            strategies[at],
            met(sampled, found_on["universes"][at]),
            history,
            terms,
            seed,
            jobs,
            followed,
            others=others,
        )
        for at in looked_at
    }
    eras, worlds, turned, by_setting, notes = None, None, None, None, list[str]()
    if ends is not None:
        with stages.stage("origins", len(ends)) as advance, left_out("the test from other dates", notes):
            eras = relive(
                [strategies[at] for at in looked_at], history, generator, ends, horizon, terms,
                universes=min(universes, UNIVERSES), seed=seed, jobs=jobs, progress=advance,
            )  # fmt: skip
    if contrasts:
        with stages.stage("contrasts", len(ALTERNATIVES)) as advance, left_out("other generators' worlds", notes):
            worlds = run_contrasts(list(cases.values()), generator, horizon, advance)
    if knobs and cases:
        chosen = settings_of(check_tunable(generator), int(sampled.facts["context"]))
        with stages.stage("knobs", len(chosen)) as advance, left_out("other settings of the generator", notes):
            turned, by_setting = surface(list(cases.values()), generator, horizon, chosen, advance)
    entry = Entry.of(bars[: len(history) + horizon], strategies, terms)
    earlier = before(ledger, entry)
    jointly = together(
        results, strategies, found_on["backtest"], np.asarray(held, dtype=np.float64), trials, seed, earlier.with_these
    )
    jointly["ledger"] = None if ledger is None else earlier.to_dict()
    if turned is not None:
        jointly["generator_sweep"] = turned
    own, tried = (float(jointly["selection"][name]) for name in ("own_trials", "effective_trials"))
    chosen_of = Trials(tried, bool(jointly["selection"]["assumed"]))
    with stages.stage("evidence", max(1, len(cases))) as advance:
        for at, case in cases.items():
            results[at] = studied(
                results[at], case, (chosen_of, findings[at], criteria), eras, worlds, by_setting, notes, permutations
            )
            advance(1)

    described = generator.describe()
    in_sample = _in_sample(described.get("trained_until"), sampled.timestamps[0])
    return StressResult(
        config=settings,
        bars=bars[max(0, len(history) - max(DRAWN_HISTORY, 2 * horizon)) : len(history) + horizon],
        origin=history.timestamps[-1],
        horizon=horizon,
        universes_count=outcome.universes,
        fan=_fan(outcome.closes.quantiles(LEVELS), sampled.timestamps),
        sample_paths=sampled.values[:SAMPLE_PATHS, :, CLOSE].astype(np.float64),
        data=DataSummary.of(describe_data(bars)),
        generator=described,
        generator_facts=dict(sampled.facts),
        in_sample=in_sample,
        realism=None if found is None else RealismSection.of(found.to_dict()),
        notices=[
            *bars.notices,
            *notices.of_generator(described, in_sample),
            *notices.of_copies(outcome.universes, len(outcome.ids)),
            *notices.of_future(future, horizon),
            *notices.of_lookahead(strategies, lookaheads),
            *notices.of_orders(strategies, found_on["backtest"]),
            *notices.of_calls(strategies, found_on["universes"]),
            *(f"No result: {why}." for why in entrants.failed.values()),
            *notes,
            *notices.of_ledger(earlier, tried),
            *notices.of_realism(found, accept_untrusted),
            *(found.notes if found is not None else ()),
        ],
        strategies=results,
        studies=RunStudies.of(jointly),
        failed=entrants.failed,
        tested=None if isinstance(ledger, Earlier) else replace(entry, trials=min(own, entry.trials)).to_dict(),
        timings=stages.finish(),
        environment=environment(),
    )


def _to_study(backtests: Sequence[float]) -> list[int]:
    """Positions of the strategies that are studied beyond the distribution: those with the best backtests, if many."""
    best = np.argsort(-np.nan_to_num(np.asarray(backtests), nan=-np.inf), kind="stable")[:STRATEGIES]
    return sorted(int(at) for at in best)


def _fan(quantiles: NDArray[np.float64], timestamps: pd.DatetimeIndex) -> pd.DataFrame:
    """Quantiles (T, levels) of the closes at each bar."""
    return pd.DataFrame(quantiles, index=timestamps, columns=[str(level) for level in LEVELS])


def _in_sample(trained_until: str | None, first: pd.Timestamp) -> bool | None:
    """Whether the generator was trained on the day of the first generated bar; None for one that was not trained."""
    return None if trained_until is None else bool(first.normalize() <= pd.Timestamp(trained_until))
