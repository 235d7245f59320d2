"""Figures with their intervals, one under the other."""

from __future__ import annotations

import pytest

from stresslab.analysis.result_models import Estimate
from stresslab.report.charts import forest
from tests.make.figures import world


def test_worlds_say_where_timing_earns() -> None:
    """Each world with its interval; the sentence names those in which timing is above and below zero."""
    timings = {"as run": (0.02, 0.01, 0.03), "GARCH": (-0.02, -0.03, -0.01), "single bars": (0.0, -0.01, 0.01)}
    worlds = [world(0.2, 0.0, label=label, total=found) for label, found in timings.items()]
    losses, timed = forest.alternative_charts(worlds, "strategy-1")
    assert timed.sentence == 'Error included, timing earns something in "as run" and costs something in "GARCH".'
    assert [tick.label for tick in timed.y_ticks] == list(timings)
    zero = float(next(shape for shape in timed.shapes if shape.style == "baseline").path[1:].split()[0]) / 10
    assert timed.points[1].at < zero < timed.points[0].at
    assert timed.points[2].at == pytest.approx(zero, abs=0.1)
    assert losses.marks[0].label == "as run 20%"
    flat = [world(0.2, 0.0, label=label, total=(0.0, -0.1, 0.1)) for label in timings]
    sentence = forest.alternative_charts(flat, "k")[1].sentence
    assert sentence == "With no generator can its timing be distinguished from nothing."


def test_a_row_without_a_value_stays_empty() -> None:
    """A figure that could not be had has no sign; a bound that is not known no line."""
    nothing = Estimate(value=None, low=None, high=None)
    open_end = Estimate(value=0.3, low=0.2, high=None)
    chart = forest.forest([("a", nothing), ("b", open_end)], "k", "T", "S.", "x", str, first=True)
    assert len(chart.points) == 1
    assert chart.marks == []
    assert chart.shapes == []
    assert chart.hover["titles"] == ["b"]
