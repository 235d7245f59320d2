"""The dossier in words and tables: identity, assumptions, limitations, findings, changes, contest, sign-off."""

from __future__ import annotations

from dataclasses import dataclass

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_dossier import Challenge, ChangeLog, Dossier, Point, Signature
from stresslab.report.sections.table import Table
from stresslab.report.wording import UNDEFINED, clean, interval, percent, probability, share, shares

REGULATION = (
    "This dossier may serve as evidence for model risk management (SR 26-2, formerly SR 11-7) and for Articles 5 and 9 "
    "of the EU's RTS 6. It is not the stress testing of Article 10 of RTS 6, which is about the capacity of systems, "
    "and value at risk and expected shortfall in it are not regulatory capital."
)
"""What the dossier may be called, and what it may not."""


@dataclass(frozen=True)
class DossierPage:
    """What the section shows.

    Attributes:
        facts: (name, text) of who answers for what.
        tables: assumptions, limitations, findings, changes, contest.
        conclusion: the owner's.
        regulation: what it may serve as.
    """

    facts: list[tuple[str, str]]
    tables: list[Table]
    conclusion: str
    regulation: str


def dossier(result: StressResult) -> DossierPage | None:
    """The dossier of a run; None without one."""
    found = result.dossier
    if found is None:
        return None
    facts = [
        ("Dossier", found.title),
        ("Version", found.version),
        ("Owner", found.owner),
        ("Developer", found.developer),
        ("Validator", found.validator),
        ("Intended use", found.intended_use),
        ("Materiality", found.materiality),
    ]
    tables = [
        _points("assumptions", "Assumptions", "A", found.assumptions),
        _points("limitations", "Limitations", "L", found.limitations),
        _findings(found),
    ]
    if found.changes is not None:
        tables.append(_changes(found.changes))
    if found.challenge is not None:
        tables.append(_contest(found.challenge))
    return DossierPage([(name, clean(text)) for name, text in facts if text], tables, found.conclusion, REGULATION)


def sign_off(result: StressResult) -> tuple[Signature, ...] | None:
    """Who signs; None without a dossier."""
    return None if result.dossier is None else result.dossier.sign_off


def _points(key: str, title: str, letter: str, points: tuple[Point, ...]) -> Table:
    rows = tuple((f"{letter}{at}", clean(one.text), clean(one.mitigation)) for at, one in enumerate(points, 1))
    sentence = f"{len(rows)}, each with what mitigates it."
    return Table(f"dossier-{key}", title, sentence, ("No.", title[:-1], "Mitigation"), rows, open=True, brief=True)


def _findings(found: Dossier) -> Table:
    rows = tuple(
        (f"F{at}", one.severity, clean(one.about), clean(one.text)) for at, one in enumerate(found.findings, 1)
    )
    counts = {name: sum(one.severity == name for one in found.findings) for name in ("high", "medium", "low")}
    sentence = (
        f"{counts['high']} of high, {counts['medium']} of medium and {counts['low']} of low severity, derived from the "
        "run's checks."
    )
    return Table("dossier-findings", "Findings", sentence, ("No.", "Severity", "About", "Finding"), rows, open=True,
                 brief=True)  # fmt: skip


def _changes(found: ChangeLog) -> Table:
    rows = [(clean(one.name), clean(one.before), clean(one.after)) for one in found.changes]
    rows += [(f"P(loss) of {clean(name)}", share(before), share(after)) for name, before, after in found.losses]
    sentence = f"Against the run that was approved last, {clean(found.run)}: {len(found.changes)} settings differ."
    return Table(
        "dossier-changes", "Changes", sentence, ("What", "Approved", "Now"), tuple(rows), open=True, brief=True
    )


def _contest(found: Challenge) -> Table:
    rows = [
        ("P(loss)", probability(found.champion_loss), probability(found.challenger_loss)),
        ("95% interval", shares(found.champion_loss), shares(found.challenger_loss)),
    ]
    if found.difference is not None and found.better is not None:
        ends = interval(found.difference.low, found.difference.high, signed=True)
        rows.append(("Mean return, challenger less champion", UNDEFINED, percent(found.difference.value, signed=True)))
        rows.append(("95% interval of that", UNDEFINED, ends))
        rows.append(("Better in", UNDEFINED, f"{share(found.better.value)} of universes"))
    told, title = clean(found.conclusion), "Champion and challenger"
    headings = ("Figure", f"Champion: {clean(found.champion)}", f"Challenger: {clean(found.challenger)}")
    return Table("dossier-contest", title, told, headings, tuple(rows), open=True, brief=True)
