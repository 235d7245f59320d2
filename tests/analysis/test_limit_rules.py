"""Limits as text."""

from __future__ import annotations

import pytest

from stresslab.analysis.limit_rules import Limit
from stresslab.core.errors import InputError


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("P(drawdown > 20%) <= 5%", Limit("drawdown", 0.2, True, 0.05)),
        ("p( drawdown > 0.2 ) <= 0.05", Limit("drawdown", 0.2, True, 0.05)),
        ("P(loss)<=30%", Limit("loss", None, True, 0.3)),
        ("VaR 95 <= 15%", Limit("VaR", 0.95, True, 0.15)),
        ("ES 97.5 <= 25%", Limit("ES", 0.975, True, 0.25)),
        ("ES 0.975 <= 25%", Limit("ES", 0.975, True, 0.25)),
        ("P(pass) >= 50%", Limit("pass", None, False, 0.5)),
        ("P(daily loss) <= 10%", Limit("daily_loss", None, True, 0.1)),
    ],
)
def test_a_limit_is_read_and_written(text: str, limit: Limit) -> None:
    """Percent and fractions mean the same, and what is written is read again."""
    assert Limit.parse(text) == limit
    assert Limit.parse(str(limit)) == limit


@pytest.mark.parametrize(
    "text", ["", "drawdown", "P(drawdown > 20) <= 5%", "P(loss) < 5%", "VaR 20 <= 5%", "P(luck) <= 5%", "P(loss) <= 5"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    """One line names the text and shows what to write."""
    with pytest.raises(InputError, match="limit") as refused:
        Limit.parse(text)
    assert "\n" not in str(refused.value)


def test_an_interval_decides() -> None:
    """Kept or broken where the interval lies on one side of the bound, else undecided."""
    most, least = Limit.parse("P(loss) <= 30%"), Limit.parse("P(pass) >= 30%")
    ends = [(0.1, 0.2), (0.4, 0.5), (0.2, 0.4)]
    assert [most.answer(0.0, *pair) for pair in ends] == [True, False, None]
    assert [least.answer(0.0, *pair) for pair in ends] == [False, True, None]
    assert most.answer(0.1, None, None) is None
