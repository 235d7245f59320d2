"""What every command line must keep, whatever it is given: an exit code, one line, nothing left behind, in bounds.

Where things go wrong is for the tests to find; here is only what counts as wrong.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stresslab.cli import main
from tests.make.bars import make_bars

OUT = ("--out", "out")
SMALL = ("--generator", "bootstrap", "--universes", "3", "--horizon", "5", "--jobs", "1", *OUT)
BARS = make_bars(90).frame.rename_axis("date").reset_index()
SECONDS = 20.0
"""Of one command; any of those that are tried takes a small part of one."""
MEMORY = 3 * 2**30
"""Bytes of address space that one command may take beyond what the process has."""
STAGES = (
    "loading", "grid", "realism", "look-ahead check", "real bars", "sampling", "backtest", "precision", "walk-forward",
    "alternative generators", "generator sweep", "conditions", "shocks", "evidence", "studies", "writing", "report",
    "training",
)  # fmt: skip
PROGRESS = re.compile(f"({'|'.join(STAGES)})[:,]")


class Broken(AssertionError):
    """The contract was broken."""


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    out: str
    err: str


def keeps_contract(arguments: list[str], place: Path, results: tuple[str, ...] = ("out",)) -> Outcome:
    """Run a command line in this process and check all that must hold.

    Args:
        arguments: of `stresslab`.
        place: folder of the case; nothing in it may change.
        results: names in it that a command that succeeds may write; they are deleted afterwards.
    """
    before = _files(place)
    try:
        outcome = _run(arguments)
        told = f"stresslab {' '.join(arguments)}\nexit {outcome.code}\n{outcome.err[-2000:]}"
        if outcome.code not in (0, 2, 3):
            raise Broken(f"exit code {outcome.code}: {told}")
        if "Traceback" in outcome.out + outcome.err or "our fault" in outcome.err:
            raise Broken(f"a traceback or our fault: {told}")
        if "memory is exhausted" in outcome.err:
            raise Broken(f"memory was taken before it was known to fit: {told}")
        lines = [line for line in outcome.err.splitlines() if not PROGRESS.match(line)]
        if outcome.code and not (len(lines) == 1 and lines[0].startswith("error: ") and len(lines[0]) > 20):
            raise Broken(f"not one line: {told}")
        if outcome.code == 0 and lines:
            raise Broken(f"an error that succeeds: {told}")
        after = _files(place, without=results if outcome.code == 0 else ())
        if after != before:
            raise Broken(f"left behind or changed {sorted(set(after.items()) ^ set(before.items()))}: {told}")
        return outcome
    finally:
        for name in results:
            shutil.rmtree(place / name, ignore_errors=True)


def _files(place: Path, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Names and sizes below a folder; caches of Python's aside."""
    found = {}
    for root, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in (*names, *folders):
            path = Path(root, name)
            key = path.relative_to(place).as_posix()
            if key.partition("/")[0] not in without:
                found[key] = os.lstat(path).st_size if name in names else "folder"
    return found


def _run(arguments: list[str]) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _bounded(), _as_it_was():
        code = main(arguments)
    return Outcome(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """A limit of time, and of memory where the system has one."""

    def late(*_: Any) -> None:
        raise TimeoutError(f"no answer within {SECONDS:.0f} s")

    old = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(OSError, ValueError):
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Forget what a user's module changed: the modules of one case must not help the next."""
    path, known = list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - known:
            if name.startswith("stresslab_strategies"):
                del sys.modules[name]
