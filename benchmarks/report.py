"""How long does a report take, and how large is it? Seconds and bytes by format, beside what the run itself took.

    python benchmarks/report.py RUN                     # a stored run
    python benchmarks/report.py RUN --repeat 3          # each of its strategies three times

Seconds depend on the machine: what compares is the ratio to the time that the run itself took, which is printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stresslab.analysis.result import StressResult
from stresslab.report.formats.registry import FORMATS, render_all
from stresslab.runs.folder import load_run

LIMIT = 5_000_000
"""Bytes of a page that still goes through most mail servers."""


def repeated(result: StressResult, times: int) -> StressResult:
    """The same result with its strategies so many times, under other names."""
    named = [
        replace(one, name=f"{one.name} {round_ + 1}" if round_ else one.name)
        for round_ in range(times)
        for one in result.strategies
    ]
    return replace(result, strategies=named)


def main(arguments: Sequence[str] | None = None) -> int:
    """Render a run in every format and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--format", default="html,md,json,csv,parquet,svg,png")
    given = parser.parse_args(arguments)
    result = repeated(load_run(given.run), given.repeat)
    spent = sum(result.timings.values())
    print(f"{len(result.strategies)} strategies, {result.universes_count:,} universes; the run took {spent:.1f} s")
    for name in given.format.split(","):
        if name not in FORMATS:
            parser.error(f"{name!r} is not a format; choose from {', '.join(FORMATS)}")
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            render_all(result, Path(folder), [name])
            seconds = time.perf_counter() - started
            size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        over = " (too large to send)" if name == "html" and size > LIMIT else ""
        print(f"{name:<8}{seconds:7.2f} s  {seconds / spent:6.1%} of the run  {size / 1e6:6.2f} MB{over}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
