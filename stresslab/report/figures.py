"""The pictures of a stress test as PNG files, for slides and documents; they need no display.

Bins and thinning come from `series`, sentences from `captions`; the page draws charts of its own.
"""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from stresslab.report import captions, ranks, realism_charts, series
from stresslab.report.axes import LOG_FROM
from stresslab.report.charts import BANDS, DRAWN_PATHS, drawn_history, percent_tick, stamp_texts
from stresslab.report.wording import clean, percent, short_money
from stresslab.result import StrategyResult, StressResult

INK, SOFT, LINE, MEDIAN = "#18202b", "#576273", "#dde2e9", "#22578f"
FILLS = {"b98": "#e3ecf6", "b90": "#c3d8ee", "b50": "#8fb7df"}
LOSS, GAIN, DEPTHS = "#d07a24", "#5f94c9", ("#a9c1db", "#dca25d", "#b5522b")
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,  # a name with two dollar signs is not a formula
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": LINE,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "ytick.left": False,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.dpi": 150,
}
SIZE = (9.0, 5.2)
"""Inches."""

Draw = Callable[[Axes], None]


def write_figures(result: StressResult, folder: Path) -> None:
    """Write `universes.png`, three pictures of each strategy (PnL, drawdown, equity), and those of an assessment."""
    folder.mkdir(parents=True, exist_ok=True)
    cash = float(result.config["init_cash"])
    title = f"{clean(str(result.data['symbol']))}: {captions.universes_title(result)}"
    _save(lambda axes: _universes(axes, result), title, captions.universes_sentence(result), folder / "universes.png")
    for position, strategy in enumerate(result.strategies, start=1):
        stem, name = f"{position}-{file_name(strategy.name)}", clean(strategy.name)
        _save(_pnl(strategy), f"{name}: profit and loss", captions.pnl_sentence(strategy), folder / f"{stem}-pnl.png")
        _save(
            _drawdown(strategy),
            f"{name}: deepest drawdown",
            captions.drawdown_sentence(strategy),
            folder / f"{stem}-drawdown.png",
        )
        _save(
            _equity(strategy, cash),
            f"{name}: value of the account",
            captions.equity_sentence(strategy, cash),
            folder / f"{stem}-equity.png",
        )
    _write_realism(result, folder)


def _write_realism(result: StressResult, folder: Path) -> None:
    """The pictures of the evidence for the universes' realism, as far as there is any."""
    found = result.realism
    for name, title, drawn in realism_charts.ranked(found):
        _save(_ranks(drawn), title, ranks.sentence(drawn, name), folder / f"realism-{name}.png")
    lines = realism_charts.clustering(found)
    if lines is not None:
        sentence = realism_charts.clustering_sentence(found)
        _save(_clustering(lines), realism_charts.CLUSTERING_TITLE, sentence, folder / "realism-clustering.png")


def write_losses(
    path: Path, steps: NDArray[np.int64], losses: NDArray[np.float64], marks: Mapping[str, float], unit: str
) -> None:
    """Write the picture of a training: loss by step, and levels to compare it with.

    Args:
        path: the PNG file.
        steps: (S,) numbers of the steps.
        losses: (S,) loss of each step on its own batch.
        marks: levels by what they are.
        unit: what the losses are measured in.
    """
    width = min(len(losses), max(10, len(losses) // 25))
    smooth = np.convolve(losses, np.full(width, 1 / width), mode="valid")

    def draw(axes: Axes) -> None:
        axes.plot(steps, losses, color=FILLS["b50"], linewidth=0.8, label="each step's batch")
        axes.plot(steps[width - 1 :], smooth, color=MEDIAN, linewidth=1.6, label=f"running mean of {width}")
        for (name, level), color in zip(marks.items(), (LOSS, INK), strict=False):
            axes.axhline(level, color=color, linewidth=1.4, linestyle=(0, (4, 2)), label=f"{name} {level:.3f}")
        axes.margins(x=0.01)
        axes.set_xlabel("step")
        axes.set_ylabel(unit)
        _legend(axes)

    last = f"It ends at {smooth[-1]:.3f}, the mean of the last {width} of {steps[-1]:,} steps."
    _save(draw, "Training loss", last, path)


def file_name(name: str) -> str:
    """A strategy's name as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:40] or "strategy"


def _save(draw: Draw, title: str, sentence: str, path: Path) -> None:
    """Draw a picture with its title and what to see in it; characters without a glyph become boxes."""
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=SIZE)
        figure.set_layout_engine("constrained", rect=(0.012, 0.015, 0.973, 0.81))
        axes = figure.add_subplot()
        draw(axes)
        heading = textwrap.shorten(title, 80, placeholder=" …")
        figure.text(0.018, 0.965, heading, va="top", fontsize=13, fontweight="bold")
        figure.text(0.018, 0.905, textwrap.fill(sentence, 125), va="top", fontsize=9, color=SOFT)
        figure.savefig(path, metadata={"Software": None})


def _fan(axes: Axes, x: NDArray[np.int64], fan: pd.DataFrame) -> None:
    """The bands between quantiles, the widest first, and the median."""
    for low, high, style, name in BANDS:
        axes.fill_between(x, fan[low], fan[high], color=FILLS[style], linewidth=0, label=f"{name} of universes")
    axes.plot(x, fan["0.5"], color=MEDIAN, linewidth=1.4, linestyle=(0, (4, 2)), label="median")


def _legend(axes: Axes) -> None:
    """Above the plot, where it covers nothing."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=5, fontsize=8.5, labelcolor=SOFT, borderaxespad=0.3,
        borderpad=0, handlelength=1.6, columnspacing=1.4,
    )  # fmt: skip


def _universes(axes: Axes, result: StressResult) -> None:
    """The fan of closes, real history before it and the real path over it."""
    past = drawn_history(result)
    closes, steps, first = past.values[:, 3], np.arange(result.horizon + 1), 1 - len(past)
    labels = stamp_texts(past.timestamps.append(result.fan.index))
    fan = pd.DataFrame(np.vstack([np.full(result.fan.shape[1], closes[-1]), result.fan]), columns=result.fan.columns)
    _fan(axes, steps, fan)
    for path in result.sample_paths[:DRAWN_PATHS]:
        axes.plot(steps, np.concatenate([closes[-1:], path]), color=INK, alpha=0.18, linewidth=0.7)
    axes.plot(np.arange(first, 1), closes, color=INK, linewidth=1.6)
    if result.future is not None:
        real = np.concatenate([closes[-1:], result.future.values[:, 3]])
        axes.plot(steps[: len(real)], real, color=INK, linewidth=1.6, label=captions.REALISED)
    axes.axvline(0, color=SOFT, linewidth=1, linestyle=(0, (3, 3)))
    everything = np.concatenate([fan.to_numpy().reshape(-1), closes])
    if everything.min() > 0 and everything.max() / everything.min() > LOG_FROM:
        axes.set_yscale("log")
    places = series.thin(len(labels), 6)
    axes.set_xticks(places + first, [labels[place] for place in places])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.6g}"))
    axes.margins(x=0.01)
    axes.set_ylabel("close")
    _legend(axes)


def _bars(axes: Axes, found: series.Histogram, colours: list[str]) -> None:
    shares = found.counts / max(int(found.counts.sum()), 1)
    axes.bar(
        found.edges[:-1], shares, width=np.diff(found.edges), align="edge", color=colours, edgecolor="white",
        linewidth=0.8,
    )  # fmt: skip
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: percent_tick(tick)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: percent_tick(tick)))
    axes.set_ylabel("share of universes")
    axes.set_ylim(0, max(float(shares.max()), 0.01) * 1.28)
    axes.set_xlim(found.low, found.high)


def _mark(
    axes: Axes, found: series.Histogram, value: float | None, label: str, row: int, style: dict[str, Any]
) -> None:
    """A vertical line with its label in a row of its own; at the edge where the value lies beyond."""
    if value is None:
        return
    held = min(max(value, found.low), found.high)
    axes.axvline(held, clip_on=False, **style)
    right = held > (found.low + found.high) / 2
    axes.annotate(
        label if held == value else f"{label}, off the scale",
        (held, 0.985 - 0.06 * row), xycoords=("data", "axes fraction"), xytext=(-4 if right else 4, 0),
        textcoords="offset points", ha="right" if right else "left", va="top", fontsize=9,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
    )  # fmt: skip


QUIET: dict[str, Any] = {"color": SOFT, "linewidth": 1.1, "linestyle": (0, (3, 2))}
REAL: dict[str, Any] = {"color": INK, "linewidth": 2.2}


def _pnl(strategy: StrategyResult) -> Draw:
    """The histogram of total returns with quantiles and the real outcome."""

    def draw(axes: Axes) -> None:
        real = None if strategy.realised is None else strategy.realised["total_return"]
        found = series.histogram(strategy.metrics["total_return"].to_numpy(), [] if real is None else [real])
        _bars(axes, found, [LOSS if high <= 0 else GAIN for high in found.edges[1:]])
        quantiles = captions.measure_of(strategy, "total_return")["quantiles"]
        low, middle = quantiles["0.05"], quantiles["0.5"]
        _mark(axes, found, low, f"5% quantile {percent(low, signed=True)}", 0, QUIET)
        _mark(axes, found, middle, f"median {percent(middle, signed=True)}", 1, QUIET | {"color": MEDIAN})
        _mark(axes, found, real, f"real outcome {percent(real, signed=True)}", 2, REAL)
        axes.set_xlabel("total return, net of costs (orange: loss)")

    return draw


def _drawdown(strategy: StrategyResult) -> Draw:
    """The histogram of the deepest drawdowns, as depths, with the real one."""

    def draw(axes: Axes) -> None:
        depths = -strategy.metrics["max_drawdown"].to_numpy(dtype=np.float64) + 0.0
        limits = sorted(float(depth) for depth in strategy.universes["probability_of_drawdown"])
        real = None if strategy.realised is None else -strategy.realised["max_drawdown"]
        found = series.histogram(depths, [0.0, *limits, *([] if real is None else [real])])
        rank = np.searchsorted(np.array(limits) - 1e-12, found.edges[:-1], side="right")
        _bars(axes, found, [DEPTHS[level] for level in rank])
        for limit in limits:
            if limit < found.high:
                axes.axvline(limit, **QUIET)
        _mark(axes, found, real, f"real outcome {percent(real)}", 0, REAL)
        axes.set_xlabel("deepest fall below the running maximum")

    return draw


def _equity(strategy: StrategyResult, cash: float) -> Draw:
    """The fan of the account's value, with the account on the real bars."""

    def draw(axes: Axes) -> None:
        fan, real = strategy.equity_fan, strategy.realised_equity
        steps = np.arange(len(fan))
        _fan(axes, steps, fan)
        axes.axhline(cash, color=SOFT, linewidth=0.9, linestyle=(0, (1, 3)))
        if real is not None:
            axes.plot(steps[: len(real)], real.to_numpy(), color=INK, linewidth=1.6, label=captions.REALISED)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: short_money(tick)))
        axes.margins(x=0.01)
        axes.set_xlabel("bars after the origin")
        axes.set_ylabel("currency of the bars")
        _legend(axes)

    return draw


def _ranks(drawn: ranks.Ranks) -> Draw:
    """The histogram of ranks with the level of even ones and its band."""

    def draw(axes: Axes) -> None:
        edges = np.linspace(0.0, 1.0, len(drawn.counts) + 1)
        axes.bar(edges[:-1], drawn.counts, np.diff(edges), align="edge", color=GAIN, edgecolor="white", linewidth=0.8)
        axes.axhspan(drawn.low, drawn.high, color=INK, alpha=0.12, linewidth=0, label=realism_charts.BAND)
        axes.axhline(drawn.even, color=MEDIAN, linewidth=1.4, linestyle=(0, (4, 2)), label=realism_charts.EVEN)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.08 * max(float(drawn.counts.max()), drawn.high))
        axes.set_xticks(edges)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:.0%}"))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(realism_charts.PLACES)
        axes.set_ylabel(realism_charts.COUNTS)
        _legend(axes)

    return draw


def _clustering(lines: realism_charts.Clustering) -> Draw:
    """The autocorrelation of absolute returns by lag, in reality and in the universes."""

    def draw(axes: Axes) -> None:
        axes.axhline(0, color=SOFT, linewidth=0.9, linestyle=(0, (1, 3)))
        axes.plot(lines.lags, lines.real, color=INK, linewidth=1.6, label=realism_charts.REALITY)
        axes.plot(
            lines.lags, lines.universes, color=MEDIAN, linewidth=1.4, linestyle=(0, (4, 2)),
            label=realism_charts.UNIVERSES,
        )  # fmt: skip
        axes.margins(x=0.01)
        axes.set_xlabel(realism_charts.LAG)
        axes.set_ylabel(realism_charts.CLUSTERING)
        _legend(axes)

    return draw
