"""What a committee is given beside a report: what is assumed, what was found, what changed, which strategy is better.

Findings follow from checks, changes and the comparison with the champion from stored runs; the rest are the owner's own
facts.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stresslab.analysis.compare import compare
from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_dossier import SEVERITIES, Challenge, Change, ChangeLog, Finding, Point, Severity
from stresslab.analysis.result_models import Estimate, Share
from stresslab.metrics.distribution import wilson
from stresslab.metrics.paired import differences


def findings(result: StressResult) -> list[Finding]:
    """What the checks of a run found, the most severe first.

    High: a strategy that looks ahead, a verdict of lucky or losing, universes that are not trusted, a broken limit.
    Medium: an inconclusive verdict, a failed check, an undecided limit, data that need a warning. Low: a check that the
    evidence does not decide.
    """
    found = [one for strategy in result.strategies for one in _of_strategy(strategy)]
    if result.realism is not None and result.realism.label == "not trusted":
        found.append(Finding(severity="high", about="universes", text="The gate of realism does not trust them here."))
    elif result.realism is None:
        found.append(Finding(severity="medium", about="universes", text="Their realism was not assessed."))
    found += [
        Finding(severity="medium", about="data", text=text.removeprefix("warning:").strip())
        for text in dict.fromkeys(result.notices)
        if text.startswith("warning:")
    ]
    return sorted(found, key=lambda one: SEVERITIES.index(one.severity))


def _of_strategy(one: StrategyResult) -> list[Finding]:
    def finding(severity: Severity, text: str) -> Finding:
        return Finding(severity=severity, about=one.name, text=text)

    found = [finding("high", f"It looks ahead: {what}") for what in one.lookahead.found]
    label = one.verdict.label
    if label in ("lucky", "losing"):
        found.append(finding("high", f"The verdict is {label}: {one.verdict.reasons[0]}"))
    elif label == "inconclusive":
        found.append(finding("medium", f"The verdict is inconclusive: {one.verdict.reasons[0]}"))
    checks = [*one.verdict.checks, *(() if one.edge is None else one.edge.checks)]
    for check in checks:
        if check.passed is not True and check.value is not None:
            severity: Severity = "low" if check.passed is None else "medium"
            state = "is not decided" if check.passed is None else "failed"
            found.append(finding(severity, f"The check {check.name.replace('_', ' ')} {state}: {check.note}"))
    for answer in () if one.studies.limits is None else one.studies.limits.answers:
        if answer.passed is not True:
            broken = answer.passed is False
            word = "is broken" if broken else "is undecided"
            found.append(finding("high" if broken else "medium", f"The limit {answer.limit} {word}."))
    return found


def change_log(before: StressResult, name: str, now: StressResult) -> ChangeLog:
    """What differs from the run that was approved last, setting by setting, and what that does to P(loss).

    Args:
        before: that run.
        name: of its folder.
        now: this one.
    """
    found = compare([before, now], [name, "this run"])
    first, second = found.runs
    then = {one.name: one.universes.probability_of_loss.value for one in before.strategies}
    return ChangeLog(
        run=name,
        changes=tuple(
            Change(name=key.replace("_", " "), before=_short(row.get(first)), after=_short(row.get(second)))
            for key, row in found.differing.items()
        ),
        losses=tuple(
            (one.name, then[one.name], one.universes.probability_of_loss.value)
            for one in now.strategies
            if one.name in then
        ),
    )


def _short(value: object) -> str:
    text = "–" if value is None else " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def challenge(champion: StrategyResult, challenger: StrategyResult, unpaired: str = "") -> Challenge:
    """A challenger against the champion, universe by universe where they share them.

    Args:
        champion: what is in use.
        challenger: what is proposed.
        unpaired: why they share no universes; empty where they do.
    """
    difference = better = None
    losses = [one.universes.probability_of_loss for one in (champion, challenger)]
    if unpaired:
        conclusion = f"Not compared universe by universe ({unpaired}): figures side by side decide nothing."
    else:
        returns = {"champion": champion.metrics["total_return"], "challenger": challenger.metrics["total_return"]}
        table = pd.DataFrame(returns).dropna()
        gaps = (table["challenger"] - table["champion"]).to_numpy()
        (found,) = differences(table)
        mean = found.mean if found.first == "challenger" else found.reversed.mean
        difference = Estimate(value=mean.value, low=mean.low, high=mean.high)
        better = Share.of(wilson(int((gaps > 0).sum()), len(gaps)))
        if mean.low > 0:
            conclusion = "The challenger returns more on average, beyond chance among the universes."
        elif mean.high < 0:
            conclusion = "The challenger returns less on average, beyond chance among the universes: keep the champion."
        else:
            conclusion = "The universes do not tell them apart on average: other reasons have to decide."
        if losses[1].low > losses[0].high:
            conclusion += " Its P(loss) is higher."
        elif losses[1].high < losses[0].low:
            conclusion += " Its P(loss) is lower."
    return Challenge(
        champion=champion.name,
        challenger=challenger.name,
        champion_loss=losses[0],
        challenger_loss=losses[1],
        difference=difference,
        better=better,
        unpaired=unpaired,
        conclusion=conclusion,
    )


def standing_assumptions(result: StressResult) -> Sequence[Point]:
    """What every run assumes, with what mitigates it."""
    config = result.config
    trials = result.studies.selection
    assumed = trials is not None and trials.assumed
    return (
        Point(
            text=f"The next {result.horizon:,} bars are like those that {result.generator.get('name')} generates.",
            mitigation="The realism section compares its universes with what followed at past origins.",
        ),
        Point(
            text=f"Orders are filled at the next open at fees of {config.get('fees')} and slippage of "
            f"{config.get('slippage')} (fractions).",
            mitigation="The evidence section repeats the test at multiples of these costs.",
        ),
        Point(
            text="The strategy is the best of "
            + ("an assumed number of trials." if assumed else "the trials that were reported."),
            mitigation="The edge is discounted for them; the ledger beside the runs counts what was tested here.",
        ),
    )


STANDING_LIMITATIONS = (
    Point(
        text="Intervals cover chance among the universes, not the error of the generator.",
        mitigation="Ranges over generators and dates, where the run has them.",
    ),
    Point(
        text="Market impact, outages and taxes are not modelled, nor margin calls in the accounts of the run.",
        mitigation="`stresslab size` counts interest on credit and margin calls; limits on size are the desk's.",
    ),
)
"""What every run leaves out."""
