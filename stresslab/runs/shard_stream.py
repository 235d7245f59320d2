"""The universes of a run, evaluated shard by shard: sampled, traded in, summed up, and dropped.

Finished shards may be kept in a folder, from which an interrupted run goes on. How many universes a shard holds, who
computes it and when change no byte of any result.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from stresslab.backtest.evaluate import Evaluator
from stresslab.core.cache import Cache
from stresslab.core.checkpoints import Shards
from stresslab.core.limits import TILE
from stresslab.core.parallel import Ids, Workers, chunks, map_chunks, worth_processes
from stresslab.data.bars import Bars
from stresslab.data.market_index import IndexBars
from stresslab.data.universes import Universes, universes_after
from stresslab.generators.base import Generator
from stresslab.generators.registry import GENERATORS
from stresslab.generators.sharded import SampleTask
from stresslab.metrics.error_budget import more_universes
from stresslab.runs.shard_result import ShardResult, ShardTask, shard_result

SHARD = 1024
"""Universes of a shard: as many tiles of Kronos as most processors have cores."""

SYMBOLS = 5
"""Symbols of a market up to which as many universes are held at a time as of one series."""

Advance = Callable[[int], None]


def at_most(universes: int, symbols: int) -> int:
    """Universes of so many symbols to hold at a time: fewer of large markets, in whole tiles of the sampler."""
    return universes if symbols <= SYMBOLS else max(TILE, universes * SYMBOLS // symbols // TILE * TILE)


class _Last:
    """The first universes of the run before in this process, by which what was computed of them is found again."""

    asked: ClassVar[tuple[object, ...]] = ()
    universes: ClassVar[Universes | None] = None


def _nothing(count: int) -> None:
    """Progress that nobody follows."""


@dataclass(frozen=True)
class ShardStream:
    """Where a run's universes come from.

    Attributes:
        generator: makes them.
        history: the real bars up to the origin.
        horizon: bars of each.
        seed: of the run.
        jobs: workers on this machine.
        size: universes of a shard.
        kept: of the first universes, which are wanted themselves; at most one shard more is in memory.
        cluster: computes whole shards on these workers instead.
        work: folder that keeps finished shards; None keeps none.
        plan: everything that decides the outcome of a shard, as plain JSON.
        cache: in which processes of this machine look for universes; the generator itself looks there anyway.
    """

    generator: Generator
    history: Bars
    horizon: int
    seed: int
    jobs: int
    size: int = SHARD
    kept: int = 0
    cluster: Workers | None = None
    work: Path | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)
    cache: Cache | None = None

    def evaluate(
        self, evaluator: Evaluator, start: int, stop: int, sampled: Advance = _nothing, tested: Advance = _nothing
    ) -> ShardResult:
        """What strategies come to in the universes from `start` on, before `stop`.

        Args:
            evaluator: of the strategies.
            start: id of the first universe.
            stop: id after the last one.
            sampled: called with the number of universes newly sampled.
            tested: called with the number of universes that all strategies were newly run in.

        Raises:
            InputError: the folder holds the shards of another run, or cannot be written.
            InterruptedRunError: workers were lost.
        """
        pieces = chunks(np.arange(start, stop, dtype=np.int64), self.size)
        shards, found = self._shards(start, stop, len(pieces)), dict[int, ShardResult]()
        with nullcontext(list(range(len(pieces)))) if shards is None else shards.working() as missing:
            for position in sorted(set(range(len(pieces))) - set(missing)):
                assert shards is not None
                found[position] = ShardResult.load(shards.folder / shards.name(position))
                sampled(found[position].universes)
                tested(found[position].universes)
            compute = self._here if self.cluster is None else self._elsewhere
            for at, outcome in compute(evaluator, [pieces[position] for position in missing], stop, sampled, tested):
                found[missing[at]] = outcome
                if shards is not None:
                    shards.add(missing[at], outcome.save)
        return ShardResult.merged([found[position] for position in range(len(pieces))])

    def first(self, outcome: ShardResult) -> Universes:
        """The first universes, at most `kept`; the very ones of the run before, where these are the same."""
        ids, bars = outcome.ids[: len(outcome.first)], self.history
        stamps = bars.calendar.future(bars.timestamps, self.horizon)
        kind = bars.digest, bars.symbol, bars.source, str(bars.calendar.describe()), isinstance(bars, IndexBars)
        content = (stamps.asi8, ids, outcome.digests[: len(outcome.first)])
        asked = *kind, json.dumps(dict(outcome.facts)), *(one.tobytes() for one in content)
        if _Last.asked != asked:
            made = universes_after(self.history, outcome.first, stamps, ids, outcome.facts)
            _Last.asked, _Last.universes = asked, made
        assert _Last.universes is not None
        return _Last.universes

    def _shards(self, start: int, stop: int, count: int) -> Shards | None:
        """The folder of these universes' shards, if any is kept."""
        if self.work is None:
            return None
        folder = self.work if start == 0 else self.work / f"from-{start}"
        plan = dict(self.plan) | {"start": start, "stop": stop, "shard": self.size}
        return Shards(folder, plan, count, lambda position: f"outcome-{position:06d}.npz")

    def _here(
        self, evaluator: Evaluator, pieces: list[Ids], stop: int, sampled: Advance, tested: Advance
    ) -> Iterator[tuple[int, ShardResult]]:
        """Shard after shard on this machine; in processes, a shard each, where strategies take most of the time."""
        for at, piece in enumerate(pieces):
            begun = time.perf_counter()
            universes = self.generator.sample(
                self.history, self.horizon, stop, self.seed, ids=piece.tolist(), jobs=self.jobs, progress=sampled
            )
            there = time.perf_counter()
            outcome = shard_result(evaluator, universes, self.kept, self.jobs, tested)
            evaluator = evaluator.without_broken(outcome.found)
            yield at, outcome
            spent, left = time.perf_counter() - there, len(pieces) - at - 1
            worth = at and worth_processes(spent * left, self.jobs)  # the first one imports
            if worth and spent > there - begun and self.generator.name in GENERATORS:
                others = self._by_others(evaluator, pieces[at + 1 :], stop, sampled, tested)
                yield from ((at + 1 + position, outcome) for position, outcome in others)
                return

    def _elsewhere(
        self, evaluator: Evaluator, pieces: list[Ids], stop: int, sampled: Advance, tested: Advance
    ) -> Iterator[tuple[int, ShardResult]]:
        """Shards on a cluster: the first one alone, so that code that is broken fails once, not in each."""
        for at, outcome in self._by_others(evaluator, pieces[:1], stop, sampled, tested):
            evaluator = evaluator.without_broken(outcome.found)
            yield at, outcome
        for at, outcome in self._by_others(evaluator, pieces[1:], stop, sampled, tested):
            yield at + 1, outcome

    def _by_others(
        self, evaluator: Evaluator, pieces: list[Ids], stop: int, sampled: Advance, tested: Advance
    ) -> Iterator[tuple[int, ShardResult]]:
        """Each shard by a worker: a process of this machine, or one of the cluster's."""
        if not pieces:
            return
        sample = SampleTask.of(self.generator, self.history, self.horizon, stop, self.seed)
        task = ShardTask(sample, evaluator, self.kept, self.cache if self.cluster is None else None)
        for at, outcome in map_chunks(task, pieces, jobs=self.jobs, cluster=self.cluster):
            sampled(outcome.universes)
            tested(outcome.universes)
            yield at, outcome


MAX_FOR_PRECISION = 200_000
"""Universes that precision may ask for."""


def to_precision(precision: float, stream: ShardStream, evaluator: Evaluator, outcome: ShardResult) -> ShardResult:
    """The outcome in more universes, as many as make every P(loss) as precise as asked."""
    while True:
        have = outcome.universes
        if 2 * outcome.distinct < have:  # more of them would be copies
            return outcome
        losses = [int((one.metrics["total_return"] < 0).sum()) for one in outcome.found if not one.error]
        count = max((more_universes(lost, have, precision, MAX_FOR_PRECISION) for lost in losses), default=0)
        if count == 0:
            return outcome
        outcome = ShardResult.merged([outcome, stream.evaluate(evaluator, have, have + count)])
