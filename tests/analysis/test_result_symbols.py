"""Typed facts about several symbols: nothing is lost on the way into `result.json`."""

from __future__ import annotations

from stresslab.analysis.case import Case
from stresslab.analysis.result_symbols import Symbols
from stresslab.analysis.symbols import symbols
from stresslab.backtest import Terms
from stresslab.data.market_index import IndexBars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import load_strategies
from tests.make.kept import assert_kept
from tests.make.markets import make_market


def rising(bars):
    """Long after a rise."""
    return (bars.close.pct_change() > 0).astype(float)


def test_nothing_is_lost() -> None:
    """The model holds every part, pair, worst universe and the pooled evidence of one rule."""
    history = IndexBars.of(make_market(count=400))
    sampled = StationaryBootstrap(block=5).sample(history, 20, 50, seed=1)
    found = symbols(Case(load_strategies(rising, {}, None)[0], sampled, history, Terms(warmup=50)), 19)
    assert found is not None
    assert found["rule"] is not None
    assert_kept(Symbols, found)
