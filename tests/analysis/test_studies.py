"""What is asked of strategies beyond the distribution of their results."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.analysis import case as case_module
from stresslab.analysis import permutation_test, walk_forward
from stresslab.analysis.case import Case
from stresslab.analysis.edge import Trials, edge
from stresslab.analysis.fragility import error_budget, fragility, random_timing, worst_universes
from stresslab.analysis.multiple_testing import selection
from stresslab.analysis.result import StressResult
from stresslab.analysis.sensitivity import COST_FACTORS, costs, nearby, parameters
from stresslab.analysis.shocks import RUN_AGAIN, SHOCKS, shocks
from stresslab.analysis.studies import STUDIES, universes_to_run
from stresslab.backtest import Backtest, Costs, Terms, backtest, bar_records, buy_and_hold, evaluate
from stresslab.core.errors import InputError
from stresslab.core.parallel import WORTH_PROCESSES_SECONDS
from stresslab.data import load_bars
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.matched import ALTERNATIVES
from stresslab.generators.transforms import drift_neutral
from stresslab.strategy import load_strategies
from stresslab.strategy.call_style import Form
from tests.make.bars import make_bars
from tests.make.strategies import hold, trend
from tests.realism.cases import Walk


@pytest.fixture(scope="module")
def nasdaq() -> Bars:
    """A rising decade."""
    return load_bars("sample:nasdaq", since="2009-01-02", until="2018-12-31")


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


def case(bars: Bars, function: Any, count: int = 200) -> Case:
    """One strategy in bootstrap universes."""
    (strategy,) = load_strategies([function], {})
    return Case(strategy, StationaryBootstrap().sample(bars, 60, count, 5), bars, Terms(), seed=5)


def test_buy_and_hold_has_no_edge(nasdaq: Bars) -> None:
    """However much a decade rose: its exposure never varies."""
    found = edge(case(nasdaq, hold), Trials())
    assert found.label == "no"
    assert "all that it earns is its exposure" in found.reasons[0]


def test_without_drift_buy_and_hold_loses_more_often(nasdaq: Bars) -> None:
    """As generated it mostly wins; with the shared drift taken out the mean log return is 0, less costs."""
    own = case(nasdaq, hold, 1000)
    found = fragility(own)
    drifting, flat = found["as_generated"], found["drift_neutral"]
    assert drifting["probability_of_loss"]["high"] < flat["probability_of_loss"]["low"]
    logs = np.log1p(own.measured(drift_neutral(own.universes))["total_return"])
    gap = np.log(own.universes.values[:, 0, 0] / own.history.values[-1, 3]).mean()  # the first gap is nobody's
    assert logs.mean() == pytest.approx(-0.002 - gap, abs=0.0015)
    assert found["against_buy_and_hold"]["mean"]["value"] == pytest.approx(0, abs=1e-12)


def test_shocks_hurt_as_they_are_named(nasdaq: Bars) -> None:
    """A wider gap loses more, costs three times as high cost, and every shock has its row."""
    rows = {row["name"]: row for row in shocks(case(nasdaq, trend))}
    assert list(rows) == list(SHOCKS)
    medians = [rows[name]["median_return"] for name in ("gap-5", "gap-10", "gap-20")]
    assert medians == sorted(medians, reverse=True)
    own = case(nasdaq, trend)
    base = float(own.measured(own.universes)["total_return"].median())
    assert rows["costs-3"]["median_return"] < base
    assert medians[0] == pytest.approx(base - 0.05, abs=0.02)
    spread = rows["volatility-2"]["expected_shortfall_97_5"]["value"]
    assert spread > rows["volatility-1.5"]["expected_shortfall_97_5"]["value"]


def test_costs_hurt_the_more_the_dearer_they_are(nasdaq: Bars) -> None:
    """The row of one times the costs is the base case; without costs there is nothing to ask."""
    own = case(nasdaq, trend)
    rows = costs(own)
    assert [row["factor"] for row in rows] == list(COST_FACTORS)
    medians = [row["median_return"] for row in rows]
    assert medians == sorted(medians, reverse=True)
    assert medians[1] == float(own.measured(own.universes)["total_return"].median())
    free = replace(own, terms=replace(own.terms, costs=Costs(fees=0.0, slippage=0.0)))
    assert costs(free) == []


def walks(bars: Bars, momentum: float, count: int = 600, horizon: int = 60) -> Universes:
    """Universes whose returns remember a part of the one before; opens are the closes before."""
    shocks = 0.01 * np.random.default_rng(3).standard_normal((count, horizon))
    returns = np.zeros_like(shocks)
    for bar in range(horizon):
        returns[:, bar] = shocks[:, bar] + (momentum * returns[:, bar - 1] if bar else 0.0)
    closes = bars.values[-1, 3] * np.exp(np.cumsum(returns, axis=1))
    opens = np.hstack([np.full((count, 1), bars.values[-1, 3]), closes[:, :-1]])
    ends = np.maximum(opens, closes), np.minimum(opens, closes)
    values = np.stack([opens, *ends, closes, np.full_like(closes, 1e6), 1e6 * closes], axis=-1)
    return Universes(values, bars.calendar.future(bars.timestamps, horizon), bars, np.arange(count))


def follow(bars: Any) -> Any:
    """Long after a bar that rose, short after one that fell."""
    return np.sign(bars.close.diff())


@pytest.mark.parametrize("momentum", [0.0, 0.25, -0.25])
def test_random_timing_is_beaten_by_momentum_alone(nasdaq: Bars, momentum: float) -> None:
    """Where returns remember the one before; on martingales the two cannot be told apart, fading bars are mistimed."""
    (strategy,) = load_strategies([follow], {})
    free = Terms(Costs(fees=0.0, slippage=0.0), position="flat")
    found = random_timing(Case(strategy, walks(nasdaq, momentum), nasdaq, free))
    assert found is not None
    mean = found["difference"]["mean"]
    assert (mean["low"] > 0, mean["high"] < 0) == (momentum > 0, momentum < 0)
    assert found["random"]["median_return"] == pytest.approx(0, abs=0.02)
    own, other = (found[side]["probability_of_loss"]["value"] for side in ("own", "random"))
    assert abs(own - other) < 0.06 if momentum == 0 else (own < other) == (momentum > 0)


def test_what_never_varies_has_no_timing_to_lose(nasdaq: Bars) -> None:
    """Buy and hold in another universe is buy and hold."""
    found = random_timing(case(nasdaq, hold))
    assert found is not None
    assert found["own"]["median_return"] == pytest.approx(found["random"]["median_return"], abs=1e-9)
    assert random_timing(case(nasdaq, lambda bars: bars.close * 0.0)) is None


def crossing(bars: Any, fast: int = 10, slow: int = 20, share: float = 0.5) -> Any:
    """Long above; the fast window must be the shorter."""
    if fast >= 12:
        raise ValueError("too slow")
    close = bars.close
    return share * (close.rolling(fast).mean() > close.rolling(slow).mean()).astype(float)


def test_parameters_are_moved_one_at_a_time(nasdaq: Bars) -> None:
    """Down and up by a fifth; what the code refuses is named, and the given ones stand beside."""
    found = parameters(case(nasdaq, crossing))
    assert found is not None
    assert [(row["parameter"], row["value"]) for row in found["moved"]] == [
        ("fast", 8), ("slow", 16), ("slow", 24), ("share", 0.4), ("share", 0.6),
    ]  # fmt: skip
    assert found["refused"] == [{"parameter": "fast", "value": 12}]
    by_share = {row["value"]: row["expected_shortfall_97_5"]["value"] for row in found["moved"][-2:]}
    as_given = found["as_given"]["expected_shortfall_97_5"]["value"]
    assert by_share[0.4] < as_given < by_share[0.6]  # exposure scales what is lost


def test_without_parameters_nothing_is_moved(nasdaq: Bars) -> None:
    """There is no such study then."""
    assert parameters(case(nasdaq, hold)) is None


@pytest.mark.parametrize(
    ("value", "allowed", "expected"),
    [
        (10, None, [8, 12]),
        (2, None, [1, 3]),
        (-10, None, [-12, -8]),
        (0.5, None, [0.4, 0.6]),
        (0.1, (0.05, 0.11), [0.08, 0.11]),
        (10, (10, 50), [12]),
        (0, None, []),
        (True, None, []),
        (math.nan, None, []),
        ("ema", None, []),
        ("ema", ["sma", "ema", "wma"], ["sma", "wma"]),
        (5, [5, 10], [10]),
    ],
)
def test_what_is_next_to_a_value(value: Any, allowed: Any, expected: list[Any]) -> None:
    """A fifth away, within what is declared; of a list the neighbours."""
    assert nearby(value, allowed) == expected


def test_nothing_fills_while_nobody_trades(nasdaq: Bars) -> None:
    """The shock of no liquidity changes what a strategy that trades often earns, and leaves buy and hold alone."""
    often = {row["name"]: row for row in shocks(case(nasdaq, trend))}["illiquid"]
    own = case(nasdaq, trend)
    assert often["median_return"] != float(own.measured(own.universes)["total_return"].median())
    still = case(nasdaq, hold)
    held = {row["name"]: row for row in shocks(still)}["illiquid"]
    assert held["median_return"] == float(still.measured(still.universes)["total_return"].median())


def test_what_broke_it_names_universes_that_exist(nasdaq: Bars) -> None:
    """Groups share out the worst universes; representatives are among them."""
    own = case(nasdaq, trend)
    groups = worst_universes(own)
    assert sum(group["of_worst"] for group in groups) == pytest.approx(1)
    returns = own.measured(own.universes)["total_return"]
    worst = set(returns.nsmallest(10).index)
    assert {one for group in groups for one in group["representatives"]} <= worst


def test_selection_discounts_the_best_of_many() -> None:
    """The best of fifty random strategies is deflated; a single one with an edge is not."""
    rng = np.random.default_rng(0)
    noise = {f"s{number}": rng.normal(0, 0.01, 1000) for number in range(50)}
    found = selection(noise, rng.normal(0.0002, 0.01, 1000), None)
    assert found["effective_trials"] == pytest.approx(50, rel=0.2)
    best = max(found["deflated_sharpe"].values(), key=lambda one: one["sharpe"])
    assert best["probabilistic"] > 0.95 > best["deflated"]
    assert 0.3 < found["overfitting"]["probability"] < 0.9
    assert found["superior_ability"]["superior"] == []
    alone = selection({"one": rng.normal(0.003, 0.01, 1000)}, rng.normal(0.0, 0.01, 1000), None)
    assert alone["deflated_sharpe"]["one"]["deflated"] > 0.99
    assert alone["overfitting"] is None


def test_trials_elsewhere_are_no_less_varied_than_chance() -> None:
    """Three near copies spread little among themselves; the 497 others of 500 that the user tells of did not."""
    rng = np.random.default_rng(2)
    base, market = rng.normal(0.0008, 0.01, 1000), rng.normal(0, 0.01, 1000)
    alike = {f"s{number}": base + rng.normal(0, 1e-5, 1000) for number in range(3)}
    told = selection(alike, market, 500.0)["deflated_sharpe"]["s0"]
    alone = selection({"s0": alike["s0"]}, market, 500.0)["deflated_sharpe"]["s0"]
    assert told["deflated"] == pytest.approx(alone["deflated"], abs=1e-9)
    silent = selection(alike, market, 1.0)["deflated_sharpe"]["s0"]
    assert silent["deflated"] > 0.9 > told["deflated"]


def test_fewer_trials_than_a_run_holds_are_not_believed(nasdaq: Bars) -> None:
    """With `trials=1` the strategies of a run are judged as the best of as many as they amount to."""

    def late(bars: Any) -> Any:
        up = bars.close > bars.close.shift(200)
        return up, ~up

    found = sl.stress_test(
        [trend, late, hold],
        nasdaq,
        StationaryBootstrap(),
        30,
        20,
        studies=sl.Studies(realism_origins=0, trials=1, permutations=19),
    )
    tried = found.studies.selection.effective_trials
    assert tried > 2
    assert found.strategies[0].edge is not None
    assert f"as the best of {tried:.3g} trials" in found.strategies[0].edge.checks[1].note


def test_the_budget_has_the_parts_that_were_asked_for(nasdaq: Bars, whole: StressResult) -> None:
    """Chance alone without more; generators and origins where they were run."""
    alone = error_budget(case(nasdaq, trend))
    assert [part["name"] for part in alone["parts"]] == ["monte_carlo"]
    stored = whole.strategies[1].studies.error_budget
    assert [part.name for part in stored.parts] == ["monte_carlo", "generators", "origins"]


def test_a_whole_run_has_every_section(whole: StressResult) -> None:
    """Both strategies and their book, side by side; all of it plain JSON."""
    content = json.loads(json.dumps(whole.to_dict(), allow_nan=False))
    names = [one["name"] for one in content["strategies"]]
    assert names == ["hold", "trend", "portfolio"]
    first = content["strategies"][1]
    assert first["edge"]["label"] in ("yes", "no", "unclear")
    asked = {"fragility", "shocks", "costs", "reverse_stress", "error_budget", "alternative_generators", "walk_forward"}
    assert asked | {"periods", "what_if", "horizon", "parameters", "random_timing"} == set(first["studies"])
    assert [row["name"] for row in first["studies"]["alternative_generators"]] == list(ALTERNATIVES)
    assert len(first["studies"]["walk_forward"]["origins"]) == 5
    assert len(content["studies"]["pairs"]) == 3
    assert content["studies"]["selection"]["trials"] == 20
    assert content["run"]["config"]["portfolio"] == {"hold": 0.5, "trend": 0.25}


def test_the_book_is_its_parts(whole: StressResult) -> None:
    """Half of buy and hold and a quarter of the trend rule, the rest in cash."""
    own = {one.name: one.metrics["total_return"] for one in whole.strategies}
    np.testing.assert_allclose(own["portfolio"], 0.5 * own["hold"] + 0.25 * own["trend"], atol=1e-9)


def test_a_book_of_strategies_that_are_not_there_is_refused(nasdaq: Bars) -> None:
    """Before anything is sampled."""
    with pytest.raises(InputError, match="no strategy is called 'trand'; did you mean 'trend'"):
        sl.stress_test(
            trend, nasdaq, StationaryBootstrap(), universes=10, horizon=40, studies=sl.Studies(portfolio={"trand": 1.0})
        )


def test_losses_after_the_last_bar_are_the_losses(whole: StressResult) -> None:
    """They are counted bar by bar where the universes are met, the book's too."""
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
    own = replace(case(nasdaq, trend, 60), advance=steps.append)
    for study in STUDIES:
        study.run(own)
    edge(own, Trials(1.0), permutations=99)
    announced = universes_to_run(own, 99)
    assert len(steps) > 10
    assert 0.5 * announced < sum(steps) <= announced
    assert universes_to_run(own, 0) == announced - round(99 * own.bars_per_permutation)


def test_code_is_not_run_again_for_other_costs(nasdaq: Bars) -> None:
    """Costs and orders that wait change no decision: one call writes them down, and the figures are the same."""
    calls: list[int] = []

    def counted(bars: Any) -> Any:
        calls.append(bars.close.shape[1])
        return trend(bars)

    own = case(nasdaq, counted, 60)
    own.account  # noqa: B018 # the accounts as given are the run's
    calls.clear()
    rows = costs(own)
    assert calls == [60]
    shocks(own)
    assert len(calls) == 1 + RUN_AGAIN
    free = case(nasdaq, trend, 60)
    dear = replace(free, terms=replace(free.terms, costs=free.terms.costs.scaled(5.0)))
    assert rows[-1]["median_return"] == float(dear.metrics["total_return"].median())


def test_processes_are_worth_starting_by_all_the_work_there_is(nasdaq: Bars) -> None:
    """A study of a second is part of evidence that takes a minute; where calls were timed, that is known before."""
    own = case(nasdaq, trend, 60)
    assert own.patience == WORTH_PROCESSES_SECONDS
    assert replace(own, work=600).patience == WORTH_PROCESSES_SECONDS / 10
    slow = replace(own.strategy, form=Form("series", seconds=0.1))
    assert replace(own, strategy=slow).patience == WORTH_PROCESSES_SECONDS
    assert replace(own, strategy=slow, work=600).patience == 0.0
