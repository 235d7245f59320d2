"""The picture of a training: the loss by step, and levels to compare it with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stresslab.core.whole_files import put
from stresslab.report.charts import binning
from stresslab.report.charts.chart import POINTS, Axis, Chart, Shape, Tick, line
from stresslab.report.charts.images import picture

LEVELS = ("level0", "level1")
"""Styles of the levels."""


def write_losses(
    path: Path, steps: NDArray[np.int64], losses: NDArray[np.float64], marks: Mapping[str, float], unit: str
) -> None:
    """Write the picture of a training.

    Args:
        path: the PNG file.
        steps: (S,) numbers of the steps.
        losses: (S,) loss of each step on its own batch.
        marks: levels by what they are, two at most.
        unit: what the losses are measured in.
    """
    drawn = picture(losses_chart(steps, losses, marks, unit), "png", title="Training loss")
    put(path, lambda temporary: temporary.write_bytes(drawn))


def losses_chart(steps: NDArray[np.int64], losses: NDArray[np.float64], marks: Mapping[str, float], unit: str) -> Chart:
    """The chart: each step's loss, a running mean, and the levels."""
    width = min(len(losses), max(10, len(losses) // 25))
    smooth = np.convolve(losses, np.full(width, 1 / width), mode="valid")
    x, y = Axis.around(steps, room=0.01), Axis.around(losses, list(marks.values()))
    kept = binning.thin_line(losses, 4 * POINTS)
    levels = [(style, name, level) for style, (name, level) in zip(LEVELS, marks.items(), strict=False)]
    return Chart(
        key="training-loss",
        title="Training loss",
        sentence=f"It ends at {smooth[-1]:.3f}, the mean of the last {width} of {steps[-1]:,} steps.",
        x_ticks=[Tick(float(100 * x.at(tick)), f"{tick:,.0f}") for tick in x.ticks(6) if float(tick).is_integer()],
        y_ticks=[Tick(float(100 * y.at(tick)), f"{tick:g}") for tick in y.ticks()],
        x_name="step",
        y_name=unit,
        shapes=[
            Shape("batch", line(x.at(steps[kept]), y.at(losses[kept]))),
            Shape("real", line(x.at(steps[width - 1 :]), y.at(smooth))),
            *(Shape(style, line(np.array([0.0, 1.0]), np.full(2, float(y.at(level))))) for style, _, level in levels),
        ],
        legend=[
            ("batch", "each step's batch"),
            ("real", f"running mean of {width}"),
            *((style, f"{name} {level:.3f}") for style, name, level in levels),
        ],
    )
