"""The same test in other generators' universes: one row each, of matched volatility, and comparable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.alternative_generators import alternative_generators
from stresslab.analysis.case import Case, figures
from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.matched import ALTERNATIVES
from tests.make.cases import bootstrap_case
from tests.make.strategies import hold, trend


@pytest.fixture(scope="module")
def cases(bars: Bars) -> list[Case]:
    """Two strategies in the same universes."""
    first = bootstrap_case(bars, trend, 60)
    other = bootstrap_case(bars, hold, 60)
    return [first, replace(other, universes=first.universes, benchmarks=first.benchmarks)]


def test_one_row_for_each_generator(cases: list[Case]) -> None:
    """In the order of the table, with what each keeps and lacks; progress counts them."""
    steps: list[int] = []
    found = alternative_generators(cases, StationaryBootstrap(), 60, steps.append)
    assert list(found) == ["trend", "hold"]
    assert steps == [1] * len(ALTERNATIVES)
    for case, rows in zip(cases, found.values(), strict=True):
        assert [row["name"] for row in rows] == list(ALTERNATIVES)
        assert all(row["universes"] == 60 for row in rows)
        assert [row["own_drift"] for row in rows] == [one.drift is None for one in ALTERNATIVES.values()]
        run, neutral = rows[0], rows[1]
        own = figures(case.metrics, case.seed)
        assert {name: run[name] for name in own} == own
        assert neutral["probability_of_loss"] == figures(case.drift_neutral.metrics)["probability_of_loss"]


def test_buy_and_hold_never_beats_itself(cases: list[Case]) -> None:
    """Whatever the generator: against buy and hold it is 0 in every one, and without an edge."""
    rows = alternative_generators(cases[1:], StationaryBootstrap(), 60)["hold"]
    for row in rows:
        assert row["against_buy_and_hold"]["mean"]["value"] == pytest.approx(0, abs=1e-12)
