"""A run on disk: its folder is written whole or not at all, and read back as the result it came from.

The report decides what the pages of a run look like.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import Stamp, StrategyResult, StressResult
from stresslab.analysis.result_document import FORMAT_VERSION, DataSummary, ResultDocument, Strategy, check_version
from stresslab.analysis.result_realism import RealismSection
from stresslab.backtest.bar_records import COLUMNS
from stresslab.core.errors import InputError
from stresslab.core.safe_files import (
    MAX_JSON,
    MAX_TABLE,
    check_no_links,
    digest_of,
    digests,
    is_inside,
    read_bounded,
    read_table,
    report_damage_of,
)
from stresslab.core.text import one_line
from stresslab.core.whole_files import PARTIAL, held, put_text, sweep, sync
from stresslab.data.bars import FIELDS, Bars
from stresslab.metrics.measures import later
from stresslab.runs.environment import code
from stresslab.runs.inputs import absolute_places, copy_inputs, portable, with_modules
from stresslab.runs.trial_ledger import add, check_ledger, runs_in
from stresslab.runs.verify import seal_of

_TABLES = (
    "metrics.parquet",
    "bars.parquet",
    "paths.parquet",
    "equity.parquet",
    "bar_records.parquet",
    "track_record.parquet",
)


PUBLISHING = "publishing.json"
"""In a work folder: what is being renamed to which name, and the line for the ledger."""


def run_id(result: StressResult, now: datetime) -> str:
    """Name of a run's folder: when, on what, and six digits of its settings."""
    what = re.sub(r"[^A-Za-z0-9]+", "-", result.data.symbol).strip("-").lower()[:40] or "bars"
    identity = json.dumps([result.config, result.data.digest, result.generator], sort_keys=True, default=str)
    return f"{now:%Y%m%d-%H%M%S}-{what}-{hashlib.sha256(identity.encode()).hexdigest()[:6]}"


def check_writable(folder: Path) -> None:
    """Refuse, before any work is done, a folder that cannot be written."""
    try:
        str(folder).encode()
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        check_ledger(folder)
    except (OSError, ValueError) as error:  # ValueError: a null byte, or bytes that are no text
        reason = error.strerror if isinstance(error, OSError) else "its name is no text"
        raise InputError(
            f"`out={one_line(folder)}` cannot be written ({reason}); name a folder that you may write to"
        ) from None


def save_run(
    result: StressResult,
    folder: Path,
    log: str | None = None,
    work: Path | None = None,
    inputs: Path | None = None,
) -> Path:
    """Write manifest, result, tables, figures and report below `folder`; return the run's own folder.

    Everything is written into a hidden folder first and renamed at the end; then the ledger gets its line.

    Args:
        result: what was found.
        folder: gets the run's folder.
        log: lines to keep as `log.jsonl`, if any.
        work: folder of the run's finished universes, on the same disk. The hidden folder is there, so that whatever
            ends this leaves nothing beside the runs, and `finish_saving` can do what is still to be done.
        inputs: what the run was given, as `keep_inputs` wrote it, to be kept with it.
    """
    from stresslab.report import write_report

    check_writable(folder)
    sweep(folder)
    result, places = _portable(result)
    now = datetime.now(UTC)
    name = run_id(result, now)
    partial = (work or folder) / f"{PARTIAL}{uuid.uuid4().hex[:8]}"
    entry: dict[str, Any] | None = (
        None if result.tested is None else {"time": now.isoformat(timespec="seconds"), **result.tested}
    )
    try:
        partial.mkdir()
        with held(partial):
            _write_tables(result, partial)
            _write_json(result.to_dict(), partial / "result.json")
            if log is not None:
                (partial / "log.jsonl").write_text(portable(log, places), encoding="utf-8")
            if inputs is not None:
                copy_inputs(inputs, partial, places)
            manifest = _manifest(result, name, now, partial)
            seal = seal_of(manifest)
            write_report(replace(result, stamp=Stamp(name, manifest["created"], seal)), partial)
            _write_json(manifest | {"files": digests(partial), "seal": seal}, partial / "manifest.json")
            if entry is not None:
                entry |= {"manifest": digest_of(partial / "manifest.json"), "seal": seal}
            sync(partial)
            published = _publish(partial, folder / name, work, entry)
    except OSError as error:
        raise InputError(
            f"`out={folder}`: {error.strerror or error} while writing the run; free space or name another"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if entry is not None:
        add(folder, {"run": published.name, **entry})
    return published


def _portable(result: StressResult) -> tuple[StressResult, dict[str, str]]:
    """The result without absolute paths, which say nothing elsewhere and more than wanted; and what stands for each."""
    sources = [one.source["path"] for one in result.strategies if one.source and one.source.get("path")]
    more = {str(path): Path(str(path)).name for path in (*sources, result.data.source) if Path(str(path)).is_absolute()}
    places = absolute_places(result.config) | more
    if not places:
        return result, {}
    strategies = [replace(one, source=portable(one.source, places)) for one in result.strategies]
    data = DataSummary.of(portable(result.data.to_dict(), places))
    return replace(
        result,
        config=portable(result.config, places),
        data=data,
        bars=replace(result.bars, source=data.source),
        generator=portable(result.generator, places),
        notices=portable(result.notices, places),
        strategies=strategies,
    ), places


def finish_saving(work: Path) -> Path | None:
    """The run's own folder, where `save_run` had renamed it before the process was killed; None where it had not.

    The ledger gets its line if it has none yet.

    Args:
        work: as `save_run` was given it.
    """
    if not (work / PUBLISHING).is_file():
        return None
    with report_damage_of(work):
        plan = json.loads(read_bounded(work / PUBLISHING, MAX_JSON))
        published, partial = work.parent / str(plan["run"]), work / str(plan["partial"])
        if not is_inside(plan["run"]) or partial.is_dir() or not (published / "manifest.json").is_file():
            return None
        if plan["entry"] is not None and published.name not in runs_in(work.parent):
            add(work.parent, {"run": published.name, **plan["entry"]})
    return published


def _publish(partial: Path, final: Path, work: Path | None, entry: dict[str, Any] | None) -> Path:
    """Rename to the first free name: two runs of one second do not harm each other."""
    for attempt in range(1, 1000):
        target = final if attempt == 1 else final.with_name(f"{final.name}-{attempt}")
        try:
            if not target.exists():
                if work is not None:
                    plan = {"partial": partial.name, "run": target.name, "entry": entry}
                    put_text(work / PUBLISHING, json.dumps(plan))
                os.rename(partial, target)
                return target
        except OSError:
            if not target.exists():
                raise
    raise InputError(f"{final} and 999 more of its name exist; name another `out`")


def _manifest(result: StressResult, name: str, now: datetime, folder: Path) -> dict[str, Any]:
    """Everything that decided the run, and the hash of every file that is in its folder so far."""
    return {
        "format_version": FORMAT_VERSION,
        "run": name,
        "created": now.isoformat(timespec="seconds"),
        "config": result.config,
        "data": result.data.to_dict(),
        "generator": result.generator,
        "strategies": {one.name: with_modules(one.source, folder) for one in result.strategies},
        "ledger": None if result.studies.ledger is None else result.studies.ledger.to_dict(),
        "code": code()["sha256"],
        "environment": result.environment | {"commit": code()["commit"], "code": code()["sha256"]},
        "timings": result.timings,
        "files": digests(folder),
    }


def _write_json(content: Any, path: Path) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _write_tables(result: StressResult, folder: Path) -> None:
    """Everything beside `result.json` that the report draws, as parquet."""
    result.metrics.to_parquet(folder / "metrics.parquet", index=False)
    bars = result.bars.frame.reset_index(names="timestamp")
    bars.to_parquet(folder / "bars.parquet", index=False)
    paths = result.fan.add_prefix("quantile_")
    samples = pd.DataFrame(result.sample_paths.T, index=paths.index).add_prefix("path_")
    paths.join(samples).reset_index(names="timestamp").to_parquet(folder / "paths.parquet", index=False)
    equities = []
    for strategy in result.strategies:
        equity = strategy.equity_fan.add_prefix("quantile_").reset_index(names="step")
        real = strategy.realised_equity
        equity["realised"] = np.nan if real is None else real.to_numpy()
        equity.insert(0, "strategy", strategy.name)
        equities.append(equity)
    pd.concat(equities, ignore_index=True).to_parquet(folder / "equity.parquet", index=False)
    replays_table(result).to_parquet(folder / "bar_records.parquet", index=False)
    track_table(result).to_parquet(folder / "track_record.parquet", index=False)


def track_table(result: StressResult) -> pd.DataFrame:
    """The accounts of all strategies on the real bars, with a column that names the strategy."""
    kept = [one.track.rename_axis("timestamp").reset_index() for one in result.strategies if one.track is not None]
    names = [one.name for one in result.strategies if one.track is not None]
    parts = [table.assign(strategy=name) for table, name in zip(kept, names, strict=True)]
    empty = pd.DataFrame(columns=["timestamp", "equity", "benchmark", "strategy"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def replays_table(result: StressResult) -> pd.DataFrame:
    """What all strategies did bar by bar, with a column that names the strategy; no rows where nothing was kept."""
    kept = [one.replays.assign(strategy=one.name) for one in result.strategies if one.replays is not None]
    table = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["strategy", *COLUMNS])
    return table[["strategy", *COLUMNS]]


def load_run(folder: str | Path) -> StressResult:
    """Read a run that `save_run` wrote.

    Raises:
        InputError: the folder is not a run, is incomplete, or is of another format version.
    """
    folder = Path(folder)
    check_no_links(folder)
    try:
        contents = {
            name: read_bounded(folder / name, MAX_JSON if name.endswith(".json") else MAX_TABLE)
            for name in ("result.json", "manifest.json", *_TABLES)
        }
        facts, manifest = json.loads(contents["result.json"]), json.loads(contents["manifest.json"])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{folder} cannot be read as a run ({' '.join(str(error).split())}); run it again") from None
    check_version(facts, str(folder))
    with report_damage_of(folder):
        _check_unchanged(contents, manifest["files"], folder)
        document = ResultDocument.read(facts)
        tables = {Path(name).stem: read_table(contents[name], f"{folder}/{name}") for name in _TABLES}
        return _assemble(document, manifest, tables)


def _check_unchanged(contents: Mapping[str, bytes], hashes: Mapping[str, str], folder: Path) -> None:
    """Refuse a file that is not what the manifest says was written."""
    for name, content in contents.items():
        if name != "manifest.json" and hashlib.sha256(content).hexdigest() != hashes[name]:
            raise InputError(f"{folder}/{name} is not what the run wrote: it was damaged or changed; run it again")


def _assemble(document: ResultDocument, manifest: dict[str, Any], tables: dict[str, pd.DataFrame]) -> StressResult:
    run, paths = document.run, tables["paths"].set_index("timestamp")
    paths.index = pd.DatetimeIndex(paths.index)
    bars = Bars.from_frame(
        tables["bars"].set_index("timestamp")[list(FIELDS)], symbol=run.data.symbol, source=run.data.source
    )
    return StressResult(
        config=run.config,
        bars=bars,
        origin=pd.Timestamp(run.origin),
        horizon=run.horizon,
        universes_count=run.universes,
        fan=_prefixed(paths, "quantile_"),
        sample_paths=_prefixed(paths, "path_").to_numpy(dtype=np.float64).T,
        data=run.data,
        generator=run.generator,
        generator_facts=run.generator_facts,
        in_sample=run.in_sample,
        realism=document.realism if isinstance(document.realism, RealismSection) else None,
        notices=list(run.notices),
        strategies=[
            replace(_strategy(entry, tables), source=manifest["strategies"][entry.name])
            for entry in document.strategies
        ],
        timings=manifest["timings"],
        stamp=Stamp(str(manifest["run"]), str(manifest["created"]), seal_of(manifest)),
        environment=manifest["environment"],
        studies=document.studies,
    )


def _strategy(entry: Strategy, tables: Mapping[str, pd.DataFrame]) -> StrategyResult:
    metrics, equity, records, track = (
        tables[name][tables[name]["strategy"] == entry.name].drop(columns="strategy")
        for name in ("metrics", "equity", "bar_records", "track_record")
    )
    rows, steps = metrics.set_index("universe"), equity.set_index("step")
    return StrategyResult(
        name=entry.name,
        parameters=entry.parameters,
        verdict=entry.verdict,
        backtest=_numbers(entry.backtest),
        realised=None if entry.realised is None else _numbers(entry.realised),
        universes=entry.universes,
        edge=entry.edge,
        studies=entry.studies,
        luck=entry.luck,
        metrics=rows.assign(**later(rows)),
        lookahead=entry.lookahead,
        equity_fan=_prefixed(steps, "quantile_"),
        realised_equity=None if steps["realised"].isna().all() else steps["realised"],
        replays=records.reset_index(drop=True) if len(records) else None,
        track=track.set_index("timestamp") if len(track) else None,
    )


def _numbers(measures: Mapping[str, float | None]) -> dict[str, float]:
    """Measures from JSON: null is NaN."""
    return {name: float("nan") if value is None else float(value) for name, value in measures.items()}


def _prefixed(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """The columns that begin with a prefix, without it."""
    chosen = [column for column in frame.columns if column.startswith(prefix)]
    return frame[chosen].rename(columns=lambda column: column.removeprefix(prefix))
