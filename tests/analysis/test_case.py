"""A case computes each account once, and knows the strategy's own universes from others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.case import figures
from stresslab.analysis.sensitivity import costs
from stresslab.analysis.shocks import RUN_AGAIN, shocks
from stresslab.backtest import Costs
from stresslab.core.parallel import WORTH_PROCESSES_SECONDS
from stresslab.data.bars import Bars
from stresslab.generators.transforms import drift_neutral
from stresslab.strategy.call_style import Form
from tests.make.cases import bootstrap_case
from tests.make.strategies import hold, trend


def test_code_is_not_run_again_for_other_costs(nasdaq: Bars) -> None:
    """Costs and orders that wait change no decision: one call writes them down, and the figures are the same."""
    calls: list[int] = []

    def counted(bars: Any) -> Any:
        calls.append(bars.close.shape[1])
        return trend(bars)

    own = bootstrap_case(nasdaq, counted, 60)
    own.account  # noqa: B018 # the accounts as given are the run's
    calls.clear()
    rows = costs(own)
    assert calls == [60]
    shocks(own)
    assert len(calls) == 1 + RUN_AGAIN
    free = bootstrap_case(nasdaq, trend, 60)
    costly = replace(free, terms=replace(free.terms, costs=free.terms.costs.scaled(5.0)))
    assert rows[-1]["median_return"] == float(costly.metrics["total_return"].median())


def metrics(*returns: float) -> pd.DataFrame:
    """Measures of universes with these returns."""
    returns_ = np.array(returns)
    return pd.DataFrame(
        {
            "total_return": returns_,
            "max_drawdown": np.minimum(returns_, 0.0),
            "time_under_water": np.full(len(returns), 0.5),
        }
    )


def test_figures_by_hand() -> None:
    """Two losses in five, one of them more than a fifth, one of them everything."""
    found = figures(metrics(-1.0, -0.05, 0.1, 0.2, 0.3))
    assert found["universes"] == 5
    assert found["probability_of_loss"]["value"] == 0.4
    assert {depth: one["value"] for depth, one in found["probability_of_drawdown"].items()} == {"0.1": 0.2, "0.2": 0.2}
    assert found["median_return"] == pytest.approx(0.1)
    assert found["ruined"]["value"] == 0.2
    assert found["time_under_water"] == 0.5
    assert found["expected_shortfall_97_5"]["value"] == pytest.approx(1.0)


def test_each_account_is_computed_once(bars: Bars) -> None:
    """However often it is asked for, on other terms too; another answer keeps what was computed."""
    steps: list[int] = []
    own = replace(bootstrap_case(bars, trend, 30), advance=steps.append)
    first = own.metrics
    assert own.metrics is first
    assert own.measured(own.universes) is first
    costly = replace(own.terms, costs=Costs(0.01, 0.0))
    assert own.measured(own.universes, costly) is own.measured(own.universes, costly)
    spent = sum(steps)
    answered = own.with_answers(sweep=[])
    assert answered.metrics is first
    assert answered.sweep == []
    assert sum(steps) == spent


def test_elsewhere_the_run_keeps_nothing(bars: Bars) -> None:
    """In other universes the strategy is run, with buy and hold there beside it or without."""
    own = bootstrap_case(bars, hold, 30)
    flat = drift_neutral(own.universes)
    beside, alone = own.elsewhere(flat), own.elsewhere(flat, compared=False)
    assert beside.metrics["excess_return"].abs().max() < 1e-12
    assert alone.metrics["excess_return"].isna().all()
    pd.testing.assert_series_equal(beside.metrics["total_return"], own.drift_neutral.metrics["total_return"])


def test_universes_in_which_the_code_fails_are_left_out(bars: Bars) -> None:
    """Accounts, measures and universes stay in step."""

    def fragile(one: Any) -> Any:
        if one.ids[0] % 3 == 0:
            raise ValueError("not this one")
        return one.close * 0 + 1.0

    wide = bootstrap_case(bars, fragile, 9)
    own = replace(wide, strategy=replace(wide.strategy, form=Form("column"), excused=3))
    kept = [1, 2, 4, 5, 7, 8]
    assert own.evaluated.ids.tolist() == own.account.ids.tolist() == own.metrics.index.tolist() == kept


def test_processes_are_worth_starting_by_all_the_work_there_is(nasdaq: Bars) -> None:
    """A study of a second is part of evidence that takes a minute; where calls were timed, that is known before."""
    own = bootstrap_case(nasdaq, trend, 60)
    assert own.patience == WORTH_PROCESSES_SECONDS
    assert replace(own, work=600).patience == WORTH_PROCESSES_SECONDS / 10
    slow = replace(own.strategy, form=Form("series", seconds=0.1))
    assert replace(own, strategy=slow).patience == WORTH_PROCESSES_SECONDS
    assert replace(own, strategy=slow, work=600).patience == 0.0
