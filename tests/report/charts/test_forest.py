"""Figures with their intervals, one under the other."""

from __future__ import annotations

import pytest

from stresslab.analysis.result_models import Estimate, RiskFigures
from stresslab.report.charts import forest
from tests.make.figures import row, shock, world


def test_shocks_stand_beside_the_base_case() -> None:
    """Every shock with its interval, the base case first and as a line; the sentence names the worst."""
    base = RiskFigures.of(row(0.4, 0.01))
    shocks = [shock(0.9, -0.1, "a gap of 5% against the largest position"), shock(0.5, 0.0, "costs x 3")]
    loss, shortfall = forest.shock_charts(base, shocks, "strategy-1")
    assert [tick.label for tick in loss.y_ticks] == ["as generated", "a gap of 5%", "costs x 3"]
    assert loss.sentence == "As generated it is 40%; under the worst of these, a gap of 5%, 90%."
    assert loss.points[0].at < loss.points[2].at < loss.points[1].at
    assert loss.points[0].height > loss.points[1].height > loss.points[2].height
    assert loss.marks[0].at == pytest.approx(loss.points[0].at)
    assert shortfall.sentence.startswith("None of these makes it worse")


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
