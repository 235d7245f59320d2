"""Charts as files, PNG and SVG, for slides and documents; they need no display.

What is drawn is decided where charts are made: a chart of the page is a picture without further work.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path as Outline

from stresslab.report.charts.chart import Chart
from stresslab.report.charts.fonts import families, legible
from stresslab.report.charts.style import FILLS, INK, LINE, MARKS, PAPER, POINTS, QUIET, SOFT, STROKES
from stresslab.report.wording import clean, columns, shortened, wrapped

STYLE: Any = {
    "font.size": 10,
    "text.parse_math": False,  # a name with two dollar signs is not a formula
    "text.color": INK,
    "svg.hashsalt": "stresslab",  # the same picture has the same bytes
    "savefig.dpi": 150,
}
SIZE = (9.0, 5.2)
"""Inches."""
PACKED: Any = {"compress_level": 3}
"""Of a PNG: a sixth larger than at the usual 6, and sooner written."""
UNDATED: Any = {"Date": None, "Creator": None}
"""Of an SVG."""
NOTE = 8.0
"""Points of a text in the plot."""
TITLE = 84
"""Columns of a title, at most."""
NAME = 19
"""Columns of a name on the left."""
LISTED = 30
"""The same, where there are many of them, so that each stays on one line."""
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
            title = f"{clean(names[position - 1])}: {begun(chart.title)}"
        for kind in kinds:
            (folder / f"{stem}.{kind}").write_bytes(picture(chart, kind, title=title))


def begun(title: str) -> str:
    """A title after a colon: its first letter is small unless it stands for something, as in P(loss)."""
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def file_name(name: str) -> str:
    """A strategy's name as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:40] or "strategy"


def picture(
    chart: Chart, kind: str, *, title: str = "", size: tuple[float, float] = SIZE, lettered: bool = False
) -> bytes:
    """A chart as the content of a file; the same chart gives the same bytes on the same machine.

    Args:
        chart: what is drawn.
        kind: "png" or "svg".
        title: is set above the picture, with the chart's sentence; nothing is without one.
        size: inches.
        lettered: whether letters of an SVG stay text in whatever font the reader has, not outlines that look the same
            everywhere.
    """
    with matplotlib.rc_context(STYLE | {"svg.fonttype": "none" if lettered else "path"}):
        buffer = io.BytesIO()
        how = {"metadata": {"Software": None}, "pil_kwargs": PACKED} if kind == "png" else {"metadata": UNDATED}
        drawn(chart, title, size).savefig(buffer, format=kind, **how)
    return buffer.getvalue()


def drawn(chart: Chart, title: str, size: tuple[float, float]) -> Figure:
    """A chart on a figure of its own."""
    chart, title, fonts = legible_chart(chart, title)
    with matplotlib.rc_context(STYLE | {"font.family": fonts}):
        figure = Figure(figsize=size, facecolor="white")
        small = 8.5 if size[0] > 5 else 7.0
        top = _heading(figure, chart, title) if title else 0.02
        axes = _axes(figure, chart, top, small)
        _draw(axes, chart)
        _label(axes, chart, small, narrow=size[0] < 5)
    return figure


def plot(chart: Chart, axes: Axes | None = None) -> Axes:
    """A chart drawn for a notebook or a figure of one's own.

    Args:
        chart: what is drawn.
        axes: where; axes of a new figure of pyplot without them.

    Returns:
        The axes. Positions are those of the page, a square of 1000; the labels say what they are.
    """
    chart, _, fonts = legible_chart(chart)
    with matplotlib.rc_context(STYLE | {"font.family": fonts}):
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.subplots(figsize=(8, 3.9), layout="constrained")[1]
        axes.set_xlim(0, 1000)
        axes.set_ylim(1000, 0)
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
        _draw(axes, chart)
        axes.set_xticks([10 * tick.at for tick in chart.x_ticks], [tick.label for tick in chart.x_ticks])
        axes.set_yticks([1000 - 10 * tick.at for tick in chart.y_ticks], _names(chart))
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


def legible_chart(chart: Chart, title: str = "") -> tuple[Chart, str, list[str]]:
    """The chart and its title without signs that cannot be drawn, and the fonts that draw what they say."""
    drawn = replace(
        chart,
        sentence=legible(chart.sentence),
        x_ticks=[replace(tick, label=legible(tick.label)) for tick in chart.x_ticks],
        y_ticks=[replace(tick, label=legible(tick.label)) for tick in chart.y_ticks],
        x_name=legible(chart.x_name),
        y_name=legible(chart.y_name),
        marks=[replace(mark, label=legible(mark.label)) for mark in chart.marks],
        notes=[replace(note, text=legible(note.text)) for note in chart.notes],
        legend=[(style, legible(meaning)) for style, meaning in chart.legend],
    )
    title = legible(title)
    labels = [*(tick.label for tick in (*drawn.x_ticks, *drawn.y_ticks)), *(mark.label for mark in drawn.marks)]
    meanings = [*(note.text for note in drawn.notes), *(meaning for _, meaning in drawn.legend)]
    words = "".join([title, drawn.sentence, drawn.x_name, drawn.y_name, *labels, *meanings])
    return drawn, title, families(words)


def _heading(figure: Figure, chart: Chart, title: str) -> float:
    """Title and sentence; returns their height in inches."""
    height, y = figure.get_figheight(), 0.16
    heading = figure.text(0.018, 1 - y / height, "", va="top", fontsize=13, fontweight="bold")
    for most in range(TITLE, 20, -8):  # signs differ in width: an M takes what three i take
        heading.set_text(shortened(title, most))
        if heading.get_window_extent().x1 < 0.99 * figure.bbox.width:
            break
    lines = wrapped(chart.sentence, 128)
    for line in lines:
        y += 0.18 if line is not lines[0] else 0.3
        figure.text(0.018, 1 - y / height, line, va="top", fontsize=9, color=SOFT)
    return y + 0.28


def _axes(figure: Figure, chart: Chart, top: float, small: float) -> Axes:
    """The plot in what heading, legend, marks and labels leave, in a square of 1000 as on the page."""
    width, height = figure.get_size_inches()
    digit = small / 72 * (0.56 if chart.named else 0.64)
    left = 0.16 + digit * max(
        (columns(line) for tick in chart.y_ticks for line in _lines(chart, tick.label)), default=1
    )
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
    axes.spines["bottom"].set_visible(bool(chart.x_ticks))
    place = 1 + (0.07 + 0.2 * len(chart.marks) * small / 8.5) / (axes.get_position().height * height)
    axes.text(-left / (width - left - right), place, chart.y_name, transform=axes.transAxes, fontsize=small, color=SOFT)
    axes.texts[-1].set_x((0.018 * width - left) / (width - left - right))
    return axes


def _lines(chart: Chart, label: str) -> list[str]:
    """A label on the left, in lines where it is a name."""
    return wrapped(label, LISTED if chart.rows else NAME) if chart.named else [label]


def _names(chart: Chart) -> list[str]:
    return ["\n".join(_lines(chart, tick.label)) for tick in chart.y_ticks]


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
        return Line2D([x + width / 2], [y], **{"linestyle": "none", "markersize": 6, **POINTS[style]})
    if style in STROKES:
        kwargs = {"color" if name == "edgecolor" else name: value for name, value in STROKES[style].items()}
        return Line2D([x, x + width], [y, y], **kwargs)
    look: dict[str, Any] = {"edgecolor": LINE, "linewidth": 0.6} | FILLS[style]
    return Rectangle((x, y - height / 2), width, height, **look)


def _draw(axes: Axes, chart: Chart) -> None:
    """Grid, shapes, lines of marks and signs."""
    for tick in () if any(shape.style.startswith("cell") for shape in chart.shapes) else chart.y_ticks:
        axes.axhline(1000 - 10 * tick.at, color=LINE, linewidth=0.8, zorder=0)
    for order, shape in enumerate(chart.shapes, start=1):
        axes.add_artist(_patch(shape.style.split(), shape.path, order))  # not add_patch: the limits are set
    for mark in chart.marks:
        axes.axvline(10 * mark.at, clip_on=False, zorder=50, **MARKS.get(mark.style, QUIET))
    for note in chart.notes:
        styles = note.style.split()
        axes.text(
            10 * note.at, 1000 - 10 * note.height, note.text, ha=note.align, va="center", zorder=65,
            fontsize=NOTE - 1.5 if "fine" in styles else NOTE, color=PAPER if "deep" in styles else INK,
            bbox=None if styles else {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
    for style, look in POINTS.items():
        chosen = [point for point in chart.points if point.style == style]
        axes.plot(
            [10 * point.at for point in chosen], [1000 - 10 * point.height for point in chosen],
            **{"linestyle": "none", "markersize": 5.5, "zorder": 60, "clip_on": False, **look},
        )  # fmt: skip


def _patch(styles: Sequence[str], path: str, order: int) -> Patch:
    for style in styles:
        if style in STROKES:
            return PathPatch(outline(path), facecolor="none", zorder=order, **STROKES[style])
        if style in FILLS:
            edge = {"edgecolor": PAPER, "linewidth": 0.6} if "cell" in styles else {"linewidth": 0.0}
            return PathPatch(outline(path), zorder=order, **(edge | FILLS[style]))
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
    axes.set_yticks([1000 - 10 * tick.at for tick in chart.y_ticks], _names(chart))
    axes.tick_params(axis="both", length=0, labelsize=small, labelcolor=SOFT)
    for tick, text in zip(shown, axes.get_xticklabels(), strict=True):
        text.set_horizontalalignment(
            "right" if tick.at > 100 - len(tick.label) else "left" if tick.at < 3 else "center"
        )
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
