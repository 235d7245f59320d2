"""What is asked of a strategy beyond the distribution of its results: edge, fragility, shocks, breaking, contrasts.

Each study runs the strategy where it has to and hands the figures to the formulas; answers are plain JSON, as in
`result.json`. Dates other than the run's origin are `stresslab.eras`' business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest import Backtest, Terms, backtest
from stresslab.data.bars import FIELDS, Bars
from stresslab.edge import Edge, EdgeCriteria, judge_edge
from stresslab.eras import Era, losses_by_origin
from stresslab.errors import StrategyError, StrategyLimitError
from stresslab.evaluation import evaluate
from stresslab.generators.base import Generator
from stresslab.generators.contrasts import CONTRASTS, contrast, repeats_history, volatility_of
from stresslab.generators.moved import drift_neutral
from stresslab.shocks import SHOCKS, Shock, dearer
from stresslab.significance import PERMUTATIONS, permutation_test, positions_and_returns, timing_in_universes
from stresslab.statistics.budget import budget
from stresslab.statistics.distribution import (
    DRAWDOWNS,
    Interval,
    expected_shortfall,
    plain,
    probability_of_drawdown,
    probability_of_loss,
    wilson,
)
from stresslab.statistics.paired import difference
from stresslab.statistics.reverse import reverse_stress
from stresslab.statistics.selection import (
    SPLITS,
    deflated_sharpe,
    effective_trials,
    probability_of_overfitting,
    sharpe_of,
    superior_ability,
)
from stresslab.statistics.timing import Timing
from stresslab.strategy import Strategy
from stresslab.universes import Universes

STUDIED = 2000
"""Universes that studies look at, at most: the first of the run."""
STRATEGIES = 12
"""Strategies of a run that are studied, at most; in a larger grid only what costs nothing is asked of each."""
COST_FACTORS = (0.0, 1.0, 2.0, 3.0, 5.0)
"""Multiples of the costs at which a strategy is looked at."""
NEARBY = 0.2
"""Part of a parameter by which it is moved down and up."""
PARAMETERS = 6
"""Parameters of a strategy that are moved, about: the first."""
_CLOSE = FIELDS.index("close")


@dataclass(frozen=True, eq=False)
class Case:
    """One strategy and what it is studied in.

    Attributes:
        strategy: whose logic is asked.
        universes: the first `STUDIED` of the run.
        history: real bars up to the origin.
        terms: of the accounts.
        seed: of the run.
        jobs: processes.
        followed: the real series after the origin; None without a full horizon of it.
    """

    strategy: Strategy
    universes: Universes
    history: Bars
    terms: Terms
    seed: int = 0
    jobs: int = 1
    followed: Universes | None = None

    @cached_property
    def account(self) -> Backtest:
        """The strategy's accounts in these universes."""
        return backtest(self.strategy, self.universes, self.terms, periods_per_year=self.history.periods_per_year)

    @cached_property
    def timing(self) -> Timing:
        """Its timing in these universes."""
        return timing_in_universes(self.account, self.universes, self.history.periods_per_year)

    def measured(self, universes: Universes, terms: Terms | None = None) -> pd.DataFrame:
        """All measures of the strategy in other universes, or on other terms."""
        (found,) = evaluate(
            [self.strategy], universes, terms or self.terms, periods_per_year=self.history.periods_per_year
        )
        return found.metrics


def edge(
    case: Case,
    trials: float,
    criteria: EdgeCriteria | None = None,
    at_origins: Timing | None = None,
    permutations: int = PERMUTATIONS,
) -> Edge:
    """Whether the strategy adds anything beyond its exposure, in the universes and on the real bars.

    Args:
        case: the strategy.
        trials: variants that were tried, itself included.
        criteria: the thresholds.
        at_origins: timing on what followed real origins.
        permutations: of the real bars, at most; 0 leaves them out.
    """
    real = None
    if permutations:
        real = permutation_test(
            case.strategy,
            case.history,
            case.terms,
            permutations=permutations,
            trials=trials,
            seed=case.seed,
            jobs=case.jobs,
        )
    fresh = not repeats_history(case.universes)
    return judge_edge(case.timing, real, at_origins, trials=trials, independent=fresh, criteria=criteria)


def fragility(case: Case, metrics: pd.DataFrame) -> dict[str, Any]:
    """How bad it gets as generated, with the generator's drift taken out, and against buy and hold.

    Args:
        case: the strategy; its universes are those without drift once the mean return of each lead is taken out.
        metrics: one row per universe of the run.
    """
    flat = case.measured(drift_neutral(case.universes))
    held = metrics["total_return"] - metrics["excess_return"]
    return {
        "as_generated": figures(metrics, case.seed),
        "drift_neutral": figures(flat, case.seed),
        "against_buy_and_hold": difference(metrics["total_return"], held).to_dict(),
    }


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


def random_timing(case: Case) -> dict[str, Any] | None:
    """What the strategy's positions earn in the universe that they were made for, and in another one, before costs.

    Held in another universe they are as much exposure and as many trades, at times that know nothing of the path. Each
    universe gets the positions of the one before; None where nothing is ever held, or there is no other universe.
    """
    position, earned = positions_and_returns(case.account, case.universes)  # (T, N) each
    if len(case.universes) < 2 or not position.any():
        return None
    own, other = (
        pd.Series(np.maximum(1 + held * earned, 0.0).prod(axis=0) - 1)
        for held in (position, np.roll(position, 1, axis=1))
    )
    sides = {
        name: {
            "probability_of_loss": probability_of_loss(returns).to_dict(),
            "expected_shortfall_97_5": expected_shortfall(returns, seed=case.seed).to_dict(),
            "median_return": plain(float(returns.median())),
        }
        for name, returns in (("own", own), ("random", other))
    }
    apart = difference(own, other, ("its own timing", "random timing"))
    return {**sides, "difference": apart.to_dict()}


def shocks(case: Case) -> list[dict[str, Any]]:
    """The figures with each hypothetical shock laid over the universes, in the order of `SHOCKS`."""
    return [
        {"name": name, "label": shock.label, **figures(_shocked(case, shock), case.seed)}
        for name, shock in SHOCKS.items()
    ]


def costs(case: Case) -> list[dict[str, Any]]:
    """The figures at multiples of the costs of trading and borrowing; nothing where there are none."""
    if dearer(case.terms.costs, 0.0) == case.terms.costs:
        return []
    return [{"factor": factor, **figures(_at_costs(case, factor), case.seed)} for factor in COST_FACTORS]


def parameters(case: Case) -> dict[str, Any] | None:
    """The figures as given, and with each parameter moved down and up, the others as they are.

    Values that the strategy's own code refuses are named beside the rows; None where nothing can be moved.
    """
    strategy = case.strategy
    moves = [
        (name, value)
        for name in strategy.parameters
        for value in nearby(strategy.parameters[name], strategy.ranges.get(name))
    ]
    rows, refused = list[dict[str, Any]](), list[dict[str, Any]]()
    for name, value in moves[: 2 * PARAMETERS]:
        other = replace(strategy, parameters={**strategy.parameters, name: value})
        move = {"parameter": name, "value": value}
        try:
            rows.append(move | figures(replace(case, strategy=other).measured(case.universes), case.seed))
        except StrategyLimitError:
            raise
        except StrategyError:
            refused.append(move)
    if not rows:
        return None
    return {"as_given": figures(case.measured(case.universes), case.seed), "moved": rows, "refused": refused}


def nearby(value: Any, allowed: Any = None) -> list[Any]:
    """The values next to a parameter's own.

    Args:
        value: its own.
        allowed: what is declared of it: a pair, from and to, a list of values, or None.

    Returns:
        Of a list the values before and after; of a number those a fifth down and up, within the pair, whole ones by 1
        at least; nothing for 0 and for what is no number.
    """
    if isinstance(allowed, list):
        at = allowed.index(value)
        return allowed[max(0, at - 1) : at] + allowed[at + 1 : at + 2]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value == 0:
        return []
    step = max(1, round(abs(value) * NEARBY)) if isinstance(value, int) else abs(value) * NEARBY
    ends = [value - step, value + step]
    if allowed is not None:
        ends = [min(max(end, allowed[0]), allowed[1]) for end in ends]
    found = [end if isinstance(value, int) else float(f"{end:.6g}") for end in ends]
    return [end for end in found if end != value]


def _at_costs(case: Case, factor: float) -> pd.DataFrame:
    return case.measured(case.universes, replace(case.terms, costs=dearer(case.terms.costs, factor)))


def _shocked(case: Case, shock: Shock) -> pd.DataFrame:
    held = case.account.position
    universes = shock.lay(case.universes, held)
    terms = replace(case.terms, costs=dearer(case.terms.costs, shock.costs))
    other = replace(case, strategy=shock.runner(case.strategy, case.universes, held))
    return other.measured(universes, terms)


def breaking(case: Case) -> list[dict[str, Any]]:
    """The worst 5% of the universes by what happened in them, the most frequent first."""
    values = case.universes.values[:, :, _CLOSE].astype(np.float64)
    last = np.full((len(values), 1), case.history.values[-1, _CLOSE])
    equity = case.account.equity
    groups = reverse_stress(
        np.hstack([last, values]), case.account.position, equity[-1] / equity[0] - 1, case.universes.ids
    )
    return [group.to_dict() for group in groups]


def contrasts(
    cases: list[Case], generator: Generator, horizon: int, progress: Callable[[int], None] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """What each strategy does in worlds that keep other things of the market, on matched volatility.

    Args:
        cases: strategies with the run's universes.
        generator: the run's own.
        horizon: bars.
        progress: called with 1 after each world.

    Returns:
        By strategy, one row per contrast: figures, timing and excess over buy and hold.
    """
    first = cases[0]
    volatility = volatility_of(first.universes)
    found: dict[str, list[dict[str, Any]]] = {case.strategy.name: [] for case in cases}
    for name, row in CONTRASTS.items():
        world = first.universes
        if row.generator is not None:
            made = contrast(name, generator, volatility)
            world = made.sample(first.history, horizon, len(first.universes), first.seed, jobs=first.jobs)
        elif row.drift is not None:
            world = drift_neutral(first.universes)
        about: dict[str, Any] = {"name": name, "label": row.label, "keeps": row.keeps, "lacks": row.lacks}
        about["own_drift"] = row.drift is None
        for case in cases:
            found[case.strategy.name].append(about | _in_world(replace(case, universes=world)))
        if progress is not None:
            progress(1)
    return found


def _in_world(case: Case) -> dict[str, Any]:
    metrics = case.measured(case.universes)
    held = metrics["total_return"] - metrics["excess_return"]
    return {
        **figures(metrics, case.seed),
        "timing": case.timing.to_dict(),
        "against_buy_and_hold": difference(metrics["total_return"], held).to_dict(),
    }


def selection(
    returns: Mapping[str, NDArray[np.float64]],
    benchmark: NDArray[np.float64],
    trials: float | None,
    seed: int = 0,
    counted: Callable[[float], float] = float,
) -> dict[str, Any]:
    """What choosing among strategies does to their backtests on the real bars before the origin.

    Args:
        returns: (T,) bar returns by strategy.
        benchmark: (T,) of buy and hold.
        trials: variants that were tried, the strategies here included; None for these alone, as far as they differ.
        seed: of the bootstrap.
        counted: independent trials on these bars, from those that the strategies here amount to: what a ledger adds.

    Returns:
        Deflated Sharpe ratio of each; of several strategies the probability of overfitting and Hansen's test too.
    """
    table = np.column_stack(list(returns.values()))  # (T, M)
    own = effective_trials(table, benchmark) if table.shape[1] > 1 else 1.0
    tried = max(own, counted(own), 1.0 if trials is None else float(trials))
    number = max(tried, table.shape[1])  # all of them: the variance over trials holds their correlation already
    sharpes = sharpe_of(table)
    known = sharpes[np.isfinite(sharpes)]
    variance = float(known.var(ddof=1)) if len(known) > 2 else None
    if variance is not None and tried > table.shape[1]:  # of those tried elsewhere: chance alone makes so much
        variance = max(variance, 1 / (len(table) - 1))
    found: dict[str, Any] = {
        "strategies": table.shape[1],
        "trials": None if trials is None else float(trials),
        "own_trials": own,
        "effective_trials": tried,
        "deflated_sharpe": {name: deflated_sharpe(one, number, variance).to_dict() for name, one in returns.items()},
        "overfitting": None,
        "superior_ability": None,
    }
    if table.shape[1] > 1 and len(table) >= 4 * SPLITS:
        found["overfitting"] = probability_of_overfitting(table).to_dict()
        superior = superior_ability(table, benchmark, seed=seed).to_dict()
        names = list(returns)
        found["superior_ability"] = superior | {"superior": [names[at] for at in superior["superior"]]}  # type: ignore[attr-defined]
    return found


def error_budget(
    figure: Interval,
    universes: int,
    worlds: list[dict[str, Any]] | None = None,
    eras: Sequence[Era] | None = None,
) -> dict[str, Any]:
    """P(loss) with its error in parts: chance, choice of generator, choice of origin.

    Args:
        figure: P(loss) of the run with its Monte Carlo interval.
        universes: behind it.
        worlds: rows of `contrasts`, where they were asked for.
        eras: of this strategy, where several origins were.
    """
    drifting = [] if worlds is None else [row for row in worlds if CONTRASTS[row["name"]].drift is None]
    generators = {row["label"]: row["probability_of_loss"]["value"] for row in drifting} or None
    shares, variances = losses_by_origin(eras) if eras else (None, None)
    return budget(figure, universes, by_generator=generators, by_origin=shares, variances=variances).to_dict()
