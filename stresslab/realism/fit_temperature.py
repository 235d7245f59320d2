"""The temperature at which a generator's universes fit what really followed, chosen at past origins alone.

No strategy's result enters, nor anything after a run's origin. How well the chosen one does is for `realism` to say.
K is origins.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.randomness import Stream, check_seed, derive
from stresslab.data.bars import Bars
from stresslab.generators.base import Generator, check_horizon, universe_ids
from stresslab.metrics import forecast_scores
from stresslab.realism.calibration import leads
from stresslab.realism.diagnostics import Adjustable
from stresslab.realism.gate import ENOUGH_ORIGINS
from stresslab.realism.rolling_origins import ORIGINS, UNIVERSES, Origin, origin_positions, roll

TEMPERATURES = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
LEVELS = (0.5, 0.9)


@dataclass(frozen=True)
class Fit:
    """How universes of one setting fit what followed.

    Attributes:
        crps: mean over origins and leads, each in units of recent volatility times the root of the bars ahead.
        worse: CRPS less that of the setting compared with, at the same origins and with the same uniforms.
        error: standard error of that difference.
        coverage_50: share of outcomes inside the 50% intervals, over all leads.
        coverage_90: the same of the 90% intervals.
    """

    crps: float
    worse: float
    error: float
    coverage_50: float
    coverage_90: float

    @property
    def miscoverage(self) -> float:
        """Mean distance of the two coverages from what they should be."""
        return (abs(self.coverage_50 - 0.5) + abs(self.coverage_90 - 0.9)) / 2


@dataclass(frozen=True, kw_only=True)
class Trial(Fit):
    """One temperature T, compared with the best."""

    temperature: float


@dataclass(frozen=True)
class TemperatureFit:
    """The curve and the choice.

    Attributes:
        temperature: the chosen T.
        trials: every temperature that was tried.
        origins: K.
        reason: why this one, in words.
    """

    temperature: float
    trials: tuple[Trial, ...]
    origins: int
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self) | {"trials": [asdict(trial) for trial in self.trials]}


def at_temperatures(generator: Generator, temperatures: Sequence[float] = TEMPERATURES) -> dict[float, Generator]:
    """A generator at each of these temperatures.

    Raises:
        InputError: it has none.
    """
    if not isinstance(generator, Adjustable):
        raise InputError(f"generator={generator.name} has no temperature to fit; use kronos, or leave that out")
    return {temperature: generator.adjusted(temperature=temperature) for temperature in temperatures}


def fit_temperature(
    bars: Bars,
    candidates: Mapping[float, Generator],
    horizon: int = 120,
    *,
    origins: int = ORIGINS,
    universes: int = UNIVERSES,
    seed: int = 0,
    jobs: int = 0,
    progress: Callable[[int], None] | None = None,
) -> TemperatureFit:
    """Choose a temperature by CRPS; among those within chance of the best, by coverage.

    Args:
        bars: real bars before a run's origin.
        candidates: a generator at each temperature that is tried (`at_temperatures`).
        horizon: bars to compare after each origin.
        origins: most origins to take.
        universes: to sample at each.
        seed: the same uniforms serve every temperature.
        jobs: workers; 0 means one per processor.
        progress: called with 1 after each origin of each temperature.

    Raises:
        InputError: there are too few origins to choose by.
    """
    horizon, seed, jobs = check_horizon(horizon), check_seed(seed), jobs or os.cpu_count() or 1
    universe_ids(universes, None)
    ends = origin_positions(len(bars), horizon, origins)
    if len(ends) < ENOUGH_ORIGINS:
        raise InputError(
            f"a temperature cannot be fitted at {len(ends)} origins, fewer than {ENOUGH_ORIGINS}; give more bars or "
            "origins, or a shorter horizon"
        )
    tried, own = [], derive(seed, Stream.TEMPERATURE)
    for temperature, one in candidates.items():
        rolled = roll(bars, one, ends, horizon, universes, seed=own, jobs=jobs, progress=progress)
        if len(rolled.origins) < len(ends):
            raise InputError(f"at temperature {temperature} nothing could be sampled: {rolled.refusals[0]}")
        tried.append(rolled.origins)
    return choose(list(candidates), tried)


def choose(temperatures: Sequence[float], tried: Sequence[Sequence[Origin]]) -> TemperatureFit:
    """The choice among temperatures, given the same origins sampled at each.

    A temperature whose CRPS is worse than the best one's by at most a standard error of the paired difference is as
    good (the one-standard-error rule, Breiman et al. 1984); of those the best covered is taken.
    """
    fits = compared(tried)
    trials = [Trial(**asdict(one), temperature=at) for at, one in zip(temperatures, fits, strict=True)]
    alike = [trial for trial in trials if trial.worse <= trial.error]
    chosen = min(alike, key=lambda trial: (round(trial.miscoverage, 9), abs(trial.temperature - 1)))
    reason = f"T = {chosen.temperature:g} has the lowest CRPS"
    if len(alike) > 1:
        others = ", ".join(f"{trial.temperature:g}" for trial in alike)
        reason = f"the CRPS of T = {others} differ by no more than chance; T = {chosen.temperature:g} covers best"
    return TemperatureFit(chosen.temperature, tuple(trials), len(tried[0]), f"{reason}.")


def compared(tried: Sequence[Sequence[Origin]], base: int | None = None) -> list[Fit]:
    """How each setting fits what followed, and how much worse than one of them.

    Args:
        tried: the same origins, sampled with each setting and the same uniforms.
        base: the setting that the others are compared with; the one of the lowest CRPS where None.
    """
    found = [_scores(origins) for origins in tried]
    to = int(np.argmin([losses.mean() for losses, _ in found])) if base is None else base
    fits = []
    for losses, ranks in found:
        apart = losses - found[to][0]
        size = len(tried[0][0].paths)
        inside = [forecast_scores.coverage(ranks, level, size).value for level in LEVELS]
        error = float(apart.std(ddof=1) / np.sqrt(len(apart)))
        fits.append(Fit(float(losses.mean()), float(apart.mean()), error, *inside))
    return fits


def _scores(origins: Sequence[Origin]) -> tuple[FloatArray, FloatArray]:
    """Mean CRPS over leads at each origin (K,), in units of recent volatility, and all ranks (K * leads,)."""
    losses, ranks = [], []
    for origin in origins:
        unit = origin.recent_volatility or 1.0
        ends = leads(len(origin.real))
        at = [(origin.paths[:, lead - 1] / unit, float(origin.real[lead - 1]) / unit) for lead in ends]
        losses.append(
            float(np.mean([forecast_scores.crps(*pair) / lead**0.5 for pair, lead in zip(at, ends, strict=True)]))
        )
        ranks += [forecast_scores.pit(*pair) for pair in at]
    return np.array(losses), np.array(ranks)
