"""Many tiles of several histories on the workers there are: which is sampled when, and what is put together of them.

What a tile holds depends on its history, seed and number alone, so neither order nor company can change a universe.
Shapes: N universes asked for, H bars of horizon, F fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from stresslab.core.errors import InputError
from stresslab.core.parallel import chunks, map_chunks
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.universes import Universes
from stresslab.generators.base import Progress
from stresslab.generators.kronos.common_drift import common_drift
from stresslab.generators.kronos.coupling import Company, ReturnOrder
from stresslab.generators.kronos.device import keep_to_one_thread
from stresslab.generators.kronos.diagnostics import touching
from stresslab.generators.kronos.representation import Given, Representation
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.sampler import DRAWS, TILE, Forced, Networks, Sampler, Tile, Window
from stresslab.generators.kronos.token_sampling import TokenSampling

REMEMBERED = 256
"""Histories whose common drift is kept: shards and seeds of a run share one."""
Check = Callable[[NDArray[np.float64], Bars], tuple[NDArray[np.float64], int]]


@dataclass(frozen=True)
class Plan:
    """What all histories of a batch have in common.

    Attributes:
        networks: model and tokenizer.
        representation: turns features into bars.
        max_context: bars in the model's window.
        choice: how tokens are drawn.
        horizon: bars to sample.
        anchor: whether universes start at the last real close.
        check: refuses or repairs bars (n, H, F) that follow a history, and counts the repairs.
        scored: whether to keep the tokens' log-probabilities.
        order: of the checkpoint's returns; asked for where histories are sampled in company.
    """

    networks: Networks
    representation: Representation
    max_context: int
    choice: TokenSampling
    horizon: int
    anchor: bool
    check: Check
    scored: bool
    order: Callable[[], ReturnOrder]


@dataclass(frozen=True, eq=False)
class Inserted:
    """Bars that are put into universes.

    Attributes:
        ids: (N,) of the universes.
        at: step of the first inserted bar.
        bars: (N, at + L, F) of the universes from the origin to the last inserted bar.
        own: (N,) how many of the inserted bars, from the first on, are what the universe had there anyway.
    """

    ids: NDArray[np.int64]
    at: int
    bars: NDArray[np.float64]
    own: NDArray[np.int64]

    @classmethod
    def into(cls, universes: Universes, at: int, inserted: NDArray[np.float64]) -> Inserted:
        """Bars (N, L, F) that stand in universes from `at` on."""
        had = universes.values[:, at : at + inserted.shape[1]]
        alike = (inserted.astype(had.dtype) == had).all(axis=2)
        bars = np.concatenate([universes.values[:, :at].astype(np.float64), inserted], axis=1)
        return cls(universes.ids, at, bars, np.cumprod(alike, axis=1).sum(axis=1))

    def of(self, wanted: NDArray[np.int64]) -> Inserted:
        """Those of the universes `wanted`; the first stands in for universes that are not among these."""
        order = np.argsort(self.ids)
        places = np.minimum(np.searchsorted(self.ids, wanted, sorter=order), len(order) - 1)
        found = np.where(self.ids[order[places]] == wanted, order[places], 0)
        return Inserted(wanted, self.at, self.bars[found], self.own[found])

    @property
    def given(self) -> Given:
        """The inserted bars alone."""
        return Given(self.at, self.bars[:, self.at :])


@dataclass(eq=False)
class SampledHistory:
    """One history, and what has been sampled from it.

    Attributes:
        bars: the history.
        timestamps: (H,) of the bars to come.
        features: (L, width) of the L bars that the model sees.
        state: what the representation goes on from.
        marks: (L + H, 5) calendar stamps.
        seed: of its universes.
        window: what to do when the model's window is full.
        company: what its universes share with those of other symbols, or None.
        inserted: bars that are put into its universes, or None.
        values: (N, H, F) float32 bars.
        log_probabilities: (N, H, 2) of the tokens, or None.
        repairs: bars repaired.
        touched: universes that touch the end of what can be represented; None where there is no end.
    """

    bars: Bars
    timestamps: pd.DatetimeIndex
    features: NDArray[np.float32]
    state: Any
    marks: NDArray[np.int64]
    seed: int
    window: Window
    company: Company | None = None
    inserted: Inserted | None = None
    values: NDArray[np.float32] = field(init=False)
    log_probabilities: NDArray[np.float32] | None = field(init=False, default=None)
    repairs: int = field(init=False, default=0)
    touched: int | None = field(init=False, default=None)


class Stopped(Exception):
    """Ends a tile whose universes are no longer wanted."""


class Meter:
    """Turns bars sampled into universes' worth of progress, and one worker's failure into the end of all."""

    def __init__(self, progress: Progress | None, horizon: int) -> None:
        self.progress, self.horizon = progress, horizon
        self.cause: BaseException | None = None
        self.stopped, self._lock, self._bars, self._reported = Event(), Lock(), 0, 0

    def advance(self, bars: int) -> None:
        """So many bars more, each of one universe, or fewer; raises `Stopped` when the sampling is over."""
        with self._lock:
            if self.stopped.is_set():
                raise self.cause or Stopped
            self._bars += bars
            new = self._bars // self.horizon - self._reported
            if self.progress is not None and new > 0:
                self._reported += new
                try:
                    self.progress(new)
                except BaseException as error:
                    self.cause = error
                    self.stopped.set()  # before another worker reports a bar more
                    raise


@dataclass(frozen=True, eq=False)
class _Made:
    """The wanted universes of one tile: where they belong, and what was sampled."""

    rows: NDArray[np.intp]
    values: NDArray[np.float64]
    log_probabilities: NDArray[np.float32] | None
    repairs: int
    touched: int | None


def sample_all(
    plan: Plan, origins: Sequence[SampledHistory], wanted: NDArray[np.int64], jobs: int, meter: Meter
) -> None:
    """Sample the universes `wanted` (N,) of every origin, and leave them in it."""
    for origin in origins:
        origin.values = np.empty((len(wanted), plan.horizon, len(FIELDS)), dtype=np.float32)
        if plan.scored:
            origin.log_probabilities = np.empty((len(wanted), plan.horizon, DRAWS), dtype=np.float32)
    tiles, counts = np.unique(wanted // TILE, return_counts=True)
    wanted_of, groups = dict(zip(tiles.tolist(), counts.tolist(), strict=True)), chunks(tiles, _tiles_at_once(plan))
    histories = [_Prefilled(plan, origin, len(groups) + 1) for origin in origins]
    work = [(one, group) for one in histories for group in (None, *groups)]  # None: its common drift

    def advance(tiles: NDArray[np.int64], bars: int) -> None:
        meter.advance(bars * sum(wanted_of[int(number)] for number in tiles))

    def sample(numbers: NDArray[np.int64]) -> list[_Made]:
        keep_to_one_thread()
        one, group = work[int(numbers[0])]
        with one.held() as sampler:
            tiles = [] if group is None else one.sample(sampler, group, advance)
            drift = one.drift(sampler, lambda: meter.advance(0))
        if group is None:
            return []
        made = [_made(plan, one.origin, wanted, number, tile, drift) for number, tile in zip(group, tiles, strict=True)]
        advance(group, 1)
        return made

    numbers = chunks(np.arange(len(work)), 1)
    for position, finished in map_chunks(sample, numbers, jobs=jobs, threads=True, stop=meter.stopped.set):
        origin = work[position][0].origin
        for made in finished:
            origin.values[made.rows] = made.values
            if origin.log_probabilities is not None:
                origin.log_probabilities[made.rows] = made.log_probabilities
            origin.repairs += made.repairs
            origin.touched = None if made.touched is None else (origin.touched or 0) + made.touched


def _made(
    plan: Plan,
    origin: SampledHistory,
    wanted: NDArray[np.int64],
    number: int,
    tile: Tile,
    drift: NDArray[np.float64] | None,
) -> _Made:
    """Bars of a tile's features, with the common drift (H, 2) of the history settled."""
    rows = np.flatnonzero(wanted // TILE == number)
    chosen = wanted[rows] % TILE
    seam, inserted = tile.seam if plan.anchor else None, origin.inserted
    given = None if inserted is None else inserted.of(wanted[rows]).given
    decoded = plan.representation.decode(tile.features[chosen], origin.state, seam, drift, given)
    values, repairs = plan.check(decoded, origin.bars)
    at_end = touching(plan.representation, tile.features)
    scores = None if tile.log_probabilities is None else tile.log_probabilities[chosen]
    return _Made(rows, values, scores, repairs, None if at_end is None else int(at_end[chosen].sum()))


class _Prefilled:
    """A history's sampler, made when the first of its pieces of work begins, gone after the last; and its common drift.

    The drift is a piece of its own: one worker settles it while others sample, and they need it only to decode.
    """

    def __init__(self, plan: Plan, origin: SampledHistory, pieces: int) -> None:
        self.plan, self.origin, self.left = plan, origin, pieces
        self._making, self._settling = Lock(), Lock()
        self._sampler: Sampler | None = None

    @contextmanager
    def held(self) -> Iterator[Sampler]:
        """The sampler, for one piece of work."""
        with self._making:
            if self._sampler is None:
                self._sampler = self._prefill()
            sampler = self._sampler
        yield sampler
        with self._making:
            self.left -= 1
            if self.left == 0:
                self._sampler = None

    def sample(
        self, sampler: Sampler, tiles: NDArray[np.int64], advance: Callable[[NDArray[np.int64], int], None]
    ) -> list[Tile]:
        """Sample tiles, together where the device's memory allows it."""
        return _sample(sampler, tiles, self.origin, self._forced(sampler, tiles), self.plan.scored, advance)

    def _forced(self, sampler: Sampler, tiles: NDArray[np.int64]) -> Forced | None:
        """The tokens of inserted bars, each universe's read after its own past."""
        if self.origin.inserted is None:
            return None
        plan = self.plan
        ids = np.concatenate([np.arange(number * TILE, (number + 1) * TILE) for number in tiles])
        inserted, seam = self.origin.inserted.of(ids), sampler.seam if plan.anchor else None
        features = plan.representation.following(inserted.bars, self.origin.state, seam)
        count = features.shape[1] - inserted.at
        drawn = torch.from_numpy(np.arange(count) < inserted.own[:, None]).to(plan.networks.device)
        return Forced(inserted.at, sampler.encoded(features, count), drawn)

    def drift(self, sampler: Sampler, between_bars: Callable[[], None]) -> NDArray[np.float64] | None:
        """The common drift (H, 2) of the history; None where the representation has none."""
        representation, origin, known = self.plan.representation, self.origin, self.plan.networks.drifts
        if not isinstance(representation, Returns):
            return None
        of_history = (origin.bars.digest, len(origin.features), self.plan.horizon, self.plan.choice, origin.window)
        with self._settling:
            if of_history not in known:
                if len(known) >= REMEMBERED:
                    known.clear()
                known[of_history] = common_drift(sampler, representation, origin.state, between_bars)
            return known[of_history]

    def _prefill(self) -> Sampler:
        plan, origin = self.plan, self.origin
        return Sampler(
            plan.networks,
            origin.features,
            origin.marks,
            horizon=plan.horizon,
            max_context=plan.max_context,
            choice=plan.choice,
            window=origin.window,
            order=None if origin.company is None else plan.order(),
        )


def _sample(
    sampler: Sampler,
    tiles: NDArray[np.int64],
    origin: SampledHistory,
    forced: Forced | None,
    scored: bool,
    advance: Callable[[NDArray[np.int64], int], None],
) -> list[Tile]:
    """Sample tiles together, or one half of them after the other where the device's memory runs out.

    `advance` is called after each bar but the last, and with a negative number for work that is repeated.
    """
    bars = 0

    def between_bars() -> None:
        nonlocal bars
        bars += 1
        advance(tiles, 1)

    try:
        return sampler.sample(
            tiles, origin.seed, company=origin.company, forced=forced, scored=scored, between_bars=between_bars
        )
    except torch.OutOfMemoryError:
        if len(tiles) == 1:
            device = sampler.networks.device
            raise InputError(
                f"device={device} has no memory for {TILE} universes; give cpu, or a shorter horizon"
            ) from None
    advance(tiles, -bars)
    torch.cuda.empty_cache()
    half, made = len(tiles) // 2, []
    for part in (slice(0, half), slice(half, len(tiles))):
        own = None if forced is None else forced.rows(slice(part.start * TILE, part.stop * TILE))
        made += _sample(sampler, tiles[part], origin, own, scored, advance)
    return made


def _tiles_at_once(plan: Plan) -> int:
    """Tiles to compute together: one per worker on a CPU, on a GPU as many as half of its free memory holds."""
    device = plan.networks.device
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    room = min(plan.horizon, plan.max_context)
    return max(1, int(free / 2 / (TILE * plan.networks.bytes_per_universe(room))))
