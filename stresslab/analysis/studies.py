"""The strategies of a run as contestants: on all its grounds, on more universes where asked, together, and studied.

What is asked of one strategy is `studies`' and `eras`' business; `stress` says in which order a run goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from stresslab.analysis.case import Case
from stresslab.analysis.edge import Trials, edge
from stresslab.analysis.fragility import breaking, error_budget, fragility, random_timing
from stresslab.analysis.planted_losses import planted_losses
from stresslab.analysis.result import StrategyResult
from stresslab.analysis.result_models import Edge
from stresslab.analysis.sensitivity import costs, parameters
from stresslab.analysis.shocks import shocks
from stresslab.analysis.verdict import Criteria, Findings, judge
from stresslab.analysis.walk_forward import Era, describe_eras, timing_at_origins
from stresslab.backtest.bar_records import replays
from stresslab.core.errors import StrategyError
from stresslab.metrics.distribution import probability_of_loss


def studied(
    result: StrategyResult,
    case: Case,
    judgement: tuple[Trials, Findings, Criteria],
    eras: Mapping[str, list[Era]] | None,
    worlds: Mapping[str, list[dict[str, Any]]] | None,
    knobs: Mapping[str, list[dict[str, Any]]] | None,
    notes: list[str],
    permutations: int,
) -> StrategyResult:
    """A strategy's result with everything that is asked of it beyond the distribution, and judged by it.

    What its code fails in is left out, and noted.
    """
    trials, findings, criteria = judgement
    name = case.strategy.name
    periods = case.history.periods_per_year
    own = None if eras is None else eras[case.strategy.name]
    world = None if worlds is None else worlds[case.strategy.name]
    loss = probability_of_loss(result.metrics["total_return"])
    found = dict[str, Any]()
    studies: dict[str, Callable[[], Any]] = {
        "fragility": lambda: fragility(case, result.metrics),
        "random_timing": lambda: random_timing(case),
        "costs": lambda: costs(case),
        "parameters": lambda: parameters(case),
        "shocks": lambda: shocks(case),
        "reverse_stress": lambda: breaking(case),
        "error_budget": lambda: error_budget(loss, len(result.metrics), world, own),
    }
    for study, answer in studies.items():
        with left_out(f"{study.replace('_', ' ')} of {name}", notes):
            if (answered := answer()) is not None:
                found[study] = answered
    if world is not None:
        found["alternative_generators"] = world
    if knobs is not None:
        found["generator_sweep"] = knobs[case.strategy.name]
    if own is not None:
        found["walk_forward"] = describe_eras(own, periods, case.seed)
    timed = None if own is None else timing_at_origins(own, periods)
    judged = kept = None
    with left_out(f"edge of {name}", notes):
        supported = edge(case, trials, at_origins=timed, permutations=permutations)
        judged = Edge.of(supported.to_dict() | {"losses": planted_losses(case, supported, criteria)})
        findings = findings.with_edge(judged, len(case.universes))
    with left_out(f"bar by bar, {name}", notes):
        returns = result.metrics["total_return"][: len(case.universes)]
        typical = [one for row in found.get("reverse_stress", ()) for one in row["representatives"]]
        kept = replays(case.strategy, case.universes, returns, case.terms, case.followed, typical)
    studies_of = result.studies.with_answers(found)
    return replace(result, edge=judged, studies=studies_of, replays=kept, verdict=judge(findings, criteria))


@contextmanager
def left_out(what: str, notes: list[str]) -> Iterator[None]:
    """Go on without a study in which a strategy's code fails, and note it."""
    try:
        yield
    except StrategyError as error:
        notes.append(f"Left out: {what}, since {error}.")
