"""Past origins of many series, sampled by every generator and kept: what the benchmarks of realism are computed from.

Every generator meets the same origins. `--keep` stores each series' universes, so that several benchmarks share one
sampling and an interrupted one goes on. A plan says how much of each file serves, and since when: of a file whose
training ended at a date each tenth symbol was held out and serves whole, unless other files trained it; other symbols
serve from that date on.

    {"us_1d.parquet": {"cut": "2023-01-01", "series": 28, "origins": 24}}
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError, InputError
from stresslab.data import Bars, load_bars
from stresslab.data.bars import HIGH, LOW
from stresslab.data.parsing.column_names import SYMBOL_NAMES, candidates
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.generators.registry import make_generator
from stresslab.realism import pooled
from stresslab.realism.pooled import Sample, Samples

EVERY = 10
"""Of a training file, each so many-th symbol in the order of their names is held out."""
Ranges = dict[str, dict[tuple[str, pd.Timestamp], NDArray[np.float32]]]
"""Logs of high over low (N, H) by generator and origin; what followed (H,) under "real"."""


@dataclass(frozen=True)
class Series:
    """One series and how much of it serves.

    Attributes:
        name: of the file and symbol.
        bars: all of them.
        since: first date of an origin, if not all serve.
        origins: at most.
    """

    name: str
    bars: Bars
    since: pd.Timestamp | None
    origins: int


@dataclass
class Sampled:
    """Every origin of all series: what was sampled, and ranges of the bars besides."""

    samples: Samples = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    ranges: Ranges = field(default_factory=lambda: defaultdict(dict))

    def add(self, other: Sampled) -> None:
        """The origins of another series."""
        for kind, of_kind in other.samples.items():
            for name, samples in of_kind.items():
                self.samples[kind][name] += samples
        for name, ranges in other.ranges.items():
            self.ranges[name].update(ranges)


class Ranged:
    """A generator that notes the ranges of the bars that it samples, by the last time stamp of the history."""

    def __init__(self, generator: Generator) -> None:
        self.generator, self.name = generator, generator.name
        self.ranges: dict[pd.Timestamp, NDArray[np.float32]] = {}

    def sample(self, bars: Bars, horizon: int, universes: int, seed: int = 0, **settings: Any) -> Universes:
        """As the generator does."""
        made = self.generator.sample(bars, horizon, universes, seed, **settings)
        self.ranges[bars.timestamps[-1]] = _ranges(made.values)
        return made

    def describe(self) -> dict[str, Any]:
        """As the generator does."""
        return self.generator.describe()


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of every benchmark that samples at origins of many series."""
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of parquet or CSV files")
    parser.add_argument("--plan", type=Path, help="JSON: cut, series and origins by the name of each file that serves")
    parser.add_argument("--generators", default="kronos,bootstrap,garch", help="names, separated by commas")
    parser.add_argument("--model", default="nano", help="weights of kronos")
    parser.add_argument("--origins", type=int, default=8, help="per series, at most, without a plan")
    parser.add_argument("--universes", type=int, default=99, help="at each origin")
    parser.add_argument("--series", type=int, help="per file, at most, without a plan")
    parser.add_argument("--since", help="first date of an origin, without a plan")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder of what was sampled, shared by benchmarks and runs")


def generators_of(given: argparse.Namespace) -> dict[str, Generator]:
    """The generators by name."""
    names = given.generators.split(",")
    return {name: make_generator(name, **({"model": given.model} if name == "kronos" else {})) for name in names}


def read_series(given: argparse.Namespace) -> Iterator[Series]:
    """Every series of the folders' files, or what a plan takes of them."""
    plan = None if given.plan is None else json.loads(given.plan.read_text(encoding="utf-8"))
    paths = sorted(path for folder in given.data for path in folder.rglob("*") if path.suffix in (".parquet", ".csv"))
    if not paths:
        raise InputError(f"--data {given.data} holds no parquet or CSV file; name a folder of series")
    symbols = {path: _symbols(path) for path in paths}
    trained = {
        path: {str(name) for place, name in enumerate(names) if place % EVERY != EVERY - 1}
        for path, names in symbols.items()
        if plan is not None and "cut" in plan.get(path.name, {})
    }
    for path in paths:
        row = {"series": given.series, "origins": given.origins, "since": given.since}
        if plan is not None:
            if path.name not in plan:
                continue
            row = plan[path.name]
        whole = set() if path not in trained else _held_out(path, symbols[path], trained)
        for name in _chosen(symbols[path], whole, row.get("series")):
            since = row.get("since") if name in whole else row.get("cut", row.get("since"))
            try:
                bars = load_bars(str(path) if name is None else f"{path}#{name}", repair=True)
            except DataError as error:
                sys.stderr.write(f"skipped: {error}\n")
                continue
            yield Series(
                f"{path.stem} {bars.symbol}", bars, None if since is None else pd.Timestamp(since), row["origins"]
            )


def sample_all(generators: Mapping[str, Generator], horizon: int, given: argparse.Namespace) -> Sampled:
    """By kind of bars and generator, the origins that no generator refused; what is kept is not sampled again."""
    found = Sampled()
    for series in read_series(given):
        asked = [series.name, series.bars.digest, horizon, str(series.since), series.origins, given.universes,
                 given.seed, {name: made.describe() for name, made in generators.items()}]  # fmt: skip
        key = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:24]
        path = None if given.keep is None else given.keep / f"{key}.pickle"
        if path is not None and path.exists():
            found.add(pickle.loads(path.read_bytes()))
            continue
        made = _sampled(series, generators, horizon, given)
        found.add(made)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_suffix(".partial")
            aside.write_bytes(pickle.dumps(Sampled(_plain(made.samples), dict(made.ranges))))
            aside.replace(path)
    return found


def _sampled(series: Series, generators: Mapping[str, Generator], horizon: int, given: argparse.Namespace) -> Sampled:
    """The origins of one series."""
    noted = {name: Ranged(made) for name, made in generators.items()}

    def on_series(bars: Bars, made: int, wanted: int) -> None:
        sys.stderr.write(f"{series.name}: {made} of {wanted} origins\n")

    bars = series.bars
    layout = pooled.Layout(horizon, series.origins, given.universes, series.since)
    samples = pooled.sample([bars], noted, layout, seed=given.seed, jobs=given.jobs, on_series=on_series)
    found = Sampled()
    for kind, of_kind in samples.items():
        for name, made in of_kind.items():
            found.samples[kind][name] = [replace(one, series=series.name) for one in made]
            for one in made:
                at, key = one.origin.at, (series.name, one.origin.at)
                found.ranges[name][key] = noted[name].ranges[at]
                end = int(bars.timestamps.get_indexer([at])[0]) + 1
                found.ranges["real"][key] = _ranges(bars.values[end : end + horizon])
    return found


def _ranges(values: NDArray[Any]) -> NDArray[np.float32]:
    """Log of high over low of bars (..., F)."""
    return np.log(values[..., HIGH].astype(np.float64) / values[..., LOW]).astype(np.float32)


def _plain(samples: Samples) -> Samples:
    """Dictionaries without factories, which cannot be pickled."""
    return {kind: dict(of_kind) for kind, of_kind in samples.items()}


def _symbols(path: Path) -> list[str | None]:
    """Names of a file's symbols in order; None for the only one of a file without such a column."""
    if path.suffix != ".parquet":
        return [None]
    frame = pd.read_parquet(path)
    found = candidates(frame.columns, SYMBOL_NAMES)
    return sorted(frame[found[0]].astype(str).unique()) if found else [None]


def _held_out(path: Path, names: list[str | None], trained: Mapping[Path, set[str]]) -> set[str | None]:
    """Symbols of a training file that neither it nor another one trained, whatever venue stands behind the `@`."""
    elsewhere = {name.split("@")[0] for other, symbols in trained.items() if other != path for name in symbols}
    own = {name.split("@")[0] for name in trained[path]}
    return {name for name in names[EVERY - 1 :: EVERY] if str(name).split("@")[0] not in elsewhere | own}


def _chosen(names: list[str | None], whole: set[str | None], most: int | None) -> list[str | None]:
    """At most so many symbols: those that serve whole first, then others, spread over the names."""
    first, others = sorted(whole, key=str), [name for name in names if name not in whole]
    if most is None or most >= len(names):
        return first + others
    left = max(0, most - len(first))
    places = np.unique(np.linspace(0, len(others) - 1, left).round().astype(int)) if left and others else []
    return (first + [others[place] for place in places])[:most]


__all__ = ["Ranges", "Sample", "Sampled", "Series", "arguments", "generators_of", "read_series", "sample_all"]
