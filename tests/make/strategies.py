"""Strategies as a user writes them."""

from __future__ import annotations

from typing import Any


def hold(bars: Any) -> Any:
    """Always long."""
    return bars.close * 0 + 1.0


def trend(bars: Any, window: int = 10) -> Any:
    """Long above the moving average."""
    return (bars.close > bars.close.rolling(window).mean()).astype(float)


ABOVE_MEAN = """
def signals(bars, window=20):
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above
"""
