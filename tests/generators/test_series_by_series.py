"""Markets sampled series by series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from stresslab.core.randomness import uniforms
from stresslab.data.bars import Bars
from stresslab.data.market_index import IndexBars, IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.base import Progress, universe_ids
from stresslab.generators.series_by_series import SeriesBySeries
from tests.make.markets import make_market


@dataclass(frozen=True)
class Noise(SeriesBySeries):
    """The last bar again and again, times a random number of each bar."""

    name: ClassVar[str] = "noise"
    dependence: Literal["empirical", "independent"] = "empirical"

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
        """See `SeriesBySeries`."""
        chosen = universe_ids(universes, ids)
        values = bars.values[-1] * (1 + uniforms(seed, chosen, horizon, 1))  # (N, T, F)
        if progress is not None:
            progress(len(chosen))
        return Universes(values, bars.calendar.future(bars.timestamps, horizon), bars, chosen)

    def describe(self) -> dict[str, Any]:
        """Its settings."""
        return {"name": self.name, "dependence": self.dependence}


MARKET = make_market(2, 100)


@pytest.mark.parametrize(("kind", "same"), [("empirical", True), ("independent", False)])
def test_symbols_share_their_random_numbers_unless_they_are_independent(kind: Any, same: bool) -> None:
    """The same factor moves both symbols in each bar, or each has its own."""
    joint = Noise(kind).sample(MARKET, 5, 3, seed=7)
    first, second = (joint[name].values / joint[name].history.values[-1] for name in ("S0", "S1"))
    assert np.allclose(first, second) is same
    assert joint.facts["dependence"] == {"kind": kind}


def test_one_series_is_sampled_as_the_generator_does() -> None:
    """Of a series the generator's own universes come, and of an index those of its market."""
    alone = Noise().sample(MARKET["S0"], 5, 3, seed=7)
    np.testing.assert_array_equal(alone.values, Noise().sample(MARKET, 5, 3, seed=7)["S0"].values)
    assert isinstance(Noise().sample(IndexBars.of(MARKET), 5, 3), IndexUniverses)


def test_a_universe_is_finished_with_its_last_symbol() -> None:
    """Progress counts each universe once, however many symbols there are."""
    done: list[int] = []
    Noise().sample(MARKET, 5, 4, progress=done.append)
    assert sum(done) == 4
