"""The evidence below the verdict."""

from __future__ import annotations

import re

import pytest

from stresslab.analysis.result import StressResult
from stresslab.report import wording
from stresslab.report.charts.images import picture
from stresslab.report.formats.html import render
from tests.make.figures import charts_of


@pytest.mark.slow
def test_a_studied_report_has_every_picture(studied: StressResult) -> None:
    """Budget, shocks, timeline and lives are drawn once for each strategy, in the page and as files of their own."""
    drawn = charts_of(studied)
    for at, one in enumerate(studied.strategies, 1):
        kinds = ("budget", "tornado", "worlds-loss", "worlds-timing", "origins-loss")
        knobs = ("knobs-loss", "knobs-shortfall", "knobs-volatility")
        for kind in (*kinds, *knobs, "origins-ranks", "relived-return", "relived-drawdown"):
            assert (f"strategy-{at}-{kind}" in drawn) == (one.edge is not None)
        typical = [row.representatives[0] for row in one.studies.reverse_stress or () if row.representatives]
        assert [key for key in drawn if key.startswith(f"strategy-{at}-typical-")] == [
            f"strategy-{at}-typical-{number}" for number in typical
        ]
        assert sum(key.startswith(f"strategy-{at}-worst-") for key in drawn) == (3 if one.replays is not None else 0)
    assert studied.strategies[-1].name == "portfolio"
    for chart in drawn.values():
        assert chart.sentence.endswith(".")
        assert picture(chart, "svg") == picture(chart, "svg")


def test_random_timing_stands_beside_its_own(studied: StressResult) -> None:
    """The difference in words, and a row for each; a book has none."""
    found = studied.strategies[1].studies.random_timing
    text = re.sub(r"\s*<[^>]+>\s*", "|", render(studied))
    section = text[text.rindex("Against random timing") :]
    told = wording.percent(found.difference.mean.value, signed=True)
    assert f"makes a difference of {told} to the mean" in section
    for side in (found.own, found.random):
        assert wording.share(side.probability_of_loss.value) in section
    assert text.count("|Against random timing|") == 2
