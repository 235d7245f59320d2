"""Strategies of one run against each other: they trade the same prices, so their differences are sharp."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_selection import Reoptimisation, Selection
from stresslab.metrics.paired import ALL_PAIRS, Difference, differences
from stresslab.report.sections.provenance import day
from stresslab.report.sections.table import Table, share
from stresslab.report.wording import UNDEFINED, clean, number, percent

MAX_RIVALS = 30
"""Strategies that are listed, at most."""


@dataclass(frozen=True)
class Rival:
    """One strategy beside the best: its mean return, how much better the best is, and in how many universes."""

    name: str
    mean: str
    difference: str
    interval: str
    better: str
    better_interval: str


@dataclass(frozen=True)
class Contrasts:
    """What the section shows: a sentence, a line per strategy, and the share of universes in which row beats column."""

    sentence: str
    rivals: list[Rival]
    names: list[str]
    matrix: list[list[str]]


def contrasts(result: StressResult) -> Contrasts | None:
    """The strategies of a result by their mean return; None for a single one."""
    if len(result.strategies) < 2:
        return None
    returns = pd.DataFrame({one.name: one.metrics["total_return"] for one in result.strategies})
    means = returns.mean().sort_values(ascending=False, kind="stable")
    order = [str(name) for name in means.index]
    pairs = {(one.first, one.second): one for one in differences(returns)}
    best = order[0]
    rivals = [Rival(clean(best), percent(means[best], signed=True), "", "", "", "")]
    rivals += [_rival(name, float(means[name]), pairs[best, name]) for name in order[1:MAX_RIVALS]]
    matrix = []
    if 2 < len(order) <= ALL_PAIRS:
        matrix = [["" if row == column else share(_wins(pairs, row, column)) for column in order] for row in order]
    beaten = [name for name in order[1:] if pairs[best, name].mean.low > 0]
    sentence = (
        f"Every strategy traded in the same universes. On average {clean(best)} returned most, "
        f"{percent(means[best], signed=True)}; it is ahead of {len(beaten)} of the other {len(order) - 1} by more than "
        "chance among the universes explains."
    )
    if len(order) > MAX_RIVALS:
        sentence += f" Shown are the {MAX_RIVALS} that returned most."
    return Contrasts(sentence, rivals, [clean(name) for name in order], matrix)


def _rival(name: str, mean: float, pair: Difference) -> Rival:
    ends = (pair.mean.low, pair.mean.high)
    known = all(np.isfinite(ends))
    return Rival(
        name=clean(name),
        mean=percent(mean, signed=True),
        difference=percent(pair.mean.value, signed=True),
        interval=f"{percent(ends[0], signed=True)} to {percent(ends[1], signed=True)}" if known else "",
        better=share(pair.better.value),
        better_interval=f"{share(pair.better.low)} to {share(pair.better.high)}",
    )


def _wins(pairs: dict[tuple[str, str], Difference], row: str, column: str) -> float:
    """Share of universes in which the one does strictly better than the other."""
    pair = pairs.get((row, column))
    return pair.better.value if pair is not None else pairs[column, row].worse.value


MAX_SELECTED, MAX_NAMED = 30, 6
"""Strategies whose selection is written out, and that are listed in one cell, at most."""


def together(result: StressResult) -> list[Table]:
    """What is known of all strategies of a run together."""
    found = result.studies.selection
    procedure = result.studies.reoptimisation
    return [
        *([_selection(found), *_overfitting(found)] if found else []),
        *([] if procedure is None else [_reoptimisation(procedure)]),
    ]


def _reoptimisation(found: Reoptimisation) -> Table:
    posterior = found.edge.posterior
    chance = UNDEFINED if posterior is None else share(posterior.probability)
    sentence = (
        "Walk-forward re-optimisation: what was best on all bars before each window traded in it, so that every return "
        f"is out of sample and the procedure is one trial. Over {found.bars:,} bars its net annual Sharpe ratio is "
        f"{number(found.sharpe)} (total return {percent(found.total_return, signed=True)}); its edge: "
        f"{found.edge.label}, real with a probability of {chance}."
    )
    rows = tuple((day(one.start), clean(one.strategy)) for one in found.windows)
    return Table("evidence-reoptimisation", "Chosen before each window", sentence, ("Window from", "Traded"), rows)


def _selection(found: Selection) -> Table:
    ranked = sorted(found.deflated_sharpe.items(), key=lambda item: -(item[1].sharpe or -math.inf))
    kept = ranked[:MAX_SELECTED] if len(ranked) > MAX_SELECTED else list(found.deflated_sharpe.items())
    rows = tuple(
        (
            clean(name),
            number(one.sharpe),
            share(one.probabilistic),
            share(one.deflated),
            number(one.skewness),
            number(one.kurtosis),
        )
        for name, one in kept
    )
    tried = f"{found.effective_trials:.3g}"
    sentence = (
        f"The backtests on the real bars, discounted for being the best of {tried} trials: the probability that the "
        "true Sharpe ratio is above what the best of as many without skill would show."
    )
    headings = ("Strategy", "Sharpe of a bar", "Above 0, if alone", "Above luck's best", "Skewness", "Kurtosis")
    return Table("evidence-selection", "Selection", sentence, headings, rows)


def _overfitting(found: Selection) -> list[Table]:
    fit, test = found.overfitting, found.superior_ability
    if fit is None or test is None:
        return []
    named = [clean(name) for name in test.superior]
    superior = ", ".join(named[:MAX_NAMED]) or "none"
    if len(named) > MAX_NAMED:
        superior = f"{superior} and {len(named) - MAX_NAMED:,} more"
    rows = (
        ("Probability of backtest overfitting", share(fit.probability), "0.5 for strategies without skill"),
        ("The best of one half loses in the other", share(fit.loss), f"of {fit.halvings:,} ways to halve"),
        ("Hansen's test against buy and hold, p-value", share(test.consistent), f"better, all together: {superior}"),
    )
    sentence = "Does choosing the best of these strategies by its backtest choose anything?"
    return [Table("evidence-overfitting", "Overfitting", sentence, ("Question", "Answer", "Note"), rows)]
