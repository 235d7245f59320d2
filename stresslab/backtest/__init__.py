"""Fills, costs and accounts: decisions become orders, orders become equity, one account per universe.

`stresslab.strategy` makes the decisions, `stresslab.metrics` measures the equity curves.
"""

from stresslab.backtest.costs import Costs
from stresslab.backtest.engine import CHUNK, backtest, buy_and_hold
from stresslab.backtest.result import Backtest
from stresslab.backtest.terms import Sizing, Stops, Terms

__all__ = ["CHUNK", "Backtest", "Costs", "Sizing", "Stops", "Terms", "backtest", "buy_and_hold"]
