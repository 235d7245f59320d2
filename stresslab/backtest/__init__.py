"""Fills, costs and accounts: decisions become orders, orders become equity, one account per universe.

How a strategy decides is `stresslab.strategy`'s business, what an equity curve is worth `stresslab.statistics`'.
"""

from stresslab.backtest.costs import Costs
from stresslab.backtest.engine import backtest, buy_and_hold, check_settings
from stresslab.backtest.result import Backtest

__all__ = ["Backtest", "Costs", "backtest", "buy_and_hold", "check_settings"]
