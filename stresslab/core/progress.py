"""The stages of a run: the seconds that each took, and progress reports; in a notebook, one line below the cell."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Progress = Callable[[str, int, int], None]
EVERY = 0.2
"""Seconds between two updates of a notebook's line."""


class NotebookLine:
    """A line below the running cell, rewritten as stages go on."""

    def __init__(self) -> None:
        self._began = self._shown = time.monotonic()
        self._handle: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say how far a stage is, now and then."""
        now = time.monotonic()
        if now - self._shown >= EVERY:
            self._shown = now
            self._write(f"{stage}: {done:,} of {total:,}" if total > 1 else stage)

    def finish(self) -> None:
        """Say how long it took."""
        self._write(f"finished in {time.monotonic() - self._began:.1f} s")

    def _write(self, text: str) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display({"text/plain": text}, raw=True, display_id=True)  # type: ignore[no-untyped-call] # IPython
        else:
            self._handle.update({"text/plain": text}, raw=True)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@dataclass
class Stages:
    """Seconds per stage, and where progress is reported; stages that take turns are timed separately.

    Attributes:
        progress: called with (stage, done, total); None reports to a line in a notebook, and elsewhere nowhere.
        seconds: by stage.
        reported: time of the last report.
    """

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)
    reported: float = 0.0

    def __post_init__(self) -> None:
        """Begin a line in a notebook unless progress is reported elsewhere."""
        if self.progress is None and in_notebook():
            self.progress = NotebookLine()

    def finish(self) -> None:
        """All stages are done."""
        if isinstance(self.progress, NotebookLine):
            self.progress.finish()

    def taken(self) -> dict[str, float]:
        """Seconds by stage, of those that are done."""
        return {stage: round(seconds, 3) for stage, seconds in self.seconds.items()}

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Callable[[int], None]]:
        """Time a stage; yields a function to call with the amount newly done."""
        done = 0

        def tick() -> None:
            now = time.perf_counter()
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self.reported
            self.reported = now

        def advance(amount: int = 1) -> None:
            nonlocal done
            done = min(total, done + amount)
            tick()
            if self.progress is not None:
                self.progress(name, done, total)

        self.reported = time.perf_counter()
        advance(0)
        yield advance
        if done < total:
            advance(total - done)
        tick()


@dataclass
class Countdown:
    """Passes progress on up to what was announced, and the rest at the end, where less was needed.

    Attributes:
        left: what has been announced and not yet been passed on.
        advance: called with the amount newly done.
    """

    left: int
    advance: Callable[[int], None]

    def __call__(self, amount: int = 1) -> None:
        """So much more is done."""
        amount = min(amount, self.left)
        self.left -= amount
        self.advance(amount)

    def finish(self) -> None:
        """All of it is done."""
        if self.left:
            self(self.left)
