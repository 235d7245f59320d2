"""Stress results that pages, texts and pictures are made of."""

from __future__ import annotations

import pytest

from stresslab.result import StressResult
from tests.results import make_result

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


@pytest.fixture(params=["single", "forward", "several"])
def result(request: pytest.FixtureRequest) -> StressResult:
    """Each of the results above."""
    found: StressResult = request.getfixturevalue(request.param)
    return found
