"""A stress test from its settings alone: bars, generator, execution, test. What each does is their own business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stresslab.backtest import Costs, Sizing, Stops, Terms
from stresslab.config import SampleConfig, StressConfig
from stresslab.data import Bars, load_bars
from stresslab.execution import Workers
from stresslab.generators.base import Generator
from stresslab.generators.registry import make_generator, settings_of
from stresslab.ledger import Earlier
from stresslab.result import StressResult
from stresslab.stress import stress_test

COSTS = ("fees", "slippage", "fixed_fee", "slippage_volatility", "borrow", "funding", "min_trade")
OF_GENERATORS = ("model", "temperature", "top_p", "top_k", "context", "device", "dtype")
"""Settings that are a generator's own, where it has them."""


def bars_of(settings: SampleConfig) -> Bars:
    """The bars that the settings name."""
    return load_bars(settings.data, settings.since, settings.until, settings.repair, settings.exchange)


def generator_of(settings: SampleConfig, insisted: Mapping[str, Any] | None = None) -> Generator:
    """The generator that the settings name, with those of them that it takes.

    Args:
        settings: of a run.
        insisted: names of settings that were asked for; one that the generator does not take is refused.
    """
    known = settings_of(settings.generator)
    names = (name for name in OF_GENERATORS if name in known or name in (insisted or {}))
    return make_generator(settings.generator, **{name: getattr(settings, name) for name in names})


def terms_of(settings: StressConfig) -> Terms:
    """The terms of the accounts that the settings describe."""
    return Terms(
        Costs(**{name: getattr(settings, name) for name in COSTS}),
        Sizing.parse(settings.sizing),
        Stops(settings.stop_loss, settings.take_profit, settings.trailing_stop),
        settings.init_cash,
        settings.warmup,
        settings.position,
        settings.max_leverage,
        settings.risk_free,
    )


def stress(
    settings: StressConfig,
    bars: Bars,
    generator: Generator,
    progress: Callable[[str, int, int], None] | None = None,
    ledger: Earlier | None = None,
    cluster: Workers | None = None,
    work: Path | None = None,
) -> StressResult:
    """The stress test that the settings describe, on these bars and with this generator.

    `cluster` and `work` are those of `stress_test`. The ledger beside the runs says what was tested on the same bars
    before; for a run that is done again, what it said.
    """
    terms = terms_of(settings)
    return stress_test(
        list(settings.strategies),
        bars,
        generator,
        settings.universes,
        settings.horizon,
        settings.origin,
        terms.costs,
        settings.seed,
        params=settings.param,
        grid=settings.grid,
        strategy_timeout=settings.strategy_timeout,
        allow_failures=settings.allow_failures,
        warmup=terms.warmup,
        position=terms.position,
        init_cash=terms.init_cash,
        sizing=terms.sizing,
        stops=terms.stops,
        max_leverage=terms.max_leverage,
        risk_free=terms.risk_free,
        book=settings.book,
        origins=settings.origins_wanted,
        contrasts=settings.contrasts,
        knobs=settings.knobs,
        trials=settings.trials,
        ledger=settings.out if ledger is None else ledger,
        permutations=settings.permutations,
        precision=settings.precision,
        allow_lookahead=settings.allow_lookahead,
        realism_origins=settings.realism_origins,
        accept_untrusted=settings.accept_untrusted,
        jobs=settings.jobs,
        memory=settings.memory,
        cluster=cluster,
        work=work,
        progress=progress,
        config=settings.recorded(),
    )
