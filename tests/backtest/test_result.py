"""The facts of a backtest: shapes that belong together, and arrays that stay."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Backtest


def accounts(ids: list[int], steps: int = 3) -> Backtest:
    """Accounts whose numbers are told from their ids."""
    level = np.array(ids, dtype=np.float64)
    return Backtest(
        equity=100.0 + level + np.zeros((steps + 1, 1)),
        position=level + np.zeros((steps, 1)),
        traded=level + np.zeros((steps, 1)),
        trades=np.array(ids, dtype=np.int64),
        wins=np.array(ids, dtype=np.int64),
        gross_profit=level.copy(),
        gross_loss=level.copy(),
        interest=level.copy(),
        ruined=level > 1,
        ids=np.array(ids, dtype=np.int64),
        timestamps=pd.date_range("2020-01-01", periods=steps),
        init_cash=100.0,
    )


def test_arrays_cannot_be_written_to() -> None:
    """A result, once made, stays."""
    with pytest.raises(ValueError, match="read-only"):
        accounts([0, 1]).equity[0, 0] = 0.0


def test_shapes_must_belong_together() -> None:
    """An array of another shape than ids and time stamps say is a mistake of ours, and named."""
    part = accounts([0, 1])
    arguments = {name: getattr(part, name) for name in part.__dataclass_fields__}
    with pytest.raises(ValueError, match=r"position of shape \(2, 2\) is not \(3, 2\)"):
        Backtest(**arguments | {"position": part.position[1:]})


def test_parts_side_by_side_are_the_whole() -> None:
    """Concatenated parts equal the accounts made at once, array by array."""
    whole, joined = accounts([0, 1, 2, 3]), Backtest.concatenate([accounts([0]), accounts([1, 2]), accounts([3])])
    assert len(joined) == 4
    for name in whole.__dataclass_fields__:
        one, other = getattr(whole, name), getattr(joined, name)
        assert np.array_equal(one, other)
        assert not isinstance(one, np.ndarray) or one.dtype == other.dtype


def test_it_prints_in_one_line() -> None:
    """Size and span, not arrays."""
    assert repr(accounts([0, 1])) == "Backtest(2 universes, 3 bars, 2020-01-01 00:00:00 to 2020-01-03 00:00:00)"
