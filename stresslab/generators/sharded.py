"""Universes written shard by shard: sampled here or on a cluster, streamed to disk, continued where they were stopped.

A shard depends on its ids alone, so that who sampled it, and when, changes no byte of its universes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.core.checkpoints import Shards
from stresslab.core.errors import InputError
from stresslab.core.parallel import Ids, Workers, chunks, map_chunks
from stresslab.core.randomness import check_seed
from stresslab.core.whole_files import put
from stresslab.data.bars import Bars
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market_index import IndexBars
from stresslab.data.universes import Universes, universes_after
from stresslab.generators.base import Generator, check_horizon, universe_ids
from stresslab.generators.registry import make_generator, settings_of


@dataclass(frozen=True, eq=False)
class SampleRequest:
    """Universes that are wanted.

    Attributes:
        generator: makes them.
        history: the real bars up to the origin.
        horizon: bars to sample.
        universes: how many.
        seed: whole number.
    """

    generator: Generator
    history: Bars
    horizon: int
    universes: int
    seed: int

    def __post_init__(self) -> None:
        check_horizon(self.horizon), check_seed(self.seed), universe_ids(self.universes, None)

    def sample(self, ids: Ids, jobs: int, progress: Callable[[int], None]) -> Universes:
        """Some of them, by their ids."""
        return self.generator.sample(
            self.history, self.horizon, self.universes, self.seed, ids=ids.tolist(), jobs=jobs, progress=progress
        )

    def describe(self) -> dict[str, Any]:
        """What decides their bytes, as plain JSON."""
        return {
            "generator": self.generator.describe(), "history": self.history.digest, "horizon": self.horizon,
            "universes": self.universes, "seed": self.seed,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class SampleTask:
    """What a worker needs to sample some universes: a generator's settings, the history, what to sample.

    Weights do not travel: the worker loads them, once, and refuses to sample with other ones.

    Attributes:
        settings: of the generator; "name" says which.
        identity: what `describe` of the generator must give.
        history: the real bars up to the origin.
        horizon: bars to sample.
        universes: number of universes of the run.
        seed: of the run.
    """

    settings: Mapping[str, Any]
    identity: Mapping[str, Any]
    history: Bars
    horizon: int
    universes: int
    seed: int

    @classmethod
    def of(cls, generator: Generator, history: Bars, horizon: int, universes: int, seed: int) -> SampleTask:
        """The task of a generator that the registry can make again from its settings."""
        name = generator.name
        settings = {one: getattr(generator, one) for one in settings_of(name)}
        return cls({"name": name, **settings}, generator.describe(), history, horizon, universes, seed)

    def __call__(self, ids: Ids) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Values (n, T, F) of these universes, and the facts about them."""
        generator = _generator(tuple(sorted(self.settings.items())))
        now = generator.describe()
        changed = [name for name, value in self.identity.items() if now.get(name) != value]
        if changed:
            name = changed[0]
            raise InputError(
                f"a worker has another {name} of {self.settings['name']}, {now.get(name)!r:.80} instead of "
                f"{self.identity[name]!r:.80}; give each worker the same weights and the same `device`"
            )
        made = generator.sample(self.history, self.horizon, self.universes, self.seed, ids=ids.tolist(), jobs=1)
        return made.payload, dict(made.facts)


@lru_cache(maxsize=2)
def _generator(settings: tuple[tuple[str, Any], ...]) -> Generator:
    """The generator with these settings, kept in this process with the weights that it has loaded."""
    return make_generator(**dict(settings))


def sample_shards(
    wanted: SampleRequest,
    folder: Path,
    *,
    size: int,
    jobs: int = 1,
    cluster: Workers | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Path]:
    """Write universes as shards of `size` of them; those that are there already are left as they are.

    Args:
        wanted: the universes.
        folder: gets `universes-*.parquet`, `history.parquet`, and what continues an interrupted work.
        size: universes of a shard; at most one shard is in memory, and on a cluster one for each worker.
        jobs: threads within a shard.
        cluster: samples whole shards on these workers instead.
        progress: called with the number of universes newly finished, those that were there among them.

    Returns:
        The paths of the shards.

    Raises:
        InputError: the folder holds other universes, or another process writes them.
    """
    pieces, history = chunks(universe_ids(wanted.universes, None), size), wanted.history
    plan = wanted.describe() | {"shard": size}
    work = Shards(folder, plan, len(pieces), lambda position: f"universes-{position * size:09d}.parquet")
    advance = progress or (lambda count: None)
    with work.working() as missing:
        advance(wanted.universes - sum(len(pieces[position]) for position in missing))
        if cluster is None:
            for position in missing:
                work.add(position, wanted.sample(pieces[position], jobs, advance).save_shard)
        else:
            timestamps = history.calendar.future(history.timestamps, wanted.horizon)
            task = SampleTask.of(wanted.generator, history, wanted.horizon, wanted.universes, wanted.seed)
            for at, (values, facts) in map_chunks(task, [pieces[position] for position in missing], cluster=cluster):
                piece = pieces[missing[at]]
                work.add(missing[at], universes_after(history, values, timestamps, piece, facts).save_shard)
                advance(len(piece))
        put(folder / "history.parquet", lambda path: _save_history(history, path))
    return [folder / work.name(position) for position in range(work.count)]


def _save_history(history: Bars, path: Path) -> None:
    """The real bars, of each symbol where there are several."""
    if isinstance(history, IndexBars):
        JointUniverses.save_history(history.market, path)
    else:
        Universes.save_history(history, path)
