"""What a person sees while and after a command works: results on stdout, progress on stderr.

What is worth saying is decided by the commands and the report.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, TextIO

import typer

from stresslab.core.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

UNITS = {
    "realism": "origins",
    "sampling": "universes",
    "walk-forward": "folds",
    "alternative generators": "generators",
    "generator sweep": "settings",
    "evidence": "universes",
    "studies": "universes",
    "training": "steps",
}
"""What the long stages count; these show a rate and an estimate."""
AT_MOST = ("evidence", "studies")
"""Of these, the stages that may end before all that they announce: their last line has no count and no rate."""
LOG = logging.getLogger(__name__)
EVERY = 10.0
"""Seconds between two plain lines of one stage."""


class Reporter(Protocol):
    """Called with how far each stage has come."""

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` units of a stage are finished; `note` is what else is to be seen."""
        ...

    def still(self) -> AbstractContextManager[None]:
        """While something else is printed, nothing moves on the terminal."""
        ...


class OutputError(InputError):
    """What a command has to say cannot be written to stdout."""


def say(text: str) -> None:
    """Print to stdout; a reader that has gone (`| head`) is no error.

    Raises:
        OutputError: it cannot be written, for example because a disk is full.
    """
    _written(lambda: typer.echo(text))


def finish() -> None:
    """Print what still waits to be.

    Raises:
        OutputError: it cannot be written.
    """
    _written(sys.stdout.flush)


def _written(write: Callable[[], object]) -> None:
    try:
        write()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise OutputError(f"the output cannot be written ({error.strerror})") from None


def note(text: str) -> None:
    """Print to stderr where that is possible: a closed stderr does not end a run."""
    try:
        typer.echo(text, err=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Send what is still to be printed nowhere, so that nothing fails when Python flushes it at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def open_standard_streams() -> None:
    """Give a process that was started with a closed stdin, stdout or stderr (`2>&-`) one that leads nowhere.

    Otherwise the next file to be opened would take its number, and get what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this stream's where it is closed
        setattr(sys, name, open(nowhere, "w" if number else "r", encoding="utf-8", closefd=False))


def complain(text: str) -> None:
    """One line on stderr; unprintable characters from file names and the like cannot reach the terminal."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    note(f"{typer.style('error:', fg='red')} {line}")


@contextmanager
def progress() -> Iterator[Reporter]:
    """Bars with a rate and an estimate on a terminal, which vanish at the end; plain short lines elsewhere."""
    if not sys.stderr.isatty():
        plain = PlainLines()
        yield Logged(plain)
        plain.release()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as shown:
        yield Logged(TerminalBars(shown))


class Logged:
    """Passes progress on, and logs when a stage begins and ends."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._started: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Log the first and the last of a stage."""
        now = time.monotonic()
        if stage not in self._started:
            self._started[stage] = now
            LOG.info("%s begins", stage, extra={"stage": stage, "total": total})
        if done >= total:
            seconds = round(now - self._started[stage], 3)
            LOG.info("%s ends", stage, extra={"stage": stage, "total": total, "seconds": seconds, "note": note})
        self._reporter(stage, done, total, note)

    def still(self) -> AbstractContextManager[None]:
        """See `Reporter.still`."""
        return self._reporter.still()


class TerminalBars:
    """One bar per stage on a terminal."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._tasks: dict[str, tuple[TaskID, float]] = {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Move the bar of a stage."""
        if stage not in self._tasks:
            self._tasks[stage] = self._shown.add_task(stage, total=total, rate=""), time.monotonic()
        task, started = self._tasks[stage]
        notes = [text for text in (rate(stage, done, time.monotonic() - started), note) if text]
        self._shown.update(task, completed=done, total=total, rate=", ".join(notes))

    @contextmanager
    def still(self) -> Iterator[None]:
        """Take the bars away, and show them again."""
        self._shown.stop()
        try:
            yield
        finally:
            self._shown.start()


class PlainLines:
    """One line per finished stage, and now and then one of a long stage.

    Lines are held back until universes come in or a model is being trained, so that a mistake found before that is
    the only line there is.
    """

    def __init__(self) -> None:
        self._held: list[str] | None = []
        self._started: dict[str, float] = {}
        self._spoken: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Say that a stage is finished, or how far a long one is."""
        now = time.monotonic()
        seconds = now - self._started.setdefault(stage, now)
        more = f", {note}" if note else ""
        if stage in UNITS and done:
            self.release()
        if done >= total:
            counted = stage in UNITS and stage not in AT_MOST
            unit = UNITS[stage].removesuffix("s" if total == 1 else "") if counted else ""
            count, speed = (f" {total:,} {unit}", rate(stage, done, seconds)) if counted else ("", "")
            line = " ".join(f"{stage}:{count} in {seconds:.1f} s {speed}".split())
            self._say(line + more)
        elif done and stage in UNITS and now - self._spoken.setdefault(stage, now) >= EVERY:
            self._spoken[stage] = now
            left = seconds * (total - done) / done
            speed = rate(stage, done, seconds)
            self._say(f"{stage}: {done:,} of {total:,} {UNITS[stage]}, {speed}, {left:.0f} s left{more}")

    def still(self) -> AbstractContextManager[None]:
        """Lines never move."""
        return nullcontext()

    def release(self) -> None:
        """Print what was held back."""
        held, self._held = self._held, None
        for line in held or ():
            note(line)

    def _say(self, line: str) -> None:
        if self._held is None:
            note(line)
        else:
            self._held.append(line)


def rate(stage: str, done: int, seconds: float) -> str:
    """Units per second of a long stage; empty for the others and before there is a rate."""
    if stage not in UNITS or not done or seconds <= 0:
        return ""
    speed = done / seconds
    return f"{speed:,.{0 if speed >= 10 else 1}f} {UNITS[stage]}/s"
