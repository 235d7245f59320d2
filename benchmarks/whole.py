"""What whole runs take: seconds, processor seconds and peak memory of all processes, each from an empty cache.

    python benchmarks/whole.py                       # the demo, a grid of 200 sets, five symbols, a million universes
    python benchmarks/whole.py --rows demo,symbols
    python benchmarks/whole.py --checkout ../older   # the same commands by another checkout of stresslab

The memory of a run and of its workers is looked at ten times a second; what they share counts once. Seconds depend on
what else the machine does, processor seconds hardly.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from scale import family, resident

ROOT = Path(__file__).resolve().parents[1]
SEED = ("--seed", "7")
ROWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "demo": ("`make demo`: four strategies, 1,000 universes of 250 bars", ("strategies/*.py", "sample:bitcoin", *SEED)),
    "grid": (
        "a grid of 200 sets",
        ("strategies/sma_cross.py", "sample:bitcoin", *SEED, "--grid", "fast=2:21:1", "--grid", "slow=30:120:10"),
    ),
    "symbols": ("five symbols, one account", ("strategies/pairs.py", "sample:crypto5", *SEED)),
    "million": (
        "a million universes of 60 bars of the bootstrap",
        ("strategies/sma_cross.py", "sample:nasdaq", *SEED, "--generator", "bootstrap", "--horizon", "60",
         "--universes", "1000000"),
    ),
}  # fmt: skip
"""Rows by name: what people read, the strategies, the data, and the other flags."""
QUICK = ("--universes", "50", "--horizon", "20", "--realism-origins", "2", "--permutations", "19")


def measured(words: Sequence[str], checkout: Path) -> tuple[float, float, float, int]:
    """Seconds, processor seconds and peak MiB of one run, and its exit status."""
    strategies, data, *flags = words
    paths = sorted(str(path) for path in checkout.glob(strategies))
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPATH": str(checkout), "STRESSLAB_CACHE": f"{folder}/cache"}
        command = [sys.executable, "-m", "stresslab", "run", *paths, "--data", data, *flags, "--out", f"{folder}/out"]
        begun, seen, peak, over = time.perf_counter(), dict[int, float](), [0], threading.Event()
        run = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        def watch() -> None:
            while not over.wait(0.1):
                members = family(run.pid)
                peak[0] = max(peak[0], sum(resident(pid) for pid in members))
                seen.update((pid, used) for pid in members if (used := _processor(pid)))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        status = run.wait()
        over.set()
        watcher.join()
        return time.perf_counter() - begun, sum(seen.values()), peak[0] / 2**20, status


def _processor(pid: int) -> float:
    """Processor seconds of a process so far; workers that end are counted up to the last look at them."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the rows and print the table; exits with 1 where a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS), help="names, separated by commas")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="the checkout of stresslab that runs")
    parser.add_argument("--quick", action="store_true", help="few universes, to see that it runs")
    parser.add_argument("--flags", default="", help="further flags of every run")
    given = parser.parse_args(arguments)
    failed = 0
    print("| run | seconds | processor seconds | peak memory |\n|---|---:|---:|---:|", flush=True)
    for name in given.rows.split(","):
        title, words = ROWS[name]
        more = (*given.flags.split(), *(QUICK if given.quick else ()))
        seconds, busy, peak, status = measured((*words, *more), given.checkout.resolve())
        failed += status != 0
        ended = "" if status == 0 else f", exit code {status}"
        print(f"| {title}{ended} | {seconds:,.1f} | {busy:,.1f} | {peak:,.0f} MiB |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
