"""`stresslab realism`: do a generator's universes behave like this market? `stresslab.realism` assesses them.

Only bars up to the origin are used, the same that `stresslab run` would show the generator.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stresslab.cli import options
from stresslab.cli.console import Reporter, progress, say
from stresslab.core.errors import InputError
from stresslab.core.whole_files import put_text
from stresslab.runs.settings import RealismConfig

if TYPE_CHECKING:
    from stresslab.realism import Realism, TemperatureFit

EXAMPLE = """Example:

stresslab realism --data sample:nasdaq --generator garch --horizon 60 --out realism.json
"""
FORMAT_VERSION = 1


@options.takes(RealismConfig)
def realism(ctx: typer.Context, settings: RealismConfig) -> None:
    """Find out whether universes behave like the market: compare them with what followed at past origins."""
    path = _checked(settings.out)
    with progress() as report:
        report("loading", 0, 1)
        from stresslab.data.origin import split_at_origin
        from stresslab.report.formats.realism_text import render

        bars = settings.bars()
        history, _ = split_at_origin(bars, settings.origin, settings.horizon)
        made = settings.make_generator(options.given_flags(ctx))
        report("loading", 1, 1)
        found, fit = _assessed(history, made, settings, report)
    if path is not None:
        content: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "settings": settings.model_dump(mode="json", exclude={"out"}),
            "temperature_fit": None if fit is None else fit.to_dict(),
            "realism": found.to_dict(),
        }
        put_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")
    say(render(found, fit) + (f"\n\nwritten: {path}" if path else ""))


def _assessed(
    history: Any, made: Any, settings: RealismConfig, report: Reporter
) -> tuple[Realism, TemperatureFit | None]:
    """Fit the temperature where that is wanted, then assess, with progress."""
    from stresslab.data.market import Market
    from stresslab.generators.registry import make_generator
    from stresslab.realism import assess_realism, fit_temperature
    from stresslab.realism.assess import with_baselines
    from stresslab.realism.fit_temperature import TEMPERATURES, at_temperatures
    from stresslab.realism.rolling_origins import between, origin_positions

    others = {
        "bootstrap": make_generator("bootstrap"),
        "garch": make_generator("garch"),
        "random walk": make_generator("bootstrap", block=1),
    }
    identity = made.describe()
    others = {name: other for name, other in others.items() if other.describe() != identity}
    size: dict[str, Any] = {
        "origins": settings.realism_origins,
        "universes": settings.universes,
        "seed": settings.seed,
        "jobs": settings.jobs,
    }
    ends = origin_positions(len(history), settings.horizon, settings.realism_origins)
    further = [] if isinstance(history, Market) else between(ends, settings.horizon, settings.realism_origins)
    sampled = len(ends) * (1 + len(others) + settings.fit_temperature * len(TEMPERATURES)) + len(further)
    stage = _Stage(report, "realism", sampled)
    fit = None
    if settings.fit_temperature:
        fit = fit_temperature(history, at_temperatures(made), settings.horizon, progress=stage.advance, **size)
        made = made.adjusted(temperature=fit.temperature)
    found = assess_realism(history, made, settings.horizon, progress=stage.advance, **size)
    del size["origins"]
    return with_baselines(found, history, others, progress=stage.advance, **size), fit


class _Stage:
    """Counts what is done of one stage."""

    def __init__(self, report: Reporter, name: str, total: int) -> None:
        self.report, self.name, self.total, self.done = report, name, total, 0

    def advance(self, count: int) -> None:
        """`count` more are done."""
        self.done += count
        self.report(self.name, self.done, self.total)


def _checked(out: str | None) -> Path | None:
    """The file to write, refused before the work starts where it cannot be."""
    if out is None:
        return None
    path = Path(out)
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"--out {out} is not a file in a folder that is there; name one, for example realism.json")
    return path
