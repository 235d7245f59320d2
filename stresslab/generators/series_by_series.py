"""What a generator of one series needs to sample a market too: every symbol by the same numbers, joined.

A generator that draws days of the history moves its symbols together by this alone: the same days are drawn of all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, Self, overload

from stresslab.data.bars import Bars
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars, as_given
from stresslab.data.universes import Universes
from stresslab.generators.base import Progress, share_progress
from stresslab.generators.dependence import own_seeds


class SeriesBySeries(ABC):
    """`sample` of a series as the generator does it, and of a market series by series; see `base.Generator`."""

    dependence: Literal["empirical", "independent"]
    """Of several symbols: the same random numbers for all, or for each its own."""

    @overload
    def sample(
        self, bars: Market, horizon: int, universes: int, seed: int = 0, *,
        ids: Sequence[int] | None = None, jobs: int = 1, progress: Progress | None = None,
    ) -> JointUniverses: ...  # fmt: skip

    @overload
    def sample(
        self, bars: Bars, horizon: int, universes: int, seed: int = 0, *,
        ids: Sequence[int] | None = None, jobs: int = 1, progress: Progress | None = None,
    ) -> Universes: ...  # fmt: skip

    def sample(
        self,
        bars: Bars | Market,
        horizon: int,
        universes: int,
        seed: int = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Universes | JointUniverses:
        """Sample continuations of `bars`; see `stresslab.generators.base.Generator`."""
        if isinstance(bars, Market | IndexBars):
            market = bars if isinstance(bars, Market) else bars.market
            joint = self._sample_market(market, horizon, universes, seed, ids=ids, jobs=jobs, progress=progress)
            return as_given(joint, bars)
        return self.sample_series(bars, horizon, universes, seed, ids=ids, jobs=jobs, progress=progress)

    @abstractmethod
    def sample_series(
        self,
        bars: Bars,
        horizon: int,
        universes: int,
        seed: int,
        *,
        ids: Sequence[int] | None,
        jobs: int,
        progress: Progress | None,
    ) -> Universes:
        """Continuations of one series; the arguments are those of `sample`."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """See `stresslab.generators.base.Generator`."""

    def for_market(self, market: Market) -> Self:
        """The generator with what all symbols of a market must have alike; itself where that is nothing."""
        return self

    def _sample_market(
        self, market: Market, horizon: int, universes: int, seed: int, *, progress: Progress | None, **options: Any
    ) -> JointUniverses:
        each, count = self.for_market(market), len(market.series)
        seeds = own_seeds(seed, count) if self.dependence == "independent" else [seed] * count
        advance = share_progress(progress, count)
        parts = [
            each.sample_series(bars, horizon, universes, own, progress=advance, **options)
            for bars, own in zip(market, seeds, strict=True)
        ]
        facts = {"generator": self.describe(), "dependence": {"kind": self.dependence}}
        return JointUniverses.join(parts, market, facts)
