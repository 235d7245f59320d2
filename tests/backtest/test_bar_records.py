"""What is kept for looking at, bar by bar."""

from __future__ import annotations

import numpy as np

import stresslab as sl
from stresslab.backtest import Terms, backtest
from stresslab.backtest.bar_records import COLUMNS, WORST, replays
from stresslab.backtest.evaluate import measures
from stresslab.data.bars import CLOSE, FIELDS
from stresslab.data.universes import REAL, Universes
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars


def above_mean(bars, window=10):  # type: ignore[no-untyped-def]
    """Long while the close is above its mean."""
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above


def test_the_worst_are_kept_as_they_were_run() -> None:
    """The lowest returns, worst first, with the very bars, positions and accounts of the run over all universes."""
    universes = sl.StationaryBootstrap().sample(make_bars(300), 30, 50, 3)
    (strategy,) = load_strategies(above_mean, {})
    whole = backtest(strategy, universes, Terms())
    returns = measures(whole, 252)["total_return"]
    found = replays(strategy, universes, returns, Terms())
    assert list(found.columns) == list(COLUMNS)
    assert len(found) == WORST * 30
    order = found["universe"].drop_duplicates().tolist()
    assert order == returns.sort_values(kind="stable").index[:WORST].tolist()
    for universe in order:
        rows = found[found["universe"] == universe]
        place = int(np.flatnonzero(universes.ids == universe)[0])
        for name in ("open", "high", "low", "close"):
            assert (rows[name].to_numpy() == universes.values[place, :, FIELDS.index(name)].astype(float)).all()
        assert (rows["equity"].to_numpy() == whole.equity[1:, place]).all()
        assert (rows["position"].to_numpy() == whole.position[:, place]).all()
        assert (rows["traded"].to_numpy() == whole.traded[:, place]).all()


def test_fewer_universes_than_are_kept() -> None:
    """Two universes are both kept."""
    universes = sl.StationaryBootstrap().sample(make_bars(300), 5, 2, 3)
    (strategy,) = load_strategies(above_mean, {})
    returns = measures(backtest(strategy, universes, Terms()), 252)["total_return"]
    assert len(replays(strategy, universes, returns, Terms())) == 10


def test_what_followed_stands_first() -> None:
    """The real series with the bars and the account that it has in the run."""
    bars = make_bars(300)
    history, followed = bars[:270], Universes.from_bars(bars[270:], bars[:270])
    universes = sl.StationaryBootstrap().sample(history, 30, 20, 3)
    (strategy,) = load_strategies(above_mean, {})
    returns = measures(backtest(strategy, universes, Terms()), 252)["total_return"]
    found = replays(strategy, universes, returns, Terms(), followed)
    assert found["universe"].drop_duplicates().tolist()[0] == REAL
    real, rest = found[found["universe"] == REAL], found[found["universe"] != REAL]
    assert (real["close"].to_numpy() == bars.values[270:, CLOSE]).all()
    assert (real["equity"].to_numpy() == backtest(strategy, followed, Terms()).equity[1:, 0]).all()
    assert rest.reset_index(drop=True).equals(replays(strategy, universes, returns, Terms()))
    worst = rest["universe"].drop_duplicates().tolist()
    other = next(one for one in range(20) if one not in worst)
    more = replays(strategy, universes, returns, Terms(), followed, also=[worst[0], other])
    assert more["universe"].drop_duplicates().tolist() == [REAL, *worst, other]
