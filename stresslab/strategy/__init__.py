"""Strategies: the user's code, loaded from a file or given as a function, and called in bounds.

`strategy.panel` defines what it sees and answers, `strategy.lookahead` checks whether it looks ahead, and `backtest`
computes what it earns.
"""

from stresslab.strategy.call_style import Form
from stresslab.strategy.loading import load_strategies
from stresslab.strategy.sandbox import CALL_TIMEOUT_SECONDS, CallLog
from stresslab.strategy.strategy import LOCATED, METHODS, Strategy, describe_failures

__all__ = [
    "CALL_TIMEOUT_SECONDS",
    "LOCATED",
    "METHODS",
    "CallLog",
    "Form",
    "Strategy",
    "describe_failures",
    "load_strategies",
]
