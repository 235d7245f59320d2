"""A strategy on its way through a run, and the portfolio beside it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stresslab.analysis.strategy_run import StrategyRun, shares_of, strategies_of
from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.backtest.portfolio import PORTFOLIO
from stresslab.core.safe_files import digest_of
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import LookAheadReport
from tests.make.strategies import ABOVE_MEAN, hold

SHARES = {"hold": 0.5, "above": 0.25}


def runs(folder: Path) -> list[StrategyRun]:
    """A function, a file, and the portfolio of both."""
    (folder / "above.py").write_text(ABOVE_MEAN)
    (first,), (second,) = load_strategies(hold, {}), load_strategies([str(folder / "above.py")], {"window": 30})
    found = [StrategyRun(one.name, one.parameters, LookAheadReport(), one) for one in (first, second)]
    return [*found, StrategyRun(PORTFOLIO, dict(SHARES), LookAheadReport())]


def test_the_portfolio_has_shares_and_no_code(tmp_path: Path) -> None:
    """Its parameters are the shares; strategies are told from it by their code."""
    found = runs(tmp_path)
    assert [one.name for one in strategies_of(found)] == ["hold", "above"]
    assert shares_of(found) == SHARES
    assert found[2].source is None
    assert shares_of(found[:2]) == {}


def test_the_source_is_the_file_as_it_is(tmp_path: Path) -> None:
    """Its path and its hash, so that a changed file is noticed."""
    path = tmp_path / "above.py"
    source = runs(tmp_path)[1].source
    assert source == {"path": str(path), "sha256": digest_of(path)}


def test_what_is_not_evaluated_cannot_be_read(tmp_path: Path) -> None:
    """Asking for a step that has not been taken is a fault of ours, not an empty result."""
    run = runs(tmp_path)[0]
    with pytest.raises(AssertionError):
        run.in_universes  # noqa: B018 - looking it up is the test
    run.universes = run.backtest = StrategyEvaluation(pd.DataFrame({"sharpe": [1.0]}))
    assert run.in_universes is run.in_backtest is run.universes
