"""Whether each strategy keeps its limits, and what ends an account that is held to rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_decisions import LimitAnswer, LimitStudy
from stresslab.report.charts.sizes import NAMES
from stresslab.report.sections.table import Table, chance, share
from stresslab.report.wording import UNDEFINED, clean, interval, shares

ANSWERS: Mapping[bool | None, str] = {True: "kept", False: "broken", None: "undecided"}
SIGNS: Mapping[bool | None, str] = {True: "✓", False: "✕", None: "?"}
ENDS: Mapping[str, str] = {
    "passed": "reaches the target",
    "daily_loss": "breaks the daily loss",
    "maximum_loss": "breaks the maximum loss",
    "maximum_days": "runs out of days",
    "open": "still open at the end",
}
"""What people read for each way in which an account ends."""
TRAILING: Mapping[str, str] = {
    "static": "below the initial capital",
    "close": "below the highest close so far",
    "intrabar": "below the highest equity so far, inside bars too",
}


def kept_limits(result: StressResult) -> list[Table] | None:
    """The tables of a run's strategies; None where no limits were given."""
    found = studies_of(result)
    return limit_tables(found) if found else None


def studies_of(result: StressResult) -> dict[str, LimitStudy]:
    """The limits of each strategy that has some."""
    return {one.name: one.studies.limits for one in result.strategies if one.studies.limits is not None}


def chip(result: StressResult) -> tuple[str, str] | None:
    """(style, text) for the top of the page; None where no limits were given."""
    answers = [answer for study in studies_of(result).values() for answer in study.answers]
    if not answers:
        return None
    kept = sum(answer.passed is True for answer in answers)
    return "plain" if kept == len(answers) else "alert", f"limits: {kept} of {len(answers)} kept"


def headline(study: LimitStudy) -> str:
    """Which limits are kept, broken and undecided, in one sentence."""
    if not study.answers:
        return _passing(study) or "No limit was given."
    parts = []
    for passed, word in ANSWERS.items():
        named = [one.limit for one in study.answers if one.passed is passed]
        if named and passed is not True:
            parts.append(f"{word}: {', '.join(named)}")
    kept = sum(one.passed is True for one in study.answers)
    clauses = f"{kept} of {len(study.answers)} limits kept" if parts else "Every limit is kept"
    return "; ".join([clauses, *parts]) + "."


def _passing(study: LimitStudy) -> str:
    """How probable it is that the account passes, or breaks a rule."""
    ends = {one.name: one for one in study.outcomes.get(study.judged, ())}
    if not ends:
        return ""
    clauses = []
    if study.rules and study.rules["profit_target"] is not None:
        clauses.append(f"the account reaches its target in {share(ends['passed'].probability.value)} of universes")
    broken = sum(one.probability.value for name, one in ends.items() if name not in ("passed", "open"))
    clauses.append(f"a rule is broken first in {share(broken)}" if clauses else f"a rule is broken in {share(broken)}")
    sentence = ", and ".join(clauses)
    return f"{sentence[0].upper()}{sentence[1:]}, {NAMES[study.judged]}."


def limit_tables(studies: Mapping[str, LimitStudy]) -> list[Table]:
    """For each strategy by name a table of its limits, and one of how its account ends."""
    found, several = [], len(studies) > 1
    for at, (name, study) in enumerate(studies.items(), 1):
        prefix = f"{clean(name)}: " if several else ""
        if study.answers:
            found.append(_answers(study, f"limits-{at}", f"{prefix}limits" if several else "Each limit"))
        if study.outcomes:
            title = f"{prefix}how the account ends" if several else "How an account under these rules ends"
            found.append(_outcomes(study, f"rules-{at}", title))
    return found


def _answers(study: LimitStudy, key: str, title: str) -> Table:
    others = [name for name in study.answers[0].sides if name != study.judged]
    headings = ("Limit", "Answer", NAMES[study.judged].capitalize(), *(NAMES[name].capitalize() for name in others))
    rows = tuple(
        (
            one.limit,
            f"{SIGNS[one.passed]} {ANSWERS[one.passed]}",
            _estimate(one),
            *(share(one.sides[name]) for name in others),
        )
        for one in study.answers
    )
    sentence = (
        f"{headline(study)} Judged {NAMES[study.judged]}: kept or broken where the 95% interval lies on one side of "
        "the bound, undecided where it holds it; more universes narrow it."
    )
    return Table(key, title, sentence, headings, rows, open=True, brief=True)


def _estimate(answer: LimitAnswer) -> str:
    found = answer.estimate
    return f"{share(found.value)}\n{shares(found)}"


def _outcomes(study: LimitStudy, key: str, title: str) -> Table:
    names = [study.judged, *(name for name in study.outcomes if name != study.judged)]
    headings = ["The account"]
    for name in names:
        headings += [f"P, {NAMES[name]}", f"Days, {NAMES[name]}"]
    rows = []
    for end in ENDS:
        found = {name: {one.name: one for one in study.outcomes[name]}.get(end) for name in names}
        if all(one is None for one in found.values()):
            continue
        cells = []
        for name in names:
            one = found[name]
            cells.append(UNDEFINED if one is None else chance(one.probability))
            cells.append(UNDEFINED if one is None or one.days is None else _days(one.days))
        rows.append((ENDS[end], *cells))
    sentence = f"{_passing(study)} {rules_sentence(study.rules or {})} Days are the median until then."
    return Table(key, title, sentence.strip(), tuple(headings), tuple(rows), open=True, brief=True)


def _days(found: Any) -> str:
    ends = interval(found.low, found.high, read=lambda days, signed=False: f"{days:,.0f}")
    return f"{found.value:,.3g}\n{ends}"


def rules_sentence(rules: Mapping[str, Any]) -> str:
    """The rules in words."""
    clauses = []
    if rules.get("profit_target") is not None:
        clauses.append(f"a profit of {share(rules['profit_target'])} at a close passes")
    if rules.get("minimum_days"):
        clauses.append(f"after {rules['minimum_days']} days at least")
    if rules.get("consistency") is not None:
        clauses.append(f"with at most {share(rules['consistency'])} of it from the best day")
    if rules.get("daily_loss") is not None:
        clauses.append(f"a fall of {share(rules['daily_loss'])} within a day ends it")
    if rules.get("maximum_loss") is not None:
        clauses.append(f"so does one of {share(rules['maximum_loss'])} {TRAILING[rules['trailing']]}")
    if rules.get("maximum_days") is not None:
        clauses.append(f"and day {rules['maximum_days'] + 1}")
    return f"Rules, on equity inside each bar: {', '.join(clauses)}." if clauses else ""
