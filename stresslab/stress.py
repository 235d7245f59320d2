"""stress_test(): the one place where bars, generator, strategies, engine, statistics and verdict meet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from stresslab import notices
from stresslab.assessment import ORIGINS, realism
from stresslab.backtest import Backtest, Costs, backtest, buy_and_hold, check_settings
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.timestamps import parse_last
from stresslab.errors import InputError, LookAheadError
from stresslab.generators.base import Generator, check_horizon, universe_ids
from stresslab.generators.registry import make_generator
from stresslab.lookahead import LookAheadReport, find_lookahead
from stresslab.randomness import check_seed
from stresslab.result import LEVELS, StrategyResult, StressResult, describe_data, environment, recorded
from stresslab.statistics.distribution import describe_realised, describe_universes
from stresslab.statistics.measures import measures
from stresslab.strategy import Strategy, load_strategies
from stresslab.universes import Universes
from stresslab.verdict import Criteria, judge

MIN_HISTORY = 60
"""Least bars before the origin: fewer tell a generator next to nothing."""
DRAWN_HISTORY = 250
"""Bars before the origin that a result keeps for its pictures, at least."""
SAMPLE_PATHS = 30

Progress = Callable[[str, int, int], None]


@dataclass
class _Stages:
    """Seconds per stage, and the caller's progress callback."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Callable[[int], None]]:
        """Time a stage; yields a function to call with the amount newly done."""
        done = 0

        def advance(amount: int = 1) -> None:
            nonlocal done
            done += amount
            if self.progress is not None:
                self.progress(name, done, total)

        started = time.perf_counter()
        advance(0)
        yield advance
        if done < total:
            advance(total - done)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def stress_test(
    strategy: Any,
    bars: Bars,
    generator: Generator | None = None,
    universes: int = 1000,
    horizon: int = 120,
    origin: str | pd.Timestamp | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    *,
    params: Mapping[str, Any] | None = None,
    warmup: int = 500,
    position: str = "carry",
    init_cash: float = 100_000.0,
    allow_lookahead: bool = False,
    realism_origins: int = ORIGINS,
    accept_untrusted: bool = False,
    criteria: Criteria | None = None,
    jobs: int = 0,
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
        costs: fees and slippage; `Costs()` by default.
        seed: whole number; the same seed gives the same universes whatever `jobs`.
        params: keyword arguments for the strategies.
        warmup: real bars that indicators warm up on.
        position: "carry" opens the position held at the origin at the first generated open, "flat" does not.
        init_cash: starting cash.
        allow_lookahead: go on, and say so, when a strategy's decisions depend on later bars.
        realism_origins: past origins at which the generator is compared with what followed; 0 leaves that out.
        accept_untrusted: judge on universes that the realism gate does not trust.
        criteria: thresholds of the verdict.
        jobs: workers; 0 means one per processor.
        progress: called with (stage, done, total).
        config: what to record as the run's settings beside these arguments.

    Raises:
        InputError: a setting, the bars or a strategy are wrong; the message is one line.
    """
    costs, criteria, generator = costs or Costs(), criteria or Criteria(), generator or make_generator("kronos")
    jobs = jobs or os.cpu_count() or 1
    horizon, seed = check_horizon(horizon), check_seed(seed)
    universe_ids(universes, None)
    check_settings(init_cash, warmup, position)
    history, future = split_at_origin(bars, origin, horizon)
    strategies = load_strategies(strategy, dict(params or {}))
    stages = _Stages(progress)

    with stages.stage("look-ahead check", len(strategies)) as advance:
        lookaheads = [_checked(one, history, allow_lookahead, advance) for one in strategies]
    found = None
    if realism_origins:
        with stages.stage("realism", realism_origins) as advance:
            found = realism(
                history, generator, horizon, origins=realism_origins, seed=seed, jobs=jobs, progress=advance
            )
    trust = (None, None) if found is None else found.trust(accept_untrusted)
    with stages.stage("sampling", universes) as advance:
        sampled = generator.sample(history, horizon, universes, seed, jobs=jobs, progress=advance)
    with stages.stage("backtest", len(strategies) + 1) as advance:
        arena = _Arena.of(sampled, history, future, _Execution(costs, init_cash, warmup, position))
        advance(1)
        results = []
        for one, lookahead in zip(strategies, lookaheads, strict=True):
            results.append(_strategy_result(one, lookahead, arena, criteria, trust, seed))
            advance(1)

    described = generator.describe()
    in_sample = _in_sample(described.get("trained_until"), sampled.timestamps[0])
    settings = {
        "strategies": [one.name for one in strategies],
        "params": dict(params or {}),
        "universes": universes,
        "horizon": horizon,
        "origin": None if origin is None else str(origin),
        "seed": seed,
        "warmup": warmup,
        "position": position,
        "init_cash": init_cash,
        "fees": costs.fees,
        "slippage": costs.slippage,
        "allow_lookahead": allow_lookahead,
        "realism_origins": realism_origins,
        "accept_untrusted": accept_untrusted,
    }
    return StressResult(
        config=recorded(settings | dict(config or {})),
        bars=bars[max(0, len(history) - max(DRAWN_HISTORY, 2 * horizon)) : len(history) + horizon],
        origin=history.timestamps[-1],
        horizon=horizon,
        universes_count=universes,
        fan=_fan(sampled),
        sample_paths=sampled.values[:SAMPLE_PATHS, :, FIELDS.index("close")].astype(np.float64),
        data=describe_data(bars),
        generator=described,
        generator_facts=dict(sampled.facts),
        in_sample=in_sample,
        realism={"assessed": False} if found is None else found.to_dict(),
        notices=[
            *bars.notices,
            *notices.of_generator(described, in_sample),
            *notices.of_future(future, horizon),
            *notices.of_lookahead(strategies, lookaheads),
            *notices.of_realism(found, accept_untrusted),
            *(found.notes if found is not None else ()),
        ],
        strategies=results,
        timings=stages.seconds,
        environment=environment(),
    )


def split_at_origin(bars: Bars, origin: str | pd.Timestamp | None, horizon: int) -> tuple[Bars, Bars | None]:
    """The history up to the origin, and the real bars after it (at most `horizon`), or None.

    Args:
        bars: real bars.
        origin: "end", a date (a date without a time means its last bar), or None for `horizon` bars before the end.
        horizon: bars after the origin.
    """
    if len(bars) < MIN_HISTORY:
        raise InputError(f"{len(bars)} bars are fewer than the {MIN_HISTORY} of the shortest history; load more bars")
    if origin is None:
        at = len(bars) - horizon
        if at < MIN_HISTORY:
            raise InputError(
                f"{len(bars)} bars leave {max(at, 0)} before an origin {horizon} bars from the end, fewer than "
                f"{MIN_HISTORY}; give more bars, a shorter --horizon, or --origin end"
            )
    elif isinstance(origin, str) and origin == "end":
        at = len(bars)
    else:
        at = len(bars.up_to(origin))
        if at == len(bars) and bars.calendar.future(bars.timestamps, 1)[0] <= parse_last("origin", origin):
            raise InputError(
                f"origin={origin} lies after the last bar, {bars.timestamps[-1]}; "
                "choose a date up to it, or --origin end"
            )
    if at < MIN_HISTORY:
        raise InputError(
            f"origin={origin} leaves {at} bars of history, fewer than {MIN_HISTORY}; "
            f"choose a date from {bars.timestamps[MIN_HISTORY - 1]} on, or load more bars"
        )
    return bars[:at], bars[at : at + horizon] if at < len(bars) else None


def _checked(strategy: Strategy, history: Bars, allowed: bool, advance: Callable[[int], None]) -> LookAheadReport:
    """The look-ahead report of a strategy; refuses one that looks ahead unless that is allowed."""
    report = find_lookahead(strategy, history)
    if report.found and not allowed:
        raise LookAheadError(
            f"strategy {strategy.name!r} looks ahead: {report.found[0]}; decide from bars up to the current one, or "
            "pass --allow-lookahead to go on and have every page say so"
        )
    advance(1)
    return report


@dataclass(frozen=True)
class _Execution:
    """How every strategy of a run is executed."""

    costs: Costs
    init_cash: float
    warmup: int
    position: str


@dataclass(frozen=True)
class _Arena:
    """What every strategy of a run meets, each with buy and hold beside it: universes, what followed, what went before.

    Attributes:
        grounds: "universes", "backtest" and, where a full horizon of real bars followed, "realised".
        benchmarks: buy and hold on each.
    """

    grounds: Mapping[str, Universes]
    benchmarks: Mapping[str, Backtest]
    execution: _Execution
    horizon: int
    periods_per_year: float

    @classmethod
    def of(cls, sampled: Universes, history: Bars, future: Bars | None, execution: _Execution) -> _Arena:
        """The arena of one run; the backtest begins after the bars that indicators warm up on."""
        warm = min(execution.warmup, len(history) // 2)
        grounds = {"universes": sampled, "backtest": Universes.from_bars(history[warm:], history[:warm])}
        if future is not None and len(future) == sampled.horizon:
            grounds["realised"] = Universes.from_bars(future, history)
        benchmarks = {
            name: buy_and_hold(ground, execution.costs, init_cash=execution.init_cash)
            for name, ground in grounds.items()
        }
        return cls(grounds, benchmarks, execution, sampled.horizon, history.periods_per_year)

    def run(self, strategy: Strategy, name: str) -> tuple[Backtest, pd.DataFrame]:
        """The strategy's backtest and measures on one ground."""
        ground, how = self.grounds[name], self.execution
        run = backtest(strategy, ground, how.costs, init_cash=how.init_cash, warmup=how.warmup, position=how.position)
        return run, measures(run, self.periods_per_year, self.benchmarks[name])


def _strategy_result(
    strategy: Strategy,
    lookahead: LookAheadReport,
    arena: _Arena,
    criteria: Criteria,
    trust: tuple[bool | None, str | None],
    seed: int,
) -> StrategyResult:
    """One strategy on all three grounds, summarised and judged."""
    sampled, metrics = arena.run(strategy, "universes")
    backtested = _only_row(arena.run(strategy, "backtest")[1])
    real = arena.run(strategy, "realised") if "realised" in arena.grounds else None
    realised = None if real is None else _only_row(real[1])
    verdict = judge(
        losses=int((metrics["total_return"] < 0).sum()),
        exposed=int((metrics["exposure"] > 0).sum()),
        universes=len(metrics),
        horizon=arena.horizon,
        periods_per_year=arena.periods_per_year,
        realised_return=None if realised is None else realised["total_return"],
        backtest_return=backtested["total_return"],
        trusted=trust[0],
        caution=trust[1],
        criteria=criteria,
    )
    fan = np.quantile(sampled.equity, LEVELS, axis=1).T  # (T + 1, levels)
    return StrategyResult(
        name=strategy.name,
        parameters=strategy.parameters,
        verdict=verdict,
        backtest=backtested,
        realised=realised,
        universes=describe_universes(metrics, seed=seed),
        luck=describe_realised(realised, metrics),
        metrics=metrics,
        lookahead=lookahead.to_dict(),
        equity_fan=pd.DataFrame(fan, columns=[str(level) for level in LEVELS]),
        realised_equity=None if real is None else pd.Series(real[0].equity[:, 0]),
    )


def _only_row(metrics: pd.DataFrame) -> dict[str, float]:
    """The measures of one real series by name."""
    return {str(name): float(value) for name, value in metrics.iloc[0].items()}


def _fan(universes: Universes) -> pd.DataFrame:
    """Quantiles of the closes at each bar."""
    quantiles = np.quantile(universes.values[:, :, FIELDS.index("close")], LEVELS, axis=0).T  # (T, levels)
    return pd.DataFrame(quantiles, index=universes.timestamps, columns=[str(level) for level in LEVELS])


def _in_sample(trained_until: str | None, first: pd.Timestamp) -> bool | None:
    """Whether the generator was trained on the day of the first generated bar; None for one that was not trained."""
    return None if trained_until is None else bool(first.normalize() <= pd.Timestamp(trained_until))
