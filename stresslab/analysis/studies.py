"""What is asked of a strategy beyond the distribution of its results: one row a study, and the loop over them.

A study is a function of a `Case`. What a strategy's code fails in is left out, and noted. `judged` finds what the
verdict and the lines printed with it rest on, `studied` the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from stresslab.analysis.case import STUDIED, Case
from stresslab.analysis.edge import Trials, edge
from stresslab.analysis.fragility import error_budget, fragility, random_timing, worst_universes
from stresslab.analysis.limits import LimitPlan, limit_study
from stresslab.analysis.permutation_test import Permutations
from stresslab.analysis.planted_losses import planted_losses
from stresslab.analysis.result import StrategyResult
from stresslab.analysis.result_models import Edge
from stresslab.analysis.sensitivity import costs, moves, parameters
from stresslab.analysis.shocks import RUN_AGAIN, shocks
from stresslab.analysis.sides import sides
from stresslab.analysis.sizes import SizePlan, size_study
from stresslab.analysis.symbols import symbols
from stresslab.analysis.verdict import Criteria, Findings, judge
from stresslab.analysis.walk_forward import describe_folds, timing_at_origins
from stresslab.analysis.what_if import what_if
from stresslab.backtest.bar_records import replays
from stresslab.core.errors import StrategyError
from stresslab.metrics.edge_posterior import EdgePosterior


@dataclass(frozen=True)
class Study:
    """One row of the table of studies.

    Attributes:
        key: its name in `result.json`.
        run: answers for a case, as plain JSON; None where it has nothing to say.
        backtests: how often it runs the strategy's code in as many universes as the case has, at most.
        early: whether the lines that are printed with the verdict may show it.
    """

    key: str
    run: Callable[[Case], Any]
    backtests: Callable[[Case], int] = lambda case: 0
    early: bool = False


def _walk_forward(case: Case) -> dict[str, Any] | None:
    return None if case.folds is None else describe_folds(case.folds, case.history.periods_per_year, case.seed)


STUDIES = (
    Study("fragility", fragility, lambda case: 1),
    Study("random_timing", random_timing),
    Study("costs", costs, lambda case: 1),
    Study("parameters", parameters, lambda case: len(moves(case.strategy))),
    Study("shocks", shocks, lambda case: RUN_AGAIN),
    Study("what_if", what_if, early=True),
    Study("reverse_stress", worst_universes),
    Study("error_budget", error_budget),
    Study("symbols", symbols),
    Study("alternative_generators", lambda case: case.alternatives),
    Study("generator_sweep", lambda case: case.sweep),
    Study("walk_forward", _walk_forward),
)
"""Every study, in the order in which they run; the error budget reads what other generators and dates gave."""


@dataclass(frozen=True)
class Question:
    """What the verdict on a strategy is asked with.

    Attributes:
        trials: that the strategy was chosen from.
        findings: what is known of it before its edge is.
        criteria: thresholds.
        permutations: random orders of the real bars, at most.
        sizes: that are asked for; None where they are not.
        limits: that are asked for; None where they are not.
    """

    trials: Trials
    findings: Findings
    criteria: Criteria
    permutations: int
    sizes: SizePlan | None = None
    limits: LimitPlan | None = None


def universes_to_judge(case: Case, permutations: int) -> int:
    """In how many universes a strategy's code is run for its verdict, at most; permutations count by their length.

    Args:
        case: the strategy and what it is studied in.
        permutations: of the real bars, at most; 0 of none.
    """
    made = Permutations(permutations).affordable(case.permuted_bars).most if permutations else 0
    as_given = 0 if case.is_known else len(case.universes)
    others = sum(len(universes) for universes in case.others.values())
    return as_given + others + round(made * case.bars_per_permutation)


def universes_to_study(case: Case) -> int:
    """In how many universes all studies run a strategy's code, at most."""
    return len(case.universes) * sum(study.backtests(case) for study in STUDIES)


def judged(result: StrategyResult, case: Case, question: Question, notes: list[str]) -> StrategyResult:
    """A strategy's result with its edge, the verdict that follows, and the sizes and limits that were asked for.

    Args:
        result: the distribution of its results.
        case: the strategy and what it is studied in.
        question: what the verdict is asked with.
        notes: gets a line for each part in which the strategy's code fails.
    """
    name, found = case.strategy.name, _answers(case, notes, early=True)
    timed = None if case.folds is None else timing_at_origins(case.folds, case.history.periods_per_year)
    edge_found = supported = None
    findings = question.findings
    with left_out(f"edge of {name}", notes):
        supported = edge(case, question.trials, at_origins=timed, permutations=question.permutations)
        losses = planted_losses(case, supported, question.criteria)
        edge_found = Edge.of(supported.to_dict() | {"losses": losses})
        findings = findings.with_edge(edge_found, max(STUDIED, len(case.universes)))
    if question.sizes is not None or question.limits is not None:
        with left_out(f"sizes and limits of {name}", notes):
            found |= _decisions(case, None if supported is None else supported.posterior, question)
    return replace(
        result,
        edge=edge_found,
        studies=result.studies.with_answers(found),
        verdict=judge(findings, question.criteria),
    )


def studied(result: StrategyResult, case: Case, notes: list[str]) -> StrategyResult:
    """A judged strategy's result with the answers of all studies, and what it did bar by bar.

    Args:
        result: as `judged` gave it.
        case: the strategy and what it is studied in.
        notes: gets a line for each study in which the strategy's code fails.
    """
    name, found, kept = case.strategy.name, _answers(case, notes, early=False), None
    with left_out(f"bar by bar, {name}", notes):
        returns = case.run_metrics["total_return"][: len(case.universes)]
        typical = [one for row in found.get("reverse_stress", ()) for one in row["representatives"]]
        kept = replays(case.strategy, case.universes, returns, case.terms, case.followed, typical)
    return replace(result, studies=result.studies.with_answers(found), replays=kept)


def _answers(case: Case, notes: list[str], *, early: bool) -> dict[str, Any]:
    """The answers of the studies that are early, or of the others, by key."""
    found = dict[str, Any]()
    for study in STUDIES:
        if study.early == early:
            with left_out(f"{study.key.replace('_', ' ')} of {case.strategy.name}", notes):
                if (answer := study.run(case)) is not None:
                    found[study.key] = answer
    return found


def _decisions(case: Case, posterior: EdgePosterior | None, question: Question) -> dict[str, Any]:
    """Sizes and limits, where they are asked for, on the same accounts."""
    accounts, found = sides(case, posterior), dict[str, Any]()
    if question.sizes is not None:
        found["sizes"] = size_study(accounts, posterior, question.sizes, case.seed)
    if question.limits is not None:
        found["limits"] = limit_study(accounts, question.limits, case.evaluated.timestamps, case.seed)
    return found


@contextmanager
def left_out(what: str, notes: list[str]) -> Iterator[None]:
    """Go on without a study in which a strategy's code fails, and note it."""
    try:
        yield
    except StrategyError as error:
        notes.append(f"Left out: {what}, since {error}.")
