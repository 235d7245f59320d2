"""Charts as files, PNG and SVG, for slides and documents; they need no display.

What is drawn is decided where charts are made: a chart of the page is a picture without further work.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path as Outline

from stresslab.report.axes import Chart
from stresslab.report.wording import clean, shortened, wrapped

INK, SOFT, LINE, MEDIAN, PAPER = "#18202b", "#576273", "#dde2e9", "#22578f", "#ffffff"
FILLS: dict[str, dict[str, Any]] = {
    "b98": {"facecolor": "#e3ecf6"},
    "b90": {"facecolor": "#c3d8ee"},
    "b50": {"facecolor": "#8fb7df"},
    "loss": {"facecolor": "#d07a24"},
    "gain": {"facecolor": "#5f94c9"},
    "depth0": {"facecolor": "#a9c1db"},
    "depth1": {"facecolor": "#dca25d"},
    "depth2": {"facecolor": "#b5522b"},
    "chance": {"facecolor": INK, "alpha": 0.12},
    "long": {"facecolor": "#22578f", "alpha": 0.13},
    "short": {"facecolor": "#d07a24", "alpha": 0.16},
    "up": {"facecolor": PAPER, "edgecolor": "#22578f", "linewidth": 0.8},
    "down": {"facecolor": "#b5522b", "edgecolor": "#b5522b", "linewidth": 0.8},
}
STROKES: dict[str, dict[str, Any]] = {
    "median": {"edgecolor": MEDIAN, "linewidth": 1.4, "linestyle": (0, (4, 2))},
    "real": {"edgecolor": INK, "linewidth": 1.6},
    "path": {"edgecolor": INK, "linewidth": 0.6, "alpha": 0.18},
    "baseline": {"edgecolor": SOFT, "linewidth": 0.9, "linestyle": (0, (1, 3))},
    "wick": {"edgecolor": SOFT, "linewidth": 0.8},
    "batch": {"edgecolor": "#8fb7df", "linewidth": 0.8},
    "level0": {"edgecolor": "#d07a24", "linewidth": 1.4, "linestyle": (0, (4, 2))},
    "level1": {"edgecolor": INK, "linewidth": 1.2, "linestyle": (0, (4, 2))},
}
POINTS: dict[str, dict[str, Any]] = {
    "in": {"marker": "^", "color": MEDIAN},
    "out": {"marker": "v", "color": INK},
}
MARKS: dict[str, dict[str, Any]] = {
    "middle": {"color": MEDIAN, "linewidth": 1.2, "linestyle": (0, (3, 2))},
    "outcome": {"color": INK, "linewidth": 2.0},
}
QUIET: dict[str, Any] = {"color": SOFT, "linewidth": 1.0, "linestyle": (0, (3, 2))}
SCRIPTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Hiragino Sans", "Microsoft YaHei",
    "Yu Gothic", "Malgun Gothic", "Noto Sans", "Noto Emoji", "Symbola", "Segoe UI Symbol", "Apple Symbols",
)  # fmt: skip
"""Fonts that know what DejaVu Sans does not; those that are installed are asked in this order."""
STYLE: Any = {
    "font.size": 10,
    "text.parse_math": False,  # a name with two dollar signs is not a formula
    "text.color": INK,
    "svg.hashsalt": "stresslab",  # the same picture has the same bytes
    "savefig.dpi": 150,
}
SIZE = (9.0, 5.2)
"""Inches."""
TOKENS = re.compile(r"[MLHVZ]|-?\d+(?:\.\d+)?")
NUMBERS = re.compile(r"strategy-(\d+)-(.+)")


def write_figures(charts: Iterable[Chart], names: Sequence[str], folder: Path, kinds: Sequence[str] = ("png",)) -> None:
    """Write each chart into a file of its own.

    Args:
        charts: of a page.
        names: of the strategies, in the order in which charts are numbered: `strategy-1-pnl` becomes `1-follow-pnl`.
        folder: gets `<name>.<kind>`.
        kinds: "png", "svg".
    """
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        numbered = NUMBERS.fullmatch(chart.key)
        stem = chart.key
        title = chart.title
        if numbered is not None:
            position = int(numbered[1])
            stem = f"{position}-{file_name(names[position - 1])}-{numbered[2]}"
            title = f"{clean(names[position - 1])}: {chart.title[0].lower()}{chart.title[1:]}"
        for kind in kinds:
            (folder / f"{stem}.{kind}").write_bytes(picture(chart, kind, title=title))


def file_name(name: str) -> str:
    """A strategy's name as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:40] or "strategy"


def picture(chart: Chart, kind: str, *, title: str = "", size: tuple[float, float] = SIZE) -> bytes:
    """A chart as the content of a file; the same chart gives the same bytes on the same machine.

    Args:
        chart: what is drawn.
        kind: "png" or "svg".
        title: is set above the picture, with the chart's sentence; nothing is without one.
        size: inches.
    """
    with matplotlib.rc_context(STYLE | {"font.family": list(fonts())}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, facecolor="white")
        small = 8.5 if size[0] > 5 else 7.0
        top = _heading(figure, chart, title) if title else 0.02
        axes = _axes(figure, chart, top, small)
        _draw(axes, chart)
        _label(axes, chart, small, narrow=size[0] < 5)
        buffer = io.BytesIO()
        about = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        figure.savefig(buffer, format=kind, metadata=about)
    return buffer.getvalue()


def plot(chart: Chart, axes: Axes | None = None) -> Axes:
    """A chart drawn for a notebook or a figure of one's own.

    Args:
        chart: what is drawn.
        axes: where; axes of a new figure of pyplot without them.

    Returns:
        The axes. Positions are those of the page, a square of 1000; the labels say what they are.
    """
    with matplotlib.rc_context(STYLE | {"font.family": list(fonts())}):
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.subplots(figsize=(8, 3.9), layout="constrained")[1]
        axes.set_xlim(0, 1000)
        axes.set_ylim(1000, 0)
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
        _draw(axes, chart)
        axes.set_xticks([10 * tick.at for tick in chart.x_ticks], [tick.label for tick in chart.x_ticks])
        axes.set_yticks([1000 - 10 * tick.at for tick in chart.y_ticks], [tick.label for tick in chart.y_ticks])
        axes.tick_params(axis="both", length=0, labelsize=8.5, labelcolor=SOFT)
        axes.set_xlabel(chart.x_name, color=SOFT, fontsize=8.5)
        axes.set_ylabel(chart.y_name, color=SOFT, fontsize=8.5)
        axes.set_title("\n".join(wrapped(chart.sentence, 100)), loc="left", fontsize=9, color=INK)
        signs = [(_sign(style, 0, 0, 1, 1), meaning) for style, meaning in chart.legend]
        signs += [(Line2D([0], [0], **MARKS.get(mark.style, QUIET)), mark.label) for mark in chart.marks]
        if signs:
            handles, labels = zip(*signs, strict=True)
            axes.legend(handles, labels, fontsize=8, frameon=False, loc="best", labelcolor=SOFT)
    return axes


@cache
def fonts() -> tuple[str, ...]:
    """DejaVu Sans, which comes with matplotlib, and what is installed beside it for other scripts."""
    known = set(font_manager.get_font_names())
    return ("DejaVu Sans", *(name for name in SCRIPTS if name in known))


def _heading(figure: Figure, chart: Chart, title: str) -> float:
    """Title and sentence; returns their height in inches."""
    height, y = figure.get_figheight(), 0.16
    figure.text(0.018, 1 - y / height, shortened(title, 84), va="top", fontsize=13, fontweight="bold")
    lines = wrapped(chart.sentence, 128)
    for line in lines:
        y += 0.18 if line is not lines[0] else 0.3
        figure.text(0.018, 1 - y / height, line, va="top", fontsize=9, color=SOFT)
    return y + 0.28


def _axes(figure: Figure, chart: Chart, top: float, small: float) -> Axes:
    """The plot in what heading, legend, marks and labels leave, in a square of 1000 as on the page."""
    width, height = figure.get_size_inches()
    digit = small / 72 * 0.64
    left = 0.16 + digit * max((len(tick.label) for tick in chart.y_ticks), default=1)
    bottom = 0.3 + (0.24 if chart.x_name or chart.zones else 0.0)
    above = top + 0.24 + 0.2 * len(chart.marks) * small / 8.5
    if chart.legend:
        above += 0.2 * _legend(figure, chart, small, top)
    right = 0.2
    axes = figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + above) / height))
    axes.set_xlim(0, 1000)
    axes.set_ylim(1000, 0)
    axes.set_facecolor("none")
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    place = 1 + (0.07 + 0.2 * len(chart.marks) * small / 8.5) / (axes.get_position().height * height)
    axes.text(-left / (width - left - right), place, chart.y_name, transform=axes.transAxes, fontsize=small, color=SOFT)
    axes.texts[-1].set_x((0.018 * width - left) / (width - left - right))
    return axes


def _legend(figure: Figure, chart: Chart, small: float, top: float) -> int:
    """Signs and their meaning in lines below the heading; returns how many lines."""
    width, height = figure.get_size_inches()
    x, row = 0.018 * width, 0
    for style, meaning in chart.legend:
        room = 0.32 + len(meaning) * small / 72 * 0.56 + 0.14
        if x + room > width and x > 0.1 * width:
            x, row = 0.018 * width, row + 1
        y = height - top - 0.1 - 0.2 * row
        figure.add_artist(_sign(style, x / width, y / height, 0.22 / width, 0.1 / height))
        figure.text((x + 0.29) / width, y / height, meaning, fontsize=small, color=SOFT, va="center_baseline")
        x += room
    return row + 1


def _sign(style: str, x: float, y: float, width: float, height: float) -> Any:
    """A patch, a line or a sign at a place of the figure."""
    if style in POINTS:
        return Line2D([x + width / 2], [y], linestyle="none", markersize=6, **POINTS[style])
    if style in STROKES:
        kwargs = {"color" if name == "edgecolor" else name: value for name, value in STROKES[style].items()}
        return Line2D([x, x + width], [y, y], **kwargs)
    look: dict[str, Any] = {"edgecolor": LINE, "linewidth": 0.6} | FILLS[style]
    return Rectangle((x, y - height / 2), width, height, **look)


def _draw(axes: Axes, chart: Chart) -> None:
    """Grid, shapes, lines of marks and signs."""
    for tick in chart.y_ticks:
        axes.axhline(1000 - 10 * tick.at, color=LINE, linewidth=0.8, zorder=0)
    for order, shape in enumerate(chart.shapes, start=1):
        axes.add_patch(_patch(shape.style.split(), shape.path, order))
    for mark in chart.marks:
        axes.axvline(10 * mark.at, clip_on=False, zorder=50, **MARKS.get(mark.style, QUIET))
    for style, look in POINTS.items():
        chosen = [point for point in chart.points if point.style == style]
        axes.plot(
            [10 * point.at for point in chosen], [1000 - 10 * point.height for point in chosen],
            linestyle="none", markersize=5.5, zorder=60, clip_on=False, **look,
        )  # fmt: skip


def _patch(styles: Sequence[str], path: str, order: int) -> Patch:
    for style in styles:
        if style in STROKES:
            return PathPatch(outline(path), facecolor="none", zorder=order, **STROKES[style])
        if style in FILLS:
            return PathPatch(outline(path), zorder=order, **({"linewidth": 0.0} | FILLS[style]))
    raise KeyError(f"no picture knows the style {' '.join(styles)!r}")


def outline(path: str) -> Outline:
    """An SVG path of absolute M, L, H, V and Z as matplotlib's."""
    corners: list[tuple[float, float]] = []
    codes: list[int] = []
    tokens, at, command = TOKENS.findall(path), 0, "M"
    x = y = 0.0
    start = (0.0, 0.0)
    while at < len(tokens):
        if tokens[at] in "MLHVZ":
            command, at = tokens[at], at + 1
        if command == "Z":
            corners.append(start)
            codes.append(int(Outline.CLOSEPOLY))
            continue
        taken = 1 if command in "HV" else 2
        numbers = [float(number) for number in tokens[at : at + taken]]
        at += taken
        x, y = (numbers[0], y) if command == "H" else (x, numbers[0]) if command == "V" else (numbers[0], numbers[1])
        if command == "M":
            start = (x, y)
        corners.append((x, y))
        codes.append(int(Outline.MOVETO if command == "M" else Outline.LINETO))
    return Outline(np.array(corners).reshape(-1, 2), codes)


def _label(axes: Axes, chart: Chart, small: float, *, narrow: bool) -> None:
    """Ticks, names of the axes, and the labels of marks, each in a row of its own."""
    shown = [tick for tick in chart.x_ticks if not (narrow and tick.minor)]
    axes.set_xticks([10 * tick.at for tick in shown], [tick.label for tick in shown], fontsize=small, color=SOFT)
    axes.set_yticks([1000 - 10 * tick.at for tick in chart.y_ticks], [tick.label for tick in chart.y_ticks])
    axes.tick_params(axis="both", length=0, labelsize=small, labelcolor=SOFT)
    for tick, text in zip(shown, axes.get_xticklabels(), strict=True):
        text.set_horizontalalignment("right" if tick.at > 92 else "left" if tick.at < 3 else "center")
    inches = axes.get_window_extent().height / axes.figure.dpi
    for row, mark in enumerate(reversed(chart.marks)):
        axes.annotate(
            mark.label, (10 * mark.at, 1 + (0.06 + 0.2 * row * small / 8.5) / inches),
            xycoords=("data", "axes fraction"), xytext=(-4 if mark.leftwards else 4, 0), textcoords="offset points",
            ha="right" if mark.leftwards else "left", fontsize=small, zorder=70,
            fontweight="bold" if mark.style == "outcome" else "normal",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
        axes.plot(
            [10 * mark.at] * 2, [1 + (part + 0.2 * row * small / 8.5) / inches for part in (0.03, 0.17)],
            transform=axes.get_xaxis_transform(), clip_on=False, color=SOFT, linewidth=1.0,
        )  # fmt: skip
    below = -0.42 * small / 8.5 / inches
    if chart.x_name:
        axes.text(0.5, below, chart.x_name, transform=axes.transAxes, ha="center", fontsize=small, color=SOFT)
    if chart.zones:
        for x, side, style, zone in ((0, "left", "loss", chart.zones[0]), (1, "right", "gain", chart.zones[1])):
            axes.text(
                x, below, f"■ {zone}", transform=axes.transAxes, ha=side, fontsize=small,
                color=FILLS[style]["facecolor"],
            )  # fmt: skip
