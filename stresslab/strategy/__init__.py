"""Strategies: the user's code, found in a file or given as a function, and called so that its faults are its own.

What it sees and answers is `stresslab.panel`'s business; whether it looks ahead is asked in `stresslab.lookahead`, what
it earns in `stresslab.backtest`.
"""

from stresslab.strategy.base import LOCATED, METHODS, Strategy, describe_failures
from stresslab.strategy.calls import PATIENCE, Log
from stresslab.strategy.form import Form
from stresslab.strategy.loading import load_strategies

__all__ = ["LOCATED", "METHODS", "PATIENCE", "Form", "Log", "Strategy", "describe_failures", "load_strategies"]
