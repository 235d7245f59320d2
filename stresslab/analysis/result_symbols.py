"""The typed content of a result over several symbols, as `result.json` holds it."""

from __future__ import annotations

from typing import Literal

from stresslab.analysis.result_models import Count, Estimate, Model, Number, Share


class SymbolPart(Model):
    """What one symbol brings to the account."""

    symbol: str
    backtest: Number
    """on the real bars before the origin, of the initial cash"""
    mean: Number
    """over the universes"""
    probability_of_loss: Share
    expected_shortfall_97_5: Estimate
    exposure: Number
    timing: Number
    """of one rule on all symbols: timing on its real bars in units of its error"""


class JointLosses(Model):
    """Losses of the whole under some dependence of its parts."""

    probability_of_loss: Share
    expected_shortfall_97_5: Estimate


class Diversification(Model):
    """Losses of the parts together, if they were independent, and if all were at their worst at once."""

    together: JointLosses
    independent: JointLosses
    at_once: JointLosses


class SymbolPair(Model):
    """How two symbols move together, in one-bar returns."""

    first: str
    second: str
    correlation_simulated: Number
    correlation_real: Number
    joint_losses_simulated: Number
    """share of the worst 5% of bars that both have together"""
    joint_losses_real: Number


class SymbolDependence(Model):
    """Dependence of the symbols, simulated and real before the origin."""

    pairs: tuple[SymbolPair, ...]
    """those that miss reality most"""
    correlation_error: Number
    joint_losses_ratio: Number
    bars: Count


class WorstUniverse(Model):
    """One of the worst joint universes."""

    universe: Count
    total_return: Number
    contributions: dict[str, Number]


class OneRule(Model):
    """The pooled evidence of one rule on many symbols, errors clustered by date."""

    breadth: Literal["general", "concentrated", "unproven"]
    p_value: Number
    p_value_without_best: Number
    together: Number
    without_best: Number
    effective_symbols: Number
    permutations: Count


class Symbols(Model):
    """A result over several symbols."""

    symbols: tuple[SymbolPart, ...]
    diversification: Diversification
    dependence: SymbolDependence
    worst: tuple[WorstUniverse, ...]
    rule: OneRule | None = None
    """null for a strategy that takes the market"""
