"""What a run was made of, from its manifest or plan alone: settings, bars and generator as they were.

What must be as it was (bars, strategies, weights) is refused when it is not; what may differ (libraries, processor) is
named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stresslab.core.checkpoints import PLAN
from stresslab.core.errors import InputError
from stresslab.core.safe_files import MAX_JSON, MAX_TABLE, digest_of, read_bounded, read_table, report_damage_of
from stresslab.data import Bars
from stresslab.generators.base import Generator
from stresslab.runs.environment import code, environment
from stresslab.runs.inputs import changed_since, kept_inputs
from stresslab.runs.settings import StressConfig
from stresslab.runs.trial_ledger import Earlier
from stresslab.runs.verify import MANIFEST, manifest_of

METRICS = "metrics.parquet"


@dataclass(frozen=True)
class Restored:
    """What a finished run was made of.

    Attributes:
        settings: as `stresslab run` was given them, with the run's copies of the strategies.
        config: the settings as they are recorded.
        bars: all that were loaded.
        generator: with the run's settings and weights.
        stored: the content of `metrics.parquet`.
        metrics: the same as a table.
        earlier: what the ledger said then.
        differences: what is not as it was when the run was stored.
    """

    settings: StressConfig
    config: Mapping[str, Any]
    bars: Bars
    generator: Generator
    stored: bytes
    metrics: pd.DataFrame
    earlier: Earlier
    differences: tuple[str, ...]


def finished(folder: Path, jobs: int, model: str | None = None) -> Restored:
    """What a stored run was made of.

    Args:
        folder: of the run.
        jobs: workers of what is done with it.
        model: where Kronos' weights are now, if not where the settings say.

    Raises:
        InputError: the manifest is not complete, its files are not those of the run, or the weights are others.
    """
    manifest = manifest_of(read_bounded(folder / MANIFEST, MAX_JSON), folder)
    with report_damage_of(folder):
        settings = _settings(manifest, jobs, folder)
        if model is not None:
            settings = settings.model_copy(update={"model": model})
        stored, ledger = read_bounded(folder / METRICS, MAX_TABLE), manifest.get("ledger")
        earlier = Earlier() if ledger is None else Earlier.from_dict(ledger)
        if hashlib.sha256(stored).hexdigest() != manifest["files"][METRICS]:
            raise InputError(f"{folder}/{METRICS} is not what the run wrote; `stresslab verify {folder}` names all")
        given = kept_inputs(folder, settings, manifest)
        bars, generator = given.bars, settings.make_generator()
        _check_bars(manifest["data"], bars)
        changed = (f"{one}; the run's own copy was used" for one in given.changed)
        differences = (*changed, *_of_generator(manifest["generator"], generator), *_of_environment(manifest))
        table = read_table(stored, f"{folder}/{METRICS}")
    return Restored(given.settings, manifest["config"], bars, generator, stored, table, earlier, differences)


def check_stopped(work: Path) -> None:
    """Refuse a folder that holds no run that was stopped."""
    if not (work / PLAN).is_file():
        raise InputError(f"{work} holds no run that was stopped; name the folder that the run named, such as .x.work")


def stopped(work: Path) -> tuple[StressConfig, Bars, Generator]:
    """The settings, bars and generator of a run that was stopped, from the plan beside its finished universes.

    Args:
        work: folder of the universes.

    Raises:
        InputError: there is no such run, or stresslab, the bars, a strategy or the weights are not those of the run.
    """
    check_stopped(work)
    with report_damage_of(work):
        plan = json.loads(read_bounded(work / PLAN, MAX_JSON))
        settings = _settings(plan, None, work)
        if plan["code"] != code()["sha256"]:
            raise InputError(f"stresslab is not the version that began {work}; install that one, or start a new run")
        _check_strategies(plan["strategies"], settings)
        for changed in changed_since(work, settings):
            raise InputError(f"a module of the strategies is another: {changed}; restore it, or start a new run")
        bars, generator = settings.bars(), settings.make_generator()
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
    """Refuse a strategy file that has changed since the run, before any of it is run."""
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
