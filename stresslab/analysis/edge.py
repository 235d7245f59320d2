"""The edge of a strategy: whether it adds anything beyond its exposure. Evidence, one label, and its reasons.

Real bars decide it: how likely the edge is real, given the estimate, its error, the trials and what fresh bars add. How
bad it gets for the strategy, `stresslab.analysis.verdict` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from stresslab.analysis.case import Case
from stresslab.analysis.permutation_test import (
    PERMUTATIONS,
    Permutations,
    RealBars,
    permutation_test,
    positions_and_returns,
)
from stresslab.analysis.result_models import Check, EdgeLabel, check
from stresslab.backtest import backtest
from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.core.text import percent
from stresslab.data.universes import Universes
from stresslab.metrics.distribution import Interval
from stresslab.metrics.edge_posterior import (
    ASSUMED_TRIALS,
    EdgePosterior,
    edge_posterior,
    years_to_find_out,
)
from stresslab.metrics.fresh_evidence import FreshTiming, combined_p_value, fresh_timing
from stresslab.metrics.market_timing import Timing
from stresslab.metrics.multiple_testing import family_p_value

MIN_KNOWN = 60
"""Real bars before a strategy was frozen that are worth a test."""
MOST_YEARS = 100
"""Years of fresh bars beyond which their number says nothing more."""


@dataclass(frozen=True)
class EdgeCriteria:
    """The thresholds of the edge.

    Attributes:
        size: greatest probability that a claimed edge is none.
        worth: annual Sharpe ratio of timing that would be worth having: less is as good as none.
    """

    size: float = 0.05
    worth: float = 0.5

    def __post_init__(self) -> None:
        """Check that both can be meant."""
        if not 0 < self.size < 0.5:
            raise InputError(f"size={self.size} is not an error rate in (0, 0.5); for 5% write 0.05")
        if not 0 < self.worth < 100:
            raise InputError(f"worth={self.worth} is not a Sharpe ratio above 0; write for example 0.5")


@dataclass(frozen=True)
class Trials:
    """How many variants a strategy is the best of.

    Attributes:
        count: an effective number, at least 1.
        assumed: whether it was assumed since none were reported.
    """

    count: float = 1.0
    assumed: bool = False

    def __post_init__(self) -> None:
        """Check the count."""
        if not 1 <= self.count < math.inf:
            raise InputError(
                f"trials={self.count} is below 1; count every variant that was tried, the chosen one included"
            )

    @classmethod
    def of(cls, known: float, reported: float | None) -> Trials:
        """What is reported, what a run and its ledger know, and where nothing is reported at least `ASSUMED_TRIALS`."""
        if reported is not None:
            return cls(max(1.0, known, float(reported)))
        return cls(max(1.0, known, float(ASSUMED_TRIALS)), known < ASSUMED_TRIALS)

    def describe(self) -> str:
        """In words, after "best of"."""
        return f"{self.count:.3g} trials" + (" (assumed, since none were reported)" if self.assumed else "")


@dataclass(frozen=True)
class Fresh:
    """Timing on bars after a strategy was frozen.

    Attributes:
        timing: what was measured; None where the bars are too few or nothing was timed.
        since: the last bar before them, as text.
        looks: how often they were looked at, this time included.
    """

    timing: FreshTiming | None
    since: str
    looks: int = 1

    @property
    def p_value(self) -> float:
        """One-sided, after so many looks (Bonferroni)."""
        return 1.0 if self.timing is None else min(1.0, self.looks * self.timing.p_value)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "timing": None if self.timing is None else self.timing.to_dict(),
            "since": self.since,
            "looks": self.looks,
            "p_value": plain(self.p_value),
        }


@dataclass(frozen=True)
class JudgedEdge:
    """A label, why, and every check that led to it.

    Attributes:
        label: yes, no or unclear.
        reasons: sentences for people, the deciding one first.
        checks: of the posterior, the real bars, fresh bars, real origins and the universes.
        posterior: of the annual timing Sharpe ratio; None where there are no real bars to go by, or nothing was timed.
        required: probability from which an edge is claimed.
        trials: that the strategy is the best of.
        fresh: evidence after it was frozen; None where it was not.
    """

    label: EdgeLabel
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    posterior: EdgePosterior | None = None
    required: float = 0.95
    trials: Trials = field(default_factory=Trials)
    fresh: Fresh | None = None

    def to_dict(self) -> dict[str, Any]:
        """The "edge" section of `result.json`; what follows for losses is added by `analysis.planted_losses`."""
        return {
            "label": self.label,
            "reasons": list(self.reasons),
            "checks": [check.to_dict() for check in self.checks],
            "posterior": None if self.posterior is None else self.posterior.to_dict(),
            "required": self.required,
            "trials": {"count": plain(self.trials.count), "assumed": self.trials.assumed},
            "fresh": None if self.fresh is None else self.fresh.to_dict(),
            "years_to_find_out": None
            if self.posterior is None
            else plain(years_to_find_out(self.posterior, self.required)),
        }


def posterior_of(real: RealBars | None, trials: float, fresh: Fresh | None = None) -> EdgePosterior | None:
    """The posterior from the real bars' estimate after selection, and from fresh bars; None where nothing was timed."""
    pieces = [] if fresh is None or fresh.timing is None else [fresh.timing.evidence]
    if real is not None and real.timed and math.isfinite(real.sharpe.value) and real.error > 0:
        found = edge_posterior(real.sharpe.value, real.error, trials, pieces, inflation=real.gains.inflation)
        return replace(found, spells=real.gains.spells)
    if pieces and (real is None or real.timed):
        return edge_posterior(pieces[0].sharpe, pieces[0].error, 1.0, pieces[1:])
    return None


def edge_label(posterior: EdgePosterior | None, timed: bool, required: float, criteria: EdgeCriteria) -> EdgeLabel:
    """The table of edges: yes from the required probability on, no where nothing is timed or it is worth nothing.

    That there may have been other trials is no evidence against an edge: the bars themselves have to exclude it.
    """
    if not timed:
        return "no"
    if posterior is None:
        return "unclear"
    if posterior.probability >= required:
        return "yes"
    return "no" if posterior.alone.above(criteria.worth) <= criteria.size else "unclear"


def judge_edge(
    real: RealBars | None,
    universes: Timing | None = None,
    origins: Timing | None = None,
    fresh: Fresh | None = None,
    *,
    trials: Trials | None = None,
    criteria: EdgeCriteria | None = None,
) -> JudgedEdge:
    """Judge whether a strategy adds anything beyond its exposure: real bars decide, universes only describe.

    Each look at fresh bars spends part of the error: after L of them an edge is claimed from 1 - size / L on.

    Args:
        real: timing on real bars against their permutations; None where there are too few.
        universes: timing in the universes, which says whether their generator contains what the rule depends on.
        origins: timing on what followed real origins, which are the same bars once more.
        fresh: timing on bars after the strategy was frozen.
        trials: variants that were tried before this one was chosen, itself included.
        criteria: the thresholds; the defaults when None.
    """
    criteria, trials = criteria or EdgeCriteria(), trials or Trials()
    required = 1 - criteria.size / max(1, 1 if fresh is None else fresh.looks)
    posterior = posterior_of(real, trials.count, fresh)
    timed = real is None or real.timed
    named = edge_label(posterior, timed, required, criteria)
    checks = [_probability_check(posterior, trials, required, named), _real_check(real, trials, fresh, criteria)]
    if fresh is not None:
        checks.append(_fresh_check(fresh, criteria))
    checks.append(_timing_check("timing_at_origins", "on what followed real origins", origins))
    checks.append(_timing_check("timing_in_universes", "in the universes", universes))
    reasons = (*_reasons(named, posterior, timed, trials, required, criteria), *_on_fresh_bars(fresh))
    return JudgedEdge(named, reasons, tuple(checks), posterior, required, trials, fresh)


def _probability_check(posterior: EdgePosterior | None, trials: Trials, required: float, named: EdgeLabel) -> Check:
    name = "edge_is_real"
    if posterior is None:
        passed = False if named == "no" else None
        note = "exposure never varied: nothing was timed" if named == "no" else "not assessed: the real bars"
        return check(name, required, passed, note)
    found = posterior.interval()
    best = f"as the best of {trials.count:.3g}"
    if posterior.trials < trials.count:
        best += f" (an estimate so low counts as the best of {posterior.trials:.3g})"
    note = (
        f"annual timing Sharpe ratio {found.value:z.2f}, 90% between {found.low:z.2f} and {found.high:z.2f}, {best}, "
        f"under a prior of {posterior.prior_sd:g} about 0"
    )
    if posterior.null:
        note += f"; {percent(posterior.null)} that it is one of the other trials, without an edge"
    passed = {"yes": True, "no": False, "unclear": None}[named]
    return check(name, required, passed, note, posterior.probability)


def _real_check(found: RealBars | None, trials: Trials, fresh: Fresh | None, criteria: EdgeCriteria) -> Check:
    """The check without a prior: p-values of the permutation and of fresh bars, combined (Fisher 1932)."""
    name = "timing_on_real_bars"
    if found is None:
        return check(name, criteria.size, None, "not assessed: timing on the real bars")
    if not found.timed:
        return check(name, criteria.size, False, "exposure never varied: nothing was timed", 1.0)
    selected = family_p_value(found.p_value, trials.count)
    p_value = combined_p_value([selected, fresh.p_value]) if fresh is not None and fresh.timing else selected
    note = (
        f"in {_p_text(found.p_value)} of {found.permutations:,} random orders of {found.bars:,} real bars timing is "
        f"as good; it is worth an annual Sharpe ratio of {found.sharpe.value:z.2f}"
    )
    if trials.count > 1:
        note += f"; as the best of {trials.describe()}, {_p_text(selected)}"
    if fresh is not None and fresh.timing:
        note += f"; with the fresh bars, {_p_text(p_value)}"
    return check(name, criteria.size, True if p_value <= criteria.size else None, note, p_value)


def _p_text(p_value: float) -> str:
    """A p-value as people read it; what lies next to 1 needs no further digits."""
    return "over 99.9%" if 0.999 < p_value < 1 else percent(p_value)


def _fresh_check(fresh: Fresh, criteria: EdgeCriteria) -> Check:
    name, found = "timing_on_fresh_bars", fresh.timing
    if found is None:
        note = f"not assessed: too few bars after {fresh.since}, or nothing was timed on them"
        return check(name, criteria.size, None, note)
    note = (
        f"on {found.bars:,} bars after {fresh.since}, when it was frozen, timing is worth an annual Sharpe ratio of "
        f"{found.sharpe:z.2f} with a standard error of {found.error:.2f}; looked at {fresh.looks:,} times"
    )
    return check(name, criteria.size, True if fresh.p_value <= criteria.size else None, note, fresh.p_value)


def _timing_check(name: str, where: str, found: Timing | None) -> Check:
    """Described, never decisive."""
    if found is None:
        return check(name, 0.0, None, f"not assessed: timing {where}")
    if not found.timed:
        note = f"exposure never varied between paths {where}: nothing was timed"
        return check(name, 0.0, False, note, Interval(0.0, 0.0, 0.0))
    passed = True if found.total.low > 0 else False if found.total.high < 0 else None
    note = f"timing {where} is worth an annual Sharpe ratio of {found.sharpe.value:z.2f}, over {found.paths:,} of them"
    return check(name, 0.0, passed, note, found.total)


def _on_fresh_bars(fresh: Fresh | None) -> tuple[str, ...]:
    """What bars that the choice of the strategy had not seen say by themselves."""
    if fresh is None:
        return ()
    since = fresh.since.removesuffix(" 00:00:00")
    if fresh.timing is None:
        return (
            f"The bars since {since}, when it was frozen, are too few to say anything, or nothing was timed on them.",
        )
    found, seen = fresh.timing, "" if fresh.looks == 1 else f", looked at {fresh.looks} times"
    return (
        f"That counts {found.bars:,} fresh bars since {since}{seen}, which by themselves show an annual timing Sharpe "
        f"ratio of {found.sharpe:z.2f}, with a standard error of {found.error:.2f}.",
    )


def _reasons(
    named: EdgeLabel,
    posterior: EdgePosterior | None,
    timed: bool,
    trials: Trials,
    required: float,
    criteria: EdgeCriteria,
) -> tuple[str, ...]:
    """The deciding sentence, then what it would take to find out."""
    if not timed:
        return ("Its exposure never varies, so nothing is timed.",)
    if posterior is None:
        return ("Its timing was not tested on the real bars.",)
    chance = percent(posterior.probability, required)
    best = f", judged as the best of {trials.describe()}" if trials.count > 1 else ""
    if named == "yes":
        return (f"The probability that its edge is real is {chance}{best}; {percent(required)} are required.",)
    if named == "no":
        return (
            f"Timing worth an annual Sharpe ratio of {criteria.worth:g} or more has a probability of only "
            f"{percent(posterior.alone.above(criteria.worth))} on the real bars{best}.",
        )
    sentence = f"The probability that its edge is real is {chance}{best}, less than the {percent(required)} required."
    years = years_to_find_out(posterior, required)
    if math.isinf(years):
        return (sentence, "Nothing on the real bars suggests that waiting would confirm it.")
    if years > MOST_YEARS:
        return (sentence, f"If it is as large as it seems, more than {MOST_YEARS} years of fresh bars would settle it.")
    return (sentence, f"If it is as large as it seems, about {years:.1f} years of fresh bars would settle it.")


def edge(case: Case, trials: Trials, at_origins: Timing | None = None, permutations: int = PERMUTATIONS) -> JudgedEdge:
    """Whether the strategy adds anything beyond its exposure, on the real bars and on those after it was frozen.

    Args:
        case: the strategy.
        trials: variants that were tried, itself included.
        at_origins: timing on what followed real origins.
        permutations: of the real bars, at most; 0 leaves them out.
    """
    known, fresh = case.history, None
    if case.frozen is not None:
        known = known.up_to(case.frozen.since)
        fresh = Fresh(fresh_bars_timing(case), str(case.frozen.since), case.frozen.looks)
    real = None
    if permutations and len(known) > MIN_KNOWN:
        how = Permutations(permutations, trials=trials.count, seed=case.seed)
        real = permutation_test(case.strategy, known, case.terms, how, jobs=case.jobs, progress=case.permuted)
    return judge_edge(real, case.timing, at_origins, fresh, trials=trials)


def fresh_bars_timing(case: Case) -> FreshTiming | None:
    """Timing of a frozen strategy on all real bars after the last one that had been seen."""
    assert case.frozen is not None
    bars = case.frozen.bars
    warm = max(1, min(case.terms.warmup, len(bars) // 2))
    real = Universes.from_bars(bars[warm:], bars[:warm])
    account = backtest(case.strategy, real, case.terms, periods_per_year=bars.periods_per_year)
    held, earned = positions_and_returns(account, real)
    start = int((real.timestamps <= case.frozen.since).sum())
    return fresh_timing(held[:, 0], earned[:, 0], start, bars.periods_per_year)
