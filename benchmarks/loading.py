"""How long long files take to load, and how much memory: one-minute bars, made up, in each kind of file.

    python benchmarks/loading.py --bars 5000000 --kinds csv,csv.gz,csv.zip,parquet,sqlite,duckdb --run

Each line is a process of its own: seconds, seconds of processors and peak resident memory of `stresslab.load_bars`; the
import before it counts in the memory only. With `--run` the last line is a whole `stresslab run` on the CSV.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

KINDS = ("csv", "epochs.csv", "csv.gz", "csv.zip", "parquet", "feather", "sqlite", "duckdb")
ROOT = Path(__file__).parent.parent
STRATEGY = ROOT / "strategies" / "sma_cross.py"


def made_up(count: int, seed: int = 0) -> pd.DataFrame:
    """Bars of a random walk, a minute apart around the clock, with prices to the cent."""
    rng = np.random.default_rng(seed)
    close = np.round(20_000 * np.exp(np.cumsum(rng.standard_normal(count) * 3e-4)), 2)
    opened = np.concatenate([close[:1], close[:-1]])
    spread = np.round(np.abs(rng.standard_normal((2, count))) * 2e-4 * close, 2)
    return pd.DataFrame({
        "timestamp": pd.date_range("2014-01-01", periods=count, freq="min"),
        "open": opened,
        "high": np.round(np.maximum(opened, close) + spread[0], 2),
        "low": np.round(np.minimum(opened, close) - spread[1], 2),
        "close": close,
        "volume": np.round(rng.gamma(1.0, 50.0, count), 3),
    })  # fmt: skip


def write(frame: pd.DataFrame, kind: str, folder: Path) -> str:
    """One file of a kind; what `load_bars` calls it."""
    path, plain = folder / f"bars.{kind}", folder / "bars.csv"
    if kind == "epochs.csv":
        frame.assign(timestamp=frame["timestamp"].astype("int64") // 10**6).to_csv(path, index=False)
    elif kind.startswith("csv"):
        if not plain.exists():
            frame.to_csv(plain, index=False, date_format="%Y-%m-%d %H:%M:%S")
        if kind == "csv.gz":
            with plain.open("rb") as source, gzip.open(path, "wb", compresslevel=3) as target:
                shutil.copyfileobj(source, target)
        elif kind == "csv.zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                archive.write(plain, "bars.csv")
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "feather":
        frame.to_feather(path)
    elif kind == "sqlite":
        with sqlite3.connect(path) as connection:
            frame.assign(timestamp=frame["timestamp"].astype(str)).to_sql("bars", connection, index=False)
        return f"sqlite:{path}:bars"
    else:
        import duckdb

        with duckdb.connect(str(path)) as connection:
            connection.register("made_up", frame)
            connection.execute("CREATE TABLE bars AS SELECT * FROM made_up")
        return f"duckdb:{path}:bars"
    return str(path)


def once(source: str) -> dict[str, float]:
    """One measurement in this process."""
    import stresslab

    stresslab.load_bars("sample:nasdaq")  # what is imported at first use
    started, used = time.perf_counter(), time.process_time()
    bars = stresslab.load_bars(source)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return {"bars": len(bars), "seconds": seconds, "cpu": cpu, "peak_mib": peak()}


def peak(pid: int | str = "self") -> float:
    """Peak resident memory of a process in MiB, as Linux keeps it (`ru_maxrss` would count its parent's, too)."""
    try:
        lines = Path("/proc", str(pid), "status").read_text().splitlines()
    except OSError:
        return 0.0
    return max((int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:")), default=0.0)


def run(source: str, folder: Path, extra: Sequence[str]) -> dict[str, float]:
    """A whole run on a file, from the command line."""
    command = [sys.executable, "-m", "stresslab", "run", str(STRATEGY), "--data", source, "--out", "reports", *extra]
    before = os.times().children_user + os.times().children_system
    started, most = time.perf_counter(), 0.0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, env=environment())
    while process.poll() is None:
        most = max(most, peak(process.pid))
        time.sleep(0.1)
    used = os.times()
    seconds, cpu = time.perf_counter() - started, used.children_user + used.children_system - before
    return {"status": process.returncode, "seconds": seconds, "cpu": cpu, "peak_mib": most}


def environment() -> dict[str, str]:
    """This process's, with this source tree first."""
    places = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return os.environ | {"PYTHONPATH": places}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=5_000_000)
    parser.add_argument("--kinds", default=",".join(KINDS), help="separated by commas")
    parser.add_argument("--run", action="store_true", help="a whole run on the CSV, too")
    parser.add_argument("--flags", default="--generator bootstrap --horizon 240 --jobs 1", help="of that run")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one is not None:
        sys.stdout.write(json.dumps(once(given.one)) + "\n")
        return 0
    rows: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder, frame = Path(name), made_up(given.bars)
        sys.stdout.write(f"{'kind':12}{'file MiB':>10}{'seconds':>10}{'of CPU':>10}{'peak MiB':>10}\n")
        for kind in given.kinds.split(","):
            source = write(frame, kind, folder)
            size = (folder / f"bars.{kind}").stat().st_size / 2**20
            command = [sys.executable, __file__, "--one", source]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment())
            row = json.loads(done.stdout.splitlines()[-1])
            rows.append({"kind": kind, "file_mib": size, **row})
            sys.stdout.write(f"{kind:12}{size:10.0f}{row['seconds']:10.1f}{row['cpu']:10.1f}{row['peak_mib']:10.0f}\n")
            sys.stdout.flush()
        if given.run:
            del frame
            row = run(str(folder / "bars.csv"), folder, given.flags.split())
            rows.append({"kind": "run", **row})
            line = f"{'run':12}{'':10}{row['seconds']:10.1f}{row['cpu']:10.1f}{row['peak_mib']:10.0f}"
            sys.stdout.write(f"{line}  exit code {row['status']}\n")
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
