"""The typed content of what is known of choosing a strategy: trials, their discount, and re-optimisation."""

from __future__ import annotations

from pydantic import Field

from stresslab.analysis.result_models import Count, Edge, Model, Number


class DeflatedSharpe(Model):
    """The deflated Sharpe ratio of one strategy's backtest (Bailey & Lopez de Prado 2014)."""

    sharpe: Number
    """of one bar"""
    probabilistic: Number
    """probability that the true ratio is above 0, had this been the only trial"""
    threshold: Number
    """expected best ratio of as many trials without skill, of one bar"""
    deflated: Number
    """probability that the true ratio is above that"""
    trials: Number
    skewness: Number
    kurtosis: Number


class Overfitting(Model):
    """Probability of backtest overfitting (Bailey et al. 2017)."""

    probability: Number
    loss: Number
    slope: Number
    halvings: Count
    trials: Count


class SuperiorAbility(Model):
    """Hansen's test of superior predictive ability, and the strategies that are better than buy and hold."""

    lower: Number
    consistent: Number
    upper: Number
    superior: tuple[str, ...]
    block: Number


class Selection(Model):
    """What choosing among the strategies of a run does to their backtests."""

    strategies: Count
    trials: Number
    """as the user gave them; null for these strategies alone"""
    own_trials: float
    effective_trials: float
    assumed: bool = False
    """whether trials were assumed, since none were reported"""
    deflated_sharpe: dict[str, DeflatedSharpe]
    overfitting: Overfitting | None
    superior_ability: SuperiorAbility | None


class Ledger(Model):
    """What was tested on the same bars before this run."""

    runs: Count
    variants: Count
    trials: float
    repeated: float
    unread: Count
    elsewhere: float = 0.0
    """trials of the same code on other markets and in bars of another length"""
    frozen: dict[str, tuple[int, int]] = Field(default_factory=dict)
    """by position of a frozen strategy: the last second seen before, and looks at later bars since"""


class TradedWindow(Model):
    """One window of a walk-forward re-optimisation."""

    start: str
    """its first bar"""
    strategy: str
    """the set that was best on all bars before it"""


class Reoptimisation(Model):
    """Parameters chosen before each window of real bars: the procedure's out-of-sample account, one trial."""

    windows: tuple[TradedWindow, ...]
    bars: Count
    sharpe: Number
    """annual, net of costs"""
    total_return: Number
    edge: Edge
