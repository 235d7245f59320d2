"""How results show themselves in a notebook: a table of verdicts as HTML, and charts as matplotlib Axes.

The charts are those of the page.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from stresslab.report import captions, charts, evidence
from stresslab.report.axes import Chart
from stresslab.report.wording import GLYPHS, clean, percent, share, shares
from stresslab.result import StrategyResult, StressResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = ("pnl", "drawdown", "equity", "underwater")
"""What can be plotted of a strategy."""
HEADINGS = ("Strategy", "Verdict", "P(loss)", "95% interval", "Median return", "5% quantile", "Real outcome")


def table(strategies: list[StrategyResult], caption: str) -> str:
    """Verdicts as an HTML table."""
    rows = []
    for one in strategies:
        loss, quantiles = one.universes["probability_of_loss"], captions.measure_of(one, "total_return")["quantiles"]
        real = None if one.realised is None else one.realised["total_return"]
        label = one.verdict.label
        rows.append(
            [
                clean(one.name), f"{GLYPHS[label]} {label}", share(loss["value"]), shares(loss),
                percent(quantiles["0.5"], signed=True), percent(quantiles["0.05"], signed=True),
                percent(real, signed=True),
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
    return _plot(charts.universes_chart(result), axes)


def plot_strategy(strategy: StrategyResult, kind: str, axes: Axes | None) -> Axes:
    """One of the distributions of a strategy.

    Raises:
        InputError: there is no such kind.
    """
    from stresslab.config import did_you_mean
    from stresslab.errors import InputError

    if kind not in KINDS:
        raise InputError(f"kind={kind!r} cannot be plotted{did_you_mean(kind, list(KINDS))}")
    cash = float(strategy.equity_fan.iloc[0]["0.5"])
    stamps = [f"bar {step}" for step in range(len(strategy.equity_fan))]
    return _plot(evidence.distributions(strategy, "strategy-1", cash, stamps)[KINDS.index(kind)], axes)


def _plot(chart: Chart, axes: Axes | None) -> Axes:
    from stresslab.report.figures import plot

    return plot(chart, axes)
