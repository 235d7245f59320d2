"""`stresslab sample`: universes as parquet shards, the same ones that `run` would judge strategies in."""

from __future__ import annotations

import os

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.core.errors import InterruptedRunError
from stresslab.runs.settings import SampleConfig

EXAMPLE = """Example:

stresslab sample --data sample:nasdaq --origin end --universes 5000 --out universes/nasdaq

stresslab sample --data sample:crypto5 --universes 1000 --horizon 60 --out universes/crypto
"""


@options.takes(SampleConfig)
def sample(ctx: typer.Context, settings: SampleConfig) -> None:
    """Write universes as parquet shards: scenarios for other tools, training data for other models."""
    jobs = settings.jobs or os.cpu_count() or 1
    with options.output_folder(settings.out) as folder, progress() as report:
        report("loading", 0, 1)
        from stresslab.core.limits import check_disk, chunk_size, disk_need, parse_size
        from stresslab.data.market_index import symbols_of
        from stresslab.data.origin import split_at_origin
        from stresslab.generators.sharded import SampleRequest, sample_shards

        bars = settings.bars()
        history, _ = split_at_origin(bars, settings.origin, settings.horizon)
        made = settings.make_generator(options.given_flags(ctx))
        wanted = SampleRequest(made, history, settings.horizon, settings.universes, settings.seed)
        steps = settings.horizon * len(symbols_of(history))
        size = chunk_size(parse_size(settings.memory) if settings.memory else None, 1, steps)
        need = check_disk(folder, disk_need(settings.universes, steps))
        report("loading", 1, 1, "; ".join([f"universes need {need}", *options.advice(made, settings.horizon)]))
        finished = 0

        def advance(count: int) -> None:
            nonlocal finished
            finished += count
            report("sampling", finished, settings.universes)

        try:
            with options.workers(settings, jobs) as cluster:
                advance(0)
                shards = sample_shards(wanted, folder, size=size, jobs=jobs, cluster=cluster, progress=advance)
        except KeyboardInterrupt:
            raise InterruptedRunError("interrupted; run the same command again to go on from the last shard") from None
    symbols = symbols_of(history)
    of = f" of {len(symbols)} symbols" if len(symbols) > 1 else ""
    count = f"{settings.universes:,} universes{of} of {settings.horizon} bars after {history.timestamps[-1]}"
    say(f"{count}\n{len(shards)} shard{'s' if len(shards) > 1 else ''} in {folder}")
