"""The edge of a strategy: whether it adds anything beyond its exposure. Evidence, one label, and its reasons.

It knows what timing was found where; how bad things get for the strategy is `stresslab.analysis.verdict`'s question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from stresslab.analysis.case import Case
from stresslab.analysis.permutation_test import PERMUTATIONS, RealBars, permutation_test
from stresslab.analysis.result_models import Check, Edge, EdgeLabel, check
from stresslab.core.errors import InputError
from stresslab.core.text import percent
from stresslab.generators.matched import repeats_history
from stresslab.metrics.distribution import Interval
from stresslab.metrics.market_timing import Timing
from stresslab.metrics.multiple_testing import family_p_value, permutations_needed

Standing = Literal["supports", "open", "excludes"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)


@dataclass(frozen=True)
class EdgeCriteria:
    """The thresholds of the edge.

    Attributes:
        size: greatest p-value of real bars that support an edge, after selection.
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


def edge_label(universes: Standing, real: Standing, origins: Standing = "open") -> EdgeLabel:
    """The table of edges, total over what the three pieces of evidence can say.

    Real bars decide what is claimed about the market: where they exclude an edge worth having there is none, whatever a
    generator's world contains. A claim needs both: the real bars' p-value, which selection can fool, and timing in the
    universes, which were not looked at when the rule was chosen. Real origins are the same market again, so they can
    take a claim back and not make one.

    Args:
        universes: whether the generator's world contains what the rule lives on.
        real: whether the order of the real bars does.
        origins: whether the rule timed what really followed many origins.
    """
    if real == "excludes":
        return "no"
    if real == "supports" and universes == "supports" and origins != "excludes":
        return "yes"
    return "unclear"


def edge_table() -> dict[Standing, dict[Standing, EdgeLabel]]:
    """The label by what the real bars say, then by what the universes say, as long as real origins do not object."""
    return {real: {universes: edge_label(universes, real) for universes in STANDINGS} for real in STANDINGS}


def standing_in_universes(found: Timing, criteria: EdgeCriteria, independent: bool = True) -> Standing:
    """Supports where timing's interval lies above 0; excludes where nothing was timed, or it stays below `worth`.

    Universes that repeat blocks of the history (`repeats_history`) repeat its luck, and with it what a rule was chosen
    for; they are open where others support.
    """
    if found.timed and found.total.low > 0:
        return "supports" if independent else "open"
    return "excludes" if not found.timed or found.sharpe.high < criteria.worth else "open"


def standing_of_real_bars(found: RealBars | None, trials: float, criteria: EdgeCriteria) -> Standing:
    """Supports where the p-value after selection is at most `size`; excludes as in the universes."""
    if found is None:
        return "open"
    if family_p_value(found.p_value, trials) <= criteria.size:
        return "supports"
    return "excludes" if not found.timed or found.sharpe.high < criteria.worth else "open"


def standing_at_origins(found: Timing | None) -> Standing:
    """Supports where timing's interval lies above 0, excludes where it lies below."""
    if found is None or not found.timed:
        return "open"
    return "supports" if found.total.low > 0 else "excludes" if found.total.high < 0 else "open"


def judge_edge(
    universes: Timing,
    real: RealBars | None,
    origins: Timing | None = None,
    *,
    trials: float = 1.0,
    independent: bool = True,
    criteria: EdgeCriteria | None = None,
) -> Edge:
    """Judge whether a strategy adds anything beyond its exposure.

    Args:
        universes: timing in the universes.
        real: timing on real bars against their permutations; None where there are too few.
        origins: timing on what followed real origins; None where there were not several.
        trials: variants that were tried before this one was chosen, itself included; effective where correlated.
        independent: whether the universes are more than blocks of the history laid end to end.
        criteria: the thresholds; the defaults when None.
    """
    if not trials >= 1:
        raise InputError(f"trials={trials} is below 1; count every variant that was tried, the chosen one included")
    criteria = criteria or EdgeCriteria()
    standings = (
        standing_in_universes(universes, criteria, independent),
        standing_of_real_bars(real, trials, criteria),
        standing_at_origins(origins),
    )
    named = edge_label(*standings)
    checks = (
        _timing_check("timing_in_universes", "in the universes", universes, standings[0]),
        _real_check(real, trials, standings[1], criteria),
        _timing_check("timing_at_origins", "on what followed real origins", origins, standings[2]),
    )
    reasons = _reasons(named, standings, universes, real, criteria) + _too_few(named, real, trials, criteria)
    if named == "unclear" and not independent:
        reasons += ("These universes are blocks of the same history and repeat its luck, so they cannot confirm it.",)
    return Edge(label=named, reasons=reasons, checks=checks)


def _too_few(named: EdgeLabel, real: RealBars | None, trials: float, criteria: EdgeCriteria) -> tuple[str, ...]:
    """That more permutations might show what so few cannot, where the p-value alone would do."""
    needed = permutations_needed(criteria.size, trials)
    if named != "unclear" or real is None or real.p_value > criteria.size or real.permutations >= needed:
        return ()
    return (
        f"As the best of {trials:.3g} trials no edge shows in {real.permutations:,} random orders of the bars, however "
        f"good: `permutations={needed}` or more could show one.",
    )


_PASSED: Mapping[Standing, bool | None] = {"supports": True, "open": None, "excludes": False}


def _timing_check(name: str, where: str, found: Timing | None, standing: Standing) -> Check:
    passed = _PASSED[standing]
    if found is None:
        return check(name, 0.0, None, f"not assessed: timing {where}")
    if not found.timed:
        nothing = f"exposure never varied between paths {where}: nothing was timed"
        return check(name, 0.0, passed, nothing, Interval(0.0, 0.0, 0.0))
    note = f"timing {where} is worth an annual Sharpe ratio of {found.sharpe.value:.2f}, over {found.paths:,} of them"
    return check(name, 0.0, passed, note, found.total)


def _real_check(found: RealBars | None, trials: float, standing: Standing, criteria: EdgeCriteria) -> Check:
    name, passed = "timing_on_real_bars", _PASSED[standing]
    if found is None:
        return check(name, criteria.size, None, "not assessed: timing on the real bars")
    if not found.timed:
        return check(name, criteria.size, passed, "exposure never varied: nothing was timed", 1.0)
    p_value = family_p_value(found.p_value, trials)
    note = (
        f"in {percent(found.p_value)} of {found.permutations:,} random orders of {found.bars:,} real bars timing is "
        f"as good; it is worth an annual Sharpe ratio of {found.sharpe.value:.2f}"
    )
    if trials > 1:
        note += f"; as the best of {trials:.3g} trials, {percent(p_value)}"
    return check(name, criteria.size, passed, note, p_value)


def _reasons(
    named: EdgeLabel,
    standings: tuple[Standing, Standing, Standing],
    universes: Timing,
    real: RealBars | None,
    criteria: EdgeCriteria,
) -> tuple[str, ...]:
    """The deciding sentence, then what a reader must not take from it."""
    if named == "yes":
        return ("It times its exposure better than chance, in the universes and on the real bars, before costs.",)
    if named == "no" and real is not None and not real.timed:
        return ("Its exposure never varies, so all that it earns is its exposure.",)
    if named == "no":
        return (
            f"On the real bars its timing is worth less than an annual Sharpe ratio of {criteria.worth:g}, error "
            "included: what it earns is its exposure.",
        )
    of_universes, of_bars, of_origins = standings
    told = []
    if of_bars == "open":
        told.append(
            "There are no real bars to test its timing on." if real is None
            else "The real bars are too few, or its timing on them too weak, to tell it from chance."
        )  # fmt: skip
    elif of_origins == "excludes":
        told.append("Its timing on the real bars beats chance, but it mistimed what followed the real origins.")
    else:
        told.append("Its timing on the real bars beats chance, but the universes do not confirm it.")
    if of_universes == "supports" and of_bars == "open":
        told.append("The universes do contain what it lives on, which says what their generator makes, not the market.")
    if of_universes == "excludes" and not universes.timed:
        told.append("In all universes it holds the same at the same time, so they cannot show timing at all.")
    return tuple(told)


def edge(
    case: Case,
    trials: float,
    criteria: EdgeCriteria | None = None,
    at_origins: Timing | None = None,
    permutations: int = PERMUTATIONS,
) -> Edge:
    """Whether the strategy adds anything beyond its exposure, in the universes and on the real bars.

    Args:
        case: the strategy.
        trials: variants that were tried, itself included.
        criteria: the thresholds.
        at_origins: timing on what followed real origins.
        permutations: of the real bars, at most; 0 leaves them out.
    """
    real = None
    if permutations:
        real = permutation_test(
            case.strategy,
            case.history,
            case.terms,
            permutations=permutations,
            trials=trials,
            seed=case.seed,
            jobs=case.jobs,
        )
    fresh = not repeats_history(case.universes)
    return judge_edge(case.timing, real, at_origins, trials=trials, independent=fresh, criteria=criteria)
