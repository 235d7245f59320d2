"""Stress results that pages, texts and pictures are made of."""

from __future__ import annotations

from typing import Any

import pytest

from stresslab.analysis.result import StressResult
from stresslab.runs.plan import Compute, Studies
from stresslab.runs.stress_test import stress_test
from tests.make.bars import make_bars
from tests.make.results import make_realism, make_result
from tests.realism.cases import Walk

NOTICES = [
    "warning: row 212 (2014-06-09): the open is 0.5 times the previous close, as after an unadjusted split",
    "no amount: it is volume times the mean of open, high, low and close",
]


@pytest.fixture(scope="session")
def single() -> StressResult:
    """One strategy, with a real outcome, a warning and a note."""
    return make_result("follow", universes=200, notices=NOTICES)


@pytest.fixture(scope="session")
def forward() -> StressResult:
    """One strategy without real bars after the origin."""
    return make_result("churn", universes=100, realised=False)


@pytest.fixture(scope="session")
def several() -> StressResult:
    """Every synthetic strategy, among them one that never trades, so that many of its measures are undefined."""
    return make_result("hold", "follow", "churn", "favour", "idle", universes=100, drift=8e-4)


@pytest.fixture(scope="session")
def assessed() -> StressResult:
    """One strategy in universes whose realism was assessed, with everything that a generator can tell about itself."""
    cuts = {
        "settings": {"top_p": 0.9},
        "origins": 4,
        "volatility_ratio": {"value": 0.81, "low": 0.79, "high": 0.83},
        "tail_ratio": {"value": 0.74, "low": 0.7, "high": 0.79},
    }
    trip = {"volatility_ratio": 1.043, "lag_one": -0.08, "lag_one_real": -0.02, "bars": 392.0}
    ratios = {"volatility": {"value": 0.97, "low": 0.9, "high": 1.05}}
    found = make_realism(
        width=0.6,
        support=0.01,
        notes=("top_p=0.9: bars are 0.81 times as volatile.",),
        diagnostics={"round_trip": trip, "cuts": cuts},
        baselines={"garch": {"origins": 24, "crps_ratio": ratios}},
    )
    return make_result("follow", universes=60, realism=found)


@pytest.fixture(params=["single", "forward", "several", "assessed"])
def result(request: pytest.FixtureRequest) -> StressResult:
    """Each of the results above."""
    found: StressResult = request.getfixturevalue(request.param)
    return found


def hold(bars: Any) -> Any:
    """Always long."""
    return bars.close * 0 + 1.0


def trend(bars: Any, window: int = 10) -> Any:
    """Long above the moving average."""
    return (bars.close > bars.close.rolling(window).mean()).astype(float)


@pytest.fixture(scope="session")
def studied() -> StressResult:
    """Two strategies and a book on a made-up market, with everything that can be asked of them."""
    return stress_test(
        [hold, trend],
        make_bars(900),
        Walk(),
        universes=80,
        horizon=40,
        studies=Studies(
            walk_forward=5,
            alternative_generators=True,
            generator_sweep=True,
            portfolio={"hold": 0.6, "trend": 0.4},
            permutations=19,
            realism_origins=0,
        ),
        compute=Compute(jobs=1),
    )
