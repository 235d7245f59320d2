"""How large the strategies of a stored run can be traded: figures, page and, where wanted, the accounts behind them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_decisions import SizeStudy
from stresslab.analysis.sides import Sides
from stresslab.analysis.sizes import size_study
from stresslab.core.whole_files import staged
from stresslab.report.charts.chart import stamp_texts
from stresslab.report.formats.decision_page import DecisionPage, PageSection, render_decision
from stresslab.report.formats.text import table, wrapped
from stresslab.report.sections import provenance
from stresslab.report.sections.sizes import credit_sentence, headline, kelly_sentence, size_tables
from stresslab.report.wording import clean, largest_multiple, number, percent, probability
from stresslab.runs.accounts import Progress, stored_run
from stresslab.runs.decision_settings import SizeSettings


@dataclass(frozen=True, eq=False)
class SizedRun:
    """Sizes of each strategy of a run, by name.

    Attributes:
        result: the run's.
        studies: sizes.
        accounts: that they follow from.
    """

    result: StressResult
    studies: Mapping[str, SizeStudy]
    accounts: Mapping[str, Sides]

    def __str__(self) -> str:
        """A table of the strategies, and for each what it says."""
        rows = []
        for name, study in self.studies.items():
            side = study.sides[study.judged]
            at_one = next((row for row in side.rows if row.size == 1.0), side.rows[-1])
            rows.append([
                clean(name), largest_multiple(side.largest.size),
                f"{largest_multiple(side.largest.low)} to {largest_multiple(side.largest.high)}",
                f"{number(side.kelly.value)}x", f"{number((side.kelly.value or 0.0) / 2)}x",
                percent(at_one.growth, signed=True), probability(at_one.loss), probability(at_one.drawdown),
            ])  # fmt: skip
        first = next(iter(self.studies.values()))
        headings = ["Strategy", "Largest", "95% interval", "Kelly", "Half", "Growth", "P(loss)", "P(drawdown)"]
        blocks = [[f"Largest size that keeps {first.limit}; growth, P(loss) and P(drawdown) at size 1."]]
        blocks.append(table(headings, rows, left=1))
        for name, study in self.studies.items():
            blocks.append(wrapped(f"{clean(name)}: {headline(study)} {kelly_sentence(study)}", first="", hanging=2))
        blocks.append(wrapped(credit_sentence(first), first="", hanging=0))
        return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks)

    def page(self) -> str:
        """The page."""
        sentences = [f"{clean(name)}: {headline(study)}" for name, study in self.studies.items()]
        section = PageSection(
            "sizes",
            "How large to trade",
            size_tables(self.studies),
            sentences,
            [*provenance.LIMITS[:2], *provenance.LIMITS[3:]],
        )
        title, stamp = f"How large: {clean(self.result.data.symbol)}", provenance.stamp(self.result)
        return render_decision(DecisionPage("size", title, described(self.result), [section], stamp=stamp))

    def save(self, folder: Path, accounts: bool = False) -> list[Path]:
        """Write figures and page, and the accounts where they are wanted; all of them, or none."""
        facts = {name: study.to_dict() for name, study in self.studies.items()}
        with staged(folder) as partial:
            (partial / "size.html").write_text(self.page(), encoding="utf-8")
            (partial / "size.json").write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")
            if accounts:
                (partial / ACCOUNTS).write_bytes(packed(self.accounts))
        return [folder / name for name in ("size.html", "size.json", *([ACCOUNTS] if accounts else []))]


ACCOUNTS = "accounts.npz"
"""Equity (T+1, N), low and high (T, N) of each side and position of each strategy, named by its place from 0."""


def packed(accounts: Mapping[str, Sides]) -> bytes:
    """The accounts of each strategy as one compressed file: `names`, `0/position`, `0/generated/low`, ..."""
    arrays: dict[str, np.ndarray] = {"names": np.array(list(accounts))}
    for at, sides in enumerate(accounts.values()):
        arrays[f"{at}/position"] = np.asarray(sides.position)
        for name, side in sides.by_name.items():
            for part in ("equity", "low", "high"):
                arrays[f"{at}/{name}/{part}"] = getattr(side, part)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type] # names are no flag of numpy
    return buffer.getvalue()


def described(result: StressResult) -> str:
    """What a page rests on, in one line."""
    stamps = stamp_texts(result.fan.index.insert(0, result.origin))
    return (
        f"{result.universes_count:,} universes of {result.horizon:,} bars after {stamps[0]}, to {stamps[-1]} · "
        f"generated by {provenance.generator_name(result)}"
    )


def size_run(settings: SizeSettings, progress: Progress | None = None) -> SizedRun:
    """How large the strategies of a stored run can be traded.

    Args:
        settings: which run, which limit, what credit costs.
        progress: called with (stage, done, total).

    Raises:
        InputError: the limit is none on a drawdown, or the run cannot be made again.
    """
    plan = settings.plan()
    run = stored_run(settings.run, settings.strategy, jobs=settings.jobs, model=settings.model)
    accounts = run.accounts(progress)
    posteriors = {one.result.name: one.posterior for one in run.strategies}
    seed = run.was.settings.seed
    studies = {name: size_study(sides, posteriors[name], plan, seed) for name, sides in accounts.items()}
    return SizedRun(run.result, studies, accounts)
