"""The typed content of the backtest over time: periods, rolling figures and drawdowns."""

from __future__ import annotations

from pydantic import Field

from stresslab.analysis.result_models import Count, Model, Number


class Period(Model):
    """A year or a month of the backtest."""

    period: str
    total_return: Number
    benchmark: Number
    """of buy and hold"""
    max_drawdown: Number


class RollingSharpe(Model):
    """The annual Sharpe ratio of the last bars of the backtest, over time."""

    window: int = Field(ge=2)
    """bars"""
    times: tuple[str, ...]
    values: tuple[Number, ...]
    """null where returns do not vary"""


class YearReturns(Model):
    """A calendar year of the backtest."""

    year: int
    months: tuple[Number, ...] = Field(min_length=12, max_length=12)
    """returns from January on; null for a month without bars"""
    total_return: Number


class DrawdownSpell(Model):
    """A fall of the backtest below its highest value so far."""

    depth: Number
    """a fraction, at most 0"""
    start: str
    """of the high"""
    low: str
    end: str | None
    """when the high was reached again; null while it was not"""
    bars: Count
    """from the high to its end, or to the last bar"""
    days: float


class TearSheet(Model):
    """The backtest as people know it from tear sheets."""

    rolling_sharpe: RollingSharpe | None
    """null where there are too few bars"""
    years: tuple[YearReturns, ...]
    drawdowns: tuple[DrawdownSpell, ...]
    """the deepest first"""
