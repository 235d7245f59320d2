"""How fragile a result is: random timing, reverse stress, and where the uncertainty comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.case import Case, figures
from stresslab.analysis.permutation_test import positions_and_returns
from stresslab.analysis.walk_forward import losses_by_origin
from stresslab.core.plain_json import plain
from stresslab.data.bars import CLOSE
from stresslab.generators.matched import ALTERNATIVES
from stresslab.metrics.distribution import expected_shortfall, probability_of_loss
from stresslab.metrics.error_budget import budget
from stresslab.metrics.paired import difference
from stresslab.metrics.reverse_stress import reverse_stress


def fragility(case: Case) -> dict[str, Any]:
    """How bad it gets as generated, with the generator's drift taken out, and against buy and hold."""
    metrics = case.run_metrics
    held = metrics["total_return"] - metrics["excess_return"]
    return {
        "as_generated": figures(metrics, case.seed),
        "drift_neutral": figures(case.drift_neutral.metrics, case.seed),
        "against_buy_and_hold": difference(metrics["total_return"], held).to_dict(),
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
        pd.Series(np.maximum(1 + (held * earned).reshape(*held.shape[:2], -1).sum(axis=2), 0.0).prod(axis=0) - 1)
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


def worst_universes(case: Case) -> list[dict[str, Any]]:
    """The worst 5% of the universes by what happened in them, the most frequent first."""
    values = case.universes.values[:, :, CLOSE].astype(np.float64)
    last = np.full((len(values), 1), case.history.values[-1, CLOSE])
    equity = case.account.equity
    groups = reverse_stress(
        np.hstack([last, values]), case.account.position, equity[-1] / equity[0] - 1, case.universes.ids
    )
    return [group.to_dict() for group in groups]


def error_budget(case: Case) -> dict[str, Any]:
    """P(loss) with its error in parts: chance, and where they were asked for, choice of generator and of origin."""
    metrics, rows = case.run_metrics, case.alternatives
    drifting = [] if rows is None else [row for row in rows if ALTERNATIVES[row["name"]].drift is None]
    generators = {row["label"]: row["probability_of_loss"]["value"] for row in drifting} or None
    shares, variances = losses_by_origin(case.folds) if case.folds else (None, None)
    figure = probability_of_loss(metrics["total_return"])
    return budget(figure, len(metrics), by_generator=generators, by_origin=shares, variances=variances).to_dict()
