"""How results show themselves in a notebook: a table of verdicts as HTML, and charts as matplotlib Axes.

The charts are those of the page.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from html import escape

from stresslab.analysis.compare import Comparison
from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_realism import RealismSection
from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.realism import Realism
from stresslab.report import captions
from stresslab.report.charts import bars_and_universes, fans_and_histograms
from stresslab.report.charts.chart import Chart
from stresslab.report.sections import realism
from stresslab.report.sections.overview import losses
from stresslab.report.sections.strategy import conditions, distributions
from stresslab.report.wording import GLYPHS, UNDEFINED, clean, percent, probability, shares

KINDS = ("pnl", "drawdown", "equity", "underwater")
"""What can be plotted of a strategy."""
HEADINGS = (
    "Strategy",
    "Verdict",
    "Edge",
    "P(loss)",
    "95% interval",
    "P(loss) without an edge",
    "with its edge",
    "Median return",
    "5% quantile",
    "Real outcome",
)


def table(strategies: list[StrategyResult], caption: str) -> str:
    """Verdicts as an HTML table."""
    rows = []
    for one in strategies:
        loss, quantiles = one.universes.probability_of_loss, captions.measure_of(one, "total_return")
        real = None if one.realised is None else one.realised_return
        label = one.verdict.label
        rows.append(
            [
                clean(one.name), f"{GLYPHS[label]} {label}", UNDEFINED if one.edge is None else one.edge.label,
                probability(loss), shares(loss), *(cell.text for cell in losses(one)),
                percent(quantiles.median, signed=True),
                percent(quantiles.quantile(0.05), signed=True), percent(real, signed=True),
            ]
        )  # fmt: skip
    head = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@singledispatch
def html(thing: object) -> str:
    """An object as HTML."""
    raise TypeError(f"{type(thing).__name__} has no HTML")


@html.register
def _(result: StressResult) -> str:
    return table(result.strategies, f"{clean(str(result.data.symbol))}. {conditions(result)}")


@html.register
def _(strategy: StrategyResult) -> str:
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in strategy.verdict.reasons)
    return f"{table([strategy], 'over all universes')}<ul>{reasons}</ul>"


@html.register
def _(found: Comparison) -> str:
    named = [replace(entry.strategy, name=entry.name) for entry in found.entries]
    return table(named, f"{len(found.runs)} runs")


@html.register
def _(bars: Bars) -> str:
    return bars_and_universes.of_bars(bars)


@html.register
def _(universes: Universes) -> str:
    return bars_and_universes.of_universes(universes)


@html.register
def _(found: Realism) -> str:
    shown = realism.evidence_of(RealismSection.of(found.to_dict()))
    checks = [(row.name, f"{row.outcome}: {row.value} ({row.interval})") for row in shown.rows]
    return bars_and_universes.table(
        f"realism: {shown.label}", [("", shown.sentence), *(("", why) for why in shown.reasons), *checks]
    )


@singledispatch
def chart(thing: object, kind: str | None = None) -> Chart:
    """The chart of an object: of a strategy one of `KINDS`, of anything else the only one it has.

    Raises:
        InputError: there is no such kind.
    """
    raise TypeError(f"{type(thing).__name__} has no chart")


@chart.register
def _(result: StressResult, kind: str | None = None) -> Chart:
    _only_one(kind)
    return fans_and_histograms.universes_chart(result)


@chart.register
def _(bars: Bars, kind: str | None = None) -> Chart:
    _only_one(kind)
    return bars_and_universes.bars_chart(bars)


@chart.register
def _(universes: Universes, kind: str | None = None) -> Chart:
    _only_one(kind)
    return bars_and_universes.universes_chart(universes)


@chart.register
def _(strategy: StrategyResult, kind: str | None = None) -> Chart:
    kind = kind or KINDS[0]
    if kind not in KINDS:
        raise InputError(f"kind={kind!r} cannot be plotted{did_you_mean(kind, list(KINDS))}")
    cash = float(strategy.equity_fan["0.5"].iloc[0])
    stamps = [f"bar {step}" for step in range(len(strategy.equity_fan))]
    return distributions(strategy, "strategy-1", cash, stamps)[KINDS.index(kind)]


def _only_one(kind: str | None) -> None:
    if kind is not None:
        raise InputError(f"kind={kind!r} cannot be plotted: this has one chart; leave kind out")
