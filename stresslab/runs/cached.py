"""Universes that were sampled before are read from the user's cache, and not sampled again.

Every stage of a run that samples is given the generator through here, so that realism, universes and studies all find
what they sampled in an earlier run. `core.cache` knows the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.cache import Cache, Found
from stresslab.core.randomness import check_seed
from stresslab.data.bars import Bars
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars
from stresslab.data.universes import universes_after
from stresslab.generators.base import Generator, Progress, check_horizon, universe_ids
from stresslab.generators.registry import GENERATORS
from stresslab.realism import Origin, Realism, assess_realism
from stresslab.realism.checks import Check
from stresslab.runs.environment import environment, sources_digest

UNIVERSES, ROUND_TRIP, REALISM = "universes", "round_trip", "realism"
"""Kinds of entries."""
SOURCES = ("core", "data", "metrics", "generators")
"""Packages whose code decides universes; realism has its own too."""
DECIDING = ("numpy", "pandas", "scipy", "torch", "numba", "arch")
"""Libraries whose version may."""


def cached(generator: Generator, cache: Cache | None) -> Generator:
    """The same generator, which finds in the cache what was sampled before; weights are loaded once for both.

    One that the registry does not know is left as it is: nothing says that its code is still the same.
    """
    base = type(generator)
    entry = GENERATORS.get(generator.name)
    if cache is None or entry is None or (base.__module__, base.__name__) != (entry.module, entry.attribute):
        return generator
    parts = (_RoundTrips, _FromCache) if hasattr(base, "round_trip") else (_FromCache,)
    made: Generator = _with_dict(type(base.__name__, (*parts, base), {"cache": cache, "base": base}), vars(generator))
    return made


def _with_dict(kind: type, attributes: dict[str, Any]) -> Any:
    """An object of a class that has these attributes: the same ones, not copies."""
    made: Any = object.__new__(kind)
    object.__setattr__(made, "__dict__", attributes)
    return made


class _FromCache:
    """What a generator's class gets before it, so that it samples what the cache does not have."""

    cache: ClassVar[Cache]
    base: ClassVar[type]

    @property
    def plain(self) -> Any:
        """The generator without the cache."""
        return _with_dict(self.base, vars(self))

    def sample(
        self,
        bars: Bars | Market,
        horizon: int,
        universes: int,
        seed: int = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 0,
        progress: Progress | None = None,
        **more: Any,
    ) -> Any:
        """Find universes, or sample them; see `stresslab.generators.base.Generator`."""

        def make() -> Any:
            return self.plain.sample(bars, horizon, universes, seed, ids=ids, jobs=jobs, progress=progress, **more)

        if more:
            return make()
        horizon, seed, chosen = check_horizon(horizon), check_seed(seed), universe_ids(universes, ids)
        return universes_from(self.cache, Wanted(self.plain.describe(), bars, horizon, seed, chosen), make, progress)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Another process gets the generator without the cache."""
        return _with_dict, (self.base, self.plain.__getstate__())


class _RoundTrips:
    """The same of a generator whose bars become tokens."""

    cache: ClassVar[Cache]
    plain: Any

    def round_trip(self, bars: Bars) -> dict[str, float | None]:
        """Find the diagnosis, or make it; see `stresslab.realism.diagnostics`."""
        key = {"generator": self.plain.describe(), "bars": bars.digest, **code_and_machine()}
        found = self.cache.get(ROUND_TRIP, key)
        if found is not None:
            return dict(found.facts)
        made = self.plain.round_trip(bars)
        self.cache.put(ROUND_TRIP, key, {}, made)
        return dict(made)


def realism_from(bars: Bars, generator: Generator, horizon: int, origins: int, seed: int, **how: Any) -> Realism:
    """`assess_realism`, whose answer is found where a generator with a cache was asked the same before.

    Args:
        bars: the history.
        generator: what is judged.
        horizon: bars to compare after each origin.
        origins: at most.
        seed: whole number.
        how: what changes no figure: `jobs`, `progress`.
    """

    def make() -> Realism:
        return assess_realism(bars, generator, horizon, origins=origins, seed=seed, **how)

    if not isinstance(generator, _FromCache):
        return make()
    key = {
        **code_and_machine(*SOURCES, "realism"),
        "generator": generator.describe(),
        "bars": bars.digest,
        "kind": [bars.symbol, str(bars.calendar.describe()), isinstance(bars, IndexBars)],
        "horizon": horizon,
        "origins": origins,
        "seed": seed,
    }
    found = generator.cache.get(REALISM, key)
    if found is not None:
        return _as_realism(found)
    made = make()
    generator.cache.put(REALISM, key, *_parts_of(made))
    return made


def _parts_of(realism: Realism) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays of its origins, and all else as plain JSON."""
    arrays, told = dict[str, NDArray[Any]](), list[dict[str, Any]]()
    for at, origin in enumerate(realism.sampled):
        row = dict(vars(origin))
        arrays |= {f"{at} {name}": row.pop(name) for name in ("paths", "real")}
        arrays[f"{at} at"] = np.array(row.pop("at").asm8)
        told.append(row)
    facts = dict(vars(realism)) | {"checks": [vars(check) for check in realism.checks], "sampled": told}
    return arrays, facts


def _as_realism(found: Found) -> Realism:
    """What `_parts_of` took apart."""
    facts, arrays = dict(found.facts), found.arrays
    for name in ("reasons", "notes"):
        facts[name] = tuple(facts[name])
    facts["checks"] = tuple(Check(**check) for check in facts["checks"])
    origins = []
    for at, row in enumerate(facts["sampled"]):
        row["volume_volatility"] = tuple(row["volume_volatility"])
        stamp = pd.DatetimeIndex(arrays[f"{at} at"].reshape(1))[0]
        origins.append(Origin(at=stamp, paths=arrays[f"{at} paths"], real=arrays[f"{at} real"], **row))
    facts["sampled"] = tuple(origins)
    return Realism(**facts)


@lru_cache(maxsize=4)
def code_and_machine(*sources: str) -> Mapping[str, Any]:
    """What decides the last bits of universes, or of what other sources compute, beside settings and bars."""
    about = environment()
    versions = {name: about["versions"][name] for name in DECIDING}
    versions |= {name: about[name] for name in ("processor", "python")}
    return {"code": sources_digest(*(sources or SOURCES))} | versions


@dataclass(frozen=True, eq=False)
class Wanted:
    """Which universes are wanted.

    Attributes:
        generator: what it says of itself.
        bars: the history.
        horizon: bars of each.
        seed: of the run.
        ids: (N,) of the universes.
    """

    generator: Mapping[str, Any]
    bars: Bars | Market
    horizon: int
    seed: int
    ids: NDArray[np.int64]

    @property
    def future(self) -> pd.DatetimeIndex:
        """Time stamps of the bars to come."""
        return self.bars.calendar.future(self.bars.timestamps, self.horizon)

    def key(self) -> dict[str, Any]:
        """Everything that decides the universes, as plain JSON."""
        return {
            **code_and_machine(),
            "generator": dict(self.generator),
            "bars": self.bars.digest,
            "several": isinstance(self.bars, Market | IndexBars),
            "future": hashlib.sha256(self.future.asi8.astype("<i8").tobytes()).hexdigest(),
            "horizon": self.horizon,
            "seed": self.seed,
            "ids": hashlib.sha256(self.ids.astype("<i8").tobytes()).hexdigest(),
        }


def universes_from(cache: Cache, wanted: Wanted, make: Callable[[], Any], progress: Progress | None = None) -> Any:
    """Universes of the cache, or those that are made now and kept.

    Args:
        cache: where to look.
        wanted: which.
        make: samples them.
        progress: called with their number where they are found.
    """
    key, joint = wanted.key(), isinstance(wanted.bars, Market)
    found = cache.get(UNIVERSES, key)
    if found is None:
        made = make()
        cache.put(UNIVERSES, key, {"values": made.values if joint else made.payload}, dict(made.facts))
        return made
    if progress is not None:
        progress(len(wanted.ids))
    values = found.arrays["values"]
    if isinstance(wanted.bars, Market):
        return JointUniverses(values, wanted.future, wanted.bars, wanted.ids, found.facts)
    return universes_after(wanted.bars, values, wanted.future, wanted.ids, found.facts)
