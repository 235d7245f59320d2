"""The verdict on a strategy: criteria, the checks they lead to, and one label with its reasons in plain words.

It knows counts and returns. How universes were made, run and measured is others' business; so is whether they resemble
the market: that comes in as `trusted`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from stresslab.analysis.result_models import Check, Label, Verdict, check
from stresslab.core.errors import InputError
from stresslab.core.text import percent
from stresslab.metrics.distribution import Interval, wilson

PRACTICABLE = 10_000_000
"""More universes than this are not advised to anyone."""


@dataclass(frozen=True)
class Criteria:
    """The thresholds of the verdict; all are fractions.

    Attributes:
        exposed: least share of universes in which the strategy held any position.
        robust: greatest probability of loss of a robust strategy.
        lucky: least probability of loss of a strategy whose gains in history were luck.
        level: confidence of the intervals.
    """

    exposed: float = 0.8
    robust: float = 0.10
    lucky: float = 0.50
    level: float = 0.95

    def __post_init__(self) -> None:
        """Check that every threshold is a share and that they are in order."""
        if not 0 <= self.exposed <= 1:
            raise InputError(f"exposed={self.exposed} is not a share in [0, 1]; for 80% of universes write 0.8")
        if not 0 < self.robust < self.lucky < 1:
            raise InputError(
                f"robust={self.robust}, lucky={self.lucky} break 0 < robust < lucky < 1; write for example 0.1 and 0.5"
            )
        if not 0 < self.level < 1:
            raise InputError(f"level={self.level} is not a confidence in (0, 1); for 95% write 0.95")


def implied_sharpe(probability_of_loss: float, horizon: int, periods_per_year: float) -> float:
    """The annual Sharpe ratio at which a loss over the horizon has this probability: -Phi^-1(p) sqrt(year / horizon).

    With independent normal returns of mean m and deviation s a bar, the sum of T has mean m T and deviation s sqrt(T),
    so P(loss) = Phi(-(m / s) sqrt(T)), while the annual Sharpe ratio is (m / s) sqrt(bars a year) (Lo 2002, time
    aggregation of uncorrelated returns).

    Args:
        probability_of_loss: p, in (0, 1).
        horizon: T, bars.
        periods_per_year: bars in a year.

    Returns:
        The ratio: 0 for p = 0.5; infinite for p = 0 and 1.
    """
    return float(-stats.norm.ppf(probability_of_loss)) * math.sqrt(periods_per_year / horizon)


def universes_needed(share: float, threshold: float, level: float = 0.95) -> float:
    """How many universes keep a threshold out of the Wilson interval of a share: z^2 t (1 - t) / (p - t)^2.

    The interval inverts the score test (Wilson 1927), so it excludes t just when |p - t| >= z sqrt(t (1 - t) / N).

    Args:
        share: p, as it was found; it is assumed to stay.
        threshold: t, in (0, 1).
        level: confidence of the interval.

    Returns:
        A whole number, or infinity where the share is the threshold itself: no number of universes settles it then.
    """
    if share == threshold:
        return math.inf
    z = float(stats.norm.ppf(0.5 + level / 2))
    return float(math.ceil(z * z * threshold * (1 - threshold) / (share - threshold) ** 2))


def label(loss: Interval, exposed: float, trusted: bool | None, won: bool, criteria: Criteria) -> Label:
    """The table of labels: the first line that matches decides, and one always does.

    Args:
        loss: probability of loss with its interval.
        exposed: share of universes in which the strategy held any position.
        trusted: whether the universes behave like this market; None where that was not assessed.
        won: whether the real result, or without one the backtest, was a gain.
        criteria: the thresholds.

    Returns:
        The label.
    """
    if exposed < criteria.exposed or trusted is False or straddled(loss, criteria):
        return "inconclusive"
    if loss.high <= criteria.robust:
        return "robust"
    if loss.low >= criteria.lucky:
        return "lucky" if won else "losing"
    return "fragile"


def straddled(loss: Interval, criteria: Criteria) -> tuple[float, ...]:
    """The thresholds of P(loss) that its interval holds, so that either side of them is possible."""
    held = []
    if loss.low <= criteria.robust < loss.high:
        held.append(criteria.robust)
    if loss.low < criteria.lucky <= loss.high:
        held.append(criteria.lucky)
    return tuple(held)


def judge(
    *,
    losses: int,
    exposed: int,
    universes: int,
    horizon: int,
    periods_per_year: float,
    realised_return: float | None,
    backtest_return: float | None,
    trusted: bool | None = None,
    caution: str | None = None,
    criteria: Criteria | None = None,
) -> Verdict:
    """Judge a strategy by the share of universes in which it loses.

    Args:
        losses: universes with a net total return below zero.
        exposed: universes in which it held any position.
        universes: how many there are.
        horizon: bars of a universe.
        periods_per_year: bars in a year.
        realised_return: its total return on the real bars after the origin, None where there are none.
        backtest_return: its total return on the real bars before the origin, None where there are none.
        trusted: whether the universes behave like this market; None where that was not assessed, or is open.
        caution: why it is open, a sentence; None where it is not.
        criteria: the thresholds; the defaults when None.

    Returns:
        The verdict, with every check that led to it.
    """
    if universes < 1 or not (0 <= losses <= universes and 0 <= exposed <= universes):
        raise InputError(f"{losses} losses and {exposed} exposed of {universes} universes are not counts of a whole")
    criteria = criteria or Criteria()
    loss, exposure = wilson(losses, universes, criteria.level), wilson(exposed, universes, criteria.level)
    real = _real_result(realised_return, backtest_return)
    named = label(loss, exposure.value, trusted, real.passed is True, criteria)
    checks = (
        _exposure_check(exposure, criteria),
        _trust_check(trusted, caution),
        _loss_check("probability_of_loss_robust", loss, criteria.robust, horizon, periods_per_year),
        _loss_check("probability_of_loss_lucky", loss, criteria.lucky, horizon, periods_per_year),
        real,
    )
    found = f"It lost money in {losses:,} of {universes:,} universes ({_with_interval(loss, criteria)})"
    needed = None
    if named == "inconclusive":
        reasons, needed = _why_inconclusive(found, loss, exposure, trusted, criteria)
    else:
        reasons = [_why(named, found, real, criteria)]
    if trusted is None and caution is not None:
        reasons.append(f"Whether these universes behave like the market is open: {caution}")
    elif trusted is None:
        reasons.append("Whether these universes behave like the market was not assessed; intervals cover chance alone.")
    return Verdict(label=named, reasons=tuple(reasons), checks=checks, universes_needed=needed)


def _why(named: Label, found: str, real: Check, criteria: Criteria) -> str:
    robust, lucky = percent(criteria.robust), percent(criteria.lucky)
    if named == "robust":
        return f"{found}; a robust strategy may lose in at most {robust}."
    if named == "fragile":
        return f"{found}: more often than the {robust} of a robust strategy, less often than the {lucky} of luck."
    if named == "lucky":
        return f"{found}, {lucky} or more, yet {real.note}: history was kind to it."
    return f"{found}, {lucky} or more, and {real.note}."


def _why_inconclusive(
    found: str, loss: Interval, exposure: Interval, trusted: bool | None, criteria: Criteria
) -> tuple[list[str], int | None]:
    """The reasons of an inconclusive verdict, what would settle it, and the number of universes where one would."""
    reasons = []
    if exposure.value < criteria.exposed:
        found_share, least = percent(exposure.value, criteria.exposed), percent(criteria.exposed)
        reasons.append(
            f"It held a position in only {found_share} of universes, fewer than {least}: too little to judge. "
            "More universes would not settle it; a longer horizon or more frequent trading might."
        )
    if trusted is False:
        reasons.append(
            "The universes do not behave like this market, so what happens in them says little about it. "
            "More universes would not settle it; a generator that passes the realism check would."
        )
    thresholds = straddled(loss, criteria)
    if not thresholds:
        return [*reasons, f"{found}."], None
    near = " and ".join(percent(threshold) for threshold in thresholds)
    reasons.append(f"{found}: chance alone leaves it open on which side of {near} the true share lies.")
    needed = max(universes_needed(loss.value, threshold, criteria.level) for threshold in thresholds)
    alone = len(reasons) == 1
    if math.isinf(needed):
        reasons.append("No number of universes would settle that, as long as the share is the threshold itself.")
    elif needed > PRACTICABLE:
        reasons.append(f"Settling that would take {needed:,.0f} universes: in practice, no number would.")
    elif alone:
        reasons.append(
            f"About {needed:,.0f} universes would settle it, if the share stays at {percent(loss.value, *thresholds)}."
        )
    return reasons, int(needed) if alone and needed <= PRACTICABLE else None


def _exposure_check(exposure: Interval, criteria: Criteria) -> Check:
    share, least = percent(exposure.value, criteria.exposed), percent(criteria.exposed)
    note = f"a position was held in {share} of universes; {least} are needed"
    passed = exposure.value >= criteria.exposed
    return check("exposed_universes", criteria.exposed, passed, note, exposure)


def _trust_check(trusted: bool | None, caution: str | None) -> Check:
    note = {
        None: f"open: {caution}" if caution else "not assessed: whether the universes behave like this market",
        True: "the universes behave like this market",
        False: "the universes do not behave like this market",
    }[trusted]
    return check("trusted_universes", None, trusted, note)


def _loss_check(name: str, loss: Interval, threshold: float, horizon: int, periods_per_year: float) -> Check:
    """Whether P(loss) lies below a threshold; None while its interval holds it.

    The edges are those of `straddled`: at the robust threshold itself a strategy still is robust, at the lucky one it
    already is lucky.
    """
    at_most = name.endswith("robust")
    below = loss.high <= threshold if at_most else loss.high < threshold
    above = loss.low > threshold if at_most else loss.low >= threshold
    passed = True if below else False if above else None
    ratio = implied_sharpe(threshold, horizon, periods_per_year)
    ratio = 0.0 if abs(ratio) < 0.005 else ratio
    note = f"a share of {percent(threshold)} over {horizon:,} bars is what an annual Sharpe ratio of {ratio:.2f} gives"
    return check(name, threshold, passed, note, loss)


def _real_result(realised_return: float | None, backtest_return: float | None) -> Check:
    """Whether the real bars after the origin, or without them those before it, brought a gain; 0 is none."""
    if realised_return is not None:
        result, where = realised_return, "what really happened after the origin was"
    elif backtest_return is not None:
        result, where = backtest_return, "the backtest before the origin was"
    else:
        return check("real_result", 0.0, None, "there is no real result to compare with")
    outcome = "a gain" if result > 0 else "a loss" if result < 0 else "neither gain nor loss"
    size = f" of {percent(abs(result))}" if result else ""
    return check("real_result", 0.0, bool(result > 0), f"{where} {outcome}{size}", result)


def _with_interval(share: Interval, criteria: Criteria) -> str:
    thresholds = criteria.robust, criteria.lucky
    value, low, high = (percent(number, *thresholds) for number in (share.value, share.low, share.high))
    return f"{value}, {percent(criteria.level)} interval {low} to {high}"
