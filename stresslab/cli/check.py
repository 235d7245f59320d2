"""`stresslab check`: does a strategy look ahead? `strategy.lookahead` tests it; this gives an exit code."""

from __future__ import annotations

import typer

from stresslab.cli import options
from stresslab.cli.console import say
from stresslab.core.errors import LookAheadError
from stresslab.runs.settings import StressConfig

EXAMPLE = """Example:

stresslab check strategies/sma_cross.py --data sample:nasdaq --param fast=10
"""


@options.takes(
    StressConfig, only=("strategies", "data", "since", "until", "repair", "param", "strategy_timeout", "warmup")
)
def check(ctx: typer.Context, settings: StressConfig) -> None:
    """Find out whether strategies decide from bars that were not there yet; exit with 2 when one does."""
    from stresslab.runs.notices import LONG_IMPORT_SECONDS
    from stresslab.strategy import load_strategies
    from stresslab.strategy.detect_style import detect_call_style
    from stresslab.strategy.loading import import_seconds
    from stresslab.strategy.lookahead.check import find_lookahead
    from stresslab.strategy.lookback import find_lookback

    loaded = load_strategies(list(settings.strategies), settings.param, patience=settings.strategy_timeout)
    bars = settings.bars()
    caught = []
    for one in loaded:
        strategy = detect_call_style(one, bars)
        report = find_lookahead(strategy, bars)
        say(f"{strategy.name}: {report}")
        if strategy.form.one_by_one:
            say(f"  written for one series: each universe is a call of its own, {1000 * strategy.form.seconds:,.0f} ms")
        if strategy.log.characters:
            say(f"  printed {strategy.log.characters:,} characters, which begin {strategy.log.beginning!r}")
        for text in strategy.log.warnings:
            say(f"  warns: {text}")
        if one.path is not None and import_seconds(one.path) >= LONG_IMPORT_SECONDS:
            say(f"  runs for {import_seconds(one.path):.1f} s each time it is imported; see docs/strategies.md")
        needed = find_lookback(strategy, bars, settings.warmup, settings.horizon)
        if needed is not None and not needed.enough:
            say(f"  {needed}")
        for finding in report.found[1:]:
            say(f"  also {finding}")
        if report.found:
            caught.append(strategy.name)
    if caught:
        raise LookAheadError(f"{', '.join(caught)} looks ahead; decide from bars up to the current one")
