"""How bad it gets without an edge, and with the edge that the real bars support: the same universes, twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.case import Case, figures
from stresslab.analysis.edge import JudgedEdge
from stresslab.analysis.permutation_test import positions_and_returns
from stresslab.analysis.verdict import Criteria
from stresslab.backtest.evaluate import measures
from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.core.randomness import Stream, uniforms
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.generators.registry import make_generator
from stresslab.metrics.edge_posterior import EdgePosterior, horizon_for
from stresslab.metrics.planted_edge import planted_equity, timing_risk

OTHERS = ("bootstrap", "garch")
"""Generators beside the run's own over which P(loss) is said to range."""
OTHER_UNIVERSES = 400


def planted_losses(case: Case, edge: JudgedEdge, criteria: Criteria | None = None) -> dict[str, Any] | None:
    """Figures where timing is worth nothing, and where each universe draws its edge from the posterior.

    What the generator's own universes hold of timing is taken out in both. Estimation error is inside the second one,
    so profit, drawdown and shortfall all follow from it.

    Args:
        case: the strategy with its universes.
        edge: whose posterior is planted.
        criteria: whose robust threshold the shortest horizon is for.

    Returns:
        None where there is no posterior, or exposure does not vary in the universes.
    """
    if edge.posterior is None or (sides := _planted(case, edge.posterior)) is None:
        return None
    periods = case.history.periods_per_year
    found = {name: figures(metrics, case.seed) for name, metrics in sides.metrics.items()}
    loss = float(found["supported"]["probability_of_loss"]["value"])
    years = horizon_for(loss, case.universes.horizon / periods, edge.posterior.sd, (criteria or Criteria()).robust)
    shortest = years * periods
    ranges = {name: [row["probability_of_loss"]["value"]] for name, row in found.items()}
    for universes in case.others.values():
        other = _planted(case.elsewhere(universes), edge.posterior)
        for name, metrics in ({} if other is None else other.metrics).items():
            ranges[name].append(float((metrics["total_return"] < 0).mean()))
    return {
        **{name: row | {"generators": [min(ranges[name]), max(ranges[name])]} for name, row in found.items()},
        "generators": [*case.others],
        "own_timing": plain(sides.own),
        "shortest_robust_horizon": math.ceil(shortest) if math.isfinite(shortest) else None,
    }


@dataclass(frozen=True, eq=False)
class _Planted:
    """Measures without and with the supported edge, and the timing that was taken out."""

    metrics: Mapping[str, pd.DataFrame]
    own: float


def _planted(case: Case, posterior: EdgePosterior) -> _Planted | None:
    held, earned = positions_and_returns(case.account, case.evaluated)
    periods = case.history.periods_per_year
    risk = timing_risk(held, earned, periods)
    if risk is None:
        return None
    draws = posterior.quantile(uniforms(case.seed, case.account.ids, 1, 1, stream=Stream.EDGE)[:, 0, 0])
    metrics = {}
    for name, drawn in (("without", np.zeros(len(draws))), ("supported", draws)):
        spells = posterior.timing_variance(drawn, len(held))
        equity = planted_equity(case.account.equity, risk, drawn, periods, spells)
        metrics[name] = measures(replace(case.account, equity=equity), periods, risk_free=case.terms.risk_free)
    return _Planted(metrics, risk.own)


def other_universes(
    history: Bars,
    own: str,
    horizon: int,
    seed: int,
    jobs: int = 1,
    make: Callable[[str], Generator] = make_generator,
) -> dict[str, Universes]:
    """Universes of the generators that need no training, beside those of a run's own; of those that fit the history.

    Args:
        history: real bars up to the origin.
        own: name of the run's generator, which is left out.
        horizon: bars.
        seed: of the run.
        jobs: processes.
        make: gives a generator of the registry by its name.
    """
    found = {}
    for name in OTHERS:
        if name != own:
            try:
                found[name] = make(name).sample(history, horizon, OTHER_UNIVERSES, seed, jobs=jobs)
            except InputError:
                continue  # so short or so flat a history is not theirs; the range then names fewer generators
    return found
