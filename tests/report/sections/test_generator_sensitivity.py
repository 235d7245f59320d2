"""Maps over the generator's settings."""

from __future__ import annotations

import re

from stresslab.analysis.result import StressResult
from stresslab.report.formats.html import render
from stresslab.report.sections.generator_sensitivity import table
from tests.make.figures import charts_of


def test_the_surface_shows_every_setting(studied: StressResult) -> None:
    """A cell for each in every map, the run's own marked; the table has those that differ from it in one knob."""
    found = charts_of(studied)
    rows, settings = studied.strategies[0].studies.generator_sweep, studied.studies.generator_sweep.settings
    assert len(rows) == len(settings) == 5 * 3 * 2
    for kind in ("loss", "shortfall", "volatility"):
        chart = found[f"strategy-1-knobs-{kind}"]
        assert sum(shape.path.count("M") for shape in chart.shapes) == 30
        assert [tick.label for tick in chart.x_ticks] == ["0.8", "0.9", "1", "1.1", "1.2"]
        assert [tick.label for tick in chart.y_ticks][-1] == "250 · 1"
        (own,) = chart.points
        assert (own.at, round(own.height, 6)) == (50, round(100 * 5.5 / 6, 6))
    text = re.sub(r"\s*<[^>]+>\s*", "|", render(studied))
    section = text[text.index("What if the generator&#39;s settings were") :]
    for setting in ("the run&#39;s: temperature 1, top-p 1, context 250 bars", "temperature 0.8", "top-p 0.9"):
        assert f"|{setting}|" in section
    assert "|top-p 0.95|" in section
    assert "|context 62 bars|" in section


def test_a_history_too_short_for_past_dates_is_said(studied: StressResult) -> None:
    """Instead of a comparison with nothing."""
    rows, settings = studied.strategies[0].studies.generator_sweep, studied.studies.generator_sweep
    assert f"what followed {settings.origins} past origins" in table(rows, settings, "k").sentence
    none = table(rows, settings.model_copy(update={"origins": 0}), "k").sentence
    assert "same random numbers; the history is too short to compare them with what followed past origins." in none
