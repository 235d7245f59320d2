"""What every generator is asked for, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.errors import InputError
from stresslab.generators.base import MAX_HORIZON, MAX_UNIVERSES, check_horizon, universe_ids

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
