"""The stages of a run: how long each took, and who is told how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[str, int, int], None]


@dataclass
class Stages:
    """Seconds per stage, and the caller's progress callback; of stages that take turns, each has its own seconds."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)
    told: float = 0.0

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Callable[[int], None]]:
        """Time a stage; yields a function to call with the amount newly done."""
        done = 0

        def tick() -> None:
            now = time.perf_counter()
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self.told
            self.told = now

        def advance(amount: int = 1) -> None:
            nonlocal done
            done += amount
            tick()
            if self.progress is not None:
                self.progress(name, done, total)

        self.told = time.perf_counter()
        advance(0)
        yield advance
        if done < total:
            advance(total - done)
        tick()
