"""The page of a stress test: one file that needs nothing but a browser.

What it says is prepared by `evidence`, `charts`, `realism` and `provenance`; how it looks is the templates' business.
"""

from __future__ import annotations

from typing import Any

import jinja2

from stresslab.report import captions, charts, evidence, provenance, realism, realism_charts, realism_tables
from stresslab.report.wording import UNDEFINED, clean
from stresslab.result import StressResult


def render(result: StressResult) -> str:
    """The page as text; the same result gives the same text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("stresslab.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(page(result))


def page(result: StressResult) -> dict[str, Any]:
    """What the template shows."""
    cash = float(result.config["init_cash"])
    fan = charts.universes_chart(result)
    stamps = charts.stamp_texts(result.fan.index.insert(0, result.origin))
    sheets = [evidence.sheet(one, at, cash, stamps) for at, one in enumerate(result.strategies, start=1)]
    training, _ = provenance.sample_label(result)
    ranked, clustering = realism_charts.realism_charts(result.realism)
    compared = [*ranked, *([clustering] if clustering else [])]
    drawn = [fan, *(chart for sheet in sheets for chart in sheet.charts), *compared]
    return {
        "symbol": clean(str(result.data["symbol"])),
        "universes": result.universes_count,
        "horizon": result.horizon,
        "origin": stamps[0],
        "last": stamps[-1],
        "generator": provenance.generator_name(result),
        "calendar": clean(str(result.data["calendar"])),
        "training": training,
        "doubtful": training in provenance.DOUBTFUL,
        "realism": realism.evidence(result),
        "rank_charts": ranked,
        "clustering_chart": clustering,
        "realism_tables": realism_tables.tables(result.realism),
        "realism_notes": realism_tables.notes(result.realism),
        "notices": provenance.notices(result),
        "fan": fan,
        "sheets": sheets,
        "overview_headings": evidence.OVERVIEW,
        "overview_sentence": captions.overview_sentence(result),
        "measure_headings": evidence.MEASURE_COLUMNS,
        "tail_headings": [name for _, name in evidence.TAILS],
        "sections": provenance.sections(result),
        "reading": provenance.READING,
        "limits": provenance.LIMITS,
        "undefined": UNDEFINED,
        "hover": {chart.key: chart.hover for chart in drawn},
    }
