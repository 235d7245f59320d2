"""How results show themselves in a notebook: a table of verdicts as HTML, and charts as matplotlib Axes.

The charts are those of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from stresslab.analysis.compare import Comparison
from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.report import captions
from stresslab.report.charts import bars_and_universes, fans_and_histograms
from stresslab.report.charts.chart import Chart
from stresslab.report.sections import realism
from stresslab.report.sections import strategy as evidence
from stresslab.report.wording import GLYPHS, UNDEFINED, clean, percent, share, shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = ("pnl", "drawdown", "equity", "underwater")
"""What can be plotted of a strategy."""
HEADINGS = ("Strategy", "Verdict", "Edge", "P(loss)", "95% interval", "Median return", "5% quantile", "Real outcome")


def table(strategies: list[StrategyResult], caption: str) -> str:
    """Verdicts as an HTML table."""
    rows = []
    for one in strategies:
        loss, quantiles = one.universes["probability_of_loss"], captions.measure_of(one, "total_return")["quantiles"]
        real = None if one.realised is None else one.realised["total_return"]
        label = one.verdict.label
        rows.append(
            [
                clean(one.name), f"{GLYPHS[label]} {label}", UNDEFINED if one.edge is None else one.edge["label"],
                share(loss["value"]), shares(loss), percent(quantiles["0.5"], signed=True),
                percent(quantiles["0.05"], signed=True), percent(real, signed=True),
            ]
        )  # fmt: skip
    head = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def of_result(result: StressResult) -> str:
    """A stress test as HTML."""
    caption = f"{clean(str(result.data['symbol']))} in {result.universes_count:,} universes of {result.horizon:,} bars"
    return table(result.strategies, caption)


def of_strategy(strategy: StrategyResult) -> str:
    """A strategy as HTML: its line and the reasons of its verdict."""
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in strategy.verdict.reasons)
    return f"{table([strategy], 'over all universes')}<ul>{reasons}</ul>"


def plot_result(result: StressResult, axes: Axes | None) -> Axes:
    """The fan of universes over the real path."""
    return _plot(fans_and_histograms.universes_chart(result), axes)


def plot_strategy(strategy: StrategyResult, kind: str, axes: Axes | None) -> Axes:
    """One of the distributions of a strategy.

    Raises:
        InputError: there is no such kind.
    """
    from stresslab.core.errors import InputError
    from stresslab.core.text import did_you_mean

    if kind not in KINDS:
        raise InputError(f"kind={kind!r} cannot be plotted{did_you_mean(kind, list(KINDS))}")
    cash = float(strategy.equity_fan.iloc[0]["0.5"])
    stamps = [f"bar {step}" for step in range(len(strategy.equity_fan))]
    return _plot(evidence.distributions(strategy, "strategy-1", cash, stamps)[KINDS.index(kind)], axes)


def plot_bars(bars: Bars, axes: Axes | None) -> Axes:
    """The closes of a real series."""
    return _plot(bars_and_universes.bars_chart(bars), axes)


def plot_universes(universes: Universes, axes: Axes | None) -> Axes:
    """The fan of the universes' closes after the tail of their history."""
    return _plot(bars_and_universes.universes_chart(universes), axes)


def of_bars(bars: Bars) -> str:
    """A real series as HTML."""
    return bars_and_universes.of_bars(bars)


def of_universes(universes: Universes) -> str:
    """Universes as HTML."""
    return bars_and_universes.of_universes(universes)


def of_realism(found: Mapping[str, Any]) -> str:
    """The label, reasons and checks of a realism section as HTML."""
    shown = realism.evidence_of(found)
    checks = [(row.name, f"{row.outcome}: {row.value} ({row.interval})") for row in shown.rows]
    return bars_and_universes.table(
        f"realism: {shown.label}", [("", shown.sentence), *(("", why) for why in shown.reasons), *checks]
    )


def of_comparison(found: Comparison) -> str:
    """Every strategy of the runs that were compared as HTML."""
    named = [replace(entry.strategy, name=entry.name) for entry in found.entries]
    return table(named, f"{len(found.runs)} runs")


def _plot(chart: Chart, axes: Axes | None) -> Axes:
    from stresslab.report.charts.images import plot

    return plot(chart, axes)
