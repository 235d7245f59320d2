"""The evidence below the verdict."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import Edge, Losses, PlantedLosses, Posterior, check
from stresslab.metrics.distribution import Interval
from stresslab.report import wording
from stresslab.report.charts.images import picture
from stresslab.report.formats.html import render
from stresslab.report.formats.markdown import summary
from stresslab.report.formats.text import brief
from stresslab.report.sections.strategy import answer
from stresslab.report.sections.studies import Setting, edge_sentence, tables
from tests.make.figures import charts_of, row
from tests.make.gridded import share

BELOW = "timing as the real bars leave it, negative on average"


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


def with_posterior(strategy: StrategyResult, mean: float, without: float, supported: float) -> StrategyResult:
    """The strategy with timing of this worth on the real bars, and what it loses without and with it."""
    sides = [
        Losses.of(row(value, 0.0) | {"generators": (value, value), "probability_of_loss": share(value, value, value)})
        for value in (without, supported)
    ]
    losses = PlantedLosses(
        without=sides[0], supported=sides[1], generators=(), own_timing=0.0, shortest_robust_horizon=None
    )
    posterior = Posterior(
        probability=0.5, mean=mean, sd=0.5, low=mean - 1, high=mean + 1, trials=1.0, prior_sd=1.0, evidence=()
    )
    edge = Edge(label="unclear", reasons=("Open.",), checks=(), posterior=posterior, losses=losses)
    return replace(strategy, edge=edge)


def test_brief_says_whose_edge_was_not_assessed(several: StressResult) -> None:
    """A dash in the table of edges is explained below it; where each has an edge nothing is said."""
    found = [with_posterior(one, 1.0, 0.4, 0.3) for one in several.strategies]
    whole, part = (
        " ".join(brief(replace(several, strategies=tuple(strategies))).split())
        for strategies in (found, [replace(found[0], edge=None), *found[1:]])
    )
    assert "The edge of 1 of them was not assessed; `stresslab show` says why." in part
    assert "of them was not assessed" not in whole


@pytest.mark.parametrize(
    ("mean", "without", "supported", "name", "row_name"),
    [
        (0.4, 0.4, 0.3, "P(loss) with its edge", "the edge that the real bars support"),
        (-0.4, 0.4, 0.5, "P(loss) with its negative timing", BELOW),
        (-0.01, 0.4, 0.39, "P(loss) with its edge", "the edge that the real bars support"),
    ],
)
def test_timing_that_costs_money_is_called_no_edge(
    several: StressResult, mean: float, without: float, supported: float, name: str, row_name: str
) -> None:
    """Terminal, page and the line of `track` name the second P(loss) by what it is with; Markdown keeps its place."""
    one = with_posterior(several.strategies[0], mean, without, supported)
    single = replace(several, strategies=[one])
    text = " ".join(brief(single).split())
    page = re.sub(r"\s*<[^>]+>\s*", "|", render(single))
    assert f"{name} {wording.share(supported)}" in text
    assert f"|{name}|" in page
    assert f"|{row_name}|" in page
    assert f"{wording.share(supported)} {name.removeprefix('P(loss) ')}" in answer(one)
    assert f"{wording.share(supported)} (chance" in summary(single).replace("\\", "")


def test_an_edge_that_was_not_tested_is_not_called_luck(several: StressResult) -> None:
    """What nobody asked is not said to be open for lack of evidence."""
    open_ = with_posterior(several.strategies[0], 0.2, 0.4, 0.3)
    assert edge_sentence(open_) == "Edge: unclear. The real bars cannot tell its timing from luck. Open."
    assert open_.edge is not None
    untested = Edge(label="unclear", reasons=("Its timing was not tested on the real bars.",), checks=())
    said = edge_sentence(replace(open_, edge=untested))
    assert said == "Edge: unclear. Its timing was not tested on the real bars."


def test_what_was_not_assessed_is_not_called_open(several: StressResult) -> None:
    """Each check of the edge has its answer, and a p-value next to 1 reads as in its note."""
    checks = (
        check("edge_is_real", 0.95, False, "as the best of 1", 0.2),
        check("timing_on_real_bars", 0.05, None, "over 99.9%", 0.99999),
        check("timing_at_origins", 0.0, None, "not assessed: timing on what followed real origins"),
        check("timing_in_universes", 0.0, True, "timing in the universes", Interval(0.1, 0.05, 0.2)),
    )
    one = with_posterior(several.strategies[0], -0.4, 0.4, 0.5)
    assert one.edge is not None
    setting = Setting.of(several)
    found = tables(replace(one, edge=one.edge.model_copy(update={"checks": checks})), 1, setting)[0]
    assert [row[3] for row in found.rows] == ["too small to matter", "open", "not assessed", "supports"]
    assert found.rows[1][1] == "> 99.9%"
