"""Conditions and shocks of a run: more universes are sampled for them, and the cases get what strategies come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stresslab.analysis.case import Case
from stresslab.analysis.continued_shocks import check_continuing, shock_rows
from stresslab.analysis.studies import left_out
from stresslab.analysis.what_if import MAX_SAMPLED, MIN_MET, WANTED, condition_rows, conditional_universes
from stresslab.core.progress import Stages
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.runs.plan import Plan


def with_what_if(
    cases: Mapping[int, Case], plan: Plan, history: Bars, stages: Stages, notes: list[str]
) -> dict[int, Case]:
    """The cases with what was asked of conditions, shocks and crises; as they were where nothing was asked."""
    asked, found = plan.studies.what_if, dict(cases)
    shocks, conditions = asked.shocks(plan.horizon), asked.conditions(plan.horizon, history)
    if not shocks and not conditions:
        return found
    rows: dict[str, list[Any]] = {case.strategy.name: [] for case in cases.values()}
    rare: dict[str, list[Any]] = {name: [] for name in rows}
    if conditions:
        with stages.stage("conditions", WANTED * len(conditions)) as advance, left_out("conditions", notes):
            first = next(iter(cases.values())).universes
            met = conditional_universes(conditions, first, _more(plan, history), advance)
            for name, answer in condition_rows(list(cases.values()), met).items():
                rows[name] += answer["rows"]
                rare[name] += answer["too_rare"]
            for one in met:
                if not one.enough:
                    notes.append(
                        f"Left out: given {one.condition.text}, since {one.met:,} of {one.sampled:,} universes meet "
                        f"it, fewer than the {MIN_MET} that a strategy is judged in; at most {MAX_SAMPLED:,} "
                        "are looked at."
                    )
    if shocks:
        total = len(next(iter(cases.values())).universes) * len(shocks)
        with stages.stage("shocks", total) as advance, left_out("shocks", notes):
            answers = shock_rows(list(cases.values()), check_continuing(plan.generator), shocks, advance)
            for name, made in answers.items():
                rows[name] += made
    return {
        at: case.with_answers(what_if={"rows": rows[case.strategy.name], "too_rare": rare[case.strategy.name]})
        for at, case in found.items()
    }


def _more(plan: Plan, history: Bars) -> Callable[[int], Universes | None]:
    """Samples the next universes from an id on, up to `MAX_SAMPLED`."""

    def sample(first: int) -> Universes | None:
        ids = np.arange(first, min(first + plan.shard_size(), MAX_SAMPLED))
        if not len(ids):
            return None
        return plan.generator.sample(
            history, plan.horizon, MAX_SAMPLED, plan.seed, ids=ids.tolist(), jobs=plan.compute.workers
        )

    return sample
