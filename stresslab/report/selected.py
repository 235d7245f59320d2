"""What choosing among the strategies of a run does to their backtests, as tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stresslab.report.evidence_tables import Table, share
from stresslab.report.wording import clean, number
from stresslab.result import StressResult

MOST_SELECTED, MOST_NAMED = 30, 6
"""Strategies whose selection is written out, and that are listed in one cell, at most."""


def together(result: StressResult) -> list[Table]:
    """What is known of all strategies of a run together."""
    found = result.studies.get("selection")
    return [_selection(found), *_overfitting(found)] if found else []


def _selection(found: Mapping[str, Any]) -> Table:
    ranked = sorted(found["deflated_sharpe"].items(), key=lambda item: -(item[1]["sharpe"] or -math.inf))
    kept = ranked[:MOST_SELECTED] if len(ranked) > MOST_SELECTED else found["deflated_sharpe"].items()
    rows = tuple(
        (
            clean(name),
            number(one["sharpe"]),
            share(one["probabilistic"]),
            share(one["deflated"]),
            number(one["skewness"]),
            number(one["kurtosis"]),
        )
        for name, one in kept
    )
    tried = f"{found['effective_trials']:.3g}"
    sentence = (
        f"The backtests on the real bars, discounted for being the best of {tried} trials: the probability that the "
        "true Sharpe ratio is above what the best of as many without skill would show."
    )
    headings = ("Strategy", "Sharpe of a bar", "Above 0, if alone", "Above luck's best", "Skewness", "Kurtosis")
    return Table("evidence-selection", "Selection", sentence, headings, rows)


def _overfitting(found: Mapping[str, Any]) -> list[Table]:
    if not found["overfitting"]:
        return []
    fit, test = found["overfitting"], found["superior_ability"]
    named = [clean(name) for name in test["superior"]]
    superior = ", ".join(named[:MOST_NAMED]) or "none"
    if len(named) > MOST_NAMED:
        superior = f"{superior} and {len(named) - MOST_NAMED:,} more"
    rows = (
        ("Probability of backtest overfitting", share(fit["probability"]), "0.5 for strategies without skill"),
        ("The best of one half loses in the other", share(fit["loss"]), f"of {fit['halvings']:,} ways to halve"),
        ("Hansen's test against buy and hold, p-value", share(test["consistent"]), f"better, all together: {superior}"),
    )
    sentence = "Does choosing the best of these strategies by its backtest choose anything?"
    return [Table("evidence-overfitting", "Overfitting", sentence, ("Question", "Answer", "Note"), rows)]
