"""What a run was given, kept in its folder: the bars, and the strategies' sources with the modules they import.

So a run can be done again from its folder alone, elsewhere too. `folder` keeps what the run found.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from stresslab.core.errors import InputError
from stresslab.core.safe_files import MAX_JSON, MAX_TABLE, digest_of, is_inside, read_bounded, read_table
from stresslab.core.whole_files import put_text
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars
from stresslab.runs.settings import SEVERAL, StressConfig
from stresslab.strategy.examples import SCHEME, example_path
from stresslab.strategy.loading import strategy_file
from stresslab.strategy.sources import local_sources

INPUTS = "inputs"
"""Folder in a run's own."""
INDEX, BARS = "inputs.json", "bars.parquet"
_ABOUT = ("symbol", "source", "notices", "repaired", "exchange", "days_per_year")
"""Of bars, what is written beside their values."""
MAX_SOURCE = 64 * 2**20


@dataclass(frozen=True)
class Inputs:
    """What a run was given.

    Attributes:
        settings: with the strategies' copies in place of the files that were named.
        bars: all that were loaded.
        changed: modules that are another now at the place where they were, or gone.
    """

    settings: StressConfig
    bars: Bars
    changed: tuple[str, ...]


def keep_inputs(folder: Path, settings: StressConfig, bars: Bars) -> None:
    """Write the bars and the strategies' sources below a folder.

    Args:
        folder: gets the folder `INPUTS`.
        settings: of the run.
        bars: that it was given.
    """
    place = folder / INPUTS
    place.mkdir(parents=True, exist_ok=True)
    _table_of(bars).to_parquet(place / BARS, index=False)
    kept = []
    for number, text in enumerate(settings.strategies, 1):
        path, _ = _split(text)
        sources = local_sources(strategy_file(path))
        for name, content in sources.items():
            target = place / "strategies" / str(number) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        kept.append(
            {
                "strategy": text,
                "file": f"strategies/{number}/{next(iter(sources))}",
                "modules": {name: hashlib.sha256(content).hexdigest() for name, content in sources.items()},
            }
        )
    about: dict[str, Any] = _about(bars)
    if isinstance(bars, IndexBars):
        about["symbols"] = [_about(one) for one in bars.market]
    put_text(place / INDEX, json.dumps({"strategies": kept, "bars": about}, indent=1) + "\n")


def _about(bars: Bars) -> dict[str, Any]:
    return {name: getattr(bars, name) for name in _ABOUT}


def _table_of(bars: Bars) -> pd.DataFrame:
    """The bars as a table; of several symbols one below the other, with a column of their names."""
    if isinstance(bars, IndexBars):
        return pd.concat([_table_of(one).assign(symbol=one.symbol) for one in bars.market], ignore_index=True)
    return bars.frame.reset_index(names="timestamp")


def _bars_of(table: pd.DataFrame, about: Mapping[str, Any]) -> Bars:
    """The bars that `_table_of` wrote."""
    if "symbols" in about:
        series = [_bars_of(table[table["symbol"] == one["symbol"]], one) for one in about["symbols"]]
        return IndexBars.of(Market(tuple(series), tuple(about["notices"])))
    bars = Bars.from_frame(table.set_index("timestamp")[list(FIELDS)])
    values = {**about, "notices": tuple(about["notices"])}
    return replace(bars, **{name: values[name] for name in _ABOUT if name in values})


def strategy_path(text: str) -> Path:
    """The path of a strategy's file, however the strategy was named."""
    return Path(_split(text)[0]).resolve()


def _split(text: str) -> tuple[str, str]:
    """The path of a strategy, and `:NAME` where one of several in the file is named."""
    if text.startswith(SCHEME):
        text = example_path(text)
    path, colon, name = text.rpartition(":")
    return (path, colon + name) if colon and name.isidentifier() and not os.path.exists(text) else (text, "")


def changed_since(folder: Path, settings: StressConfig) -> tuple[str, ...]:
    """Modules that are not, at the place where the run found them, what was kept of them.

    Args:
        folder: holds the folder `INPUTS`.
        settings: of the run, which name the strategies as they were named then.
    """
    changed = []
    for text, one in zip(settings.strategies, _index(folder)["strategies"], strict=True):
        path, _ = _split(text)
        for name, digest in one["modules"].items():
            found = digest_of(Path(path).parent / name)
            if found != digest:
                changed.append(f"{Path(path).parent / name} {'is not there' if found is None else 'has changed'}")
    return tuple(changed)


def kept_inputs(folder: Path, settings: StressConfig, manifest: Mapping[str, Any]) -> Inputs:
    """What a stored run was given, from its folder alone.

    Args:
        folder: of the run.
        settings: as its manifest records them.
        manifest: of the run, with the hash of every file.

    Raises:
        InputError: something is missing, or is not what the run wrote.
    """
    index = json.loads(_checked(folder, INDEX, manifest, MAX_JSON))
    named, digests = [], set[str]()
    for text, one in zip(settings.strategies, index["strategies"], strict=True):
        if text != one["strategy"]:
            raise InputError(f"the manifest names {text!r:.200} but no code of it; it was changed, start a new run")
        root = Path(one["file"]).parts[:2]
        digests |= set(one["modules"].values())
        own = _checked(folder, one["file"], manifest, MAX_SOURCE)
        beside = [
            content
            for name in sorted(one["modules"])
            for content in [_checked(folder, "/".join([*root, name]), manifest, MAX_SOURCE)]
            if "/".join([*root, name]) != one["file"]
        ]
        digests.add(hashlib.sha256(own + b"".join(beside)).hexdigest())  # as `loading` makes it, neighbours included
        _, colon, name = text.rpartition(":")
        entry = f":{name}" if colon and name.isidentifier() and not text.startswith(SCHEME) else ""
        if text.startswith(SCHEME):
            _, colon, name = text.removeprefix(SCHEME).partition(":")
            entry = colon + name
        named.append(f"{folder / INPUTS / one['file']}{entry}")
    if any(one is not None and one["sha256"] not in digests for one in manifest["strategies"].values()):
        raise InputError(f"{folder} holds no code of one of its strategies; it was changed, start a new run")
    table = read_table(_checked(folder, BARS, manifest, MAX_TABLE), f"{folder}/{INPUTS}/{BARS}")
    bars = _bars_of(table, index["bars"])
    there = tuple(one for one in changed_since(folder, settings) if one.endswith("has changed"))
    return Inputs(settings.model_copy(update={"strategies": tuple(named)}), bars, there)


def _index(folder: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(read_bounded(folder / INPUTS / INDEX, MAX_JSON))
    return index


def _checked(folder: Path, name: str, manifest: Mapping[str, Any], most: int) -> bytes:
    """The content of a file of the inputs, which is what the manifest says."""
    whole = f"{INPUTS}/{name}"
    if not is_inside(whole):
        raise InputError(f"{folder} names {name!r:.80}, outside the run's folder; do not trust this run")
    content = read_bounded(folder / whole, most)
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(whole):
        raise InputError(f"{folder}/{whole} is not what the run wrote; `stresslab verify {folder}` names all")
    return content


def with_modules(source: Mapping[str, Any] | None, folder: Path) -> dict[str, Any] | None:
    """A strategy's path and hash with the hashes of the modules that it imports, as far as a folder keeps them."""
    if source is None:
        return None
    kept = _index(folder)["strategies"] if (folder / INPUTS / INDEX).is_file() else []
    own = next((one["modules"] for one in kept if source["sha256"] in one["modules"].values()), None)
    return {**source, **({} if own is None else {"modules": own})}


def copy_inputs(source: Path, folder: Path, places: Mapping[str, str]) -> None:
    """Copy what `keep_inputs` wrote, without absolute paths.

    Args:
        source: the folder `INPUTS` of a run, or of one that is being made.
        folder: gets a folder of that name.
        places: what stands for each absolute path.
    """
    shutil.copytree(source, folder / INPUTS)
    index = json.loads((folder / INPUTS / INDEX).read_text(encoding="utf-8"))
    put_text(folder / INPUTS / INDEX, json.dumps(portable(index, places), indent=1) + "\n")


def portable(text: Any, places: Mapping[str, str]) -> Any:
    """Plain data in whose texts each of some absolute paths is its last part, or what stands for it.

    Args:
        text: of any depth.
        places: what stands for each path.
    """
    if isinstance(text, Mapping):
        return {portable(key, places): portable(value, places) for key, value in text.items()}
    if isinstance(text, list | tuple):
        return type(text)(portable(value, places) for value in text)
    if isinstance(text, str):
        for path in sorted(places, key=len, reverse=True):
            text = text.replace(path, places[path])
    return text


def absolute_places(settings: Mapping[str, Any]) -> dict[str, str]:
    """The absolute paths in recorded settings, each with its last part.

    Args:
        settings: as a run records them.
    """
    data = str(settings.get("data") or "").split(SEVERAL)
    named = [*data, settings.get("model"), settings.get("out"), *(settings.get("strategies") or ())]
    paths = {text: Path(text).name or text for text in named if isinstance(text, str) and Path(text).is_absolute()}
    for text in list(paths):
        path, colon, name = text.rpartition(":")
        if colon and name.isidentifier():
            paths[path] = Path(path).name
    return paths
