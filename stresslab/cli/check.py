"""`stresslab check`: does a strategy look ahead? The test is `stresslab.lookahead`'s; here it becomes an exit code."""

from __future__ import annotations

import typer

from stresslab.cli import options
from stresslab.cli.console import say
from stresslab.cli.options import DEFAULTS
from stresslab.config import StressConfig
from stresslab.errors import LookAheadError

EXAMPLE = """Example:

stresslab check strategies/sma_cross.py --data sample:nasdaq --param fast=10
"""


def check(
    ctx: typer.Context,
    strategies: options.Strategies = None,
    data: options.Data = None,
    since: options.Since = None,
    until: options.Until = None,
    repair: options.Repair = DEFAULTS.repair,
    param: options.Param = None,
    config: options.Config = None,
) -> None:
    """Find out whether strategies decide from bars that were not there yet; exit with 2 when one does."""
    settings = options.read_settings(ctx, StressConfig)
    from stresslab.data import load_bars
    from stresslab.lookahead import find_lookahead
    from stresslab.strategy import load_strategies

    loaded = load_strategies(list(settings.strategies), settings.param)
    bars = load_bars(settings.data, settings.since, settings.until, settings.repair)
    caught = []
    for strategy in loaded:
        report = find_lookahead(strategy, bars)
        say(f"{strategy.name}: {report}")
        if report.found:
            caught.append(strategy.name)
    if caught:
        raise LookAheadError(f"{', '.join(caught)} looks ahead; decide from bars up to the current one")
