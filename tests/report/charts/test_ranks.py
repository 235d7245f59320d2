"""Strips of ranks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.metrics.forecast_scores import evenness
from stresslab.report.charts.images import picture
from stresslab.report.charts.ranks import FEWEST, WIDTH, Strip, read_p, strip_chart

EVEN = (np.arange(20) + 0.5) / 20


def test_every_rank_has_a_sign_in_its_strip() -> None:
    """At its share of the strip, with the p-value of even ranks at the end."""
    low = EVEN**3
    chart = strip_chart([Strip("return", EVEN), Strip("volatility", low)], "k", "T", "S.")
    assert [tick.label for tick in chart.y_ticks] == ["return", "volatility"]
    upper = [point.at for point in chart.points if point.height == chart.points[0].height]
    assert upper == pytest.approx(100 * EVEN / WIDTH)
    assert len(chart.points) == 40
    assert [note.text for note in chart.notes] == [read_p(evenness(EVEN)), read_p(evenness(low))]
    assert evenness(low) < 0.05 < evenness(EVEN)
    assert chart.x_ticks[-1].at == pytest.approx(100 / WIDTH)
    assert picture(chart, "svg") == picture(chart, "svg")


def test_few_ranks_have_no_p_value() -> None:
    """Of a handful nothing can be said."""
    assert math.isnan(Strip("a", EVEN[: FEWEST - 1]).p_value)
    assert math.isfinite(Strip("a", EVEN[:FEWEST]).p_value)


@pytest.mark.parametrize(
    ("p_value", "told"), [(0.0004, "p < 0.001"), (0.0312, "p = 0.031"), (0.456, "p = 0.46"), (math.nan, "–")]
)
def test_p_values_read_as_they_should(p_value: float, told: str) -> None:
    """Never zero."""
    assert read_p(p_value) == told


def test_what_lies_far_out_is_counted() -> None:
    """Beyond 5% on either side."""
    assert Strip("a", np.array([0.04, 0.05, 0.5, 0.95, 0.96])).outside == 2
