"""Runs every benchmark whose table stands in the documentation, and writes what it prints between that table's marks.

    make figures                                   # all of it, hours; goes on where it was interrupted
    make figures FIGURES="sampler loop"            # some of them
    make figures QUICK=1                           # that the whole chain works, in minutes; no page is changed
    python benchmarks/figures.py --bars my_bars/   # those too that need bars of one's own (see `--list`)

A table stands between `<!-- table: printed by benchmarks/SCRIPT -->`, with a name of its own before where the script
prints several, and `<!-- end of table -->`. Above it come the command, the commit and the machine. Figures in sentences
are not written: read them against the tables. What was printed is kept in `build/figures/`, with the commit: a table
that was printed on this commit is not made again, and benchmarks that take hours go on from the files they keep there.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
END = "<!-- end of table -->"
CARD = "stresslab/generators/kronos/nano/README.md"


@dataclass(frozen=True)
class Figure:
    """One table of the documentation.

    Attributes:
        name: of its marks; a script's, with a word behind a hyphen where it prints several tables.
        page: where it stands.
        command: the script and its arguments; {keep} is a folder from which it goes on, {bars} the bars of one's own.
        quick: arguments with which it prints a table of the same kind within a minute.
        before: the bars that it needs, in words; empty where the bundled ones serve.
    """

    name: str
    page: str
    command: str
    quick: str
    before: str = ""

    @property
    def mark(self) -> str:
        """What begins the table in its page; the script's name is enough for its only table."""
        script = self.command.split()[0]
        return (
            f"<!-- table: {'' if f'{self.name}.py' == script else f'{self.name}, '}printed by benchmarks/{script} -->"
        )


FIGURES = (
    Figure("gate", "docs/realism.md", "gate.py --cases 200", "gate.py --cases 2 --faults none"),
    Figure(
        "gate_later", "docs/realism.md",
        "gate_later.py --data {bars} --plan benchmarks/held_out.json --keep {keep}/rows.jsonl",
        "", "a folder of parquet files of series that no training saw",
    ),
    Figure(
        "yardsticks", "docs/realism.md",
        "yardsticks.py --data {bars} --plan benchmarks/held_out.json --universes 64 --keep {keep}",
        "", "the same folder, and finval",
    ),
    Figure(
        "independence", "docs/realism.md", "independence.py --seeds 60 --tiles 16 --horizon 3 --keep {keep}/found.npz",
        "independence.py --seeds 4 --tiles 2 --horizon 5 --generator bootstrap",
    ),
    Figure(
        "realism", CARD,
        "realism.py --data {bars} --plan benchmarks/held_out.json --horizon 60 --universes 64 --keep {keep}",
        "", "the same folder",
    ),
    Figure(
        "joint", "docs/symbols.md",
        "joint.py --data sample:crypto5 --stride 5 --origins 300 --at-origin 64 --keep {keep}",
        "joint.py --data sample:crypto5 --bars 700 --origins 2 --at-origin 16 --universes 64 --skip laws,cost",
    ),
    Figure(
        "track", "docs/decisions.md", "track.py --lives 300",
        "track.py --lives 20 --case 'constant volatility, bootstrap'",
    ),
    Figure(
        "sampler-speed", "docs/sampler.md",
        "sampler.py --only speed --models nano,mini,small --universes 256,64,4096",
        "sampler.py --quick --only speed --models nano --universes 64",
    ),
    Figure(
        "sampler-memory", "docs/sampler.md", "sampler.py --only first,memory,origins",
        "sampler.py --quick --only first --models nano",
    ),
    Figure("sampler-dtype", "docs/sampler.md", "sampler.py --only dtype", "sampler.py --quick --only dtype"),
    Figure("sampler-window", "docs/sampler.md", "sampler.py --only window", "sampler.py --quick --only window"),
    Figure("loop", "docs/loop.md", "loop.py", "loop.py --rounds 1 --rows import,help"),
    Figure("whole", "docs/loop.md", "whole.py", "whole.py --quick"),
    Figure("scale", "docs/cluster.md", "scale.py --least 10000 --backend loky,dask", "scale.py --most 1000"),
    Figure(
        "loading", "docs/data.md", "loading.py --bars 5000000 --kinds csv,csv.gz,parquet,sqlite,duckdb --run",
        "loading.py --bars 20000 --kinds csv,parquet",
    ),
    Figure(
        "verdict", "docs/method.md", "verdict.py --seed 7 --out {keep}/verdict.json",
        "verdict.py --quick --cases size --out {keep}/verdict.json",
    ),
)  # fmt: skip


def printed(text: str) -> str:
    """What a benchmark printed as Markdown: its tables as they are, anything else as text."""
    text = text.strip()
    if not text:
        raise ValueError("nothing was printed")
    if re.search(r"^\|.*\|$", text, re.MULTILINE):
        return text
    return f"```text\n{text}\n```"


def written(page: str, figure: Figure, block: str) -> str:
    """A page with a block between the marks of a table.

    Raises:
        ValueError: the page does not have both marks, once each.
    """
    start = page.find(figure.mark)
    end = page.find(END, start)
    if start < 0 or page.count(figure.mark) != 1 or end < 0 or "<!-- table: " in page[start + 1 : end]:
        raise ValueError(f"{figure.page} has no table between {figure.mark} and {END}")
    return f"{page[: start + len(figure.mark)]}\n\n{block}\n\n{page[end:]}"


def commit() -> str:
    """The commit of this checkout, with a plus sign where tracked files have changed since."""
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "-uno", "--", "stresslab", "benchmarks"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return (head.stdout.strip() or "unknown") + ("+" if changed.stdout.strip() else "")


def machine() -> str:
    """Processors, their model where the system tells it, memory, and Python's version."""
    model = platform.machine()
    cpus, pages = Path("/proc/cpuinfo"), ("SC_PHYS_PAGES", "SC_PAGE_SIZE")
    if cpus.is_file() and (found := re.search(r"model name\s*: (.+)", cpus.read_text(encoding="utf-8"))):
        model = found[1].strip()
    memory = f", {os.sysconf(pages[0]) * os.sysconf(pages[1]) / 2**30:.0f} GiB" if hasattr(os, "sysconf") else ""
    return f"{os.cpu_count()} x {model}{memory}, Python {platform.python_version()}"


def ask(figure: Figure, folder: Path, bars: Path | None, quick: bool) -> tuple[str, str]:
    """The command of a table, and what it prints; both are kept, and found again on the same commit.

    Raises:
        RuntimeError: the benchmark failed, or printed nothing.
    """
    keep = folder / figure.name
    keep.mkdir(parents=True, exist_ok=True)
    line = (figure.quick if quick else figure.command).format(keep=keep, bars=bars)
    shown = f"python benchmarks/{(figure.quick if quick else figure.command).format(keep='KEEP', bars='BARS')}"
    stamp, output = f"{commit()}\n{line}\n", keep / "printed.txt"
    if output.is_file() and output.read_text(encoding="utf-8").startswith(stamp) and "+" not in stamp:
        return shown, output.read_text(encoding="utf-8").removeprefix(stamp)
    script, *words = shlex.split(line)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-u", str(ROOT / "benchmarks" / script), *words],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode or not done.stdout.strip():
        raise RuntimeError(f"{shown} ended with {done.returncode} and printed {len(done.stdout)} characters")
    output.write_text(stamp + done.stdout, encoding="utf-8")
    return shown, done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the tables that were asked for, and write them into their pages; exits with 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="tables, by name or script; all of them by default")
    parser.add_argument("--quick", action="store_true", help="few repetitions, and no page is changed")
    parser.add_argument("--bars", type=Path, help="folder of bars for the tables that need more than the bundled ones")
    parser.add_argument("--list", action="store_true", help="name the tables, their pages and what they need")
    parser.add_argument("--keep", type=Path, default=ROOT / "build" / "figures")
    given = parser.parse_args(arguments)
    known = {word for one in FIGURES for word in (one.name, one.name.partition("-")[0])}
    if unknown := set(given.names) - known:
        parser.error(f"{', '.join(sorted(unknown))}: no such table; `--list` names them")
    chosen = [one for one in FIGURES if not given.names or {one.name, one.name.partition("-")[0]} & set(given.names)]
    failed = 0
    for figure in chosen:
        needs = f"needs {figure.before}" if figure.before else ""
        if given.list:
            print(f"{figure.name:22}{figure.page:46}{needs}")
        elif figure.before and (given.bars is None or given.quick):
            print(f"{figure.name:22}left as it is: {needs}, given as --bars", flush=True)
        else:
            failed += not made(figure, given.keep / ("quick" if given.quick else "full"), given.bars, given.quick)
    return 1 if failed else 0


def made(figure: Figure, folder: Path, bars: Path | None, quick: bool) -> bool:
    """Make one table; whether that went well."""
    begun, path = time.perf_counter(), ROOT / figure.page
    try:
        written(path.read_text(encoding="utf-8"), figure, "")  # before hours are spent
        shown, text = ask(figure, folder, bars, quick)
        head = f"`{shown}`, commit {commit()}, {date.today():%Y-%m-%d}, {machine()}:"
        page = written(path.read_text(encoding="utf-8"), figure, f"{head}\n\n{printed(text)}")
        if not quick:
            path.write_text(page, encoding="utf-8")
    except (ValueError, RuntimeError) as error:
        print(f"{figure.name:22}failed: {error}", flush=True)
        return False
    print(f"{figure.name:22}{time.perf_counter() - begun:8.1f} s  {'' if quick else figure.page}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
