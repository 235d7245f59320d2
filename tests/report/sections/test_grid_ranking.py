"""The best set of a grid stands on top, with what is left of it after so many were tried."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import stresslab as sl
from stresslab.report.formats.html import render as render_page
from stresslab.report.formats.text import brief
from stresslab.report.sections.grid_ranking import discount, ranked
from stresslab.report.sections.overview import overview_rows
from tests.make.bars import make_bars
from tests.make.gridded import gridded
from tests.make.results import make_result


def test_sets_are_ranked_by_the_real_bars() -> None:
    """Highest return before the origin first, undefined ones last; the table of page and terminal has that order."""
    result = gridded("fast", "slow")
    lost = result.strategies[0]
    result = replace(result, strategies=[replace(lost, backtest=lost.backtest | {"total_return": None}),
                                         *result.strategies[1:]])  # fmt: skip
    order = ranked(result)
    assert order is not None
    earned = [result.strategies[at].backtest_return for at in order[:-1]]
    assert earned == sorted(earned, reverse=True)
    assert order[-1] == 0
    names = [result.strategies[at].name for at in order]
    assert [row.name for row in overview_rows(result)] == names
    shown = re.findall(r"^(s\[.*?\])", brief(result), re.MULTILINE)
    assert shown[: len(names)] == names


def test_results_without_a_grid_stay_as_given() -> None:
    """Nobody chose among them by a grid."""
    result = make_result("follow", "hold", universes=40, horizon=20)
    assert ranked(result) is None
    assert discount(result) == ""
    assert [row.name for row in overview_rows(result)] == ["follow", "hold"]


@pytest.fixture(scope="module")
def swept() -> sl.StressResult:
    """A real grid of a rule without skill."""

    def above(bars, window=20):  # type: ignore[no-untyped-def]
        mean = bars.close.rolling(window).mean()
        return bars.close > mean, bars.close < mean

    return sl.stress_test(
        above, make_bars(700), "bootstrap", universes=40, horizon=40, grid={"window": [5, 10, 20, 40, 80]},
        studies=sl.Studies(permutations=99, realism_origins=0),
    )  # fmt: skip


def test_the_discount_is_that_of_the_selection(swept: sl.StressResult) -> None:
    """The sentence names the best set and has the deflated Sharpe ratio that the result holds; it stands on top."""
    sentence = discount(swept)
    best = max(swept.strategies, key=lambda one: np.nan_to_num(one.backtest_return, nan=-np.inf))
    assert f"Best of 5 sets on the real bars: {best.name}" in sentence
    deflated = swept.studies.selection.deflated_sharpe[best.name]
    assert deflated.deflated < deflated.probabilistic
    for text in (f"{100 * deflated.deflated:.3g}%"[:3], "as many sets without skill", "Choosing the best set"):
        assert text in sentence
    lines = brief(swept).splitlines()
    assert lines[0].startswith("Best of 5 sets")
    table = next(at for at, line in enumerate(lines) if line.startswith("Strategy"))
    assert lines[table].rstrip().endswith("Backtest")
    assert lines[table + 1].startswith(best.name)
    assert sentence.split(" (")[0] in render_page(swept)
