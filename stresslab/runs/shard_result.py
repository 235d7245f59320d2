"""What strategies come to in a shard of universes: rows of measures and counts for the fans, small enough to travel.

`shard_stream` decides where, when and by whom shards are sampled; a result depends on the ids alone.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest import CHUNK
from stresslab.backtest.evaluate import Evaluator, StrategyEvaluation
from stresslab.core.cache import Cache
from stresslab.core.errors import InputError
from stresslab.core.parallel import Ids
from stresslab.data.bars import CLOSE
from stresslab.data.universes import Universes, facts_of, universes_after
from stresslab.generators.sharded import SampleTask
from stresslab.metrics.quantile_sketch import Sketch
from stresslab.runs.cached import Wanted, universes_from
from stresslab.strategy import CallLog

_UNREADABLE = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, MemoryError, NotImplementedError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What numpy and zipfile raise on bytes that are no arrays."""
NARROW = 128
"""Universes that are worth a process of their own, at least."""


@dataclass(frozen=True, eq=False)
class ShardResult:
    """What strategies come to in n universes.

    Attributes:
        found: of each strategy, and last of the portfolio where there is one: measures and fan, no curves.
        closes: how the universes' closes are distributed at each of T bars.
        facts: about the universes.
        universes: how many were sampled, n.
        first: (k, T, F) values of those universes that are wanted themselves, k <= n.
        ids: (m,) of the universes that count, m <= n.
        digests: (m,) of their values.
    """

    found: tuple[StrategyEvaluation, ...]
    closes: Sketch
    facts: Mapping[str, Any]
    universes: int
    first: NDArray[np.float32]
    ids: NDArray[np.int64]
    digests: NDArray[np.uint64]

    @property
    def distinct(self) -> int:
        """Universes that are not copies of one before."""
        return len(np.unique(self.digests))

    @classmethod
    def merged(cls, parts: Sequence[ShardResult]) -> ShardResult:
        """The outcome in all universes, in the order given; of the fans the order does not matter."""
        counts = [part.universes for part in parts]
        return cls(
            tuple(
                StrategyEvaluation.concatenate(of_one) for of_one in zip(*(part.found for part in parts), strict=True)
            ),
            Sketch.merged([part.closes for part in parts]),
            facts_of([part.facts for part in parts], counts),
            sum(counts),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.digests for part in parts]),
        )

    def without_copies(self) -> ShardResult:
        """The outcome in which no universe counts twice, where most of them are copies; the fans keep them all.

        A generator with few possible universes may sample one again: that is no further evidence.
        """
        kept = np.sort(np.unique(self.digests, return_index=True)[1])
        if 2 * len(kept) >= len(self.digests):
            return self
        ids = self.ids[kept]
        found = tuple(one if one.error else one.only(ids) for one in self.found)
        first = self.first[kept[kept < len(self.first)]]
        return replace(self, found=found, first=first, ids=ids, digests=self.digests[kept])

    def without(self, positions: Sequence[int]) -> ShardResult:
        """The outcome without some of the strategies."""
        return replace(self, found=tuple(one for at, one in enumerate(self.found) if at not in positions))

    def save(self, path: Path) -> None:
        """Write arrays and plain JSON, nothing that is code."""
        arrays: dict[str, Any] = {"first": self.first, "ids": self.ids, "digests": self.digests} | _arrays(
            "closes", self.closes
        )
        strategies = []
        for at, one in enumerate(self.found):
            arrays |= {f"{at}.{number}": column.to_numpy() for number, (_, column) in enumerate(one.metrics.items())}
            arrays |= {f"{at}.ids": one.metrics.index.to_numpy()} | (_arrays(f"{at}.fan", one.fan) if one.fan else {})
            arrays |= {} if one.losing is None else {f"{at}.losing": one.losing}
            log = [one.log.characters, one.log.beginning, list(one.log.failures.items()), one.log.warnings]
            strategies.append([list(one.metrics.columns), one.metrics.index.name, log, one.error, one.universes])
        text = json.dumps({"found": strategies, "facts": dict(self.facts), "universes": self.universes})
        with path.open("wb") as stream:
            np.savez(stream, about=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)

    @classmethod
    def load(cls, path: Path) -> ShardResult:
        """Read what `save` wrote.

        Raises:
            InputError: the file is no such outcome, although its hash is the one that was written down.
        """
        try:
            return cls._load(path)
        except _UNREADABLE as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{path} holds no finished universes ({reason:.120}); delete it and resume again"
            ) from None

    @classmethod
    def _load(cls, path: Path) -> ShardResult:
        with zipfile.ZipFile(path) as members:
            if any(one.compress_type != zipfile.ZIP_STORED for one in members.infolist()):
                raise ValueError("its arrays are compressed, as no run writes them")
            if sum(one.file_size for one in members.infolist()) > path.stat().st_size:
                raise ValueError("its arrays claim more bytes than it has")
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            found = []
            for at, (columns, index, noted, error, universes) in enumerate(about["found"]):
                ids = pd.Index(arrays[f"{at}.ids"], name=index)
                metrics = pd.DataFrame({name: arrays[f"{at}.{n}"] for n, name in enumerate(columns)}, index=ids)
                fan = _sketch(f"{at}.fan", arrays) if f"{at}.fan.keys" in arrays else None
                losing = arrays[f"{at}.losing"] if f"{at}.losing" in arrays else None
                characters, beginning, failures, warned = noted
                log = CallLog(characters, beginning, {int(universe): why for universe, why in failures}, warned)
                found.append(StrategyEvaluation(metrics, None, fan, losing, log, error, universes))
            return cls(tuple(found), _sketch("closes", arrays), about["facts"], about["universes"],
                arrays["first"], arrays["ids"], arrays["digests"],
            )  # fmt: skip


def _arrays(name: str, sketch: Sketch) -> dict[str, Any]:
    return {
        f"{name}.keys": np.concatenate(sketch.keys),
        f"{name}.counts": np.concatenate(sketch.counts),
        f"{name}.rows": np.array([len(row) for row in sketch.keys]),
        f"{name}.unit": np.array(sketch.unit),
    }


def _digests(universes: Universes) -> NDArray[np.uint64]:
    """(n,) 64 bits of a hash over each universe's values."""
    rows = np.ascontiguousarray(universes.payload)
    found = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(found), dtype="<u8").astype(np.uint64)


def _sketch(name: str, arrays: Mapping[str, Any]) -> Sketch:
    ends = np.cumsum(arrays[f"{name}.rows"])[:-1]
    keys, counts = (tuple(np.split(arrays[f"{name}.{part}"], ends)) for part in ("keys", "counts"))
    return Sketch(keys, counts, float(arrays[f"{name}.unit"]))


def shard_result(
    evaluator: Evaluator,
    universes: Universes,
    kept: int = 0,
    jobs: int = 1,
    advance: Callable[[int], None] | None = None,
) -> ShardResult:
    """What every strategy, and the portfolio, comes to in some universes.

    Args:
        evaluator: of the run's strategies.
        universes: some of the run's.
        kept: of the run's first universes, which are wanted themselves.
        jobs: processes.
        advance: called with the number of universes done.
    """
    chunk = min(CHUNK, max(NARROW, -(-len(universes) // jobs)))
    found = replace(evaluator, chunk=chunk, keep_fan=True).on(universes, jobs, advance)
    closes = Sketch.of(universes.values[:, :, CLOSE].T, unit=float(universes.history.values[-1, CLOSE]))
    first = universes.payload[universes.ids < kept]
    return ShardResult(tuple(found), closes, universes.facts, len(universes), first, universes.ids, _digests(universes))


@dataclass(frozen=True, eq=False)
class ShardTask:
    """Sample a shard of universes and run strategies in them: a function of their ids alone, which travels.

    Attributes:
        sample: what is sampled.
        evaluator: of the strategies.
        kept: of the run's first universes, which are wanted themselves.
        cache: of the machine on which the task is done, if any.
    """

    sample: SampleTask
    evaluator: Evaluator
    kept: int = 0
    cache: Cache | None = None

    def __call__(self, ids: Ids) -> ShardResult:
        """The result in these universes; accounts are not kept, since they would travel."""
        task = self.sample
        wanted = Wanted(task.identity, task.history, task.horizon, task.seed, ids)

        def make() -> Universes:
            values, facts = task(ids)
            return universes_after(task.history, values, wanted.future, ids, facts)

        universes = make() if self.cache is None else universes_from(self.cache, wanted, make)
        return shard_result(replace(self.evaluator, keep_accounts=0), universes, self.kept)
