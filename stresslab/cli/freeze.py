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
    from stresslab.runs.folder import check_writable
    from stresslab.runs.trial_ledger import Entry, add, before
    from stresslab.strategy import load_strategies

    folder = Path(settings.out)
    check_writable(folder)
    bars = settings.bars()
    loaded = load_strategies(list(settings.strategies), settings.param, patience=settings.strategy_timeout)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for one in loaded:
        entry = Entry.of(bars, [one], settings.terms())
        earlier = before(folder, entry).frozen.get(0)
        if earlier is not None:
            since = datetime.fromtimestamp(earlier[0], UTC).replace(tzinfo=None)
            say(f"{one.name} was frozen before ({one.digest[:12]}), and the first time counts: bars after {since} that")
            say(f"  no run in {folder} had looked at then stay the fresh evidence on it; nothing is added")
            continue
        add(folder, {"time": now, **entry.to_dict(), "frozen": now})
        say(f"{one.name} is frozen ({one.digest[:12]}): bars after {bars.timestamps[-1]} that no run in {folder} has")
        say("  looked at are fresh evidence on it, as long as neither code nor parameters change; looks are counted")
