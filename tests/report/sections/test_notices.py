"""What stands under "Before you rely on it", and the horizon beside its days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import Share
from stresslab.analysis.result_selection import Overfitting, Selection
from stresslab.analysis.result_studies import RunStudies
from stresslab.analysis.strategy_run import StrategyRun
from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.report.formats.html import render
from stresslab.report.sections import notices
from stresslab.runs.notices import of_copies, of_orders
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import LookAheadReport
from stresslab.strategy.lookback import Lookback
from tests.make.gridded import gridded
from tests.make.pages import Page
from tests.make.strategies import hold


def selected(result: StressResult, probability: float) -> StressResult:
    """The result with a probability of backtest overfitting."""
    fit = Overfitting(probability=probability, loss=0.3, slope=-0.1, halvings=70, trials=9)
    found = Selection(
        strategies=9, trials=None, own_trials=9.0, effective_trials=5.0, deflated_sharpe={}, overfitting=fit,
        superior_ability=None,
    )  # fmt: skip
    return replace(result, studies=RunStudies(selection=found))


def headed(result: StressResult, heading: str) -> notices.Notice | None:
    """The notice under a heading."""
    return next((one for one in notices.notices(result) if one.heading == heading), None)


def placed(strategy: StrategyResult, better: float) -> StrategyResult:
    """The strategy with a real outcome better than such a share of universes."""
    shares = {name: Share(value=value, low=value, high=value) for name, value in (("better", better), ("equal", 0.0))}
    worse = Share(value=1 - better, low=1 - better, high=1 - better)
    return replace(strategy, luck=strategy.luck.model_copy(update=shares | {"worse": worse}))


def tracked(strategy: StrategyResult, equity: list[float]) -> StrategyResult:
    """The strategy with an account on days one after another."""
    days = pd.date_range("2020-01-01", periods=len(equity), name="timestamp")
    return replace(strategy, track=pd.DataFrame({"equity": equity, "benchmark": np.ones(len(equity))}, index=days))


def test_overfitting_of_a_grid_is_told() -> None:
    """Always for a grid, as a warning from what choosing without skill gives; it reaches the page."""
    grid = gridded("fast", "slow")
    for probability, warned in ((0.2, False), (0.5, True), (0.71, True)):
        found = headed(selected(grid, probability), "Overfitting")
        assert found is not None
        assert found.warning == warned
        assert f"{100 * probability:g}% of 70 ways" in found.text
    page = Page(render(selected(grid, 0.71))).text
    assert page.index("Before you rely on it") < page.index("71% of 70 ways to halve")


def test_overfitting_of_named_strategies_is_told_where_it_is_likely(several: StressResult) -> None:
    """They are no grid: only a choice without skill is worth a warning."""
    assert headed(selected(several, 0.3), "Overfitting") is None
    found = headed(selected(several, 0.6), "Overfitting")
    assert found is not None
    assert found.text.startswith("The strategy with the best backtest")


@pytest.mark.parametrize(("better", "side"), [(0.98, "better than 98%"), (0.01, "worse than 99%"), (0.97, "")])
def test_a_real_outcome_outside_the_range_is_told(single: StressResult, better: float, side: str) -> None:
    """Beyond the middle 95% of the universes on either side, and nowhere else."""
    found = headed(replace(single, strategies=[placed(single.strategies[0], better)]), "Unusual outcome")
    assert (found is not None) == bool(side)
    if found is not None:
        assert found.warning
        assert side in found.text


def test_trusted_universes_are_not_doubted_by_one_outcome(single: StressResult) -> None:
    """Beside "trusted" an unusual outcome asks whether the market has changed, else whether the universes are right."""
    strategies = [placed(single.strategies[0], 0.99)]
    (doubted,), (trusted,) = (notices.unusual_outcomes(strategies, label) for label in ("no fault found", "trusted"))
    assert doubted.text.endswith("a rare draw, or universes unlike this market.")
    assert trusted.text.endswith("a rare draw, or a market that is no longer like its past.")


def test_without_a_real_outcome_none_is_unusual(forward: StressResult) -> None:
    """A test that looks only forward has no outcome."""
    assert headed(forward, "Unusual outcome") is None


def test_a_backtest_under_water_is_told(single: StressResult) -> None:
    """Half of the time or more without a new high, the date of the last one named; a high that was held is none."""
    one = single.strategies[0]
    sunk = tracked(one, [100, 120, 110, 90, 96])
    found = headed(replace(single, strategies=[sunk]), "Backtest under water")
    assert found is not None
    assert "follow (since 2020-01-02, 20.0% below that high at the end)" in found.text
    for equity in ([100, 90, 110, 130, 125], [100, 120, 120, 120, 120], [100, 100, 100, 100, 100]):
        assert headed(replace(single, strategies=[tracked(one, equity)]), "Backtest under water") is None


def test_many_strategies_make_one_notice(single: StressResult) -> None:
    """Six are named, the others counted."""
    sunk = [replace(tracked(single.strategies[0], [100, 120, 90, 90]), name=f"s{at}") for at in range(9)]
    (found,) = notices.under_water(sunk)
    assert "s5 (since" in found.text
    assert "s6" not in found.text
    assert found.text.endswith("and 3 more.")


def test_what_bears_on_the_figures_is_a_warning(single: StressResult) -> None:
    """Copies, too little history, and decisions that were ignored or filled where nobody traded are no mere notes."""
    texts = [
        *of_copies(200, 1),
        f"slow: {Lookback(500, 60, 1.0, 725, 2771)}.",
        *of_orders([run_with(conflicts=2, untraded=1)]),
    ]
    assert len(texts) == 4
    found = notices.notices(replace(single, notices=(*texts, "no volume: volume and amount are zero")))
    warned = [one.text for one in found if one.heading == "Warning"]
    assert len(warned) == len(texts)
    assert [one.text for one in found if one.heading == "Note"] == ["No volume: volume and amount are zero."]


def run_with(**counts: int) -> StrategyRun:
    """A strategy whose backtest has such counts."""
    (strategy,) = load_strategies(hold, {})
    run = StrategyRun("hold", {}, LookAheadReport(), strategy)
    run.backtest = StrategyEvaluation(pd.DataFrame(), **counts)
    return run
