"""How fast are universes sampled, and how much memory does it take? Ratios measured in one run.

    python benchmarks/sampler.py                          # the table
    python benchmarks/sampler.py --quick                  # the same on few universes, to see that it runs
    python benchmarks/sampler.py --official ~/Kronos      # beside a checkout of the official code, in turns
    python benchmarks/sampler.py --device cuda --models small,base --universes 10000

Random weights of the published shapes and the bundled model; context 400, horizon 120, the window wide enough for
both, decoding to bars included. A path-bar is one bar of one universe. Timings of one comparison are taken in turns,
since the machine has other work, and medians are quoted, of ratios where it says so.

The official code keeps nothing between bars, so that its speed is that of a bar: few paths are drawn from a context of
460 bars, the mean length of the window, once for one bar and once for some more; the difference is the time of the
latter. Its encoding of the context and its decoding are so left out, to its advantage.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stresslab.data import load_bars  # noqa: E402 # runs from a source tree that is not installed
from stresslab.data.bars import Bars  # noqa: E402
from stresslab.generators.kronos.checkpoint import save_model, save_tokenizer  # noqa: E402
from stresslab.generators.kronos.generator import Kronos  # noqa: E402
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig  # noqa: E402
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig  # noqa: E402

CONTEXT, HORIZON, WINDOW = 400, 120, 520
SHAPES: Mapping[str, TransformerConfig] = {
    "mini": TransformerConfig(n_layers=4, d_model=256, n_heads=4, ff_dim=512),
    "small": TransformerConfig(n_layers=8, d_model=512, n_heads=8, ff_dim=1024),
    "base": TransformerConfig(n_layers=12, d_model=832, n_heads=16, ff_dim=2048),
}
OFFICIAL = {"mini": (32, 8), "small": (16, 6), "base": (8, 4)}
"""Paths and bars that the official code is timed on."""
DTYPES = ("float32", "bfloat16")
PARTS = ("speed", "origins", "window", "dtype", "first", "memory")


@dataclass(frozen=True)
class Speed:
    """One row of the table; rates are medians, ratios medians of the ratios of one turn."""

    model: str
    dtype: str
    universes: int
    path_bars_per_second: float
    seconds: float
    needed_over_matmul: float
    over_official: float | None


def walk(count: int, seed: int = 0) -> Bars:
    """A random walk of so many daily bars."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    start = np.concatenate([[100.0], close[:-1]])
    spread = np.abs(rng.normal(0, 0.004, (2, count)))
    high, low = np.maximum(start, close) * np.exp(spread[0]), np.minimum(start, close) * np.exp(-spread[1])
    volume = rng.lognormal(12, 0.4, count)
    values = np.column_stack([start, high, low, close, volume, volume * close])
    return Bars(pd.bdate_range("2015-01-01", periods=count), values)


def networks(name: str) -> tuple[KronosTransformer, KronosTokenizer]:
    """Random weights of a published shape, the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return KronosTransformer(SHAPES[name]).eval(), KronosTokenizer(TokenizerConfig()).eval()


def generator(name: str, folder: Path, dtype: str, device: str) -> Kronos:
    """The generator of a published shape, or the bundled one."""
    if name == "nano":
        return Kronos(context=512 - HORIZON, dtype=dtype, device=device)
    if not (folder / name).is_dir():
        model, tokenizer = networks(name)
        save_model(model, folder / name / "model", max_context=WINDOW)
        save_tokenizer(tokenizer, folder / name / "tokenizer")
    return Kronos(str(folder / name), context=CONTEXT, dtype=dtype, device=device)


def needed(kronos: Kronos) -> float:
    """Floating-point operations that one path-bar needs: products alone, each history's own part but once.

    Dense layers, heads and the dependency layer without its queries, which a table holds; attention to the shared
    context and to the own half horizon on average; the tokenizer's decoder likewise.
    """
    model, tokenizer = kronos.checkpoint.model.config, kronos.checkpoint.tokenizer.config
    context = kronos.context or CONTEXT

    def blocks(layers: int, width: int, inner: int) -> float:
        dense = 2 * (4 * width**2 + 3 * width * inner)
        return layers * (dense + 4 * width * (context + HORIZON / 2))

    dependency = 2 * 3 * model.d_model**2 + 4 * model.d_model * HORIZON / 2
    heads = 2 * model.d_model * (2**model.s1_bits + 2**model.s2_bits)
    decoder = blocks(tokenizer.n_dec_layers - 1, tokenizer.d_model, tokenizer.ff_dim)
    return blocks(model.n_layers, model.d_model, model.ff_dim) + dependency + heads + decoder


def matmul(dtype: str, device: str) -> float:
    """FLOP/s of torch.mm on square matrices, the best of several."""
    size, best = (2048 if device == "cpu" else 8192), 0.0
    a, b = (torch.randn(size, size, dtype=getattr(torch, dtype), device=device) for _ in range(2))
    for _ in range(6):
        best = max(best, 2 * size**3 / seconds(lambda: torch.mm(a, b), device))
    return best


def seconds(work: Callable[[], Any], device: str = "cpu") -> float:
    """Wall-clock time of some work."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else (lambda: None)
    wait()
    started = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - started


class OfficialCode:
    """The official code in a checkout, with our random weights of one shape."""

    def __init__(self, checkout: Path, name: str) -> None:
        sys.path.insert(0, str(checkout))
        from model import kronos as official

        self.run, (self.paths, self.bars) = official.auto_regressive_inference, OFFICIAL[name]
        model, tokenizer = networks(name)
        settings, own = asdict(model.config), ("coarse_residual",)
        self.model = official.Kronos(**{key: value for key, value in settings.items() if key not in own}).eval()
        self.tokenizer = official.KronosTokenizer(**asdict(tokenizer.config)).eval()
        self.model.load_state_dict(model.state_dict())
        self.tokenizer.load_state_dict(tokenizer.state_dict())

    def rate(self) -> float:
        """Path-bars per second."""
        x = torch.randn(1, CONTEXT + HORIZON // 2, 6)

        def draw(bars: int) -> None:
            now, then = (torch.ones(1, count, 5) for count in (x.shape[1], bars))
            cut = {"T": 1.0, "top_k": 0, "top_p": 1.0}
            self.run(self.tokenizer, self.model, x, now, then, WINDOW, bars, sample_count=self.paths, **cut)

        return self.paths * self.bars / (seconds(lambda: draw(1 + self.bars)) - seconds(lambda: draw(1)))


def speeds(given: argparse.Namespace, folder: Path) -> list[Speed]:
    """Rates of every model and type at every number of universes, with the yardsticks in the same turns."""
    bars, rows = walk(1000), []
    for name in given.models:
        made = {dtype: generator(name, folder, dtype, given.device) for dtype in given.dtypes}
        for one in made.values():
            one.sample(bars, HORIZON, 64, jobs=given.jobs)  # weights rearranged, kernels compiled
        official = OfficialCode(given.official, name) if given.official and name in OFFICIAL else None
        work = {dtype: needed(one) for dtype, one in made.items()}
        for position, count in enumerate(given.universes):
            turns: dict[str, list[tuple[float, float, float | None]]] = {dtype: [] for dtype in made}
            for _ in range(given.turns if count <= given.small else 1):
                yardstick = official.rate() if official is not None and position == 0 else None
                for dtype, one in made.items():
                    peak = matmul(dtype, given.device)
                    spent = seconds(partial(one.sample, bars, HORIZON, count, jobs=given.jobs), given.device)
                    rate = count * HORIZON / spent
                    turns[dtype].append((rate, rate * work[dtype] / peak, yardstick and rate / yardstick))
            for dtype, found in turns.items():
                rate, share = (statistics.median(turn[part] for turn in found) for part in (0, 1))
                ratios = [turn[2] for turn in found if turn[2] is not None]
                ratio = statistics.median(ratios) if ratios else None
                rows.append(Speed(name, dtype, count, rate, count * HORIZON / rate, share, ratio))
                print(line(rows[-1]), flush=True)
    return rows


def line(row: Speed) -> str:
    """A row of the table as text."""
    ratio = "" if row.over_official is None else f"{row.over_official:8.0f}x official"
    return (
        f"{row.model:6}{row.dtype:9}{row.universes:7,}{row.path_bars_per_second:12,.0f} path-bars/s{row.seconds:9.2f} s"
        f"{row.needed_over_matmul:8.0%} of torch.mm{ratio}"
    )


def origins(given: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Time of 12 origins together over that of as many universes of one origin."""
    kronos, bars, each = generator("nano", folder, "float32", given.device), walk(1000), given.each
    kronos.sample(bars, HORIZON, 64)
    histories, ratios = [bars[: 1000 - 20 * number] for number in range(12)], []
    for _ in range(given.turns):
        one = seconds(lambda: kronos.sample(bars, HORIZON, 12 * each, jobs=given.jobs), given.device)
        many = seconds(lambda: kronos.sample_many(histories, HORIZON, each, jobs=given.jobs), given.device)
        ratios.append(many / one)
    found = {"universes of each": each, "12 origins over one": statistics.median(ratios)}
    print(f"12 origins x {each:,} universes take {found['12 origins over one']:.2f} times {12 * each:,} of one origin")
    return found


def beyond(given: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Path-bars per second by horizon, within the window of 512 bars and up to four times as long."""
    kronos, bars, found = generator("nano", folder, "float32", given.device).adjusted(context=None), walk(1000), {}
    for horizon in (120, 256, 512, 1024, 2048)[: 3 if given.quick else 5]:
        kronos.sample(bars, 2, 64)
        spent = seconds(partial(kronos.sample, bars, horizon, 128, jobs=given.jobs), given.device)
        found[f"block, {horizon} bars"] = 128 * horizon / spent
    rolling = kronos.adjusted(window="rolling", context=512)
    found["rolling, 2 bars"] = 128 * 2 / seconds(lambda: rolling.sample(bars, 2, 128, jobs=given.jobs), given.device)
    for name, rate in found.items():
        print(f"nano   window: {name:18}{rate:12,.0f} path-bars/s")
    return found


def rounding(given: argparse.Namespace, folder: Path) -> dict[str, float]:
    """What bfloat16 does to the distribution of a run: figures of its universes less those of float32.

    Both draw with the same uniforms, but after some bars every universe is another one; so the errors are those of two
    independent samples, by resampling universes.
    """
    bars, count = load_bars("sample:nasdaq"), 64 if given.quick else 4000
    exact, rounded = (
        outcomes(
            generator("nano", folder, dtype, given.device).sample(bars, HORIZON, count, jobs=given.jobs).values, bars
        )
        for dtype in DTYPES
    )
    rng, found = np.random.default_rng(0), {}
    for name, figure in FIGURES.items():
        draws = [rng.integers(0, count, (2, count)) for _ in range(500)]
        error = float(np.std([figure(rounded[one]) - figure(exact[other]) for one, other in draws]))
        found[name], found[f"{name}: error"] = float(figure(rounded) - figure(exact)), error
        print(
            f"nano   bfloat16 less float32, {name:34}{found[name]:+9.4f} +- {error:.4f} (float32: {figure(exact):.4f})"
        )
    test = stats.ks_2samp(exact[:, 0], rounded[:, 0])
    found["Kolmogorov-Smirnov p-value"] = float(test.pvalue)
    print(f"nano   return over {HORIZON} bars, {count:,} universes of each: Kolmogorov-Smirnov p = {test.pvalue:.2f}")
    return found


def outcomes(values: NDArray[Any], bars: Bars) -> NDArray[np.float64]:
    """Log-return over the horizon, root mean square of a bar's, and worst drawdown of each universe: (N, 3)."""
    close = np.log(values[:, :, 3].astype(np.float64)) - np.log(bars.values[-1, 3])
    paths = np.concatenate([np.zeros((len(close), 1)), close], axis=1)
    drawdown = (paths - np.maximum.accumulate(paths, axis=1)).min(axis=1)
    return np.column_stack([close[:, -1], np.sqrt((np.diff(paths) ** 2).mean(axis=1)), drawdown])


FIGURES: Mapping[str, Callable[[NDArray[np.float64]], Any]] = {
    "mean return": lambda made: made[:, 0].mean(),
    "standard deviation of the return": lambda made: made[:, 0].std(),
    "probability of a loss": lambda made: (made[:, 0] < 0).mean(),
    "1% quantile of the return": lambda made: np.quantile(made[:, 0], 0.01),
    "5% quantile of the return": lambda made: np.quantile(made[:, 0], 0.05),
    "95% quantile of the return": lambda made: np.quantile(made[:, 0], 0.95),
    "mean volatility of a bar": lambda made: made[:, 1].mean(),
    "5% quantile of the worst drawdown": lambda made: np.quantile(made[:, 2], 0.05),
}


def child(code: str) -> list[float]:
    """The numbers that a fresh interpreter prints."""
    made = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return [float(word) for word in made.stdout.split()]


FIRST = """
import time; begun = time.perf_counter()
import stresslab as sl
bars = sl.load_bars("sample:nasdaq"); sl.Kronos
imported = time.perf_counter()
sl.Kronos("nano").sample(bars, 120, 64, jobs={jobs})
print(time.perf_counter() - imported, imported - begun)
"""


def first_result(given: argparse.Namespace) -> dict[str, float]:
    """Seconds from the import of the generator to 64 universes of the bundled model, in fresh processes."""
    runs = [child(FIRST.format(jobs=given.jobs)) for _ in range(1 + given.turns)][1:]  # the first may compile
    result, imports = (statistics.median(run[part] for run in runs) for part in (0, 1))
    print(f"nano   64 universes after the import: {result:.2f} s (the import of torch and the bars: {imports:.2f} s)")
    return {"first result": result, "import": imports}


def memory(given: argparse.Namespace) -> dict[str, float]:
    """Peak memory in MiB of fresh processes that sample few and many universes."""
    few, many = (64, 256) if given.quick else (256, 4096)
    found: dict[str, float] = {}
    for name in (name for name in given.models if name != "base"):
        command = [sys.executable, __file__, "--peak-of", name, "--jobs", str(given.jobs), "--universes"]
        for count in (few, many):
            made = subprocess.run([*command, str(count)], check=True, capture_output=True, text=True)
            found[f"{name} {count}"] = float(made.stdout)
        peaks = [found[f"{name} {count}"] for count in (few, many)]
        print(f"{name:6} peak memory: {peaks[0]:,.0f} MiB at N = {few}, {peaks[1]:,.0f} MiB at {many:,}")
    return found


def peak_of(given: argparse.Namespace) -> int:
    """Print the peak of this process, in MiB, after it has sampled."""
    with tempfile.TemporaryDirectory() as folder:
        kronos = generator(given.peak_of, Path(folder), "float32", "cpu")
        kronos.sample(walk(1000), HORIZON, given.universes[0], jobs=given.jobs)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return 0


def machine(device: str) -> str:
    """What the figures were taken on."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    kind = torch.backends.cpu.get_cpu_capability()
    return f"{os.cpu_count()} cores {platform.machine()}, {kind}, torch {torch.__version__}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--models", type=words, default=["nano", *SHAPES], help="names, separated by commas")
    parser.add_argument("--dtypes", type=words, default=list(DTYPES), help="float32, bfloat16 or both")
    parser.add_argument("--universes", type=lambda text: [int(word) for word in words(text)], help="numbers N")
    parser.add_argument("--only", type=words, default=list(PARTS), help="parts")
    parser.add_argument("--official", type=Path, help="a checkout of the official code to time in turns with ours")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--turns", type=int, default=3, help="of every comparison of few universes")
    parser.add_argument("--quick", action="store_true", help="few universes and turns")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    given.universes = given.universes or ([64] if given.quick else [64, 512, 4096])
    given.small, given.each, given.turns = (
        (64 if given.quick else 512),
        (64 if given.quick else 1000),
        1 if given.quick else given.turns,
    )
    if given.peak_of:
        return peak_of(given)
    print(machine(given.device))
    parts: dict[str, Callable[[Path], Any]] = {
        "speed": lambda folder: [asdict(row) for row in speeds(given, folder)],
        "origins": lambda folder: origins(given, folder),
        "window": lambda folder: beyond(given, folder),
        "dtype": lambda folder: rounding(given, folder),
        "first": lambda _: first_result(given),
        "memory": lambda _: memory(given),
    }
    with tempfile.TemporaryDirectory() as folder:
        found = {name: part(Path(folder)) for name, part in parts.items() if name in given.only}
    if given.out is not None:
        given.out.write_text(json.dumps({"machine": machine(given.device)} | found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
