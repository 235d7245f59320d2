"""Whether the strategies of a stored run keep limits that are given now: answers, page and files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stresslab.analysis.limits import limit_study
from stresslab.analysis.result import StressResult
from stresslab.analysis.result_decisions import LimitStudy
from stresslab.analysis.sides import Sides
from stresslab.core.whole_files import staged
from stresslab.report.formats.decision_page import DecisionPage, PageSection, render_decision
from stresslab.report.formats.text import table, wrapped
from stresslab.report.sections import provenance
from stresslab.report.sections.kept_limits import ANSWERS, ENDS, headline, limit_tables, rules_sentence
from stresslab.report.sections.table import share
from stresslab.report.wording import UNDEFINED, clean, interval
from stresslab.runs.accounts import Progress, stored_run
from stresslab.runs.decision_settings import HeldSettings
from stresslab.runs.limit_settings import LimitSettings
from stresslab.runs.size_run import ACCOUNTS, described, packed


@dataclass(frozen=True, eq=False)
class LimitedRun:
    """The limits of each strategy of a run, by name.

    Attributes:
        result: the run's.
        studies: limits.
        accounts: that they follow from.
    """

    result: StressResult
    studies: Mapping[str, LimitStudy]
    accounts: Mapping[str, Sides]

    @property
    def kept(self) -> bool:
        """Whether every limit is shown to be kept by every strategy."""
        return all(study.kept for study in self.studies.values())

    def __str__(self) -> str:
        """A table of limits and one of how accounts end, for each strategy."""
        blocks = []
        for name, study in self.studies.items():
            blocks.append(wrapped(f"{clean(name)}: {headline(study)}", first="", hanging=2))
            if study.answers:
                rows = [
                    [
                        one.limit,
                        ANSWERS[one.passed],
                        share(one.estimate.value),
                        interval(one.estimate.low, one.estimate.high),
                    ]
                    for one in study.answers
                ]
                blocks.append(table(["Limit", "Answer", "Estimate", "95% interval"], rows, left=2))
            if study.outcomes:
                rows = [
                    [
                        ENDS[one.name],
                        share(one.probability.value),
                        interval(one.probability.low, one.probability.high),
                        UNDEFINED if one.days is None else f"{one.days.value:,.3g}",
                    ]
                    for one in study.outcomes[study.judged]
                ]
                blocks.append(table(["The account", "P", "95% interval", "Median days"], rows, left=1))
                blocks.append(wrapped(rules_sentence(study.rules or {}), first="", hanging=0))
        return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks)

    def page(self) -> str:
        """The page."""
        lines = [f"{clean(name)}: {headline(study)}" for name, study in self.studies.items()]
        section = PageSection("kept", "Limits kept and broken", limit_tables(self.studies), lines, provenance.LIMITS)
        title, stamp = f"Limits: {clean(self.result.data.symbol)}", provenance.stamp(self.result)
        chips = [("plain", "every limit kept") if self.kept else ("alert", "not every limit kept")]
        return render_decision(DecisionPage("limits", title, described(self.result), [section], chips, stamp))

    def save(self, folder: Path, accounts: bool = False) -> list[Path]:
        """Write answers and page, and the accounts where they are wanted; all of them, or none."""
        facts = {name: study.to_dict() for name, study in self.studies.items()}
        with staged(folder) as partial:
            (partial / "limits.html").write_text(self.page(), encoding="utf-8")
            (partial / "limits.json").write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")
            if accounts:
                (partial / ACCOUNTS).write_bytes(packed(self.accounts))
        return [folder / name for name in ("limits.html", "limits.json", *([ACCOUNTS] if accounts else []))]


def limits_run(settings: HeldSettings, progress: Progress | None = None) -> LimitedRun:
    """Whether the strategies of a stored run keep limits.

    Args:
        settings: which run, which limits.
        progress: called with (stage, done, total).

    Raises:
        InputError: the limits cannot be meant, or the run cannot be made again.
    """
    plan = LimitSettings.read(settings.limits_file).plan()
    run = stored_run(settings.run, settings.strategy, jobs=settings.jobs, model=settings.model)
    accounts, stamps = run.accounts(progress), pd.DatetimeIndex(run.result.fan.index)
    seed = run.was.settings.seed
    studies = {name: limit_study(sides, plan, stamps, seed) for name, sides in accounts.items()}
    return LimitedRun(run.result, studies, accounts)
