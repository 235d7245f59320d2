"""Bars as people give them in Python."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.data.market_index import IndexBars
from stresslab.data.sources.given import bars_of
from tests.make.bars import make_bars
from tests.make.markets import make_market

BARS = make_bars(60)
FRAME = pd.DataFrame(BARS.values, columns=["open", "high", "low", "close", "volume", "amount"], index=BARS.timestamps)


def test_every_way_gives_the_same_bars(tmp_path: Path) -> None:
    """Bars, a frame, a path and its text."""
    FRAME.rename_axis("date").to_csv(tmp_path / "bars.csv")
    for given in (BARS, FRAME, tmp_path / "bars.csv", str(tmp_path / "bars.csv")):
        found = bars_of(given)
        assert (found.timestamps == BARS.timestamps).all()
        assert found.values == pytest.approx(BARS.values)


def test_several_symbols(tmp_path: Path) -> None:
    """A market, and a list of files, are an index that carries the market."""
    assert isinstance(bars_of(make_market(count=60)), IndexBars)
    for name in ("a", "b"):
        FRAME.rename_axis("date").to_csv(tmp_path / f"{name}.csv")
    found = bars_of([tmp_path / "a.csv", str(tmp_path / "b.csv")])
    assert isinstance(found, IndexBars)
    assert found.market.symbols == ("a", "b")


@pytest.mark.parametrize("given", [3, None, [], {"a": 1}, [3]])
def test_what_is_no_bars(given: object) -> None:
    """One line with the remedy."""
    with pytest.raises(InputError, match="are no bars; give a file or a sample"):
        bars_of(given)
