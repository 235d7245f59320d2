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
from stresslab.report.charts import fans_and_histograms, loss_intervals
from stresslab.report.charts.chart import Chart
from stresslab.report.sections import (
    dossier,
    inputs,
    kept_limits,
    notices,
    overview,
    pairs,
    parameter_grid,
    provenance,
    realism,
    realism_charts,
    sizes,
    strategy,
    studies,
)
from stresslab.report.sections import realism_tables as tables
from stresslab.report.sections.grid_ranking import discount


@dataclass(frozen=True)
class SectionContext:
    """A result, and what several sections need of it."""

    result: StressResult

    @cached_property
    def pages(self) -> list[strategy.StrategyPage]:
        """The page of every strategy that has one."""
        return strategy.strategy_pages(self.result)

    @cached_property
    def rows(self) -> list[overview.OverviewRow]:
        """Every strategy in the overview."""
        return overview.overview_rows(self.result)


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
    prepare: Callable[[SectionContext], Any]
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
    context = SectionContext(result)
    prepared = [(section, section.prepare(context)) for section in SECTIONS]
    return [Part(section, content, section.charts(content)) for section, content in prepared if content is not None]


def _verdicts(context: SectionContext) -> dict[str, Any]:
    return {
        "sheets": context.pages,
        "lines": context.rows,
        "headline": captions.headline(context.result),
        "discount": discount(context.result),
        "sentence": captions.overview_sentence(context.result),
        "keys": captions.label_keys(context.result),
        "edges": any(row.edge for row in context.rows),
    }


def _realism(context: SectionContext) -> dict[str, Any] | None:
    evidence, found = realism.evidence(context.result), context.result.realism
    if found is None or not evidence.rows:
        return None
    charts = {chart.key: chart for chart in realism_charts.realism_charts(found)}
    return {
        "found": evidence,
        "ranks": charts.get("realism-ranks"),
        "clustering": charts.get("realism-clustering"),
        "tables": tables.tables(found),
        "notes": tables.notes(found),
    }


def _losses(context: SectionContext) -> Chart | None:
    return loss_intervals.loss_chart([context.result.strategies[at] for at in overview.roles(context.result)])


def _reading(context: SectionContext) -> dict[str, Any]:
    asked = any(row.edge for row in context.rows)
    return {"words": provenance.READING, "labels": studies.labels() if asked else None}


SECTIONS: tuple[Section, ...] = (
    Section(
        "verdicts",
        "Verdict",
        _verdicts,
        title_of=lambda content: "Verdicts" if len(content["lines"]) > 1 else "Verdict",
    ),
    Section("kept", "Limits kept and broken", lambda context: kept_limits.kept_limits(context.result)),
    Section("notices", "Before you rely on it", lambda context: notices.notices(context.result) or None),
    Section(
        "grid",
        "Parameters",
        lambda context: parameter_grid.contents(context.result),
        lambda content: [chart for one in content for chart in one.charts],
    ),
    Section("losses", "Side by side", _losses, lambda chart: [chart]),
    Section(
        "universes",
        "What could have followed",
        lambda context: fans_and_histograms.universes_chart(context.result),
        lambda chart: [chart],
    ),
    Section(
        "strategies",
        "Strategies",
        lambda context: context.pages,
        lambda pages: [chart for page in pages for chart in page.charts],
        lambda pages: "Strategies" if len(pages) > 1 else "The strategy in these universes",
    ),
    Section(
        "sizes",
        "How large to trade",
        lambda context: sizes.sizes(context.result),
        lambda content: [chart for table in content for chart in table.charts],
    ),
    Section("selection", "Selection", lambda context: pairs.together(context.result) or None),
    Section("contrasts", "Strategies against each other", lambda context: pairs.contrasts(context.result)),
    Section(
        "realism",
        "Realism of the universes",
        _realism,
        lambda content: [chart for chart in (content["ranks"], content["clustering"]) if chart is not None],
    ),
    Section("inputs", "What it rests on", lambda context: inputs.inputs(context.result)),
    Section("reading", "How to read this", _reading),
    Section("run", "The run", lambda context: provenance.run(context.result)),
    Section(
        "dossier",
        "Dossier",
        lambda context: dossier.dossier(context.result),
        title_of=lambda content: content.facts[0][1],
    ),
    Section("limits", "Limits", lambda context: provenance.LIMITS),
    Section("signoff", "Sign-off", lambda context: dossier.sign_off(context.result)),
)
"""Every section there is."""
