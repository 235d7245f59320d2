"""What backtests on many universes cost: memory, and time as ratios measured in one run.

    python benchmarks/backtest.py            # the table
    python benchmarks/backtest.py --quick    # the same on few universes, to see that it runs

Timings of one comparison are taken in turns and their medians compared, since the machine has other work. Every figure
but the cold start is without the seconds that imports take.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stresslab.backtest import CHUNK, Costs, Terms, vectorbt_fills  # noqa: E402
from stresslab.backtest.evaluate import evaluate, measures  # noqa: E402
from stresslab.backtest.event_fills import Conditions, walk  # noqa: E402
from stresslab.backtest.orders import Signals, orders_of  # noqa: E402
from stresslab.data import load_bars  # noqa: E402
from stresslab.data.bars import FIELDS, Bars  # noqa: E402
from stresslab.data.universes import Universes  # noqa: E402
from stresslab.metrics.measures import MEASURES, MeasureInputs  # noqa: E402
from stresslab.strategy import load_strategies  # noqa: E402
from stresslab.strategy.panel import Panel  # noqa: E402

STRATEGY = str(ROOT / "strategies" / "sma_cross.py")
SAME = {
    "total_return": "total_return", "max_drawdown": "max_dd", "trades": "total_trades", "win_rate": "win_rate",
    "profit_factor": "profit_factor", "sharpe": "sharpe_ratio", "calmar": "calmar_ratio", "sortino": "sortino_ratio",
}  # fmt: skip
"""Measures that `Portfolio.stats` has too, and what it calls them."""


# ------------------------------------------------------------------------------------------------------- universes


def draw(history: Bars, count: int, horizon: int, seed: int, first: int = 0) -> Universes:
    """Universes of random walks after a history; quick to draw, and all that an engine can tell."""
    rng = np.random.default_rng([seed, first])
    steps = rng.normal(scale=0.01, size=(count, 2 * horizon)).astype(np.float32)
    walk = float(history.values[-1, 3]) * np.exp(np.cumsum(steps, axis=1))
    opens, closes = walk[:, ::2], walk[:, 1::2]
    values = np.empty((count, horizon, len(FIELDS)), dtype=np.float32)
    values[..., 0], values[..., 3] = opens, closes
    values[..., 1], values[..., 2] = np.maximum(opens, closes) * 1.003, np.minimum(opens, closes) * 0.997
    values[..., 4], values[..., 5] = 1.0, closes
    stamps = history.calendar.future(history.timestamps, horizon)
    return Universes(values, stamps, history, np.arange(first, first + count, dtype=np.int64))


def write(folder: Path, history: Bars, count: int, horizon: int) -> None:
    """Shards of 1,000 universes, drawn one after the other."""
    for first in range(0, count, CHUNK):
        part = draw(history, min(CHUNK, count - first), horizon, 7, first)
        (path,) = part.save(folder / "part")
        path.rename(folder / f"universes-{first:09d}.parquet")
    (folder / "part" / "history.parquet").rename(folder / "history.parquet")


# --------------------------------------------------------------------------------------------------------- timing


def in_turns(repeats: int, *functions: Callable[[], Any]) -> list[float]:
    """Median seconds of each function, called in turns after a first call of each."""
    seconds: list[list[float]] = [[] for _ in functions]
    for turn in range(repeats + 1):
        for function, spent in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            function()
            if turn:
                spent.append(time.perf_counter() - started)
    return [statistics.median(spent) for spent in seconds]


def engine(history: Bars, horizon: int, repeats: int, chunks: int) -> dict[str, Any]:
    """Engine and measures over `Portfolio.from_signals` alone, and against `Portfolio.stats` for the same measures."""
    import vectorbt

    (strategy,) = load_strategies(STRATEGY, {})
    prepared = []
    for number in range(chunks):
        universes = draw(history, CHUNK, horizon, 1, number * CHUNK)
        panel = Panel.of(universes, 500)
        orders = orders_of(strategy.decide(panel), panel.warmup, "carry")
        assert isinstance(orders, Signals)
        prices = {
            name: np.ascontiguousarray(universes.values[:, :, FIELDS.index(name)].T, dtype=np.float64)
            for name in ("open", "high", "low", "close")
        }
        prepared.append((orders, prices, universes))
    costs, cash, periods = Costs(), 100_000.0, history.periods_per_year

    def alone(orders: Signals, prices: dict[str, Any]) -> Any:
        return vectorbt.Portfolio.from_signals(
            prices["close"],
            *orders,
            price=prices["open"],
            size=np.inf,
            fees=costs.fees,
            slippage=costs.slippage,
            init_cash=cash,
            freq="1D",
        )

    def from_signals() -> None:
        for orders, prices, _ in prepared:
            alone(orders, prices)

    def filled(orders: Signals, prices: dict[str, Any], universes: Universes) -> Any:
        run, _ = vectorbt_fills.fill(
            orders, prices["open"], prices["close"], costs.fees, costs.slippage, cash, universes.ids,
            universes.timestamps,
        )  # fmt: skip
        return run

    def measured() -> None:
        for orders, prices, universes in prepared:
            run = filled(orders, prices, universes)
            measures(run, periods, run)  # any accounts do for a benchmark

    def walked() -> None:
        for orders, prices, universes in prepared:
            shape = prices["open"].shape
            conditions = Conditions(prices, np.full(shape, costs.slippage), np.full(shape, np.nan))
            run = walk(orders, conditions, Terms(), periods, universes.ids, universes.timestamps)
            measures(run, periods, run)

    base, ours, stepped = in_turns(repeats, from_signals, measured, walked)
    runs = [filled(*one) for one in prepared]
    at_once = Signals(*(np.concatenate(flags, axis=1) for flags in zip(*(one[0] for one in prepared), strict=True)))
    together = {name: np.concatenate([one[1][name] for one in prepared], axis=1) for name in ("open", "close")}
    few = max(1, repeats // 3)
    fresh = [alone(at_once, together) for _ in range(few + 1)]  # a portfolio keeps what it has once computed

    def same() -> None:
        for run in runs:
            account = MeasureInputs(run, periods, np.full(len(run), np.nan))
            for name in SAME:
                MEASURES[name].compute(account)

    quick, slow = in_turns(few, same, lambda: fresh.pop().stats(list(SAME.values()), agg_func=None))
    return {
        "engine and measures over from_signals alone": ours / base,
        "walked bar by bar and measured, over from_signals alone": stepped / base,
        "Portfolio.stats over the same measures of ours": slow / quick,
        "from_signals alone, ms per 1,000 universes": 1e3 * base / chunks,
    }


# -------------------------------------------------------------------------------------------------- other processes


def child(code: str, **environment: str) -> dict[str, Any]:
    """What a fresh interpreter prints as JSON, with its wall time in seconds."""
    started = time.perf_counter()
    variables = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) | {"wall": time.perf_counter() - started}


STREAM = """
import json, resource, time
from stresslab.backtest.evaluate import evaluate, measures
from stresslab.strategy import load_strategies
started = time.perf_counter()
(found,) = evaluate(load_strategies({strategy!r}, {{}}), {folder!r}, jobs={jobs}, patience=0)
print(json.dumps({{
    "seconds": time.perf_counter() - started,
    "universes": len(found.metrics),
    "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}}))
"""
COLD = """
import json
from numba.core import event
recorder = event.RecordingListener()
event.register("numba:compile", recorder)
from stresslab.backtest.evaluate import evaluate, measures
from stresslab.strategy import load_strategies
evaluate(load_strategies({strategy!r}, {{}}), {folder!r})
compiled = [str(one.data["dispatcher"]) for _, one in recorder.buffer if one.is_start]
print(json.dumps({{"compiled": compiled}}))
"""


def memory(folder: Path) -> dict[str, Any]:
    """Peak memory of a process that streams the universes of a folder."""
    found = child(STREAM.format(strategy=STRATEGY, folder=str(folder), jobs=1))
    return {
        f"peak memory of {found['universes']:,} universes from disk, GB": found["gigabytes"],
        "its universes per second": found["universes"] / found["seconds"],
    }


def processes(folder: Path, repeats: int) -> dict[str, Any]:
    """One process over two, on a folder's shards, once the second has started."""
    strategies = load_strategies(STRATEGY, {})

    def of(jobs: int) -> Callable[[], Any]:
        return lambda: evaluate(strategies, folder, jobs=jobs, patience=0.0)

    one, two = in_turns(repeats, of(1), of(2))
    before, after = (evaluate(strategies, folder, jobs=jobs, patience=0.0)[0].metrics for jobs in (1, 2))
    return {
        "one process over two, time": one / two,
        "identical in one process and in two": bool(before.equals(after)),
    }


def cold_start(folder: Path) -> dict[str, Any]:
    """Seconds of a process that backtests one shard, with an empty numba cache and with the one it left."""
    with tempfile.TemporaryDirectory() as cache:
        code = COLD.format(strategy=STRATEGY, folder=str(folder))
        cold, warm = (child(code, NUMBA_CACHE_DIR=cache) for _ in range(2))
    return {
        "cold start, empty numba cache, s": cold["wall"],
        "cold start, warm numba cache, s": warm["wall"],
        "functions that numba compiled": len(cold["compiled"]),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every figure, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--universes", type=int, default=100_000)
    parser.add_argument("--horizon", type=int, default=250)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="few universes: to see that it runs")
    parser.add_argument("--only", nargs="*", choices=("engine", "memory", "processes", "cold"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    if given.quick:
        given.universes, given.horizon, given.repeats = 2 * CHUNK, 20, 1
    history = load_bars("sample:nasdaq")
    parts = given.only or ["processes", "engine", "memory", "cold"]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folders = {name: Path(place) / name for name in ("all", "some", "one")}
        if "processes" in parts:  # first: the others leave gigabytes in memory and on their way to the disk
            write(folders["some"], history, min(given.universes, 20 * CHUNK), given.horizon)
            found |= processes(folders["some"], max(1, given.repeats // 5))
        if "engine" in parts:
            found |= engine(history, given.horizon, given.repeats, 1 if given.quick else 4)
        if "memory" in parts:
            write(folders["all"], history, given.universes, given.horizon)
            found |= memory(folders["all"])
        if "cold" in parts:
            write(folders["one"], history, CHUNK, given.horizon)
            found |= cold_start(folders["one"])
    for name, value in found.items():
        print(f"{name:<60} {value:>10.4g}" if not isinstance(value, bool) else f"{name:<60} {value!s:>10}")
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
