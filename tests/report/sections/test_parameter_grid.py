"""The grid of parameters: maps, lines, ranks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.report.charts.images import picture
from stresslab.report.sections import parameter_grid
from stresslab.report.sections.registry import parts
from tests.make.gridded import gridded, share


def test_a_map_shows_every_set() -> None:
    """Two parameters: a cell for each set, coloured in order, and a sign at the best of the real bars."""
    result = gridded("fast", "slow")
    (found,) = parameter_grid.grids(result)
    assert found.names == ("fast", "slow")
    assert found.best == (2, 0)
    (content,) = parameter_grid.contents(result) or []
    loss, median = content.charts
    assert sum(shape.path.count("Z") for shape in loss.shapes) == 9
    best = loss.points[0]
    assert (best.style, int(best.at * 3 / 100), int(best.height * 3 / 100)) == ("best", 2, 0)
    assert loss.hover["titles"][loss.hover["x"].index(round(2.5 / 3, 4))] == "fast=2, slow=0"
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
    assert not content.mapped
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
