"""How long does a developer wait? Seconds from a command, or from saving a file, to the verdict on the screen.

    python benchmarks/loop.py                             # every row, three rounds
    python benchmarks/loop.py --rounds 1 --rows again,live

Rounds are interleaved (each does every row once), and the median is shown, so that a busy minute of the machine decides
no row. Processor seconds of all processes stand beside: on a busy machine they say more than the clock.
"""

from __future__ import annotations

import argparse
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RULE = '''"""Long while the fast average is above the slow one."""


def signals(bars, fast=10, slow=30):
    above = bars.close.rolling(fast).mean() > bars.close.rolling(slow).mean()
    return above, ~above
'''
LOOP = '''"""Long while the close is less than one standard deviation below the mean of the last hundred, bar by bar."""

from statistics import fmean, pstdev


def on_bar(state, bar):
    closes = state.setdefault("closes", [])
    closes.append(float(bar.close))
    del closes[:-100]
    return 1.0 if closes[-1] > fmean(closes) - pstdev(closes) else 0.0
'''
VERDICT, CHANGED = "Strategy ", "Changed "
"""How the line begins that says the verdict, and the one that says what changed."""
DATA = "sample:bitcoin"


@dataclass(frozen=True)
class Size:
    """How much is computed.

    Attributes:
        universes: of a run.
        horizon: bars of each.
        more: further flags, of every run.
    """

    universes: int
    horizon: int
    more: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """Of the command line."""
        return ["--universes", str(self.universes), "--horizon", str(self.horizon), *self.more]


@dataclass
class Bench:
    """A folder to work in, with a cache of its own.

    Attributes:
        place: the folder.
        size: of the runs.
        changes: how often the rule was changed, so that each change is a new one.
    """

    place: Path
    size: Size
    changes: int = 0
    live: Any = None
    commands: list[str] = field(default_factory=lambda: [sys.executable, "-m", "stresslab"])

    def environment(self, cache: str) -> dict[str, str]:
        """Of a process, with a cache of that name."""
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        return os.environ | {"STRESSLAB_CACHE": str(self.place / cache), "PYTHONPATH": paths}

    def changed(self, name: str = "rule.py", source: str = RULE) -> Path:
        """A strategy with one line changed since the last time."""
        self.changes += 1
        path = self.place / name
        path.write_text(source.replace("rolling(fast)", f"rolling(fast + {self.changes})"))
        return path

    def command(self, path: Path, cache: str, *flags: str, whole: bool = True) -> tuple[float, float]:
        """Seconds until the verdict of a run is on the screen, and processor seconds until then.

        The run is then left to its end, unless not the `whole` of it is wanted.
        """
        words = [*self.commands, "run", str(path), "--data", DATA, *self.size.flags(), "--out", str(self.place), *flags]
        with Lines(words, self.environment(cache)) as lines:
            seconds = lines.until(VERDICT)
            busy = lines.processor_seconds()
            if whole:
                lines.rest()
        return seconds, busy

    def first(self) -> tuple[float, float]:
        """The first run of a strategy: nothing is in the cache."""
        return self.command(self.changed(), f"cold-{self.changes}")

    def again(self) -> tuple[float, float]:
        """The run after one line was changed."""
        return self.command(self.changed(), "warm")

    def watching(self) -> tuple[float, float]:
        """From saving a change to what changed, while `--watch` is at work."""
        path = self.changed()
        words = [
            *self.commands,
            "run",
            str(path),
            "--data",
            DATA,
            *self.size.flags(),
            "--out",
            str(self.place),
            "--watch",
        ]
        with Lines(words, self.environment("warm")) as lines:
            lines.until("watching for changes")
            before = lines.processor_seconds()
            started = time.perf_counter()
            self.changed()
            lines.until(CHANGED)
            return time.perf_counter() - started, lines.processor_seconds() - before

    def in_process(self) -> tuple[float, float]:
        """`stress_test` in a process that has done it before."""
        import stresslab as sl

        os.environ["STRESSLAB_CACHE"] = str(self.place / "warm")
        bars = sl.load_bars(DATA)
        words = {"universes": self.size.universes, "horizon": self.size.horizon}
        if self.live is None:
            self.live = sl.stress_test(str(self.changed()), bars, **words)
        path = str(self.changed())
        return timed(lambda: setattr(self, "live", sl.stress_test(path, bars, **words)))

    def page(self) -> tuple[float, float]:
        """Page, figures and tables of a run."""
        from stresslab.report import write_report

        if self.live is None:
            self.in_process()
        with tempfile.TemporaryDirectory(dir=self.place) as folder:
            return timed(lambda: write_report(self.live, Path(folder)))

    def imported(self) -> tuple[float, float]:
        """`import stresslab`."""
        return self.process([sys.executable, "-c", "import stresslab"])

    def help(self) -> tuple[float, float]:
        """`stresslab run --help`."""
        return self.process([*self.commands, "run", "--help"])

    def process(self, words: list[str]) -> tuple[float, float]:
        """A process, from start to end."""
        with Lines(words, self.environment("warm")) as lines:
            lines.rest()
            return lines.spent(), 0.0

    def grid(self) -> tuple[float, float]:
        """200 sets of parameters."""
        return self.command(self.changed(), "warm", "--grid", "fast=2:21:1", "--grid", "slow=30:120:10")

    def per_universe(self, jobs: int) -> tuple[float, float]:
        """A strategy that runs bar by bar in each universe, with so many processes; no realism, no permutations."""
        path = self.place / "loop.py"
        path.write_text(LOOP)
        flags = ("--jobs", str(jobs), "--realism-origins", "0", "--permutations", "0")
        return self.command(path, "warm", *flags, whole=False)


class Lines:
    """A process whose output is read line by line."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def until(self, beginning: str) -> float:
        """Seconds from the start of the process to a line that begins so."""
        while (line := self._lines.get()) is not None:
            self._seen.append(line)
            if line.startswith(beginning):
                return self.spent()
        raise RuntimeError(f"no line began with {beginning!r}:\n{''.join(self._seen[-20:])}")

    def rest(self) -> None:
        """Wait for the end."""
        while self._lines.get() is not None:
            pass
        self._process.wait()

    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    def processor_seconds(self) -> float:
        """Of the process and of those that it started and that still run, where the system tells."""
        return sum(_ticks(number) for number in [self._process.pid, *_children(self._process.pid)])


def _ticks(number: int) -> float:
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _children(number: int) -> list[int]:
    try:
        found = [int(one) for one in Path(f"/proc/{number}/task/{number}/children").read_text().split()]
    except OSError:
        return []
    return found + [deeper for one in found for deeper in _children(one)]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds and processor seconds of some work in this process."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - busy


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: by which it is chosen.
        title: in the table.
        must: seconds at most; None where another row says it.
        measure: does it once.
    """

    name: str
    title: str
    must: float | None
    measure: Callable[[Bench], tuple[float, float]]


ROWS = (
    Row("first", "first run of one strategy, to the verdict", 35.0, Bench.first),
    Row("again", "again with one line changed, process start included", 5.0, Bench.again),
    Row("live", "in a live Python process", 1.5, Bench.in_process),
    Row("watch", "--watch: from saving to what changed", 3.0, Bench.watching),
    Row("import", "import stresslab", 0.4, Bench.imported),
    Row("help", "stresslab run --help", 0.4, Bench.help),
    Row("grid", "a grid of 200 sets, to the verdict", 60.0, Bench.grid),
    Row("loop-1", "a strategy that runs bar by bar, 1 process", None, lambda bench: bench.per_universe(1)),
    Row("loop-2", "a strategy that runs bar by bar, 2 processes", None, lambda bench: bench.per_universe(2)),
    Row("page", "page, figures and tables", 2.0, Bench.page),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the rows in rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", default=",".join(row.name for row in ROWS))
    parser.add_argument("--universes", type=int, default=1000)
    parser.add_argument("--horizon", type=int, default=250)
    parser.add_argument("--flags", default="", help="further flags of every run, for example '--generator bootstrap'")
    given = parser.parse_args(arguments)
    chosen = [row for row in ROWS if row.name in given.rows.split(",")]
    found: dict[str, list[tuple[float, float]]] = {row.name: [] for row in chosen}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), Size(given.universes, given.horizon, tuple(given.flags.split())))
        if any(row.name not in ("first", "import", "help") for row in chosen):
            bench.again()  # fills the cache
        for _ in range(given.rounds):
            for row in chosen:
                found[row.name].append(row.measure(bench))
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"{given.universes:,} universes of {given.horizon} bars, {DATA}, {os.cpu_count()} processors, load {load}")
    print(f"{'median of ' + str(given.rounds):<55}{'seconds':>9}{'processor':>11}{'must':>7}")
    for row in chosen:
        seconds, busy = (statistics.median(values) for values in zip(*found[row.name], strict=True))
        must = "" if row.must is None else f"{row.must:g}"
        print(f"{row.title:<55}{seconds:>9.2f}{busy or float('nan'):>11.2f}{must:>7}")
    if found.get("loop-1") and found.get("loop-2"):
        one, two = (statistics.median(value for value, _ in found[name]) for name in ("loop-1", "loop-2"))
        print(f"{'2 processes against one':<55}{one / two:>8.2f}x{'':>11}{'1.8x':>7}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
