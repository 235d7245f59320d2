"""Maps of a grid: values with intervals, and grey where chance could have made a set as good as the best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.result import StressResult
from stresslab.metrics.distribution import describe_universes, wilson
from stresslab.report.charts.grid_map import LOSS, MAX_WRITTEN, MEDIAN, grid_maps, undistinguished
from stresslab.report.charts.images import picture
from stresslab.report.sections.parameter_grid import grids
from tests.make.gridded import gridded

UNIVERSES = 400


def with_returns(result: StressResult, returns: dict[tuple[int, int], np.ndarray]) -> StressResult:
    """The grid with these returns of its sets, and the figures that follow."""
    made = []
    for one in result.strategies:
        own = returns[tuple(one.parameters.values())]
        metrics = pd.concat([one.metrics] * 10, ignore_index=True).iloc[: len(own)].assign(total_return=own)
        found = type(one.universes).of(describe_universes(metrics))
        assert found.probability_of_loss.value == pytest.approx(wilson(int((own < 0).sum()), len(own)).value)
        made.append(replace(one, metrics=metrics, universes=found))
    return replace(result, strategies=made)


@pytest.fixture(scope="module")
def paired() -> StressResult:
    """Nine sets in the same universes: slow=0 loses least by luck, slow=1 as often but for a few, slow=2 is worse."""
    market = np.random.default_rng(0).normal(0.005, 0.05, UNIVERSES)
    noise = np.random.default_rng(1).normal(0, 0.001, (3, UNIVERSES))
    returns = {
        (fast, slow): market + noise[fast] + (0.0, -0.0002, -0.012)[slow] for fast in range(3) for slow in range(3)
    }
    return with_returns(gridded("fast", "slow"), returns)


def test_sets_that_chance_made_worse_are_grey(paired: StressResult) -> None:
    """In the same universes a small disadvantage shows: its own interval would hold it, the paired test does not."""
    (grid,) = grids(paired)
    alike = undistinguished(grid, LOSS)
    assert {(0, 0), (1, 0), (2, 0)} <= alike
    assert not {key for key in alike if key[1] == 2}
    best = LOSS.best(grid.sets)
    worst = grid.sets[0, 2].universes.probability_of_loss
    assert worst.low < grid.sets[best].universes.probability_of_loss.high
    loss, _ = grid_maps(grid, "grid-1")
    grey = next(shape for shape in loss.shapes if shape.style == "cell same")
    assert grey.path.count("Z") == len(alike)
    assert ("same", "not worse than the best by more than chance") in loss.legend
    assert f"{len(alike)} of 9 sets, the best included, cannot be told apart" in loss.sentence


def test_every_cell_has_its_value_and_interval(paired: StressResult) -> None:
    """The figures of the result, in the cell that is theirs."""
    (grid,) = grids(paired)
    loss, median = grid_maps(grid, "grid-1")
    one = grid.sets[2, 0].universes
    within = [note for note in loss.notes if 100 * 2 / 3 < note.at < 100 and 0 < note.height < 100 / 3]
    share = one.probability_of_loss
    assert [note.text for note in within] == [
        f"{100 * share.value:.3g}%", f"{100 * share.low:.0f} to {100 * share.high:.0f}%",
    ]  # fmt: skip
    assert len(loss.notes) == len(median.notes) == 18
    assert picture(loss, "svg") == picture(loss, "svg")


def test_the_truly_best_set_is_grey_in_nearly_all_grids() -> None:
    """Sets without any difference: the best of them all, whichever it is, stays among the grey ones in 95% and more."""
    rng, held = np.random.default_rng(3), []
    base = gridded("fast", "slow")
    keys = [tuple(one.parameters.values()) for one in base.strategies]
    for _ in range(60):
        made = [
            replace(one, metrics=pd.DataFrame({"total_return": rng.normal(0.0, 0.05, 150)})) for one in base.strategies
        ]
        sets = dict(zip(keys, made, strict=True))
        (grid,) = grids(base)
        found = undistinguished(replace(grid, sets=sets), replace(LOSS, value=lost))
        held.append(keys[0] in found)
    assert np.mean(held) >= 0.9


def lost(one: object) -> float:
    """Share of lost universes."""
    return float((one.metrics["total_return"] < 0).mean())


def test_a_large_map_has_no_room_for_texts(paired: StressResult) -> None:
    """From so many columns on values stand under the pointer alone."""
    (grid,) = grids(paired)
    many = list(range(MAX_WRITTEN + 1))
    wide = replace(grid, values={"fast": many, "slow": grid.values["slow"]})
    assert grid_maps(wide, "k")[0].notes == []


def test_the_best_median_is_the_highest(paired: StressResult) -> None:
    """Of returns more is better, of losses less."""
    (grid,) = grids(paired)
    medians = {key: one.metrics["total_return"].median() for key, one in grid.sets.items()}
    assert MEDIAN.best(grid.sets) == max(medians, key=lambda key: medians[key])
