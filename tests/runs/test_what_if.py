"""Conditions and shocks of a whole run."""

from __future__ import annotations

import pytest

import stresslab as sl
from stresslab.analysis.result import StressResult
from stresslab.analysis.what_if_plan import WhatIfPlan
from stresslab.core.errors import InputError
from tests.make.arguments import arguments
from tests.make.bars import make_bars
from tests.make.strategies import hold


def run(generator: sl.Generator | None = None, **asked: object) -> StressResult:
    """Buy and hold in 60 universes of 30 bars."""
    settings = {"permutations": 0, "realism_origins": 0, "what_if": WhatIfPlan(**asked)}  # type: ignore[arg-type]
    return sl.stress_test(
        hold, make_bars(400), generator or sl.Garch(), **arguments(universes=60, horizon=30, jobs=1, **settings)
    )


def test_a_run_says_what_if() -> None:
    """Base, conditions, shocks and crises in the same figures; what is too rare stands in a notice."""
    asked = {"shock": ("gap=-8%@10",), "scenarios": "china_2015_08", "given": ("return < 0%", "drawdown >= 99%")}
    result = run(**asked)
    found = result.strategies[0].studies.what_if
    assert found is not None
    assert [(row.kind, row.name) for row in found.rows] == [
        ("base", "base"), ("condition", "return < 0%"), ("shock", "gap=-8%@10"), ("crisis", "china_2015_08"),
    ]  # fmt: skip
    base, fallen, gap, crisis = found.rows
    assert fallen.probability_of_loss.value > 0.95
    assert fallen.universes >= 200
    assert gap.median_return < base.median_return
    assert (crisis.first, crisis.last) == (4, 8)
    assert {row.name for row in found.too_rare} == {"drawdown >= 99%", "volatility >= 1.2x"}
    assert any("given drawdown >= 99%" in notice for notice in result.notices)
    assert result.config["shock"] == ["gap=-8%@10"]


def test_what_cannot_be_asked_ends_the_run_before_it_begins() -> None:
    """A shock after the horizon, an unknown scenario, a condition that never happens."""
    for asked, words in (
        ({"shock": ("gap=-8%@31",)}, "after the horizon of 30 bars"),
        ({"scenarios": "chyna_2015_08"}, "did you mean 'china_2015_08'"),
        ({"given": ("drawdown >= 120%",)}, "never happens"),
        ({"given": ("like 1990..1991",)}, "holds 0 bars"),
    ):
        with pytest.raises(InputError, match=words):
            run(**asked)
