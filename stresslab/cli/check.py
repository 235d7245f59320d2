"""`stresslab check`: does a strategy look ahead? `strategy.lookahead` tests it; this gives an exit code."""

from __future__ import annotations

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.core.errors import LookAheadError
from stresslab.runs.settings import StressConfig

EXAMPLE = """Example:

stresslab check strategies/sma_cross.py --data sample:nasdaq --param fast=10
"""


@options.takes(
    StressConfig, only=("strategies", "data", "since", "until", "repair", "param", "strategy_timeout", "warmup")
)
def check(ctx: typer.Context, settings: StressConfig) -> None:
    """Find out whether strategies decide from bars that were not there yet; exit with 2 when one does.

    It says how much history they need, too.
    """
    from stresslab.runs.check_run import StrategyCheck
    from stresslab.runs.check_run import check as check_strategies

    with progress() as report:

        def found(one: StrategyCheck) -> None:
            with report.still():
                say(str(one))

        result = check_strategies(
            list(settings.strategies), settings.bars(), params=settings.param, warmup=settings.warmup,
            horizon=settings.horizon, timeout=settings.strategy_timeout, progress=report, found=found,
        )  # fmt: skip
    for text in result.notices:
        say(f"bars: {text}")
    if caught := result.looking_ahead:
        raise LookAheadError(f"{', '.join(caught)} looks ahead; decide from bars up to the current one")
