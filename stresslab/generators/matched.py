"""Alternative generators: they differ in what they keep of a market, and their volatility is matched.

A strategy's result under each shows what it depends on; the results are computed elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.market_index import IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator, Progress
from stresslab.generators.registry import make_generator
from stresslab.generators.transforms import log_shapes, mean_log_returns, rebuilt

CALIBRATION = 1000
"""Universes by which a generator's own drift and volatility are measured."""


@dataclass(frozen=True)
class Matched:
    """A generator whose universes are given another volatility or drift, bar by bar as a whole.

    The deviations of each bar's log prices from the generator's mean log return at that lead are multiplied by one
    factor, so that volatility over universes becomes the target; then the mean is set. Own mean and volatility are
    measured on the generator's first `calibration` universes of the seed, whichever are asked for: universe i of a seed
    stays the same whatever the number of universes, and the target is reached up to the error of so many universes. Of
    several symbols the target is the index's, one factor for all symbols, so that they move together as before; the
    mean is set for each.

    Attributes:
        generator: what is changed.
        volatility: target standard deviation of log returns of a bar, about the mean of their lead; None keeps it.
        drift: target mean log return of a bar; None keeps that of each lead.
        calibration: universes to measure on.
    """

    generator: Generator
    volatility: float | None = None
    drift: float | None = None
    calibration: int = CALIBRATION

    def __post_init__(self) -> None:
        """Check the targets."""
        if self.volatility is not None and not 0 < self.volatility < 10:
            raise InputError(f"volatility={self.volatility} is not a deviation of a bar above 0; for 1% write 0.01")
        if self.drift is not None and not math.isfinite(self.drift):
            raise InputError(f"drift={self.drift} is not a mean log return of a bar; for none write 0")
        if self.calibration < 2:
            raise InputError(f"calibration={self.calibration} universes show no spread; give 2 or more, such as 1000")

    @property
    def name(self) -> str:
        """That of the generator, and what was changed."""
        changes = {"volatility": self.volatility, "drift": self.drift}
        return f"{self.generator.name} ({', '.join(f'{k}={v:g}' for k, v in changes.items() if v is not None)})"

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
        """Sample continuations of `bars`; see `stresslab.generators.base.Generator`."""
        sampled = self.generator.sample(bars, horizon, universes, seed, ids=ids, jobs=jobs, progress=progress)
        first = np.arange(self.calibration)
        if ids is None and universes >= self.calibration:
            measured = sampled.take(first)
        else:
            measured = self.generator.sample(bars, horizon, self.calibration, seed, jobs=jobs)
        scale = 1.0
        if self.volatility is not None:
            scale = self.volatility / _spread(measured, mean_log_returns(measured))
        if isinstance(sampled, IndexUniverses) and isinstance(measured, IndexUniverses):
            joint = measured.joint
            return sampled.each(lambda part, at: self._changed(part, joint[joint.symbols[at]], scale))
        return self._changed(sampled, measured, scale)

    def _changed(self, sampled: Universes, measured: Universes, scale: float) -> Universes:
        """Universes of one series with their deviations scaled and their mean set."""
        own = mean_log_returns(measured)
        means = own if self.drift is None else np.full(sampled.horizon, self.drift)
        shapes = means[:, None] + scale * (log_shapes(sampled) - own[:, None])
        return rebuilt(sampled, shapes, generator=self.describe(), scale=scale)

    def describe(self) -> dict[str, Any]:
        """Everything that decides what is sampled, as plain JSON."""
        settings = {"volatility": self.volatility, "drift": self.drift, "calibration": self.calibration}
        return {**self.generator.describe(), "matched": settings}


def _spread(universes: Universes, means: FloatArray) -> float:
    """Standard deviation of log returns about the mean of their lead."""
    spread = float(np.sqrt(((log_shapes(universes)[:, :, CLOSE] - means) ** 2).mean()))
    if not spread > 0:
        raise DataError("universes that do not vary cannot be given another volatility; use another generator")
    return spread


def volatility_of(universes: Universes) -> float:
    """Standard deviation of a bar's log returns over universes, about the mean of their lead."""
    return _spread(universes, mean_log_returns(universes))


@dataclass(frozen=True)
class Alternative:
    """One row of the table of alternative generators.

    Attributes:
        label: what people read.
        generator: a key of the registry; None for the run's own generator.
        settings: of the generator.
        drift: target mean log return of a bar; None keeps the generator's.
        keeps: what of a market its universes keep.
        lacks: what they do not.
    """

    label: str
    generator: str | None
    settings: Mapping[str, Any]
    drift: float | None
    keeps: str
    lacks: str


ALTERNATIVES: Mapping[str, Alternative] = MappingProxyType(
    {
        "run": Alternative(
            "as run", None, {}, None,
            "whatever the run's generator has learned", "what it has not; see its realism",
        ),
        "zero-drift": Alternative(
            "as run, without drift", None, {}, 0.0,
            "all but the mean return of each lead", "the drift that all universes share",
        ),
        "garch": Alternative(
            "GARCH", "garch", {}, None,
            "volatility that clusters and reacts to falls, gaps, shapes of bars", "any pattern in the direction",
        ),
        "bootstrap": Alternative(
            "block bootstrap", "bootstrap", {}, None,
            "whatever happens from bar to bar within a block, patterns that this history had by chance included",
            "longer dependence, and today's volatility",
        ),
        "iid": Alternative(
            "single bars", "bootstrap", {"block": 1}, None,
            "gaps and shapes of single bars", "all that leads from one bar to the next",
        ),
    }
)  # fmt: skip


def alternative(name: str, own: Generator, volatility: float | None) -> Generator:
    """An alternative generator, matched to a volatility.

    Args:
        name: a key of `ALTERNATIVES`.
        own: the run's generator.
        volatility: of a bar, as `volatility_of` finds it in the run's universes; None matches nothing.
    """
    if name not in ALTERNATIVES:
        raise InputError(f"alternative generator {name!r} is not known; choose among {', '.join(ALTERNATIVES)}")
    row = ALTERNATIVES[name]
    if row.generator is None:
        return own if row.drift is None else cast(Generator, Matched(own, drift=row.drift))
    generator = make_generator(row.generator, **row.settings)
    if volatility is None and row.drift is None:
        return generator
    return cast(Generator, Matched(generator, volatility, row.drift))
