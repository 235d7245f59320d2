"""`stresslab sample`: universes as parquet shards, the same ones that `run` would judge strategies in."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.cli.options import DEFAULTS
from stresslab.config import SampleConfig
from stresslab.errors import InputError

EXAMPLE = """Example:

stresslab sample --data sample:nasdaq --origin end --universes 5000 --out universes/nasdaq
"""


def sample(
    ctx: typer.Context,
    data: options.Data = None,
    since: options.Since = None,
    until: options.Until = None,
    repair: options.Repair = DEFAULTS.repair,
    exchange: options.Exchange = None,
    origin: options.Origin = None,
    horizon: options.Horizon = DEFAULTS.horizon,
    universes: options.Count = DEFAULTS.universes,
    generator: options.GeneratorName = DEFAULTS.generator,
    model: options.Model = DEFAULTS.model,
    temperature: options.Temperature = DEFAULTS.temperature,
    top_p: options.TopP = DEFAULTS.top_p,
    top_k: options.TopK = DEFAULTS.top_k,
    context: options.Context = None,
    device: options.Device = DEFAULTS.device,
    seed: options.Seed = DEFAULTS.seed,
    jobs: options.Jobs = DEFAULTS.jobs,
    out: options.NewFolder = None,
    config: options.Config = None,
) -> None:
    """Write universes as parquet shards: scenarios for other tools, training data for other models."""
    settings = options.read_settings(ctx, SampleConfig)
    if "out" not in settings.model_fields_set:
        raise InputError("no folder is given for the universes; add --out, for example --out universes/nasdaq")
    if any(Path(settings.out).glob("universes-*.parquet")):
        raise InputError(f"--out {settings.out} already holds universes; name a new folder, so that none are mixed")
    with options.output_folder(settings.out) as folder, progress() as report:
        report("loading", 0, 1)
        from stresslab.data import load_bars
        from stresslab.generators.registry import make_generator
        from stresslab.stress import split_at_origin

        bars = load_bars(settings.data, settings.since, settings.until, settings.repair, settings.exchange)
        history, _ = split_at_origin(bars, settings.origin, settings.horizon)
        made = make_generator(settings.generator, **options.generator_settings(ctx, settings))
        report("loading", 1, 1)
        finished = 0

        def advance(count: int) -> None:
            nonlocal finished
            finished += count
            report("sampling", finished, settings.universes)

        report("sampling", 0, settings.universes)
        jobs = settings.jobs or os.cpu_count() or 1
        sampled = made.sample(history, settings.horizon, settings.universes, settings.seed, jobs=jobs, progress=advance)
        report("writing", 0, 1)
        shards = sampled.save(folder)
        report("writing", 1, 1)
    say(f"{sampled}\n{len(shards)} shard{'s' if len(shards) > 1 else ''} in {folder}")
