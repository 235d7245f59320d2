"""What every generator of universes promises; the registry lists the generators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.data.bars import CLOSE, FIELDS, HIGH, LOW, Bars
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.data.market_index import IndexUniverses
from stresslab.data.universes import Universes

MAX_HORIZON = 100_000
MAX_UNIVERSES = 100_000_000

Progress = Callable[[int], None]


class Generator(Protocol):
    """Makes continuations of one history.

    A universe is addressed by (seed, id): the same id of the same seed has the same bytes for any number of
    universes, any `ids` asked for and any number of `jobs`.
    """

    name: str

    def sample(
        self,
        bars: Bars,
        horizon: int,
        universes: int,
        seed: int = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Universes:
        """Sample `universes` continuations of `horizon` bars after the last of `bars`.

        Args:
            bars: the history.
            horizon: number of bars to generate.
            universes: number of universes; their ids are 0 ... universes - 1.
            seed: whole number in [0, 2^64).
            ids: only these ids, in this order.
            jobs: workers.
            progress: called with the number of universes newly finished.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Everything that decides what is sampled, as plain JSON: settings, hashes, training cut-off."""
        ...


@runtime_checkable
class Continuing(Protocol):
    """A generator that goes on after bars that are put into its universes."""

    name: str

    def continued(
        self,
        universes: Universes,
        at: int,
        inserted: ArrayLike,
        seed: int = 0,
        *,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Universes:
        """The same universes with other bars from `at` on, and what this generator lets follow them.

        Bars before `at` stay as they are. Those after the inserted ones are sampled with the random numbers that the
        same steps of the base case had, so that both differ by the inserted bars and what follows from them.

        Args:
            universes: the base case (N, T, F), which this generator sampled from `universes.history` with `seed`.
            at: position of the first inserted bar, from 0.
            inserted: (N, L, F) bars, or (1, L, F) for all universes alike.
            seed: of the base case.
            jobs: workers.
            progress: called with the number of universes newly finished.

        Raises:
            InputError: the inserted bars do not lie within the horizon, or are impossible.
        """
        ...


class JointGenerator(Protocol):
    """Makes continuations of several symbols that move together; every generator of the registry does."""

    name: str

    def sample(
        self,
        bars: Market,
        horizon: int,
        universes: int,
        seed: int = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> JointUniverses:
        """Sample a market; see `Generator.sample`."""
        ...

    def describe(self) -> dict[str, Any]:
        """See `Generator.describe`."""
        ...


def share_progress(progress: Progress | None, parts: int) -> Progress | None:
    """Progress of one of `parts` series that are sampled one after the other: a universe is finished with its last."""
    if progress is None:
        return None
    done = [0, 0]

    def advance(count: int) -> None:
        done[0] += count
        whole = done[0] // parts - done[1]
        done[1] += whole
        if whole:
            progress(whole)

    return advance


def universe_ids(universes: int, ids: Sequence[int] | None) -> NDArray[np.int64]:
    """The ids to sample, checked.

    Args:
        universes: number of universes of the run.
        ids: a selection of them, or None for all.

    Returns:
        (N,) int64.
    """
    if not _is_whole(universes) or not 1 <= universes <= MAX_UNIVERSES:
        raise InputError(
            f"universes={universes!r} is not a whole number in [1, {MAX_UNIVERSES:,}]; give `universes=1000`"
        )
    if ids is None:
        return np.arange(universes, dtype=np.int64)
    chosen = np.asarray(ids, dtype=np.int64)
    outside = chosen[(chosen < 0) | (chosen >= universes)]
    if chosen.ndim != 1 or len(chosen) == 0 or len(outside):
        raise InputError(f"ids={list(ids)[:5]} are not universe ids in [0, {universes}); ask for ids of this run")
    return chosen


def check_horizon(horizon: int) -> int:
    """The horizon itself when it is a sensible number of bars."""
    if not _is_whole(horizon) or not 1 <= horizon <= MAX_HORIZON:
        raise InputError(
            f"horizon={horizon!r} is not a whole number of bars in [1, {MAX_HORIZON:,}]; give for example `horizon=120`"
        )
    return int(horizon)


def _is_whole(value: object) -> bool:
    """Whether a value is an integer, of Python or of numpy; True and 2.0 are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_inserted(universes: Universes, at: int, inserted: ArrayLike, made_by: dict[str, Any]) -> FloatArray:
    """The bars to put into universes (N, L, F), checked.

    Args:
        universes: the base case (N, T, F).
        at: position of the first inserted bar, from 0.
        inserted: (N, L, F) or (1, L, F).
        made_by: `describe` of the generator that is to go on.

    Raises:
        InputError: another generator made the universes, or bars lie beyond the horizon, or are impossible.
    """
    bars, horizon = np.asarray(inserted, dtype=np.float64), universes.horizon
    if isinstance(universes, IndexUniverses):
        raise InputError("universes of several symbols do not go on after inserted bars yet; give those of one symbol")
    if universes.facts.get("generator") != made_by or (universes.ids < 0).any():
        raise InputError(
            f"these universes were not sampled by this {made_by['name']}; give those that its `sample` made"
        )
    if bars.ndim != 3 or bars.shape[0] not in (1, len(universes)) or not bars.shape[1] or bars.shape[2] != len(FIELDS):
        raise InputError(
            f"inserted bars of shape {bars.shape} do not fit {len(universes)} universes; give (universes, bars, "
            f"{len(FIELDS)})"
        )
    last = at + bars.shape[1]
    if not _is_whole(at) or at < 0 or last > horizon:
        raise InputError(
            f"bars {at + 1} to {last} are not within the {horizon} bars of the horizon; begin the shock earlier, or "
            "give a longer `horizon`"
        )
    prices = bars[:, :, : CLOSE + 1]
    if not np.isfinite(bars).all() or (prices <= 0).any() or (bars[:, :, CLOSE + 1 :] < 0).any():
        wrong = prices.min() if (prices <= 0).any() else bars[~np.isfinite(bars) | (bars < 0)][0]
        raise InputError(
            f"inserted bars hold {wrong:g}; give prices above 0 and volumes of 0 or more, all of them finite"
        )
    if (bars[:, :, HIGH] < prices.max(axis=2)).any() or (bars[:, :, LOW] > prices.min(axis=2)).any():
        raise InputError("an inserted bar has a price above its high or below its low; give bars that are possible")
    return np.broadcast_to(bars, (len(universes), *bars.shape[1:]))
