"""Maps: cells in shades of one hue, or of two for losses and gains, that differ in lightness too.

Colours run from light to dark (two hues, orange and blue, for signed numbers). Callers choose what is mapped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.report.charts import binning
from stresslab.report.charts.chart import Shape, box, percent_tick

CLASSES = 7
"""Shades of a hue."""


def classes(numbers: FloatArray, *, signed: bool, hue: str = "warm") -> tuple[FloatArray, list[str]]:
    """Edges of at most `CLASSES` classes of round numbers, and the style of each.

    Args:
        numbers: (K,) what is drawn.
        signed: losses and gains have hues of their own, the paler the nearer to zero; otherwise more is darker.
        hue: "warm" or "cool", of what is not signed.

    Returns:
        (B + 1,) edges that hold all numbers, and B styles.
    """
    known = numbers[np.isfinite(numbers)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    step = binning.nice_step(max((high - low) / (CLASSES - 1), 1e-4))
    first, last = int(np.floor(low / step + 1e-9)), int(np.floor(high / step + 1e-9)) + 1
    edges = np.round(np.arange(first, last + 1) * step, 12) + 0.0
    count = last - first
    if not signed or first >= 0 or last <= 0:  # one side alone has the whole range of its hue
        hue = hue if not signed else "cool" if first >= 0 else "warm"
        order = range(count - 1, -1, -1) if signed and first < 0 else range(count)
        return edges, [f"{hue}{_shade(at, count)}" for at in order]
    deepest = max(-first, last)
    sides = [("warm", -1 - at) if at < 0 else ("cool", at) for at in range(first, last)]
    return edges, [f"{side}{_shade(at, deepest, palest=2)}" for side, at in sides]  # the palest hardly have a hue


def _shade(at: int, count: int, palest: int = 1) -> int:
    """The shade of one of so many classes, from the palest to `CLASSES`, over the whole range from light to dark."""
    return palest if count < 2 else palest + round(at * (CLASSES - palest) / (count - 1))


def heatmap_shapes(
    cells: Sequence[tuple[int, int]],
    numbers: FloatArray,
    columns: int,
    rows: int,
    *,
    signed: bool = False,
    hue: str = "warm",
    read: Callable[[float], str] = percent_tick,
    same: Sequence[bool] = (),
) -> tuple[list[Shape], list[tuple[str, str]]]:
    """Cells in the shades of their numbers, and what the shades mean.

    Args:
        cells: (column, row) of each, counted from the lower left.
        numbers: (K,) of each.
        columns: of the map.
        rows: of the map.
        signed: see `classes`, and so `hue`.
        hue: of what is not signed.
        read: an edge of a class in words.
        same: (K,) which are grey instead; none without it.
    """
    grey = np.asarray(same or [False] * len(cells), dtype=np.bool_)
    edges, styles = classes(numbers, signed=signed, hue=hue)
    places = np.where(grey, -1, np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(styles) - 1))
    shapes = []
    if grey.any():
        left_over = [cell for cell, is_grey in zip(cells, grey, strict=True) if is_grey]
        path = "".join(box(i / columns, (i + 1) / columns, j / rows, (j + 1) / rows) for i, j in left_over)
        shapes.append(Shape("cell same", path))
    for at, style in enumerate(styles):
        path = "".join(
            box(i / columns, (i + 1) / columns, j / rows, (j + 1) / rows)
            for (i, j), place in zip(cells, places, strict=True)
            if place == at
        )
        if path:
            shapes.append(Shape(f"cell {style}", path))
    used = {shape.style.removeprefix("cell ") for shape in shapes}
    legend = [
        (style, f"{read(float(low))} to {read(float(high))}")
        for style, low, high in zip(styles, edges[:-1], edges[1:], strict=True)
        if style in used or not grey.any()
    ]
    return shapes, legend


def deep(style: str) -> bool:
    """Whether a shade is so strong that text on it has to be of the ground's colour."""
    return style[4:].isdigit() and int(style[4:]) >= 5
