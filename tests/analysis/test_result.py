"""A result holds facts, and `result.json` has the names that readers rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stresslab.analysis.result_document import FORMAT_VERSION
from stresslab.analysis.result_models import LABELS
from stresslab.metrics.measures import MEASURES
from tests.make.results import make_result

TAILS = {"total_return", "annual_return", "max_drawdown", "excess_return", "pnl"}


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    """What `result.json` of two strategies holds, read back."""
    text = json.dumps(make_result("follow", "idle", universes=60, horizon=20).to_dict(), allow_nan=False)
    return dict(json.loads(text))


def test_the_file_says_its_version_and_its_parts(content: dict[str, Any]) -> None:
    """The names at the top, and what a run was."""
    assert content["format_version"] == FORMAT_VERSION == 4
    assert list(content) == ["format_version", "run", "strategies", "studies", "realism"]
    assert set(content["run"]) == {
        *("config", "data", "origin", "horizon", "universes", "generator", "generator_facts", "in_sample", "notices")
    }
    assert [entry["name"] for entry in content["strategies"]] == ["follow", "idle"]


def test_each_strategy_has_the_designs_names(content: dict[str, Any]) -> None:
    """Verdict with its checks, backtest, realised, universes and luck, each under its name."""
    for entry in content["strategies"]:
        assert {"name", "parameters", "verdict", "backtest", "realised", "universes", "luck"} <= set(entry)
        assert entry["verdict"]["label"] in LABELS
        assert entry["verdict"]["reasons"]
        for check in entry["verdict"]["checks"]:
            assert {"name", "value", "low", "high", "threshold", "passed"} <= set(check)
            assert check["passed"] in (True, False, None)
        assert list(entry["backtest"]) == list(entry["realised"]) == list(MEASURES)
        assert 0 <= entry["luck"]["realised_percentile"] <= 1


def test_the_universes_have_the_designs_names(content: dict[str, Any]) -> None:
    """Count, probabilities with intervals, and each measure's moments, quantiles and, in capital, its tail."""
    for entry in content["strategies"]:
        universes = entry["universes"]
        assert universes["count"] == 60
        assert set(universes["probability_of_loss"]) == {"value", "low", "high"}
        assert set(universes["probability_of_drawdown"]) == {"0.1", "0.2"}
        assert list(universes["measures"]) == list(MEASURES)
        for name, measure in universes["measures"].items():
            assert {"mean", "std", "min", "max", "quantiles"} <= set(measure)
            assert list(measure["quantiles"]) == ["0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99"]
            for tail in ("value_at_risk_95", "value_at_risk_99", "expected_shortfall_97_5"):
                assert (measure[tail] is not None) == (name in TAILS)
        low, high = universes["intervals"]["total_return.quantiles.0.5"]
        assert low <= universes["measures"]["total_return"]["quantiles"]["0.5"] <= high


def test_what_is_undefined_is_null(content: dict[str, Any]) -> None:
    """A strategy that never trades has no win rate; no figure is made up for it."""
    idle = content["strategies"][1]
    assert idle["backtest"]["win_rate"] is None
    assert idle["universes"]["measures"]["win_rate"]["mean"] is None
    assert idle["universes"]["measures"]["win_rate"]["undefined"] == 1
    assert idle["universes"]["never_traded"]["value"] == 1


def test_history_and_future_meet_at_the_origin() -> None:
    """The drawn bars part at the origin; without real bars after it there is no future."""
    result = make_result("hold", universes=10, horizon=20)
    assert result.history.timestamps[-1] == result.origin
    assert result.future is not None
    assert len(result.future) == 20
    assert result.future.timestamps[0] > result.origin
    assert len(result.history) + len(result.future) == len(result.bars)
    assert make_result("hold", universes=10, horizon=20, realised=False).future is None


def test_metrics_join_the_strategies() -> None:
    """One row per strategy and universe, in order."""
    result = make_result("hold", "follow", universes=5, horizon=20)
    assert list(result.metrics.columns) == ["strategy", "universe", *MEASURES]
    assert result.metrics["strategy"].tolist() == ["hold"] * 5 + ["follow"] * 5
    assert result.metrics["universe"].tolist() == [*range(5), *range(5)]


def test_a_result_reads_as_its_verdict() -> None:
    """Printed, it begins with what was concluded on which data."""
    result = make_result("hold", universes=50, horizon=20)
    assert result.strategies[0].verdict.label.upper() in str(result).upper()
