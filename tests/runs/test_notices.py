"""What a reader must know before relying on a run."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from stresslab.analysis.result_models import Edge
from stresslab.analysis.strategy_run import StrategyRun
from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.runs import notices
from stresslab.runs.notices import of_calls, of_orders, of_unassessed
from stresslab.strategy import load_strategies
from stresslab.strategy.loading import import_seconds
from stresslab.strategy.lookahead.check import LookAheadReport
from stresslab.strategy.sandbox import CallLog
from tests.make.cases import timed_case
from tests.make.results import make_result


def test_orders_are_looked_at_on_both_sides_of_the_origin() -> None:
    """Contradictions and fills without a trade count on the real bars before the origin and after it."""

    def hold(bars: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        return bars.close > 0, bars.close < 0

    (strategy,) = load_strategies(hold, {})
    before = StrategyEvaluation(pd.DataFrame(), conflicts=2)
    after = StrategyEvaluation(pd.DataFrame(), conflicts=1, untraded=1)
    run = StrategyRun("hold", {}, LookAheadReport(), strategy, backtest=before, realised=after)
    first, second = of_orders([run])
    assert "contradicts itself in 3 real bars" in first
    assert "trades in 1 real bar " in second
    run.realised = None
    run.backtest = StrategyEvaluation(pd.DataFrame())
    assert of_orders([run]) == []


def test_whose_edge_was_not_assessed_is_said() -> None:
    """A strategy beyond those that are studied is named with the reason, and so is a portfolio."""
    _, edge, losses = timed_case()
    found = Edge.of(edge.to_dict() | {"losses": losses})
    first, second = make_result("follow", "hold", universes=50).strategies
    judged = replace(first, edge=found)
    assert of_unassessed([judged]) == []
    (notice,) = of_unassessed([judged, second])
    assert notice.startswith("The edge of hold was not assessed")
    assert "12 strategies with the best backtests" in notice
    (notice,) = of_unassessed([judged, replace(second, name="portfolio")])
    assert "has no rule of its own" in notice
    (notice,) = of_unassessed([second] * 3)
    assert notice.startswith("The edge of 3 strategies")


def test_code_that_warns_or_runs_when_it_is_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its warnings with their lines, and the seconds of a file that runs something of its own at each import."""
    path = tmp_path / "script.py"
    path.write_text("import time\ntime.sleep(0.2)\n\n\ndef signals(bars):\n    return bars.close > 0, bars.close < 0\n")
    (strategy,) = load_strategies(path, {})
    log = CallLog(warnings=["UserWarning at script.py line 3: mind"])
    run = StrategyRun("script", {}, LookAheadReport(), strategy)
    run.universes = StrategyEvaluation(pd.DataFrame(), log=log)
    monkeypatch.setattr(notices, "LONG_IMPORT_SECONDS", 0.1)
    assert of_calls([run]) == ["script's code warns: UserWarning at script.py line 3: mind."]
    began = time.perf_counter()
    strategy.twin()
    took = time.perf_counter() - began
    _, imported = of_calls([run])
    assert imported.startswith("script.py runs for 0.")
    assert 'under `if __name__ == "__main__":`' in imported
    assert 0.2 <= import_seconds(str(path)) <= took


def test_of_which_bars_a_long_history_is_judged_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where some parts look at the last bars alone."""
    assert notices.of_long_history(200_000, 999) == []
    monkeypatch.setattr(notices, "LONGEST", 500)
    assert notices.of_long_history(501, 0) == []
    (line,) = notices.of_long_history(501, 999)
    assert line == "Of 501 bars of history the last 500 decide whether its timing is luck; all else is of all of them."
    (line,) = notices.of_long_history(300_000, 0)
    assert "the last 200,000 decide the length of the bootstrap's blocks" in line
