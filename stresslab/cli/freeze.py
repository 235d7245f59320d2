"""`stresslab freeze`: writes down that a strategy is finished, so that later bars are fresh evidence on it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer

from stresslab.cli import options
from stresslab.cli.console import say
from stresslab.runs.settings import StressConfig

EXAMPLE = """Example:

stresslab freeze strategies/sma_cross.py --data sample:nasdaq --param fast=10 --holdout 2Y
"""
SETTINGS = (
    "strategies", "data", "since", "until", "holdout", "repair", "param", "strategy_timeout", "out",
    "sizing", "stop_loss", "take_profit", "trailing_stop", "max_leverage",
)  # fmt: skip


@options.takes(StressConfig, only=SETTINGS)
def freeze(ctx: typer.Context, settings: StressConfig) -> None:
    """Write down code, imports, parameters and the last bar seen; bars after it count as fresh in later runs."""
    from stresslab.runs.trial_ledger import Entry, add, check_ledger
    from stresslab.strategy import load_strategies

    folder = Path(settings.out)
    check_ledger(folder)
    bars = settings.bars()
    loaded = load_strategies(list(settings.strategies), settings.param, patience=settings.strategy_timeout)
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for one in loaded:
        entry = Entry.of(bars, [one], settings.terms())
        add(folder, {"time": now, **entry.to_dict(), "frozen": now})
        say(f"{one.name} is frozen ({one.digest[:12]}): bars after {bars.timestamps[-1]} that no run in {folder} has")
        say("  looked at are fresh evidence on it, as long as neither code nor parameters change; looks are counted")
