"""`stresslab run --watch`: the run again whenever a strategy's code is saved, and what that changed.

All of it happens in this process, so that imports, weights and universes are there already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stresslab.cli.console import complain, say
from stresslab.core.errors import InputError, StrategyError
from stresslab.core.safe_files import digest_of

if TYPE_CHECKING:
    from stresslab.analysis.result import StressResult

EVERY = 0.1
"""Seconds between two looks at the files."""


def watch(
    once: Callable[[StressResult | None], StressResult],
    strategies: Sequence[str],
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Run, and run again after every change of a strategy's file or of a local module that it imports, until Ctrl-C.

    A mistake in the code is a line on the terminal, and the next change is waited for.

    Args:
        once: runs the strategies, prints the verdict and what is different from the last result, and returns the new.
        strategies: as they were named.
        pause: waits so many seconds.
    """
    last: StressResult | None = None
    try:
        while True:
            files = files_of(strategies)
            seen = contents(files)
            try:
                last = once(last)
                for reason in last.failed.values():
                    complain(reason)
            except StrategyError as error:
                complain(str(error))
            except InputError as error:
                if last is None:  # a flag is wrong, not the code
                    raise
                complain(str(error))
            say("\nwatching for changes; Ctrl-C ends")
            while contents(files) == seen:
                pause(EVERY)
            pause(EVERY)  # an editor may still be writing
    except KeyboardInterrupt:
        if last is None:
            raise
        say("")


def files_of(strategies: Sequence[str]) -> list[Path]:
    """The files of strategies and of the local modules that they import."""
    from stresslab.runs.inputs import strategy_path
    from stresslab.strategy.sources import local_sources

    found = []
    for text in strategies:
        file = strategy_path(text)
        found += [file.parent / name for name in local_sources(file)] if file.is_file() else [file]
    return found


def contents(files: Sequence[Path]) -> list[str | None]:
    """The hash of each file; None of one that is not there, for example while an editor replaces it."""
    return [digest_of(file) for file in files]
