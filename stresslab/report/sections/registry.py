"""The sections of a report, in their order: the one place where a section is added.

A section has a key (its place in the contents and its anchor), a title, a template in `templates/sections/`, and a
function that prepares from a result what the template shows; where that is None, the section is left out. Charts are
found by a second function, so that page, PDF and pictures all draw them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stresslab.analysis.result import StressResult
from stresslab.report import captions
from stresslab.report.charts import fans_and_histograms
from stresslab.report.charts.chart import Chart
from stresslab.report.sections import (
    inputs,
    overview,
    pairs,
    parameter_grid,
    provenance,
    realism,
    realism_charts,
    strategy,
    studies,
)
from stresslab.report.sections import realism_tables as tables


@dataclass(frozen=True)
class Facts:
    """A result, and what several sections need of it."""

    result: StressResult

    @cached_property
    def sheets(self) -> list[strategy.Sheet]:
        """The sheet of every strategy that has one."""
        return strategy.sheets(self.result)

    @cached_property
    def lines(self) -> list[overview.Line]:
        """Every strategy in the overview."""
        return overview.lines(self.result)


def _no_charts(content: Any) -> list[Chart]:
    return []


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        key: its anchor; the template is `templates/sections/<key>.html.j2`.
        title: in the contents and above it; `title_of` overrules it.
        prepare: what the template shows under the name `content`; None leaves the section out.
        charts: the charts in that, each with a key of its own.
        title_of: a title that depends on the content.
    """

    key: str
    title: str
    prepare: Callable[[Facts], Any]
    charts: Callable[[Any], list[Chart]] = _no_charts
    title_of: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Part:
    """A section of one report: what it shows, and its charts."""

    section: Section
    content: Any
    charts: list[Chart]

    @property
    def title(self) -> str:
        """As it stands in the contents and above the section."""
        return self.section.title if self.section.title_of is None else self.section.title_of(self.content)


def parts(result: StressResult) -> list[Part]:
    """The sections of a result that have content."""
    facts = Facts(result)
    prepared = [(section, section.prepare(facts)) for section in SECTIONS]
    return [Part(section, content, section.charts(content)) for section, content in prepared if content is not None]


def _verdicts(facts: Facts) -> dict[str, Any]:
    return {
        "sheets": facts.sheets,
        "lines": facts.lines,
        "headline": captions.headline(facts.result),
        "sentence": captions.overview_sentence(facts.result),
        "keys": captions.label_keys(facts.result),
        "edges": any(line.edge for line in facts.lines),
    }


def _realism(facts: Facts) -> dict[str, Any] | None:
    evidence, found = realism.evidence(facts.result), facts.result.realism
    if found is None or not evidence.rows:
        return None
    ranked, clustering = realism_charts.realism_charts(found)
    return {
        "found": evidence,
        "ranked": ranked,
        "clustering": clustering,
        "tables": tables.tables(found),
        "notes": tables.notes(found),
    }


def _evidence(facts: Facts) -> dict[str, Any] | None:
    found = studies.deeper(facts.result, list(overview.roles(facts.result)))
    if not any(one.edge for one in facts.result.strategies):
        return None
    return {"strategies": found, "together": pairs.together(facts.result), "labels": studies.labels()}


SECTIONS: tuple[Section, ...] = (
    Section(
        "verdicts",
        "Verdict",
        _verdicts,
        title_of=lambda content: "Verdicts" if len(content["lines"]) > 1 else "Verdict",
    ),
    Section("notices", "Before you rely on it", lambda facts: provenance.notices(facts.result) or None),
    Section(
        "grid",
        "Parameters",
        lambda facts: parameter_grid.contents(facts.result),
        lambda content: [chart for one in content for chart in one.charts],
    ),
    Section(
        "universes",
        "What could have followed",
        lambda facts: fans_and_histograms.universes_chart(facts.result),
        lambda chart: [chart],
    ),
    Section(
        "strategies",
        "Strategies",
        lambda facts: facts.sheets,
        lambda sheets: [chart for sheet in sheets for chart in sheet.charts],
        lambda sheets: "Strategies" if len(sheets) > 1 else "The strategy in these universes",
    ),
    Section(
        "evidence",
        "Edge and fragility",
        _evidence,
        lambda content: [chart for one in content["strategies"] for chart in one.charts],
    ),
    Section("contrasts", "Strategies against each other", lambda facts: pairs.contrasts(facts.result)),
    Section(
        "realism",
        "Realism of the universes",
        _realism,
        lambda content: [*content["ranked"], *([content["clustering"]] if content["clustering"] else [])],
    ),
    Section("inputs", "What it rests on", lambda facts: inputs.inputs(facts.result)),
    Section("reading", "How to read this", lambda facts: provenance.READING),
    Section("run", "The run", lambda facts: provenance.run(facts.result)),
    Section("limits", "Limits", lambda facts: provenance.LIMITS),
)
"""Every section there is."""
