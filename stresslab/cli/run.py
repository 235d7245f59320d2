"""`stresslab run`: from flags to a verdict on the terminal and a run's folder, by `stress_test`."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from stresslab.cli import options
from stresslab.cli.console import UNITS, OutputError, Reporter, complain, progress, say
from stresslab.cli.watch import watch
from stresslab.core.cache import Cache
from stresslab.core.checkpoints import LEDGER
from stresslab.core.errors import InputError, InterruptedRunError, StrategyError
from stresslab.core.whole_files import alone
from stresslab.runs.settings import StressConfig

if TYPE_CHECKING:
    from stresslab.analysis.result import StressResult
    from stresslab.data import Bars
    from stresslab.generators.base import Generator

FAILED_ON = 4
"""Exit code when a verdict is one that `--fail-on` names, or a limit is not shown to be kept."""

EXAMPLE = """Example:

stresslab run my_strategy.py --data my_bars.csv

stresslab run strategies/*.py --data sample:nasdaq --grid fast=5:20:5 --horizon 60
"""


@options.takes(StressConfig)
def run(ctx: typer.Context, settings: StressConfig) -> None:
    """Run strategies in universes that could have followed real bars, and judge them."""
    with options.output_folder(settings.out) as folder:
        with progress() as report:
            report("loading", 0, 1)
            bars = settings.bars()
            made = settings.make_generator(options.given_flags(ctx))
            report("loading", 1, 1, "; ".join([disk_told(settings, folder), *options.advice(made, settings.horizon)]))
            if not settings.watch:
                with new_work(folder) as work:
                    finished(settings, *conduct(ctx, settings, bars, made, work, report))
                return

        def once(last: StressResult | None) -> StressResult:
            with progress() as report, new_work(folder) as work:
                return conduct(ctx, settings, bars, made, work, report, last)[0]

        watch(once, settings.strategies)


def finished(settings: StressConfig, result: StressResult, saved: Path) -> None:
    """End with the exit code of the result.

    Raises:
        StrategyError: the code of a strategy failed.
        typer.Exit: a verdict is one that `fail_on` names, or limits are not kept.
    """
    if result.failed:
        raise StrategyError(f"{'; '.join(result.failed.values())}; the results of the others are in {saved}")
    broken = any(one.studies.limits is not None and not one.studies.limits.kept for one in result.strategies)
    if any(one.verdict.label in settings.fail_on for one in result.strategies) or (
        broken and "limits" in settings.fail_on
    ):
        raise typer.Exit(FAILED_ON)


def conduct(
    ctx: typer.Context,
    settings: StressConfig,
    bars: Bars,
    generator: Generator,
    work: Path,
    report: Reporter,
    last: StressResult | None = None,
) -> tuple[StressResult, Path]:
    """Run what the settings describe, with finished universes kept in `work` until the run's own folder is there.

    The verdict is printed as soon as it is known, before the studies that it does not need and before the page is made,
    and with it what is different from the last one.

    Returns:
        The result, and the run's folder.
    """
    from stresslab.runs.folder import finish_saving, load_run, save_run
    from stresslab.runs.inputs import INPUTS, keep_inputs
    from stresslab.runs.stress_test import stress_test

    with resumable(work), options.workers(settings, settings.jobs or os.cpu_count() or 1) as cluster:
        if not (work / INPUTS).exists():
            keep_inputs(work, settings, bars)
        saved = finish_saving(work)
        if saved is None:
            cache = None if settings.no_cache else Cache.of_user()
            if settings.grid:
                from stresslab.strategy.parameters import describe_grid

                report("grid", 1, 1, describe_grid(settings.grid))
            answer = Answer(report, settings.verbose, last)
            result = stress_test(
                bars=bars, generator=generator, progress=CacheNotes(report, cache), on_verdict=answer,
                **settings.arguments(cluster=cluster, work=work, cache=cache or False),
            )  # fmt: skip
            answer(result)
            unsaid = answer.unsaid
            report("report", 0, 1)
            saved = save_run(result, work.parent, ctx.find_root().obj.log.text(), work, work / INPUTS)
            report("report", 1, 1)
        else:
            result = load_run(saved)
            with report.still():
                unsaid = tell(verdict(result, settings.verbose))
    more = "" if settings.verbose else f"all of it: stresslab show {saved}\n"
    with report.still():
        unsaid = unsaid or tell(f"\n{more}report: {saved / 'report.html'}")
    if unsaid is not None:  # the run is stored, and its verdict stands
        complain(f"{unsaid}; the run is in {saved}")
    return result, saved


class Answer:
    """Prints the verdict when it is known, and again where the studies after it change what is to be said.

    Attributes:
        unsaid: why it could not be printed; None where it was.
    """

    def __init__(self, report: Reporter, verbose: bool, last: StressResult | None) -> None:
        self._report, self._verbose, self._last = report, verbose, last
        self._said = ""
        self.unsaid: OutputError | None = None

    def __call__(self, result: StressResult) -> None:
        """Print what is to be said of a result, unless that was the last thing printed."""
        text = verdict(result, self._verbose, self._last)
        if text == self._said:
            return
        self._said = text
        with self._report.still():
            self.unsaid = tell(text)


def verdict(result: StressResult, verbose: bool, last: StressResult | None = None) -> str:
    """What a run prints when it is done; after another one, with what is different now."""
    from stresslab.report.formats.changes import changes
    from stresslab.report.formats.text import brief

    text = str(result) if verbose else brief(result)
    return text if last is None else f"{text}\n\n{changes(last, result)}"


def tell(text: str) -> OutputError | None:
    """Print a text; returns why that is not possible."""
    try:
        say(text)
    except OutputError as error:
        return error
    return None


class CacheNotes:
    """Passes progress on, and notes at the end of a stage which part of what it sampled came from the cache."""

    def __init__(self, report: Reporter, cache: Cache | None) -> None:
        self._report, self._cache = report, cache
        self._before: dict[str, tuple[int, int]] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report how far a stage is."""
        now = (0, 0) if self._cache is None else (self._cache.hits, self._cache.misses)
        before = self._before.setdefault(stage, now)
        hits, misses = (new - old for new, old in zip(now, before, strict=True))
        note = ""
        if done >= total and hits and stage in UNITS:
            note = "in part from the cache" if misses else "from the cache"
        self._report(stage, done, total, note)


def disk_told(settings: StressConfig, folder: Path) -> str:
    """What the run needs on disk, in words; refused where that is not there."""
    from stresslab.core.limits import check_disk, rows_need
    from stresslab.strategy.parameters import grid_values

    sets = math.prod(len(grid_values(name, values)) for name, values in (settings.grid or {}).items())
    return f"results need {check_disk(folder, rows_need(settings.universes, len(settings.strategies) * sets))}"


@contextmanager
def new_work(folder: Path) -> Iterator[Path]:
    """A folder of its own for the finished universes of a run, in which no other process works."""
    work = folder / f".{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}.work"
    work.mkdir()
    with working_alone(work):
        yield work


LOCK = "lock"
"""File in a work folder that the process holds which works there."""


@contextmanager
def working_alone(work: Path) -> Iterator[None]:
    """Work in a work folder that no other process works in.

    Raises:
        InputError: another process does, or the folder is gone.
    """
    try:
        (work / LOCK).touch()
    except OSError as error:
        raise InputError(f"{work} cannot be worked in ({error.strerror}); name a folder of a stopped run") from None
    with alone(work / LOCK):
        yield


@contextmanager
def resumable(work: Path) -> Iterator[None]:
    """Whatever stops a run, what it has finished is kept and the command that continues it is printed.

    Raises:
        InterruptedRunError: the run was stopped, and can go on.
    """
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError, InputError) as error:
        if isinstance(error, StrategyError) or not (work / LEDGER).exists():
            shutil.rmtree(work, ignore_errors=True)
            raise
        why = str(error) or "interrupted"
        raise InterruptedRunError(
            f"{why}; finished universes are kept, go on with: stresslab resume {shlex.quote(str(work))}"
        ) from None
    shutil.rmtree(work, ignore_errors=True)
