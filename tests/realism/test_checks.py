"""Answers of the gate: passed, failed, open or not assessable, by intervals of the confidence that each takes."""

from __future__ import annotations

import pytest

from stresslab.metrics.distribution import Interval
from stresslab.realism.checks import judged


@pytest.mark.parametrize(
    ("value", "half", "outcome"),
    [
        (1.0, 0.1, "passed"),
        (1.0, 0.3, "open"),  # it may lie outside
        (1.4, 0.5, "open"),  # outside, and chance explains it
        (1.4, 0.1, "failed"),
        (0.6, 0.1, "failed"),
        (1.1, 0.04, "passed"),  # not the ideal, but acceptable
        (float("nan"), 0.1, "not assessable"),
    ],
)
def test_an_interval_passes_fails_or_decides_nothing(value: float, half: float, outcome: str) -> None:
    """Passed inside the range, failed outside it and away from the ideal, open between."""
    check = judged("volatility", lambda _: Interval(value, value - half, value + half), (0.8, 1.2), 1.0, str, "none")
    assert check.outcome == outcome


def test_the_confidence_follows_the_question() -> None:
    """Acceptance takes the interval of two one-sided tests, rejection a stricter one, and the figure has its own."""
    asked: list[float] = []

    def measure(level: float) -> Interval:
        asked.append(level)
        return Interval(1.4, 1.4 - level, 1.4 + level)

    judged("volatility", measure, (0.8, 1.2), 1.0, str, "none")
    assert {0.90, 0.95} <= set(asked)
    assert max(asked) > 0.95
