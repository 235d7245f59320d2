"""What if: the base case beside the universes that meet a condition, and those in which a shock happened.

One condition stands in every report: that volatility rises. It is asked of the universes that are there anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stresslab.analysis.case import Case, figures
from stresslab.analysis.conditions import VOLATILITY_UP, Condition
from stresslab.data.universes import Universes
from stresslab.metrics.distribution import wilson

WANTED = 200
"""Universes that meet a condition, after which no more are sampled."""
MIN_MET = 40
"""Fewest of them in which a strategy is judged: the expected shortfall is then the worst one's."""
MAX_SAMPLED = 20_000
"""Universes that are looked at for conditions, at most."""


@dataclass(frozen=True, eq=False)
class Conditional:
    """Universes that meet a condition.

    Attributes:
        condition: which.
        universes: those that meet it, at least one; None where there is none.
        sampled: how many were looked at.
        met: how many of these meet it.
    """

    condition: Condition
    universes: Universes | None
    sampled: int
    met: int

    @property
    def enough(self) -> bool:
        """Whether a strategy can be judged in them."""
        return self.met >= MIN_MET

    def about(self) -> dict[str, Any]:
        """Name, probability with its Wilson interval, and how many were looked at."""
        return {
            "name": self.condition.text,
            "probability": wilson(self.met, self.sampled).to_dict(),
            "sampled": self.sampled,
        }


def conditional_universes(
    conditions: Sequence[Condition],
    first: Universes,
    sample: Callable[[int], Universes | None],
    progress: Callable[[int], None] | None = None,
) -> list[Conditional]:
    """The universes that meet each condition, sampled until there are enough of each.

    Sampling ends with `WANTED` universes of every condition, at `MAX_SAMPLED`, or where even the upper end of the
    probability's interval leaves no hope of `MIN_MET` up to there. Since it ends sooner where a condition is met more
    often, the share that meets it is too high by about one in `WANTED` of itself (Haldane 1945).

    Args:
        conditions: which.
        first: universes that are there already.
        sample: the next universes, from an id on; None where there are no more.
        progress: called with the number of universes that newly meet a condition, at most `WANTED` of each.
    """
    kept: dict[str, list[Universes]] = {one.text: [] for one in conditions}
    counts, looked_at, found = dict.fromkeys(kept, 0), dict.fromkeys(kept, 0), 0
    universes: Universes | None = first
    while universes is not None:
        found += len(universes)
        for one in conditions:
            if looked_at[one.text] and _settled(counts[one.text], looked_at[one.text]):
                continue
            met = np.flatnonzero(one.met(universes))
            if len(met):
                kept[one.text].append(universes.take(met))
            if progress is not None:
                progress(min(counts[one.text] + len(met), WANTED) - min(counts[one.text], WANTED))
            counts[one.text] += len(met)
            looked_at[one.text] = found
        done = found >= MAX_SAMPLED or all(_settled(counts[name], looked_at[name]) for name in kept)
        universes = None if done else sample(int(universes.ids.max()) + 1)
    return [
        Conditional(
            one, Universes.concatenate(kept[one.text]) if kept[one.text] else None, looked_at[one.text],
            counts[one.text],
        )
        for one in conditions
    ]  # fmt: skip


def _settled(met: int, sampled: int) -> bool:
    """Whether more universes are not wanted: enough meet the condition, or too few ever will."""
    return met >= WANTED or wilson(met, sampled).high * MAX_SAMPLED < MIN_MET


def condition_rows(cases: Sequence[Case], found: Sequence[Conditional]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """What each strategy comes to in the universes that meet a condition, by strategy: "rows" and "too_rare"."""
    answers = {}
    for case in cases:
        rows, rare = list[dict[str, Any]](), list[dict[str, Any]]()
        for one in found:
            if one.universes is None or not one.enough:
                rare.append(one.about() | {"met": one.met})
                continue
            metrics = case.elsewhere(one.universes, compared=False).metrics
            rows.append({"kind": "condition", "label": f"given {one.condition.text}", **one.about()}
                        | figures(metrics, case.seed))  # fmt: skip
        answers[case.strategy.name] = {"rows": rows, "too_rare": rare}
    return answers


def what_if(case: Case) -> dict[str, Any]:
    """The base case, the universes in which volatility rises, and what else was asked for."""
    asked: Mapping[str, list[dict[str, Any]]] = case.what_if or {}
    base = {"kind": "base", "name": "base", "label": "as generated", **figures(case.metrics, case.seed)}
    rows, rare = [base], list(asked.get("too_rare", ()))
    if not any(row["name"] == VOLATILITY_UP.text for row in [*asked.get("rows", ()), *rare]):
        met = VOLATILITY_UP.met(case.evaluated)
        standing = Conditional(VOLATILITY_UP, None, len(met), int(met.sum()))
        if standing.enough:
            about = {"kind": "condition", "label": f"given {VOLATILITY_UP.text}", **standing.about()}
            rows.append(about | figures(case.metrics[met], case.seed))
        else:
            rare.append(standing.about() | {"met": standing.met})
    return {"rows": [*rows, *asked.get("rows", ())], "too_rare": rare}
