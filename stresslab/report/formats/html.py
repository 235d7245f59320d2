"""The page of a stress test: one file that needs nothing but a browser.

The sections prepare what it says, the templates decide how it looks.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import markupsafe

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import EDGES, LABELS
from stresslab.report.charts.chart import Chart, stamp_texts
from stresslab.report.sections import kept_limits, notices, overview, provenance, realism, strategy
from stresslab.report.sections.paper import left_out
from stresslab.report.sections.registry import Part, parts
from stresslab.report.wording import UNDEFINED, clean

Draw = Callable[[Chart, str], str]


@cache
def environment() -> jinja2.Environment:
    """Templates, with the headings that belong to prepared tables."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("stresslab.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    script = _script()
    made.globals |= {
        "script": script,
        "policy": _policy(script),
        "overview_headings": overview.OVERVIEW,
        "measure_headings": strategy.MEASURE_COLUMNS,
        "left_out": left_out,
        "tail_headings": [name for _, name in strategy.TAILS],
        "undefined": UNDEFINED,
        "label_ranks": {label: rank for rank, label in enumerate(LABELS)},
        "edge_ranks": {str(label): rank for rank, label in enumerate(EDGES)},
    }
    return made


def _script() -> markupsafe.Markup:
    """The page's script as it stands between its tags."""
    return markupsafe.Markup(f"\n{files('stresslab.report').joinpath('templates/report.js').read_text('utf-8')}\n")


def _policy(script: str) -> str:
    """Nothing is loaded, sent or framed; only this script runs, and pictures are those in the page."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def breakable(name: str) -> markupsafe.Markup:
    """A strategy's name that may be broken where its set of parameters begins, and after each of them."""
    return markupsafe.Markup(str(markupsafe.escape(name)).replace("[", "[<wbr>").replace(",", ",<wbr>"))


def render(result: StressResult, prepared: Sequence[Part] | None = None, *, draw: Draw | None = None) -> str:
    """The page as text; the same result gives the same text.

    Args:
        result: what was found.
        prepared: its sections, where they are there already.
        draw: makes of a chart and its size ("", "half" or "tall") the address of a picture to show in its place, for
            readers without scripts, such as a printer; the page draws charts itself without one.
    """
    shown = parts(result) if prepared is None else prepared
    return environment().get_template("report.html.j2").render(page(result, shown), picture=draw)


def page(result: StressResult, prepared: Sequence[Part]) -> dict[str, Any]:
    """What the template of the page shows beside the sections."""
    stamps = stamp_texts(result.fan.index.insert(0, result.origin))
    training, _ = provenance.sample_label(result)
    return {
        "symbol": clean(str(result.data.symbol)),
        "labels": list(dict.fromkeys(one.verdict.label for one in result.strategies)),
        "several": len(result.strategies) > 1,
        "universes": result.universes_count,
        "horizon": provenance.horizon(result),
        "origin": stamps[0],
        "last": stamps[-1],
        "generator": provenance.generator_name(result),
        "calendar": clean(str(result.data.calendar)),
        "training": training,
        "doubtful": training in provenance.DOUBTFUL,
        "realism": realism.evidence(result),
        "warned": sum(notice.warning for notice in notices.notices(result)),
        "parts": prepared,
        "limits": kept_limits.chip(result),
        "stamp": provenance.stamp(result),
    }
