"""Lists of trades: their order, what is refused, and what stays the same when they are moved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data.trades import TradeList


def made(**columns: object) -> pd.DataFrame:
    """Two trades, the later one first."""
    return pd.DataFrame({
        "side": [1, -1], "units": [1.0, 2.0], "entered": pd.to_datetime(["2024-01-05", "2024-01-01"]),
        "left": pd.to_datetime(["2024-01-08", "2024-01-03"]), "entry_price": [10.0, np.nan], "exit_price": [11.0, 9.0],
        "profit": [1.0, 2.0],
    } | columns)  # fmt: skip


def test_order_of_entries() -> None:
    """Trades stand in the order in which they were entered."""
    found = TradeList.of(made(), "test", "here")
    assert found.side.tolist() == [-1, 1]
    assert repr(found).startswith("TradeList(2 trades of test, 2024-01-01")


def test_moved_by_hours() -> None:
    """Times move, all else stays; another list has another digest."""
    found = TradeList.of(made(), "test", "here")
    later = found.moved(1.5)
    assert list(later.left - found.left) == [pd.Timedelta("90min")] * 2
    assert later.digest() != found.digest()
    assert later.moved(-1.5).digest() == found.digest()
    assert found.take(np.array([False, True])).units.tolist() == [1.0]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"units": [0.0, 1.0]}, "has units=0, which is not above 0"),
        ({"entry_price": [np.inf, 1.0]}, "has entry_price=inf"),
        ({"left": pd.to_datetime(["2024-01-04", "2024-01-03"])}, "before it was entered; look at the order of day"),
    ],
)
def test_trades_that_cannot_be(columns: dict[str, object], reason: str) -> None:
    """Each is refused with its time."""
    with pytest.raises(DataError, match=reason):
        TradeList.of(made(**columns), "test", "here")
