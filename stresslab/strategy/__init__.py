"""Strategies: the user's code, found in a file or given as a function, and called so that its faults are its own.

What it sees and answers is in `strategy.panel`; whether it looks ahead in `strategy.lookahead`, what it earns in
`backtest`.
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
