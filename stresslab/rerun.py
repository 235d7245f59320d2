"""A stored run done again from its manifest, and whether the numbers are the same; nothing else of the run is used.

What must be as it was (bars, strategies, weights) is refused when it is not. What may differ (libraries, processor) is
named, and then numbers are compared within `TOLERANCE`.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stresslab.config import StressConfig
from stresslab.data import Bars
from stresslab.errors import InputError
from stresslab.generators.base import Generator
from stresslab.integrity import (
    MANIFEST,
    MOST_JSON,
    MOST_TABLE,
    code,
    digest_of,
    foreign,
    manifest_of,
    read_bounded,
    read_table,
)
from stresslab.launch import bars_of, generator_of, stress
from stresslab.ledger import Earlier
from stresslab.result import StressResult, environment
from stresslab.shards import PLAN

METRICS = "metrics.parquet"
TOLERANCE = 1e-6
"""Relative difference up to which two measures are the same number, rounded elsewhere."""
FLIPPED = 0.01
"""Share of rows that may differ by more: rounding may draw another token in a universe, which then goes its own way."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Rerun:
    """A run done again.

    Attributes:
        result: what came of it.
        same: whether `metrics.parquet` is the same, byte for byte.
        rows: rows of it, one per strategy and universe.
        beyond: rows in which a number differs by more than `TOLERANCE`.
        largest: the largest relative difference.
        differences: what is not as it was when the run was stored.
    """

    result: StressResult
    same: bool
    rows: int
    beyond: int
    largest: float
    differences: tuple[str, ...]

    @property
    def within(self) -> bool:
        """Whether the numbers are the same within the stated tolerance."""
        return self.beyond <= FLIPPED * self.rows

    def __str__(self) -> str:
        """What is the same, and what is not."""
        if self.same:
            line = f"the same: {METRICS} is equal byte for byte, {self.rows:,} rows"
        else:
            word = "the same within the tolerance" if self.within else "not the same"
            line = (
                f"{word}: {self.beyond:,} of {self.rows:,} rows differ by more than {TOLERANCE:g} "
                f"(at most {FLIPPED:.0%} may), the largest difference is {self.largest:.2g}"
            )
        return "\n".join([line, *(f"since then: {difference}" for difference in self.differences)])


def rerun(folder: str | Path, *, jobs: int = 0, progress: Progress | None = None) -> Rerun:
    """Do a stored run again.

    Args:
        folder: of the run.
        jobs: workers; 0 means one per processor.
        progress: called with (stage, done, total).

    Raises:
        InputError: the manifest is not complete, or the bars, a strategy or the weights are not those of the run.
    """
    folder = Path(folder)
    manifest = manifest_of(read_bounded(folder / MANIFEST, MOST_JSON), folder)
    with foreign(folder):
        settings = _settings(manifest, jobs, folder)
        stored, told = read_bounded(folder / METRICS, MOST_TABLE), manifest.get("ledger")
        earlier = Earlier() if told is None else Earlier.from_dict(told)
        if hashlib.sha256(stored).hexdigest() != manifest["files"][METRICS]:
            raise InputError(f"{folder}/{METRICS} is not what the run wrote; `stresslab verify {folder}` names all")
        if progress is not None:
            progress("loading", 0, 1)
        _check_strategies(manifest["strategies"], settings)
        bars, generator = bars_of(settings), generator_of(settings)
        _check_bars(manifest["data"], bars)
        differences = (*_of_generator(manifest["generator"], generator), *_of_environment(manifest))
        then = read_table(stored, f"{folder}/{METRICS}")
        if progress is not None:
            progress("loading", 1, 1)
    result = stress(settings, bars, generator, progress, earlier)
    made = io.BytesIO()
    result.metrics.to_parquet(made, index=False)
    with foreign(folder):
        rows, beyond, largest = _compared(then, result.metrics)
    return Rerun(result, made.getvalue() == stored, rows, beyond, largest, differences)


def stopped(work: Path) -> tuple[StressConfig, Bars, Generator]:
    """The settings, bars and generator of a run that was stopped, from the plan beside its finished universes.

    Args:
        work: folder of the universes.

    Raises:
        InputError: there is no such run, or stresslab, the bars, a strategy or the weights are not those of the run.
    """
    if not (work / PLAN).is_file():
        raise InputError(f"{work} holds no run that was stopped; name the folder that the run named, such as .x.work")
    with foreign(work):
        plan = json.loads(read_bounded(work / PLAN, MOST_JSON))
        settings = _settings(plan, None, work)
        if plan["code"] != code()["sha256"]:
            raise InputError(f"stresslab is not the one that began {work}; install that one, or start a new run")
        _check_strategies(plan["strategies"], settings)
        bars, generator = bars_of(settings), generator_of(settings)
        _check_bars(plan["data"], bars)
        _of_generator(plan["generator"], generator)
    return settings, bars, generator


def _settings(manifest: Mapping[str, Any], jobs: int | None, folder: Path) -> StressConfig:
    """The settings in a manifest, as `stresslab run` was given them."""
    config = manifest["config"]
    if "data" not in config:
        raise InputError(
            f"{folder} was made by stress_test() in Python, whose arguments no manifest holds; call it again, or start "
            "runs by `stresslab run`"
        )
    known = {name: value for name, value in config.items() if name in StressConfig.model_fields}
    if jobs is not None:
        known["jobs"] = jobs
    return StressConfig.of(known, source=f"{folder}/{MANIFEST if jobs is not None else PLAN}")


def _check_strategies(recorded: Mapping[str, Any], settings: StressConfig) -> None:
    """Refuse a strategy file that is not the one that ran, before any of it is run."""
    paths = {one["path"] for one in recorded.values()}
    for text in settings.strategies:
        if text not in paths and text.rpartition(":")[0] not in paths:
            raise InputError(f"the manifest names {text!r} but no code of it; it was changed, start a new run")
    for name, one in recorded.items():
        found = digest_of(Path(one["path"]))
        if found != one["sha256"]:
            state = "is not there" if found is None else f"has sha256 {found}"
            raise InputError(
                f"strategy {name!r} has changed: {one['path']} {state}, the run's had {one['sha256']}; restore the "
                "file, or start a new run"
            )


def _check_bars(recorded: Mapping[str, Any], bars: Bars) -> None:
    """Refuse bars that are not those of the run."""
    if recorded["digest"] != bars.digest:
        raise InputError(
            f"the bars have changed: {bars.source} has digest {bars.digest}, the run's had {recorded['digest']}; "
            "restore the data, or start a new run"
        )


def _of_generator(recorded: Mapping[str, Any], generator: Generator) -> list[str]:
    """What is different about the generator; refuses other weights."""
    now: dict[str, Any] = json.loads(json.dumps(generator.describe()))
    for part, digest in (recorded.get("hashes") or {}).items():
        found = (now.get("hashes") or {}).get(part)
        if found != digest:
            raise InputError(
                f"the weights have changed: {part} of {recorded['model']} has sha256 {found}, the run's had {digest}; "
                "restore them, or start a new run"
            )
    return _changes("generator", recorded, now)


def _of_environment(manifest: Mapping[str, Any]) -> list[str]:
    """What is different about code, libraries and machine."""
    then, now = manifest["environment"], environment()
    changes = _changes("", {"code": manifest["code"]}, {"code": code()["sha256"]})
    changes += _changes("", then["versions"], now["versions"])
    named = ({name: one.get(name) for name in ("python", "machine", "processor")} for one in (then, now))
    return changes + _changes("", *named)


def _changes(what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    names = (name for name in then if then[name] != now.get(name))
    return [f"{what} {name}: {then[name]} -> {now.get(name)}".strip() for name in names]


def _compared(then: pd.DataFrame, now: pd.DataFrame) -> tuple[int, int, float]:
    """Rows, how many differ by more than the tolerance in any number, and the largest relative difference."""
    keys = ["strategy", "universe"]
    shared = [name for name in then.columns if name in now.columns and name not in keys]
    if len(then) != len(now) or not then[keys].equals(now[keys]) or not shared:
        return max(len(then), len(now)), max(len(then), len(now)), math.inf
    old, new = (frame[shared].to_numpy(dtype=np.float64) for frame in (then, now))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(old - new) / np.maximum(np.maximum(np.abs(old), np.abs(new)), TOLERANCE)
    apart[(old == new) | (np.isnan(old) & np.isnan(new))] = 0.0
    apart[np.isnan(apart)] = math.inf
    return len(then), int((apart > TOLERANCE).any(axis=1).sum()), float(apart.max(initial=0.0))
