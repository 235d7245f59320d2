"""Strategies of one run against each other: what they met is the same, so their differences are sharp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stresslab.report.wording import clean, percent, share
from stresslab.result import StressResult
from stresslab.statistics.paired import ALL_PAIRS, Difference, differences

MOST_RIVALS = 30
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
    rivals += [_rival(name, float(means[name]), pairs[best, name]) for name in order[1:MOST_RIVALS]]
    matrix = []
    if 2 < len(order) <= ALL_PAIRS:
        matrix = [["" if row == column else share(_wins(pairs, row, column)) for column in order] for row in order]
    beaten = [name for name in order[1:] if pairs[best, name].mean.low > 0]
    sentence = (
        f"Every strategy met the same universes. On average {clean(best)} returned most, "
        f"{percent(means[best], signed=True)}; it is ahead of {len(beaten)} of the other {len(order) - 1} by more than "
        "chance among the universes explains."
    )
    if len(order) > MOST_RIVALS:
        sentence += f" Shown are the {MOST_RIVALS} that returned most."
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
    """Share of universes in which the one does better than the other, half of the ties counted."""
    pair = pairs.get((row, column))
    return pair.better.value if pair is not None else 1 - pairs[column, row].better.value
