"""Colours of a map."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.report.charts import heatmap
from stresslab.report.charts.style import WARM


@pytest.mark.parametrize("signed", [False, True])
def test_colours_run_in_order(signed: bool) -> None:
    """Classes hold every number, losses and gains never share a hue, and lightness falls from class to class."""
    rng = np.random.default_rng(0)
    for numbers in (rng.normal(0, 0.1, 50), np.full(3, 0.2), rng.uniform(0.1, 0.2, 9), np.array([np.nan, 0.5])):
        edges, styles = heatmap.classes(numbers, signed=signed)
        known = numbers[np.isfinite(numbers)]
        assert edges[0] <= known.min() + 1e-9
        assert edges[-1] >= known.max() - 1e-9
        assert len(styles) == len(edges) - 1
        assert len(set(styles)) == len(styles)
        if signed:
            assert all(style.startswith("warm") == (low < 0) for style, low in zip(styles, edges, strict=False))
    bright = [sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in WARM]
    assert bright == sorted(bright, reverse=True)
