"""How long accounts take to be back."""

from __future__ import annotations

import math

import numpy as np

from stresslab.metrics.recovery import median_recovery, recovery_bars


def test_recovery_is_counted_from_the_last_bar_of_the_shock() -> None:
    """Back at once, after two bars, and never; what happened before the shock, or during it, is of no account."""
    equity = np.array(
        [
            [100.0, 100.0, 100.0],
            [120.0, 120.0, 120.0],  # before the shock
            [125.0, 60.0, 60.0],  # its first bar
            [121.0, 80.0, 70.0],  # its last
            [90.0, 119.0, 119.9],
            [80.0, 120.0, 119.0],
        ]
    )
    assert recovery_bars(equity, first=1, last=2).tolist() == [0.0, 2.0, math.inf]
    assert recovery_bars(equity, first=4, last=4).tolist() == [math.inf, 0.0, math.inf]


def test_median_counts_those_that_do_not_recover() -> None:
    """They are the longest: where fewer than half recover there is no median."""
    assert median_recovery([0, 3, math.inf]) == 3
    assert math.isnan(median_recovery([0, math.inf, math.inf]))
    assert median_recovery([1, 2, math.inf, math.inf]) == 2
    assert math.isnan(median_recovery([]))
