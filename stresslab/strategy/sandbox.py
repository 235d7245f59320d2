"""Calls of the user's code: bounded in time and memory, its printing kept aside, its errors reported as its own.

What is called and what its answer means is for others to know. A loop in Python is stopped wherever it runs; a single
step of compiled code (one endless matrix product, a sleep outside the main thread) ends only by itself.
"""

from __future__ import annotations

import ctypes
import io
import linecache
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from stresslab.core.errors import StrategyError, StrategyLimitError
from stresslab.strategy.remedies import remedy

CALL_TIMEOUT_SECONDS = 300.0
"""Seconds that one call may take: all universes of a chunk, or one universe where they are taken one by one."""
SHARE = 0.5
"""Of the memory that is free, what one call may ask for."""
MIN_MEMORY = 256 * 2**20
"""Bytes that it may ask for however little is free."""
SHOWN = 200
"""Characters of what was printed that are shown."""
MAX_WARNINGS = 3
"""Warnings of the code's own lines that are kept."""
_LIBRARIES = frozenset(
    {"site-packages", "dist-packages", "stresslab", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
)
"""Folders whose files are not the user's."""
_AGAIN = 0.5
"""Seconds after which code that swallowed the order to stop gets it again."""


class FrameworkWarning(UserWarning):
    """What an adapter says of a class that is not run here as its author runs it."""


class _OverdueError(BaseException):
    """Time is up; no `except Exception` of the user's stops it."""


def _nobody(universes: int) -> None:
    """Nobody counts the universes."""


@dataclass
class CallLog:
    """What calls left behind beside their answers.

    Attributes:
        characters: how many were printed.
        beginning: the first of them.
        failures: why the code failed, by id of the universe, where that was excused.
        warnings: what its own lines warned of, each once, the first of them.
        advance: called with the number of universes after each call of the code.
    """

    characters: int = 0
    beginning: str = ""
    failures: dict[int, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    advance: Callable[[int], object] = field(default=_nobody, repr=False, compare=False)

    def write(self, text: str) -> None:
        """Note what was printed."""
        self.beginning += text[: max(0, SHOWN - len(self.beginning))]
        self.characters += len(text)

    def add(self, other: CallLog) -> None:
        """What another call left behind too."""
        self.beginning = (self.beginning + other.beginning)[:SHOWN]
        self.characters += other.characters
        self.failures.update(other.failures)
        self.warn(*other.warnings)

    def warn(self, *texts: str) -> None:
        """Note what was warned of, where it is new."""
        self.warnings = list(dict.fromkeys([*self.warnings, *texts]))[:MAX_WARNINGS]

    def take(self) -> CallLog:
        """What was noted so far; nothing is from now on."""
        taken = CallLog(self.characters, self.beginning, self.failures, self.warnings)
        self.characters, self.beginning, self.failures, self.warnings = 0, "", {}, []
        return taken


@contextmanager
def blaming(who: str, file: str, seconds: float = CALL_TIMEOUT_SECONDS) -> Iterator[None]:
    """Run the user's code for so many seconds at most, and turn its errors into one line with its own line of code.

    Args:
        who: how the line begins.
        file: where the code is.
        seconds: after which it is stopped.

    Raises:
        StrategyError: the code raised.
        StrategyLimitError: it took too much time or memory.
    """
    try:
        with _in_time(seconds):
            yield
    except StrategyError:
        raise
    except _OverdueError as error:
        line = _own_line(error, file)
        raise StrategyLimitError(
            f"{who} took longer than {seconds:g} s{line}; end the loop there, or allow more with `strategy_timeout`"
        ) from None
    except MemoryError as error:
        raise StrategyLimitError(
            f"{who} asked for more memory than there is for it{_own_line(error, file)}; keep less at once"
        ) from error
    except (Exception, SystemExit, GeneratorExit) as error:
        text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())[:300]
        raised = f"{type(error).__name__}: {text}" if text else type(error).__name__
        raise StrategyError(f"{who} raised {raised}{_own_line(error, file)}; {remedy(error, text)}") from error


def _own_line(error: BaseException, file: str) -> str:
    """The last line of code in the traceback that stands in the user's file or in a neighbour of it."""
    lines = [(at.filename, at.lineno, at.line) for at in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        lines.append((error.filename or file, error.lineno, (error.text or "").strip()))
    folder = os.path.dirname(os.path.realpath(file))
    for name, number, text in reversed(lines):
        if name == file or (file and name[0] != "<" and os.path.dirname(os.path.realpath(name)) == folder):
            return f", at {Path(name).name} line {number}: `{text:.80}`"
    return ""


@contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    """Raise in the calling thread when time is up: by a signal where that is possible, else from another thread."""
    free = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if free and signal.getsignal(signal.SIGALRM) in (signal.SIG_DFL, signal.SIG_IGN):
        with _by_signal(seconds):
            yield
    else:
        with _by_thread(seconds):
            yield


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    """It interrupts waiting as well, which the other way cannot."""
    running = True

    def overdue(*_: object) -> None:
        if running:
            raise _OverdueError

    before = signal.signal(signal.SIGALRM, overdue)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    order, done, caller = ctypes.pythonapi.PyThreadState_SetAsyncExc, threading.Event(), threading.get_ident()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            order(ctypes.c_ulong(caller), ctypes.py_object(_OverdueError))
            wait = _AGAIN

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        order(ctypes.c_ulong(caller), None)  # an order that came too late


@contextmanager
def aside(log: CallLog) -> Iterator[None]:
    """Keep what the main thread prints out of the terminal, and note how much it was and what the code warns of.

    Other threads print on.
    """
    before, me = (sys.stdout, sys.stderr), threading.get_ident()
    if threading.current_thread() is not threading.main_thread():  # of several, one would take the others' streams
        yield
        return
    sys.stdout, sys.stderr = (_Aside(log, me, stream) for stream in before)
    try:
        with _warning(log):
            yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def _warning(log: CallLog) -> Iterator[None]:
    """Note what the code's own lines warn of; all warnings go on to whoever listens. None where all are ignored."""
    action, text, category, *_ = warnings.filters[0] if warnings.filters else ("default", None, Warning)
    if action == "ignore" and text is None and category is Warning:
        yield
        return
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            yield
    finally:
        for one in caught:
            if issubclass(one.category, FrameworkWarning):
                log.warn(str(one.message))
            elif not _LIBRARIES.intersection(Path(one.filename).parts):
                line = linecache.getline(one.filename, one.lineno).strip()
                said = " ".join(str(one.message).split())
                place = f"{Path(one.filename).name} line {one.lineno}" + (f", `{line:.80}`" if line else "")
                log.warn(f"{one.category.__name__} at {place}: {said:.160}")
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


class _Aside(io.TextIOBase):
    """A stream that notes what one thread writes and passes on what others do, such as a progress bar's."""

    def __init__(self, log: CallLog, thread: int, other: TextIO) -> None:
        self._log, self._thread, self._other = log, thread, other

    def write(self, text: str) -> int:
        """Note it or pass it on."""
        if threading.get_ident() != self._thread:
            return self._other.write(text)
        self._log.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other, name)

    def writable(self) -> bool:
        """It is."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override] # read-only here
        """As the stream's."""
        return self._other.encoding


@contextmanager
def within_memory() -> Iterator[None]:
    """Let this process have so much more memory and no more, where the system can refuse it (Linux, main thread)."""
    limit = _limit() if threading.current_thread() is threading.main_thread() else None
    if limit is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    ends = [one for one in (soft, hard) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([limit, *ends]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _limit() -> int | None:
    """Bytes of data that this process may have: what it has and a share of what is free; None where that is unknown."""
    try:
        mine = _kilobytes("/proc/self/status", "VmData:")
        free = _kilobytes("/proc/meminfo", "MemAvailable:")
    except (OSError, ValueError, IndexError):
        return None
    return mine + max(MIN_MEMORY, int(SHARE * free))


def _kilobytes(path: str, name: str) -> int:
    """Bytes of a line such as `VmData:   123 kB`."""
    for line in Path(path).read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise ValueError(f"{path} has no {name}")
