"""What a generator shows about itself beyond its universes: its round trip, and what its settings cut off.

A generator that offers none of this is assessed without it. N is universes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from stresslab.core.errors import DataError
from stresslab.core.randomness import Stream, derive, numpy_generator
from stresslab.data.bars import Bars
from stresslab.generators.base import Generator
from stresslab.metrics.distribution import Interval
from stresslab.realism.rolling_origins import Origin, roll

CUT_ORIGINS, CUT_UNIVERSES = 4, 256
"""Origins, and universes at each, on which a setting is compared with the distribution that the model learned."""
TAIL = 0.01
AS_LEARNED: Mapping[str, Any] = {"temperature": 1.0, "top_p": 1.0, "top_k": 0}


@runtime_checkable
class RoundTrips(Protocol):
    """A generator whose bars become tokens."""

    def round_trip(self, bars: Bars) -> dict[str, float | None]:
        """What turning real bars into tokens and back does to their returns."""
        ...


@runtime_checkable
class Adjustable(Generator, Protocol):
    """A generator whose draws have a temperature and may be cut."""

    temperature: float
    top_p: float
    top_k: int

    def adjusted(self, **settings: Any) -> Self:
        """The same generator with other settings."""
        ...


def diagnose(
    bars: Bars, generator: Generator, ends: Sequence[int], horizon: int, *, seed: int = 0, jobs: int = 1
) -> dict[str, Any]:
    """The generator's own diagnostics, as plain JSON: "round_trip", and "cuts" where its settings cut the tails.

    Args:
        bars: real bars before a run's origin.
        generator: what is judged.
        ends: numbers of bars seen at each origin.
        horizon: bars.
        seed: of the universes.
        jobs: workers.
    """
    found: dict[str, Any] = {}
    if isinstance(generator, RoundTrips):
        with suppress(DataError):  # too few bars say nothing
            found["round_trip"] = generator.round_trip(bars)
    if isinstance(generator, Adjustable) and altered(generator):
        found["cuts"] = cuts(bars, generator, ends, horizon, seed=seed, jobs=jobs)
    return found


def altered(generator: Adjustable) -> dict[str, Any]:
    """Which settings differ from those with which the model's own distribution is drawn."""
    return {name: getattr(generator, name) for name, usual in AS_LEARNED.items() if getattr(generator, name) != usual}


def cuts(
    bars: Bars, generator: Adjustable, ends: Sequence[int], horizon: int, *, seed: int = 0, jobs: int = 1
) -> dict[str, Any] | None:
    """What temperature, top_p and top_k do to the universes: ratios to those with the same uniforms and none of them.

    Args:
        bars: real bars.
        generator: with the settings in question.
        ends: numbers of bars seen at each origin; a few of them, spread evenly, are used.
        horizon: bars.
        seed: of the universes.
        jobs: workers.

    Returns:
        The settings, the ratio of bar volatility, and of the 1% quantile of the return at the horizon, with intervals
        from resampling universes together with their counterparts; None without an origin.
    """
    chosen = (
        [ends[p] for p in np.unique(np.linspace(0, len(ends) - 1, CUT_ORIGINS).round().astype(int))] if ends else []
    )
    cut, whole = (
        roll(bars, one, chosen, horizon, CUT_UNIVERSES, seed=derive(seed, Stream.CUTS), jobs=jobs).origins
        for one in (generator, generator.adjusted(**AS_LEARNED))
    )
    if not cut or len(cut) != len(whole):
        return None
    volatility, tail = _cut_ratios(cut, whole, seed)
    return {
        "settings": altered(generator),
        "origins": len(cut),
        "volatility_ratio": volatility.to_dict(),
        "tail_ratio": tail.to_dict(),
    }


def _cut_ratios(
    cut: Sequence[Origin], whole: Sequence[Origin], seed: int, draws: int = 400
) -> tuple[Interval, Interval]:
    """Ratios of volatility and of the 1% quantile; every origin in units of the whole universes' spread there.

    The quantile is taken about the whole universes' mean, so that a drift does not pass for a tail.
    """
    ends, squares = [], []
    for one, other in zip(cut, whole, strict=True):
        last, unit = other.paths[:, -1], float(other.paths[:, -1].std()) or 1.0
        ends.append(np.column_stack([one.paths[:, -1] - last.mean(), last - last.mean()]) / unit)
        scale = float((other.returns**2).mean()) or 1.0
        squares.append(np.column_stack([(side.returns**2).mean(axis=1) for side in (one, other)]) / scale)
    at_end, square = np.concatenate(ends), np.concatenate(squares)  # (origins * N, 2)

    def ratios(rows: Any) -> tuple[float, float]:
        low = np.quantile(at_end[rows], TAIL, axis=0)
        means = square[rows].mean(axis=0)
        tail = low[0] / low[1] if low[1] < 0 else math.nan
        return (math.sqrt(means[0] / means[1]) if means[1] > 0 else math.nan, float(tail))

    rng = numpy_generator(seed, Stream.CUT_RATIOS)
    drawn = np.array([ratios(rng.integers(len(at_end), size=len(at_end))) for _ in range(draws)])
    value = ratios(slice(None))
    bounds = [
        np.nanquantile(column, [0.025, 0.975]) if np.isfinite(column).any() else (math.nan,) * 2 for column in drawn.T
    ]
    volatility, tail = (Interval(v, float(low), float(high)) for v, (low, high) in zip(value, bounds, strict=True))
    return volatility, tail
