"""`stresslab run`: from flags to a verdict on the terminal and a run's folder; the work is `stress_test`'s."""

from __future__ import annotations

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.cli.options import DEFAULTS
from stresslab.config import StressConfig

FAILED_ON = 4
"""Exit code when a verdict is one that `--fail-on` names."""

EXAMPLE = """Example:

stresslab run strategies/sma_cross.py --data sample:nasdaq --param fast=10

stresslab run strategies/*.py --data my_bars.csv --origin 2024-06-28 --horizon 60
"""


def run(
    ctx: typer.Context,
    strategies: options.Strategies = None,
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
    param: options.Param = None,
    warmup: options.Warmup = DEFAULTS.warmup,
    position: options.Position = DEFAULTS.position,
    fees: options.Fees = DEFAULTS.fees,
    slippage: options.Slippage = DEFAULTS.slippage,
    init_cash: options.InitCash = DEFAULTS.init_cash,
    allow_lookahead: options.AllowLookahead = False,
    realism_origins: options.RealismOrigins = DEFAULTS.realism_origins,
    accept_untrusted: options.AcceptUntrusted = False,
    fail_on: options.FailOn = None,
    jobs: options.Jobs = DEFAULTS.jobs,
    out: options.Out = DEFAULTS.out,
    config: options.Config = None,
) -> None:
    """Run strategies on universes that could have followed real bars, and judge them."""
    settings = options.read_settings(ctx, StressConfig)
    with options.output_folder(settings.out) as folder, progress() as report:
        report("loading", 0, 1)
        from stresslab.backtest import Costs
        from stresslab.data import load_bars
        from stresslab.generators.registry import make_generator
        from stresslab.stress import stress_test

        bars = load_bars(settings.data, settings.since, settings.until, settings.repair, settings.exchange)
        made = make_generator(settings.generator, **options.generator_settings(ctx, settings))
        report("loading", 1, 1)
        result = stress_test(
            list(settings.strategies),
            bars,
            made,
            settings.universes,
            settings.horizon,
            settings.origin,
            Costs(settings.fees, settings.slippage),
            settings.seed,
            params=settings.param,
            warmup=settings.warmup,
            position=settings.position,
            init_cash=settings.init_cash,
            allow_lookahead=settings.allow_lookahead,
            realism_origins=settings.realism_origins,
            accept_untrusted=settings.accept_untrusted,
            jobs=settings.jobs,
            progress=report,
            config=settings.model_dump(mode="json"),
        )
        report("report", 0, 1)
        saved = result.save(folder)
        report("report", 1, 1)
    say(f"{result}\n\nreport: {saved / 'report.html'}")
    if any(strategy.verdict.label in settings.fail_on for strategy in result.strategies):
        raise typer.Exit(FAILED_ON)
