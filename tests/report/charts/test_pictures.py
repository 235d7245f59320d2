"""Pictures below the verdict: the budget of errors, shocks, origins over time, lives, and the grid of parameters."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import Edge, Estimate, RiskFigures
from stresslab.analysis.result_studies import (
    AlternativeGenerator,
    Difference,
    Fold,
    ShockFigures,
    StrategyStudies,
    Timing,
    WalkForward,
)
from stresslab.report import wording
from stresslab.report.charts import error_budget, forest, heatmap, walk_forward
from stresslab.report.charts.chart import Chart
from stresslab.report.charts.images import picture
from stresslab.report.charts.style import WARM
from stresslab.report.formats.html import render
from stresslab.report.formats.markdown import summary
from stresslab.report.formats.text import render as told
from stresslab.report.sections import parameter_grid
from stresslab.report.sections.overview import MAX_SHEETS, lines, roles
from stresslab.report.sections.registry import parts
from stresslab.report.sections.strategy import sheets
from tests.make.gridded import gridded, share
from tests.make.results import make_result


def charts_of(result: StressResult) -> dict[str, Chart]:
    """Every chart of a report by its key."""
    return {chart.key: chart for part in parts(result) for chart in part.charts}


def row(loss: float, middle: float, **more: Any) -> dict[str, Any]:
    """The figures of one origin or one generator."""
    return {
        "universes": 10_000_000,  # no chance left
        "probability_of_loss": share(loss, loss, loss),
        "probability_of_drawdown": {"0.2": share(loss / 2, loss / 2, loss / 2)},
        "expected_shortfall_97_5": share(0.1, 0.1, 0.1),
        "median_return": middle,
        "time_under_water": 0.5,
        **more,
    }


NO_EDGE = Edge(label="no", reasons=("Nothing.",), checks=())


def shock(loss: float, middle: float, label: str) -> ShockFigures:
    """A shock, of which the charts need only the label."""
    return ShockFigures.of(row(loss, middle, name=label, label=label))


def world(
    loss: float, middle: float, *, label: str, own_drift: bool = True, total: tuple[float, float, float] = (0, 0, 0)
) -> AlternativeGenerator:
    """Figures in universes of another generator."""
    value, low, high = total
    timing = Timing(
        total=Estimate(value=value, low=low, high=high),
        sharpe=Estimate(value=0.0, low=0.0, high=0.0),
        p_value=0.5,
        timed=True,
        paths=10,
    )
    ahead = Difference(
        first="strategy",
        second="buy and hold",
        mean=Estimate(value=0.0, low=0.0, high=0.0),
        better=share(0.5, 0.4, 0.6),
    )
    about = {"name": label, "label": label, "keeps": "", "lacks": "", "own_drift": own_drift}
    return AlternativeGenerator.of(row(loss, middle, **about, timing=timing, against_buy_and_hold=ahead))


def walk(folds: list[Fold]) -> WalkForward:
    """A walk-forward study with these folds, and nothing else."""
    return WalkForward.model_construct(origins=tuple(folds))


def origin(year: int, loss: float, real: float, **more: Any) -> Fold:
    """One origin of the timeline."""
    levels = {"0.05": -0.1, "0.25": -0.02, "0.5": 0.01, "0.75": 0.04, "0.95": 0.1}
    about = {"trend": "up", "volatility": "calm", "in_sample": False}
    place = {"realised_percentile": share(0.5, 0.4, 0.6)}
    stamp = {"origin": f"{year}-06-30", "quantiles": levels, "realised_return": real}
    return Fold.of(row(loss, 0.01, median_interval=[0.01, 0.01], **(stamp | place | about | more)))


def test_a_budget_lays_its_parts_side_by_side(single: StressResult) -> None:
    """Generators give their range, origins twice their spread about the figure, and a share stays within its bounds."""
    worlds = [world(0.2, 0.0, label="a"), world(0.6, 0.02, label="b"), world(0.99, 0.5, label="c", own_drift=False)]
    losses = [0.1, 0.9, 0.1, 0.9]
    walked = walk([origin(2000 + at, loss, 0.0) for at, loss in enumerate(losses)])
    studies = StrategyStudies(alternative_generators=tuple(worlds), walk_forward=walked)
    one = replace(single.strategies[0], studies=studies)
    found = error_budget.headlines(one)
    own = one.universes.probability_of_loss
    by_name = {part.name: part for part in found[0].budget.parts}
    assert (by_name["monte_carlo"].low, by_name["monte_carlo"].high) == (own.low, own.high)
    assert (by_name["generators"].low, by_name["generators"].high) == (0.2, 0.6)
    assert (by_name["origins"].low, by_name["origins"].high) == (0.0, 1.0)  # 2 x 0.46 on either side
    middle = {part.name: part for part in found[2].budget.parts}
    assert middle["origins"].high - middle["origins"].low == pytest.approx(0.0, abs=1e-12)
    assert [headline.name for headline in found] == [
        "P(loss)", "P(drawdown > 20%)", "Median return", "Expected shortfall 97.5",
    ]  # fmt: skip
    chart = error_budget.chart(found, "strategy-1-budget")
    assert chart is not None
    assert "choice of origin (0% to 100%)" in chart.sentence
    assert [meaning for _, meaning in chart.legend] == ["chance", "choice of generator", "choice of origin"]
    assert picture(chart, "png").startswith(b"\x89PNG")


def test_chance_alone_is_not_drawn(single: StressResult) -> None:
    """Without other generators and origins there is one part, which stands in a table."""
    assert error_budget.chart(error_budget.headlines(single.strategies[0]), "key") is None


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
    assert forest.alternative_charts(flat, "k")[1].sentence == "In no world can its timing be told from nothing."


def test_a_row_without_a_value_stays_empty() -> None:
    """A figure that could not be had has no sign; a bound that is not known no line."""
    nothing = Estimate(value=None, low=None, high=None)
    open_end = Estimate(value=0.3, low=0.2, high=None)
    chart = forest.forest([("a", nothing), ("b", open_end)], "k", "T", "S.", "x", str, first=True)
    assert len(chart.points) == 1
    assert chart.marks == []
    assert chart.shapes == []
    assert chart.hover["titles"] == ["b"]


def test_origins_stand_where_they_are_in_time() -> None:
    """Hollow signs where the generator had seen the bars, shades where it was turbulent, heights in order."""
    rows = [
        origin(2000, 0.2, 0.05, in_sample=True, volatility="turbulent"),
        origin(2002, 0.6, -0.2, in_sample=True, trend="down"),
        origin(2010, 0.4, 0.02),
    ]
    losses, returns = walk_forward.origins_charts(walk(rows), 0.3, "strategy-1")
    drawn = [point for point in losses.points if point.style in ("dot", "ring")]
    assert [point.style for point in drawn] == ["ring", "ring", "dot"]
    gaps = np.diff([point.at for point in drawn])
    assert gaps[1] / gaps[0] == pytest.approx(4.0, rel=0.01)  # eight years against two
    assert drawn[1].height > drawn[2].height > drawn[0].height
    assert [point.style for point in losses.points if point.style in ("rise", "fall")] == ["rise", "fall", "rise"]
    assert "lies between 20% and 60%, and at half or more at 1 of them; the run's own is 30%" in losses.sentence
    assert "30% in rising and 60% in falling markets" in losses.sentence
    assert {"wild", "ring", "dot", "fall"} <= {style for style, _ in losses.legend}
    assert "a loss after 1 of 3 dates" in returns.sentence
    assert "outside nine tenths of the universes (the lines) at 1" in returns.sentence
    assert returns.points[1].height < returns.points[2].height < returns.points[0].height
    for tick in losses.x_ticks:
        along = (int(tick.label) - 2000.495) / 10  # of the way from the first origin to the last
        assert tick.at == pytest.approx(drawn[0].at + along * (drawn[2].at - drawn[0].at), abs=0.3)


def test_one_origin_is_no_timeline() -> None:
    """A single date is a row of the table."""
    assert walk_forward.origins_charts(walk([origin(2000, 0.2, 0.0)]), 0.3, "key") == []


def test_dates_are_labelled_at_any_distance() -> None:
    """Years where there are enough of them, days otherwise; no label stands on another."""
    for stamps in (
        ["2001-01-02", "2001-01-20"],
        ["1990-05-01", "2018-07-01"],
        ["2001-01-01 09:30", "2001-01-01 16:00"],
    ):
        rows = [origin(2000, 0.2, 0.0, origin=stamp) for stamp in stamps]
        chart = walk_forward.origins_charts(walk(rows), 0.3, "key")[0]
        places = [tick.at for tick in chart.x_ticks]
        assert len(places) >= 2
        assert min(np.diff(places)) > 10
        assert all(0 <= place <= 100 for place in places)


def test_lives_have_what_happened_in_them(studied: StressResult) -> None:
    """The histogram holds every life, and the mark stands at the real one."""
    found = studied.strategies[0].studies.walk_forward.chained_paths
    gains, falls = walk_forward.chained_charts(found, "strategy-1")
    values = np.array(found.total_return.values)
    assert len(values) == found.paths
    assert np.mean(values < 0) == pytest.approx(found.probability_of_loss.value)
    assert float(np.median(values)) == pytest.approx(found.total_return.quantile(0.5), abs=1e-6)
    assert [mark.style for mark in gains.marks] == ["middle", "outcome"]
    assert gains.marks[1].label.startswith("what happened")
    assert falls.x_name.endswith("over all windows")
    shares = [float(text.split("(")[1].rstrip("%)")) for text in gains.hover["series"][0]["text"]]
    assert sum(shares) == pytest.approx(100, abs=1)


def test_a_studied_report_has_every_picture(studied: StressResult) -> None:
    """Budget, shocks, timeline and lives are drawn once for each strategy, in the page and as files of their own."""
    drawn = charts_of(studied)
    for at, one in enumerate(studied.strategies, 1):
        kinds = ("budget", "shocks-loss", "shocks-shortfall", "worlds-loss", "worlds-timing", "origins-loss")
        knobs = ("knobs-loss", "knobs-shortfall", "knobs-volatility")
        for kind in (*kinds, *knobs, "origins-return", "relived-return", "relived-drawdown"):
            assert (f"strategy-{at}-{kind}" in drawn) == (one.edge is not None)
        assert (f"strategy-{at}-parameters" in drawn) == (one.name == "trend")
        typical = [row.representatives[0] for row in one.studies.reverse_stress or () if row.representatives]
        assert [key for key in drawn if key.startswith(f"strategy-{at}-typical-")] == [
            f"strategy-{at}-typical-{number}" for number in typical
        ]
        assert sum(key.startswith(f"strategy-{at}-worst-") for key in drawn) == (3 if one.replays is not None else 0)
    assert studied.strategies[-1].name == "portfolio"
    for chart in drawn.values():
        assert chart.sentence.endswith(".")
        assert picture(chart, "svg") == picture(chart, "svg")


def test_edge_stands_beside_every_verdict(studied: StressResult) -> None:
    """In the page, the overview, the summary and the terminal; the book has a line with its parts."""
    page, text, terminal = render(studied), summary(studied), told(studied)
    for one in studied.strategies[:-1]:
        assert one.edge is not None
        label = one.edge.label
        assert f'<span class="edge {label}">edge: {label}</span>' in page
        assert f"| {one.verdict.label} | {label} |" in text
        assert f"{one.verdict.label.upper()}, edge: {label}" in terminal
    book = lines(studied)[-1]
    assert (book.edge, book.note) == (None, "capital: 60% hold, 40% trend")
    assert "capital: 60% hold, 40% trend" in page


def test_a_map_shows_every_set() -> None:
    """Two parameters: a cell for each set, coloured in order, and a sign at the best of the real bars."""
    result = gridded("fast", "slow")
    (found,) = parameter_grid.grids(result)
    assert found.names == ("fast", "slow")
    assert found.best == (2, 0)
    (content,) = parameter_grid.contents(result) or []
    loss, median = content.charts
    assert sum(shape.path.count("Z") for shape in loss.shapes) == 9
    assert (loss.points[0].at, loss.points[0].height) == pytest.approx((100 * 2.5 / 3, 100 * 0.5 / 3))
    assert loss.hover["titles"][loss.hover["x"].index(round(2.5 / 3, 4))] == "fast=2, slow=0"
    styles = [shape.style.split()[-1] for shape in loss.shapes]
    assert styles == sorted(styles)
    assert "number 1 of 9" in content.sentences[0]
    assert "neighbours" in loss.sentence
    assert picture(median, "png").startswith(b"\x89PNG")


def test_a_missing_set_leaves_a_gap() -> None:
    """A set without a result has no cell."""
    (content,) = parameter_grid.contents(gridded("fast", "slow", drop=1)) or []
    assert sum(shape.path.count("Z") for shape in content.charts[0].shapes) == 8


def test_one_parameter_is_a_line() -> None:
    """P(loss) and the median along the values, the best of the real bars marked."""
    (content,) = parameter_grid.contents(gridded("fast")) or []
    loss, _ = content.charts
    assert {shape.style for shape in loss.shapes} == {"b50", "baseline", "real"}
    assert loss.marks[0].label == "best on the real bars: fast=2"
    assert loss.marks[0].at == pytest.approx(max(100 * place for place in loss.hover["x"]), abs=0.01)
    assert loss.sentence.startswith("P(loss) lies between 10% and 50%")


def test_of_three_parameters_the_two_that_matter_are_drawn() -> None:
    """The others are held at the best set's values, and named."""
    result = gridded("idle", "slow", "more")
    flat = []
    for one in result.strategies:
        loss = 0.5 - 0.2 * one.parameters["more"] + 0.05 * one.parameters["slow"]
        flat.append(
            replace(one, universes=one.universes.model_copy(update={"probability_of_loss": share(loss, loss, loss)}))
        )
    (found,) = parameter_grid.grids(replace(result, strategies=flat))
    assert found.names == ("more", "slow", "idle")
    (content,) = parameter_grid.contents(replace(result, strategies=flat)) or []
    assert f"the others are held at the best set's idle={found.best[2]}" in content.sentences[-1]
    assert len(content.charts[0].hover["x"]) == 9


def test_ranks_on_the_real_bars_are_held_against_the_universes() -> None:
    """Where sets rank alike on both the section says so."""
    result = gridded("fast", "slow")
    alike = []
    for one in result.strategies:
        measures = dict(one.universes.measures)
        quantiles = measures["total_return"].quantiles | {"0.5": one.backtest["total_return"]}
        measures["total_return"] = measures["total_return"].model_copy(update={"quantiles": quantiles})
        alike.append(replace(one, universes=one.universes.model_copy(update={"measures": measures})))
    (content,) = parameter_grid.contents(replace(result, strategies=alike)) or []
    assert "Rank correlation of the backtest with the median return: 1.00" in content.sentences[1]


def test_without_a_grid_there_is_no_section(several: StressResult) -> None:
    """Strategies that were named one by one are no grid."""
    assert parameter_grid.contents(several) is None
    assert "grid" not in [part.section.key for part in parts(several)]


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


def test_two_hundred_strategies_stay_one_page() -> None:
    """All stand in the overview; sheets have those that a reader asks for first; the page stays small."""
    base = make_result("hold", "follow", "churn", universes=60, horizon=30)
    many = [replace(base.strategies[i % 3], name=f"s[fast={i}]", parameters={"fast": i}) for i in range(200)]
    result = replace(base, strategies=many, config=base.config | {"grid": {"fast": list(range(200))}})
    chosen = roles(result)
    assert 2 <= len(chosen) <= 5
    losses = [one.universes.probability_of_loss.value for one in many]
    told_of = {why: at for at, whys in chosen.items() for why in whys.split(", and ")}
    assert losses[told_of["the lowest P(loss)"]] == min(losses)
    assert losses[told_of["the highest P(loss)"]] == max(losses)
    page = render(result)
    assert len(page) < 1_500_000
    assert page.count('<article class="strategy"') == len(sheets(result)) == len(chosen)
    assert all(f"fast={i}]" in page for i in range(200))
    assert page.count('<a href="#strategy-') == len(chosen)
    assert len(summary(result).splitlines()) < 60
    assert len(told(result).splitlines()) < 500
    at_most = replace(base, strategies=[replace(many[0], name=str(i)) for i in range(MAX_SHEETS)])
    assert len(sheets(at_most)) == MAX_SHEETS


def test_facts_of_a_timeline_are_in_the_result(studied: StressResult) -> None:
    """What the pictures need is plain JSON of the result, and agrees with itself."""
    for origin_row in studied.strategies[0].studies.walk_forward.origins:
        assert origin_row.quantile(0.5) == pytest.approx(origin_row.median_return)
        low, high = origin_row.median_interval
        assert low <= origin_row.median_return <= high
        assert pd.Timestamp(origin_row.origin) < studied.origin


@pytest.mark.parametrize("name", ["studied", "gridded"])
def test_every_link_has_a_target(name: str, request: pytest.FixtureRequest) -> None:
    """Inside a page no link leads nowhere, and no anchor stands twice."""
    page = render(gridded("fast", "slow") if name == "gridded" else request.getfixturevalue(name))
    anchors = re.findall(r' id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)


def test_costs_and_horizon_say_what_they_change(single: StressResult) -> None:
    """From no costs to the dearest; the last bar's share is P(loss) itself."""
    levels = ((0.0, 0.4, 0.02), (1.0, 0.42, 0.01), (5.0, 0.6, -0.03))
    rows = [row(loss, middle, factor=factor) for factor, loss, middle in levels]
    strategy = single.strategies[0]
    studied = replace(strategy, edge=NO_EDGE, studies=strategy.studies.with_answers({"costs": rows}))
    found = charts_of(replace(single, strategies=[studied]))
    costs, horizon = found["strategy-1-costs"], found["strategy-1-horizon"]
    assert [tick.label for tick in costs.y_ticks] == ["without costs", "as given", "x 5"]
    assert costs.sentence == (
        "Without costs it loses in 40% of the universes, at 5 times the costs in 60%; "
        "the median return goes from +2.0% to -3.0%."
    )
    loss = re.search(r"([\d.]+)% after 60 bars lie below", horizon.sentence)
    assert loss is not None
    assert float(loss[1]) == pytest.approx(100 * strategy.universes.probability_of_loss.value, abs=0.06)


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
    section = text[text.index("What if the generator&#39;s knobs") :]
    for setting in ("the run&#39;s: temperature 1, top-p 1, context 250 bars", "temperature 0.8", "top-p 0.9"):
        assert f"|{setting}|" in section
    assert "|top-p 0.95|" in section
    assert "|context 62 bars|" in section


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


def test_parameters_next_to_the_given_ones_are_told(single: StressResult) -> None:
    """Each with P(loss) beside that of the given ones; what the strategy refuses is named."""
    found = {
        "as_given": row(0.4, 0.01),
        "moved": [
            row(0.35, 0.02, parameter="fast", value=8),
            row(0.55, -0.02, parameter="fast", value=12),
        ],
        "refused": [{"parameter": "slow", "value": 9}],
    }
    strategy = single.strategies[0]
    studied = replace(strategy, edge=NO_EDGE, studies=strategy.studies.with_answers({"parameters": found}))
    result = replace(single, strategies=[studied])
    chart = charts_of(result)["strategy-1-parameters"]
    assert [tick.label for tick in chart.y_ticks] == ["as given", "fast=8", "fast=12"]
    assert chart.sentence == "As given it loses in 40% of the universes, next to it in 35% to 55%."
    assert "The strategy refuses slow=9." in render(result)


def test_horizon_is_drawn_where_trading_is_free(single: StressResult) -> None:
    """Without costs there is nothing to multiply, and the horizon stands all the same, with Wilson's interval."""
    strategy = single.strategies[0]
    horizon = {"universes": 100, "losing": [0, 10, 20, 30, 50]}
    studies = StrategyStudies.of({"costs": [], "horizon": horizon})
    free = replace(single, strategies=[replace(strategy, edge=NO_EDGE, studies=studies)])
    found = charts_of(free)
    assert "strategy-1-horizon" in found
    assert "strategy-1-costs" not in found
    page = re.sub(r"\s*<[^>]+>\s*", "|", render(free))
    assert re.search(r"4 bars\|+50 of 100\|+50(\.0)?%\|+40\.4% to 59\.6%", page)


def test_the_backtest_is_drawn_and_told_by_year(single: StressResult) -> None:
    """Its ends, and buy and hold beside it; a row for each year, or month."""
    strategy = single.strategies[0]
    assert strategy.track is not None
    chart = charts_of(single)["strategy-1-track"]
    first, last = (f"{strategy.track['equity'].iloc[at]:,.0f}" for at in (0, -1))
    assert f"{first} became {last}" in chart.sentence
    assert [meaning for _, meaning in chart.legend] == ["the strategy", "buy and hold"]
    deepest = f"{-100 * strategy.backtest['max_drawdown']:.1f}% below its highest"
    assert deepest in charts_of(single)["strategy-1-falls"].sentence
    page = render(single)
    assert all(f'<th scope="row">{row.period}</th>' in page for row in strategy.studies.periods)
    without = replace(single, strategies=[replace(strategy, track=None, studies=StrategyStudies())])
    assert "strategy-1-track" not in charts_of(without)
    assert "The backtest by period" not in render(without)
