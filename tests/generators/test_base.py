"""What every generator is asked for, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.errors import InputError
from stresslab.data.market_index import IndexBars
from stresslab.generators.base import MAX_HORIZON, MAX_UNIVERSES, check_horizon, check_inserted, universe_ids
from stresslab.generators.bootstrap import StationaryBootstrap
from tests.make.bars import make_bars
from tests.make.markets import make_market

NO_COUNTS = [0, -1, 2.5, 2.0, True, "10", None, float("nan"), np.float64(3), [5]]


@pytest.mark.parametrize("horizon", [*NO_COUNTS, MAX_HORIZON + 1, 10**30])
def test_a_horizon_is_a_whole_number_of_bars(horizon: Any) -> None:
    """Anything else is refused in one line that names it."""
    with pytest.raises(InputError, match=r"^horizon=.*`horizon=120`$") as caught:
        check_horizon(horizon)
    assert repr(horizon) in str(caught.value)


@pytest.mark.parametrize("horizon", [1, 120, MAX_HORIZON, np.int64(7), np.uint8(7)])
def test_integers_of_numpy_are_whole_numbers(horizon: Any) -> None:
    """A sensible horizon comes back as Python's integer."""
    assert check_horizon(horizon) == horizon
    assert type(check_horizon(horizon)) is int


@pytest.mark.parametrize("universes", [*NO_COUNTS, MAX_UNIVERSES + 1])
def test_a_number_of_universes_is_a_whole_number(universes: Any) -> None:
    """Anything else is refused in one line that names it."""
    with pytest.raises(InputError, match=r"^universes=.*`universes=1000`$"):
        universe_ids(universes, None)


def test_ids_are_all_or_those_asked_for() -> None:
    """Without a selection all ids, with one those in its order; ids that the run does not have are refused."""
    assert universe_ids(3, None).tolist() == [0, 1, 2]
    assert universe_ids(3, [2, 0]).tolist() == [2, 0]
    for wrong in ([3], [-1], []):
        with pytest.raises(InputError, match="not universe ids"):
            universe_ids(3, wrong)


BOOTSTRAP = StationaryBootstrap(block=20)
BASE = BOOTSTRAP.sample(make_bars(200), 20, 3, seed=1)


@pytest.mark.parametrize(("at", "count"), [(20, 1), (18, 3), (-1, 2), (10**9, 1)])
def test_a_shock_beyond_the_horizon_is_refused(at: int, count: int) -> None:
    """It begins and ends within the horizon, or one line says that it does not."""
    bars = np.repeat(np.asarray(BASE.values[:, :1]), count, axis=1)
    with pytest.raises(InputError, match=r"^bars .* are not within the 20 bars of the horizon; .*`horizon`$"):
        check_inserted(BASE, at, bars, BOOTSTRAP.describe())


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (0, 0.0, "hold 0; give prices above 0"),
        (3, -1.5, r"hold -1\.5; give prices above 0"),
        (1, np.nan, "hold nan; give prices above 0"),
        (1, np.inf, "hold inf; give prices above 0"),
        (4, -2.0, "hold -2; give prices above 0"),
        (1, 1e-3, "a price above its high or below its low"),
        (2, 1e9, "a price above its high or below its low"),
    ],
)
def test_impossible_bars_are_refused(field: int, value: float, words: str) -> None:
    """What no market prints is not put into a universe."""
    bars = np.array(BASE.values[:, 4:6], dtype=np.float64)
    bars[1, 1, field] = value
    with pytest.raises(InputError, match=words):
        check_inserted(BASE, 4, bars, BOOTSTRAP.describe())


def test_only_the_generator_that_made_universes_goes_on_with_them() -> None:
    """Another one, or another setting of it, has other random numbers."""
    with pytest.raises(InputError, match="were not sampled by this bootstrap"):
        StationaryBootstrap(block=5).continued(BASE, 4, BASE.values[:, 4:6], seed=1)
    market = IndexBars.of(make_market(2, 200))
    with pytest.raises(InputError, match="universes of several symbols do not go on"):
        BOOTSTRAP.continued(BOOTSTRAP.sample(market, 10, 2), 4, BASE.values[:, 4:6])
    with pytest.raises(InputError, match="do not fit 3 universes"):
        BOOTSTRAP.continued(BASE, 4, BASE.values[:2, 4:6], seed=1)
