"""The verdict on a strategy: criteria, the checks they lead to, and one label with its reasons in plain words.

It knows counts and returns. It does not know how universes were made, run and measured; whether they resemble the
market comes in as `trusted`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from stresslab.analysis.result_models import Check, Edge, EdgeLabel, Label, Verdict, check
from stresslab.core.errors import InputError
from stresslab.core.text import percent
from stresslab.metrics.distribution import Interval
from stresslab.metrics.laws import normal_quantile

BARE_MENTION = 0.75
"""Probability of an edge up to which real bars do not tell it from luck: odds of 3 to 1 are "not worth more than a bare
mention" (Kass & Raftery 1995); their strong evidence, 20 to 1, is about the 95% from which an edge is claimed."""


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
    return float(-normal_quantile(probability_of_loss)) * math.sqrt(periods_per_year / horizon)


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
    z = float(normal_quantile(0.5 + level / 2))
    return float(math.ceil(z * z * threshold * (1 - threshold) / (share - threshold) ** 2))


@dataclass(frozen=True)
class Findings:
    """What a verdict is given on.

    Attributes:
        exposed: share of universes in which the strategy held any position.
        without: probability of loss where its timing is worth nothing; as generated where that was not asked.
        supported: the same with the edge that the real bars support, its uncertainty included; None where unknown.
        edge: its label; None where it was not assessed.
        record: annual Sharpe ratio of the backtest, one standard error either way; None without one.
        trusted: whether the universes behave like this market; None where that was not assessed, or is open.
        caution: why it is open, in sentences; None where it is not.
        lacks_timing: why universes that do not will do once P(loss) has its timing from the real bars; None where they
            will not.
        attainable: universes that can stand behind the probabilities, at most.
        horizon: bars of a universe.
        periods_per_year: bars in a year.
        probability: that the edge is real; None where that is unknown.
    """

    exposed: Interval
    without: Interval
    supported: Interval | None
    edge: EdgeLabel | None
    record: Interval | None
    trusted: bool | None
    caution: str | None
    attainable: int
    horizon: int
    periods_per_year: float
    probability: float | None = None
    lacks_timing: str | None = None

    def with_edge(self, edge: Edge, attainable: int) -> Findings:
        """With an edge, and the losses that follow from it."""
        known = replace(
            self, edge=edge.label, probability=None if edge.posterior is None else edge.posterior.probability
        )
        if edge.losses is None:
            return known
        without, supported = (
            Interval(loss.value, loss.low, loss.high)
            for loss in (edge.losses.without.probability_of_loss, edge.losses.supported.probability_of_loss)
        )
        known = replace(known, without=without, supported=supported, attainable=attainable)
        return known if self.lacks_timing is None else replace(known, trusted=None, caution=self.lacks_timing)

    @property
    def deciding(self) -> tuple[Interval, ...]:
        """The probabilities of loss that count: the one with the edge where that is supported, else the one without.

        Both have to agree where the edge is open and its probability above `BARE_MENTION`.
        """
        if self.supported is None or self.edge in ("no", None):
            return (self.without,)
        if self.edge == "yes":
            return (self.supported,)
        likely = self.probability is None or self.probability > BARE_MENTION
        return (self.without, self.supported) if likely else (self.without,)

    @property
    def won(self) -> bool:
        """Whether the backtest won by more than its own error; what lies within it is no win."""
        return self.record is not None and self.record.low > 0


def label(findings: Findings, criteria: Criteria) -> Label:
    """The table of labels: the first line that matches decides, and one always does.

    | first match | edge supported | edge not supported |
    |---|---|---|
    | hardly exposed, or universes not trusted | inconclusive | inconclusive |
    | P(loss) at most `robust` | robust | fragile: what it earns is exposure |
    | P(loss) at least `lucky` | losing: the edge does not carry its costs | lucky where history won, else losing |
    | an interval holds the threshold that decides, or the two P(loss) disagree | inconclusive | inconclusive |
    | else | fragile | fragile |

    P(loss) is the one with the supported edge, and without support the one without. Where that is open and an edge is
    more likely than `BARE_MENTION`, it must hold for both, without an edge and with what the bars make of it.
    """
    if findings.exposed.value < criteria.exposed or findings.trusted is False or straddled(findings, criteria):
        return "inconclusive"
    losses = findings.deciding
    if all(one.low >= criteria.lucky for one in losses):
        return "lucky" if findings.won and findings.edge != "yes" else "losing"
    if any(one.low >= criteria.lucky for one in losses):
        return "inconclusive"
    return "robust" if findings.edge == "yes" and losses[0].high <= criteria.robust else "fragile"


def straddled(findings: Findings, criteria: Criteria) -> tuple[float, ...]:
    """The thresholds that an interval of P(loss) holds, so that either label is possible; `robust` asks for an edge."""
    held = []
    if findings.edge == "yes" and any(one.low <= criteria.robust < one.high for one in findings.deciding):
        held.append(criteria.robust)
    if any(one.low < criteria.lucky <= one.high for one in findings.deciding):
        held.append(criteria.lucky)
    return tuple(held)


def judge(findings: Findings, criteria: Criteria | None = None) -> Verdict:
    """Judge a strategy by whether its edge is supported, and by the share of universes in which it loses.

    Returns:
        The verdict, with every check that led to it.
    """
    criteria = criteria or Criteria()
    named = label(findings, criteria)
    deciding = findings.deciding[-1]
    checks = (
        _exposure_check(findings.exposed, criteria),
        _trust_check(findings.trusted, findings.caution),
        _edge_check(findings),
        _loss_check("probability_of_loss_robust", deciding, criteria.robust, findings),
        _loss_check("probability_of_loss_lucky", findings.deciding[0], criteria.lucky, findings),
        _record_check(findings.record),
    )
    needed = None
    if named == "inconclusive":
        reasons, needed = _why_inconclusive(findings, criteria)
    else:
        reasons = [_why(named, findings, criteria)]
    if findings.trusted is None and findings.caution is not None:
        reasons.append(findings.caution)
    elif findings.trusted is None:
        reasons.append("Whether these universes behave like the market was not assessed; intervals cover chance alone.")
    return Verdict(label=named, reasons=tuple(reasons), checks=checks, universes_needed=needed)


def _lost(findings: Findings, criteria: Criteria) -> str:
    """P(loss), once or twice, as the beginning of a sentence."""
    apart = f"{_with_interval(findings.without, criteria)}"
    if findings.supported is None:
        return f"It loses money in {apart} of universes"
    planted = _with_interval(findings.supported, criteria)
    if findings.edge == "yes":
        return f"With the edge that the real bars support it loses money in {planted} of universes; without, in {apart}"
    alone = f"It loses money in {apart} of universes without an edge"
    return f"{alone}, in {planted} with what the real bars make of one" if len(findings.deciding) == 2 else alone


_SUPPORT: Mapping[EdgeLabel | None, str] = {
    "yes": "the real bars support an edge",
    "no": "on the real bars an edge worth having is unlikely",
    "unclear": "the real bars cannot tell its timing from luck",
    None: "whether it has an edge was not assessed",
}
_UNTESTED = "its timing was not tested on the real bars"


def _support(findings: Findings) -> str:
    """What the real bars say of an edge; what was not tested is not said to be open for lack of evidence."""
    return _UNTESTED if findings.edge == "unclear" and findings.probability is None else _SUPPORT[findings.edge]


def _why(named: Label, findings: Findings, criteria: Criteria) -> str:
    robust, lucky, lost = percent(criteria.robust), percent(criteria.lucky), _lost(findings, criteria)
    support = _support(findings)
    if named == "robust":
        return f"{lost}; a robust strategy may lose in at most {robust}."
    if named == "lucky":
        return f"{lost}: {lucky} or more. Its backtest won, and {support}: those years were kind to it."
    if named == "losing" and findings.edge == "yes":
        return f"{lost}: its timing is real, and does not carry its costs and exposure."
    if named == "losing":
        return f"{lost}: {lucky} or more, and {support}."
    if findings.edge == "yes":
        lacking = " Without the edge most of these universes lose, since their generator lacks what it depends on."
        return (
            f"{lost}: more often than the {robust} of a robust strategy, less often than {lucky}."
            f"{lacking if findings.without.low >= criteria.lucky else ''}"
        )
    if findings.without.high <= criteria.robust:
        return f"{lost}, but {support}: it loses seldom because of its exposure, as holding does."
    return f"{lost}, and {support}."


def _why_inconclusive(findings: Findings, criteria: Criteria) -> tuple[list[str], int | None]:
    """The reasons of an inconclusive verdict, what would settle it, and the number of universes where one would."""
    reasons = []
    if findings.exposed.value < criteria.exposed:
        share, least = percent(findings.exposed.value, criteria.exposed), percent(criteria.exposed)
        reasons.append(
            f"It held a position in only {share} of universes, fewer than {least}: too little to judge. "
            "More universes would not settle it; a longer horizon, more history to warm up on or more frequent "
            "trading might."
        )
    if findings.trusted is False:
        reasons.append(
            "The universes do not behave like this market, so what happens in them says little about it. "
            "More universes would not settle it; a generator that passes the realism check would."
        )
    lost, thresholds = _lost(findings, criteria), straddled(findings, criteria)
    if not thresholds:
        apart = "" if reasons else ", so all turns on whether the edge is real, which more universes cannot tell"
        return [*reasons, f"{lost}{apart}."], None
    near = " and ".join(percent(threshold) for threshold in thresholds)
    reasons.append(f"{lost}: chance alone leaves it open on which side of {near} the true share lies.")
    straddling = [
        universes_needed(one.value, threshold, criteria.level)
        for threshold in thresholds
        for one in findings.deciding
        if one.low <= threshold <= one.high
    ]
    alone = len(reasons) == 1 and (len(findings.deciding) == 1 or len(straddling) == len(findings.deciding))
    needed = max(straddling)
    if alone and needed <= findings.attainable:
        reasons.append(f"About {needed:,.0f} universes would settle it, if the share stays where it is.")
        return reasons, int(needed)
    if alone:
        reasons.append("It is so close to the threshold that no number of universes in reach would settle it.")
    return reasons, None


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


def _loss_check(name: str, loss: Interval, threshold: float, findings: Findings) -> Check:
    """Whether P(loss) lies below a threshold; None while its interval holds it.

    The edges are those of `straddled`: at the robust threshold itself a strategy still is robust, at the lucky one it
    already is lucky.
    """
    at_most = name.endswith("robust")
    below = loss.high <= threshold if at_most else loss.high < threshold
    above = loss.low > threshold if at_most else loss.low >= threshold
    passed = True if below else False if above else None
    ratio = implied_sharpe(threshold, findings.horizon, findings.periods_per_year)
    ratio = 0.0 if abs(ratio) < 0.005 else ratio
    which = "with the supported edge" if loss is findings.supported else "without an edge"
    which = "as generated" if findings.supported is None else which
    note = (
        f"{which}; a share of {percent(threshold)} over {findings.horizon:,} bars is what an annual Sharpe ratio of "
        f"{ratio:.2f} gives"
    )
    return check(name, threshold, passed, note, loss)


def _edge_check(findings: Findings) -> Check:
    """Whether the real bars support an edge."""
    passed = {"yes": True, "no": False, "unclear": None, None: None}[findings.edge]
    support = _support(findings)
    if findings.edge is None or support == _UNTESTED:
        note = "not assessed: whether the real bars support an edge"
    else:
        note = f"open: {support}" if passed is None else support
    return check("edge_supported", None, passed, note)


def _record_check(record: Interval | None) -> Check:
    """Whether the backtest won by more than its standard error."""
    name = "backtest_won"
    if record is None:
        return check(name, 0.0, None, "not assessed: no backtest before the origin")
    passed = True if record.low > 0 else False if record.high < 0 else None
    note = (
        f"annual Sharpe ratio of the backtest {record.value:.2f}, {record.low:.2f} to {record.high:.2f} within one "
        "standard error; less than that from 0 counts as no win"
    )
    return check(name, 0.0, passed, note, record)


def _with_interval(share: Interval, criteria: Criteria) -> str:
    thresholds = criteria.robust, criteria.lucky
    value, low, high = (percent(number, *thresholds) for number in (share.value, share.low, share.high))
    return f"{value} ({low} to {high} by chance)"
