"""Typed facts about the backtest over time: nothing is lost on the way into `result.json`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from stresslab.analysis.result_backtest import TearSheet, YearReturns
from stresslab.metrics.tear_sheet import tear_sheet
from tests.make.kept import assert_kept

STAMPS = pd.date_range("2018-01-01", periods=900, freq="B")
EQUITY = 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(0).standard_normal(900)))


def test_nothing_is_lost() -> None:
    """The model holds the rolling ratio, every year and every drawdown that the formula gives."""
    assert_kept(TearSheet, tear_sheet(EQUITY, STAMPS, 252.0))


def test_a_year_has_twelve_months() -> None:
    """A month without bars is null, and not left out."""
    with pytest.raises(ValidationError, match="months"):
        YearReturns(year=2020, months=(0.1,) * 11, total_return=0.1)
