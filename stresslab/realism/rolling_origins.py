"""Rolling origins: what a generator samples from the bars up to each, beside the bars that really followed.

`calibration` and `gate` say what these mean. N is universes, H bars of horizon; returns are logarithmic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError
from stresslab.core.parallel import chunks, map_chunks
from stresslab.core.randomness import Stream, derive
from stresslab.data.bars import CLOSE, VOLUME, Bars
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.metrics import stylized_facts

ORIGINS = 24
"""Origins to take at most, by default."""
UNIVERSES = 64
"""Universes at each origin, by default: enough to rank an outcome among them."""
MIN_HISTORY = 120
"""Bars before the first origin, at least."""
CONTEXT = 400
"""Bars whose mean log-price a reversion would lead back to; where there are enough, all origins have as many."""
RECENT = 20
"""Bars whose volatility separates calm origins from turbulent ones."""
USUAL = 250
"""Bars whose volatility the recent one is compared with."""
ASSESSED = 40
"""Bars after each origin that a run looks at, at most: longer horizons are what the pooled calibration covers."""


@dataclass(frozen=True)
class Origin:
    """What was sampled at one origin, and what followed.

    Attributes:
        at: time stamp of the last bar seen.
        paths: (N, H) log of the sampled closes over the last real one.
        real: (H,) the same of the real closes.
        displacement: log of the last close over the geometric mean of the closes before it.
        spread: standard deviation of the logs of those closes.
        recent_volatility: root mean square of the last `RECENT` real returns.
        usual_volatility: the same of the last `USUAL` ones.
        volume_volatility: correlation of volume and absolute return in the universes and in what followed.
        repaired: share of sampled bars that had to be repaired.
        support: share of universes that touch the end of what the model can represent; None where there is no end.
        end: number of bars seen, by which origins nearer than a horizon are known to overlap; None where none do.
    """

    at: pd.Timestamp
    paths: FloatArray
    real: FloatArray
    displacement: float
    recent_volatility: float
    spread: float = math.nan
    usual_volatility: float = math.nan
    volume_volatility: tuple[float, float] = (math.nan, math.nan)
    repaired: float = 0.0
    support: float | None = None
    end: int | None = None

    @property
    def returns(self) -> FloatArray:
        """Bar returns of the universes (N, H)."""
        return np.diff(self.paths, axis=1, prepend=0.0)

    @property
    def real_returns(self) -> FloatArray:
        """Bar returns of what followed (1, H)."""
        return np.diff(self.real, prepend=0.0)[None]


@dataclass(frozen=True)
class Rolled:
    """The origins of one series.

    Attributes:
        origins: in the order of time.
        refusals: why the generator could not sample at the others, in its own words.
    """

    origins: tuple[Origin, ...]
    refusals: tuple[str, ...] = ()


def origin_positions(count: int, horizon: int, most: int) -> list[int]:
    """Numbers of bars seen at each origin: at least a horizon apart, each followed by a whole horizon.

    Args:
        count: bars there are.
        horizon: bars to compare after each origin.
        most: origins wanted. Those with a full context are spread evenly; without enough of them the last ones serve.
    """
    possible = list(range(count - horizon, MIN_HISTORY - 1, -horizon))[::-1]
    informed = [position for position in possible if position > CONTEXT]
    if len(informed) <= most:
        return possible[-most:]
    return spread(informed, most)


def between(positions: list[int], horizon: int, most: int) -> list[int]:
    """Further origins between those a horizon apart, where these are fewer than wanted: half-way, or at thirds.

    Args:
        positions: of `origin_positions`.
        horizon: bars to compare after each.
        most: origins wanted, these among them.
    """
    missing, gaps = most - len(positions), positions[1:]
    parts = 2 if missing <= len(gaps) else 3
    steps = sorted({horizon * part // parts for part in range(1, parts)} - {0})
    return spread([end - step for end in gaps for step in reversed(steps)], missing) if missing > 0 else []


def spread(positions: list[int], most: int) -> list[int]:
    """At most so many of the positions, evenly spread, first and last among them."""
    if len(positions) <= most:
        return positions
    chosen = np.unique(np.linspace(0, len(positions) - 1, most).round().astype(int))
    return [positions[place] for place in chosen]


def roll(
    bars: Bars,
    generator: Generator,
    ends: list[int],
    horizon: int,
    universes: int,
    *,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Rolled:
    """Sample at every origin and lay beside it what followed; an origin that the generator refuses is left out.

    Args:
        bars: real bars.
        generator: what is judged.
        ends: numbers of bars seen at each origin, as `origin_positions` gives them.
        horizon: bars to compare after each.
        universes: to sample at each.
        seed: whole number; each origin draws from its own.
        jobs: workers.
        progress: called with 1 after each origin.
    """

    def observed(numbers: NDArray[np.int64]) -> Origin | str:
        number = int(numbers[0])
        at = ends[number]
        try:
            sampled = generator.sample(bars[:at], horizon, universes, derive(seed, Stream.REALISM, number), jobs=1)
        except DataError as error:
            return str(error)
        return replace(observe(sampled, bars[at : at + horizon]), end=at)

    found: dict[int, Origin | str] = {}
    for number, origin in map_chunks(observed, chunks(np.arange(len(ends)), 1), jobs=jobs, threads=True):
        found[number] = origin
        if progress is not None:
            progress(1)
    in_order = [found[number] for number in range(len(ends))]
    return Rolled(
        tuple(one for one in in_order if isinstance(one, Origin)),
        tuple(one for one in in_order if isinstance(one, str)),
    )


def observe(sampled: Universes, followed: Bars) -> Origin:
    """One origin's universes beside what followed."""
    history = sampled.history
    logs = np.log(history.values[-CONTEXT - 1 :, CLOSE])
    last = logs[-1]
    paths = np.log(sampled.values[:, :, CLOSE].astype(np.float64)) - last  # (N, H)
    real = np.log(followed.values[:, CLOSE]) - last
    volumes, real_volumes = sampled.values[:, :, VOLUME].astype(np.float64), followed.values[None, :, VOLUME]
    return Origin(
        at=history.timestamps[-1],
        paths=paths,
        real=real,
        displacement=float(last - logs[:-1].mean()),
        spread=float(logs[:-1].std()),
        recent_volatility=math.sqrt(float((np.diff(logs)[-RECENT:] ** 2).mean())),
        usual_volatility=math.sqrt(float((np.diff(logs)[-USUAL:] ** 2).mean())),
        volume_volatility=(
            stylized_facts.volume_volatility(np.diff(paths, axis=1, prepend=0.0), volumes),
            stylized_facts.volume_volatility(np.diff(real, prepend=0.0)[None], real_volumes),
        ),
        repaired=float(sampled.facts.get("repaired_bars", 0)) / max(1, paths.size),
        support=sampled.facts.get("support_share"),
    )
