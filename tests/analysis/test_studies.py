"""What is asked of strategies beyond the distribution of their results."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.analysis import case as case_module
from stresslab.analysis import permutation_test, walk_forward
from stresslab.analysis.edge import Trials, edge
from stresslab.analysis.fragility import error_budget
from stresslab.analysis.result import StressResult
from stresslab.analysis.result_schema import SCHEMA
from stresslab.analysis.studies import STUDIES, universes_to_judge, universes_to_study
from stresslab.backtest import Backtest, Terms, backtest, bar_records, buy_and_hold, evaluate
from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.matched import ALTERNATIVES
from tests.make.bars import make_bars
from tests.make.cases import bootstrap_case
from tests.make.strategies import hold, trend
from tests.realism.cases import Walk


@pytest.fixture(scope="module")
def whole(nasdaq: Bars) -> StressResult:
    """A run with everything that can be asked."""
    return sl.stress_test(
        [hold, trend],
        nasdaq,
        StationaryBootstrap(),
        universes=200,
        horizon=60,
        seed=5,
        studies=sl.Studies(
            realism_origins=0,
            portfolio={"hold": 0.5, "trend": 0.25},
            walk_forward=5,
            alternative_generators=True,
            trials=20,
        ),
    )


def test_the_budget_has_the_parts_that_were_asked_for(nasdaq: Bars, whole: StressResult) -> None:
    """Chance alone without more; generators and origins where they were run."""
    alone = error_budget(bootstrap_case(nasdaq, trend))
    assert [part["name"] for part in alone["parts"]] == ["monte_carlo"]
    stored = whole.strategies[1].studies.error_budget
    assert [part.name for part in stored.parts] == ["monte_carlo", "generators", "origins"]


def test_a_whole_run_has_every_section(whole: StressResult) -> None:
    """Both strategies and their portfolio, side by side; all of it plain JSON that fits its schema."""
    content = json.loads(json.dumps(whole.to_dict(), allow_nan=False))
    pytest.importorskip("jsonschema").Draft202012Validator(SCHEMA).validate(content)
    names = [one["name"] for one in content["strategies"]]
    assert names == ["hold", "trend", "portfolio"]
    first = content["strategies"][1]
    assert first["edge"]["label"] in ("yes", "no", "unclear")
    asked = {"fragility", "shocks", "costs", "reverse_stress", "error_budget", "alternative_generators", "walk_forward"}
    shown = {"periods", "tear_sheet", "what_if", "horizon", "parameters", "random_timing"}
    assert asked | shown <= set(first["studies"])
    assert [row["name"] for row in first["studies"]["alternative_generators"]] == list(ALTERNATIVES)
    assert len(first["studies"]["walk_forward"]["origins"]) == 5
    assert len(content["studies"]["pairs"]) == 3
    assert content["studies"]["selection"]["trials"] == 20
    assert content["run"]["config"]["portfolio"] == {"hold": 0.5, "trend": 0.25}


def test_the_portfolio_is_its_parts(whole: StressResult) -> None:
    """Half of buy and hold and a quarter of the trend rule, the rest in cash."""
    own = {one.name: one.metrics["total_return"] for one in whole.strategies}
    np.testing.assert_allclose(own["portfolio"], 0.5 * own["hold"] + 0.25 * own["trend"], atol=1e-9)


def test_a_portfolio_of_strategies_that_are_not_there_is_refused(nasdaq: Bars) -> None:
    """Before anything is sampled."""
    with pytest.raises(InputError, match="no strategy is called 'trand'; did you mean 'trend'"):
        sl.stress_test(
            trend, nasdaq, StationaryBootstrap(), universes=10, horizon=40, studies=sl.Studies(portfolio={"trand": 1.0})
        )


def test_losses_after_the_last_bar_are_the_losses(whole: StressResult) -> None:
    """They are counted bar by bar where the universes are evaluated, the portfolio's too."""
    for one in whole.strategies:
        found = one.studies.horizon
        assert found.universes == len(one.metrics)
        assert found.losing[0] == 0
        assert found.losing[-1] == int((one.metrics["total_return"] < 0).sum())
        assert len(found.losing) == whole.horizon + 1


def test_each_backtest_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other dates, generators and settings, shocks, costs and edge: no strategy trades the same universes twice."""
    counts: Counter[tuple[str, ...]] = Counter()
    held: Counter[tuple[str, ...]] = Counter()

    def key(universes: Universes, *more: object) -> tuple[str, ...]:
        content = hashlib.sha256(universes.values.tobytes() + universes.ids.tobytes())
        content.update(str(universes.history.timestamps[-1]).encode())
        return (content.hexdigest(), *map(repr, more))

    def counted(strategy: Any, universes: Universes, terms: Terms, **options: Any) -> Backtest:
        if len(universes) > 1:
            counts[key(universes, type(strategy).__name__, strategy.name, strategy.parameters, terms)] += 1
        return backtest(strategy, universes, terms, **options)

    def counted_hold(universes: Universes, terms: Terms, **options: Any) -> Backtest:
        if len(universes) > 1:
            held[key(universes, terms)] += 1
        return buy_and_hold(universes, terms, **options)

    for module in (evaluate, walk_forward, permutation_test, bar_records):
        monkeypatch.setattr(module, "backtest", counted)
    for module in (evaluate, case_module):
        monkeypatch.setattr(module, "buy_and_hold", counted_hold)
    found = sl.stress_test(
        [trend, hold],
        make_bars(700),
        Walk(),
        universes=60,
        horizon=30,
        seed=5,
        studies=sl.Studies(
            realism_origins=0, walk_forward=3, alternative_generators=True, generator_sweep=True, permutations=19
        ),
        compute=sl.Compute(jobs=1),
    )
    assert found.strategies[0].studies.generator_sweep is not None
    assert len(counts) > 50
    assert {of: count for of, count in counts.items() if count > 1} == {}
    assert len(held) > 3
    assert {of: count for of, count in held.items() if count > 1} == {}


def test_studies_say_how_far_they_are(nasdaq: Bars) -> None:
    """Universes as they are run, in many steps; all together at most as many as were announced, and most of these."""
    steps: list[int] = []
    own = replace(bootstrap_case(nasdaq, trend, 60), advance=steps.append)
    for study in STUDIES:
        study.run(own)
    edge(own, Trials(1.0), permutations=99)
    announced = universes_to_judge(own, 99) + universes_to_study(own)
    assert len(steps) > 10
    assert 0.5 * announced < sum(steps) <= announced
    assert universes_to_judge(own, 0) == universes_to_judge(own, 99) - round(99 * own.bars_per_permutation)
