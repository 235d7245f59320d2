"""The picture of growth by size."""

from __future__ import annotations

import re

import numpy as np
import pytest

from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.sides import sides
from stresslab.analysis.sizes import SizePlan, size_study
from stresslab.report.charts.images import picture
from stresslab.report.charts.sizes import size_chart
from tests.make.cases import timed_case


def test_sizes_within_the_limit_are_shaded() -> None:
    """The shade ends at the largest size, which is marked, and the hover says the figures of each size."""
    case, edge, _ = timed_case()
    study = size_study(sides(case, edge.posterior), edge.posterior, SizePlan(Limit.parse("P(drawdown > 5%) <= 20%")), 0)
    chart = size_chart(study, "growth", "What to see.")
    shade = chart.shapes[0]
    assert shade.style == "b90"
    mark = next(mark for mark in chart.marks if mark.style == "outcome")
    assert shade.path.split("H")[1].split("V")[0] == pytest.approx(f"{10 * mark.at:.1f}".removesuffix(".0"))
    assert mark.label.endswith(f"{int(100 * study.sides['supported'].largest.size) / 100:.2f}x")
    assert chart.hover["titles"][0] == "size 0.1x"
    assert picture(chart, "png").startswith(b"\x89PNG")


def test_every_curve_stays_inside_the_picture() -> None:
    """The side that grows most decides the height, and no curve falls down a vertical at the right end."""
    case, edge, _ = timed_case()
    study = size_study(sides(case, edge.posterior), edge.posterior, SizePlan(Limit.parse("P(drawdown > 5%) <= 20%")), 0)
    chart = size_chart(study, "growth", "What to see.")
    curves = [shape.path for shape in chart.shapes if shape.style in ("real", "median")]
    assert len(curves) == 2
    for path in curves:
        points = [
            [float(number) for number in pair.split(" ")] for pair in re.split("[ML]", path.replace(",", " ")) if pair
        ]
        across, down = np.array(points).T
        assert (np.diff(across) > 0).all()
        assert 0 < down.min() <= down.max() <= 1000
