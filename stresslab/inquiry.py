"""The strategies of a run as contestants: on all its grounds, on more universes where asked, together, and studied.

What is asked of one strategy is `studies`' and `eras`' business; `stress` says in which order a run goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest.book import BOOK
from stresslab.barwise import replays
from stresslab.entrants import Entrants, failures_on, remaining
from stresslab.eras import Era, describe_eras, timing_at_origins
from stresslab.errors import StrategyError
from stresslab.evaluation import Evaluation
from stresslab.lookahead import LookAheadReport
from stresslab.outcomes import Contestants, Outcome
from stresslab.result import StrategyResult
from stresslab.statistics.budget import more_universes
from stresslab.statistics.distribution import probability_of_loss
from stresslab.statistics.paired import correlations, differences
from stresslab.statistics.performance import bar_returns
from stresslab.strategy import Strategy
from stresslab.streaming import Stream
from stresslab.studies import (
    Case,
    breaking,
    costs,
    edge,
    error_budget,
    fragility,
    parameters,
    random_timing,
    selection,
    shocks,
)

MOST_UNIVERSES = 200_000
"""Universes that precision may ask for."""
MOST_CORRELATED = 30
"""Strategies whose correlations are written down, at most."""


def to_precision(precision: float, stream: Stream, judged: Contestants, outcome: Outcome) -> Outcome:
    """The outcome in more universes, as many as make every P(loss) as precise as asked."""
    while True:
        have = outcome.universes
        losses = [int((one.metrics["total_return"] < 0).sum()) for one in outcome.found if not one.error]
        count = max((more_universes(lost, have, precision, MOST_UNIVERSES) for lost in losses), default=0)
        if count == 0:
            return outcome
        outcome = Outcome.merged([outcome, stream.meet(judged, have, have + count)])


def came_through(
    entrants: Entrants, judged: Contestants, found_on: dict[str, list[Evaluation]]
) -> tuple[Entrants, Contestants, dict[str, list[Evaluation]]]:
    """Those whose code did not fail, what they trade in, and what was found of them."""
    names = [one.name for one in judged.strategies] + ([BOOK] if judged.shares else [])
    failed = failures_on(names, found_on, entrants.allowed)
    if not failed:
        return entrants, judged, found_on
    entrants = entrants.without(failed)
    shares = {} if BOOK in failed else judged.shares
    return entrants, replace(judged, strategies=entrants.strategies, shares=shares), remaining(found_on, names, failed)


def joint(strategies: list[Strategy], lookaheads: list[LookAheadReport], shares: Mapping[str, float]) -> dict[str, Any]:
    """What the look-ahead check found in the strategies of a book, the first one that looks ahead if any does."""
    parts = [found for one, found in zip(strategies, lookaheads, strict=True) if one.name in shares]
    return next((one for one in parts if one.found), parts[0]).to_dict()


def together(
    results: list[StrategyResult],
    strategies: list[Strategy],
    backtested: list[Evaluation],
    held: NDArray[np.float64],
    trials: float | None,
    seed: int,
    counted: Callable[[float], float] = float,
) -> dict[str, Any]:
    """What is known of all strategies of a run together: paired differences, correlations, and their selection."""
    returns = pd.DataFrame({one.name: one.metrics["total_return"] for one in results})
    equities = {one.name: curves(found)[:, 0] for one, found in zip(strategies, backtested, strict=False)}
    return {
        "pairs": [one.to_dict() for one in differences(returns)] if len(results) > 1 else [],
        "correlations": correlations(returns) if 1 < len(results) <= MOST_CORRELATED else {},
        "selection": selection(
            {name: _bar_returns(own) for name, own in equities.items()}, _bar_returns(held), trials, seed, counted
        ),
    }


def _bar_returns(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(bar_returns(equity[:, None])[:, 0])


def studied(
    result: StrategyResult,
    case: Case,
    trials: float,
    eras: Mapping[str, list[Era]] | None,
    worlds: Mapping[str, list[dict[str, Any]]] | None,
    knobs: Mapping[str, list[dict[str, Any]]] | None,
    notes: list[str],
    permutations: int,
) -> StrategyResult:
    """A strategy's result with everything that is asked of it beyond the distribution.

    What its code fails in is left out, and noted.
    """
    name = case.strategy.name
    periods = case.history.periods_per_year
    own = None if eras is None else eras[case.strategy.name]
    world = None if worlds is None else worlds[case.strategy.name]
    loss = probability_of_loss(result.metrics["total_return"])
    found = dict(result.studies)
    studies: dict[str, Callable[[], Any]] = {
        "fragility": lambda: fragility(case, result.metrics),
        "random_timing": lambda: random_timing(case),
        "costs": lambda: costs(case),
        "parameters": lambda: parameters(case),
        "shocks": lambda: shocks(case),
        "breaking": lambda: breaking(case),
        "error_budget": lambda: error_budget(loss, len(result.metrics), world, own),
    }
    for study, answer in studies.items():
        with left_out(f"{study.replace('_', ' ')} of {name}", notes):
            if (answered := answer()) is not None:
                found[study] = answered
    if world is not None:
        found["contrasts"] = world
    if knobs is not None:
        found["knobs"] = knobs[case.strategy.name]
    if own is not None:
        found["eras"] = describe_eras(own, periods, case.seed)
    timed = None if own is None else timing_at_origins(own, periods)
    judged = kept = None
    with left_out(f"edge of {name}", notes):
        judged = edge(case, max(1.0, trials), at_origins=timed, permutations=permutations).to_dict()
    with left_out(f"bar by bar, {name}", notes):
        returns = result.metrics["total_return"][: len(case.universes)]
        typical = [one for row in found.get("breaking", ()) for one in row["representatives"]]
        kept = replays(case.strategy, case.universes, returns, case.terms, case.followed, typical)
    return replace(result, edge=judged, studies=found, replays=kept)


@contextmanager
def left_out(what: str, notes: list[str]) -> Iterator[None]:
    """Go on without a study in which a strategy's code fails, and note it."""
    try:
        yield
    except StrategyError as error:
        notes.append(f"Left out: {what}, since {error}.")


def curves(evaluation: Evaluation) -> NDArray[np.float64]:
    """The curves that were kept."""
    assert evaluation.equity is not None
    return evaluation.equity
