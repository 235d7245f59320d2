"""The steps of a run: what was simulated once is not simulated again."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pytest

import stresslab as sl
from stresslab.analysis.case import STRATEGIES
from stresslab.backtest import Backtest, Terms, evaluate
from stresslab.data.universes import Universes
from stresslab.runs import shard_result
from stresslab.strategy import Strategy
from tests.make.arguments import arguments
from tests.make.bars import make_bars


def trend(bars: Any, window: int = 20) -> Any:
    """Long above the moving average."""
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above


def test_each_backtest_is_simulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same strategy on the same terms in the same universes: costs x 1, as given and as run are one backtest."""
    counted: Counter[tuple[Any, ...]] = Counter()
    plain = evaluate.backtest

    def counting(strategy: Strategy, universes: Universes, terms: Terms, **options: Any) -> Backtest:
        digest = hashlib.sha256(universes.values.tobytes()).hexdigest()
        counted[type(strategy), strategy.name, str(strategy.parameters), terms, digest] += 1
        return plain(strategy, universes, terms, **options)

    monkeypatch.setattr(evaluate, "backtest", counting)
    asked = {"permutations": 0, "realism_origins": 0, "alternative_generators": True}
    sl.stress_test(
        trend, make_bars(500), sl.StationaryBootstrap(), **arguments(universes=40, horizon=20, jobs=1, **asked)
    )
    assert len(counted) > 15
    assert {key: count for key, count in counted.items() if count > 1} == {}


def test_a_grid_keeps_the_accounts_of_those_it_studies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with the best backtests; all of them would take gigabytes."""
    kept: dict[str, bool] = {}
    made = shard_result.shard_result

    def watched(evaluator: Any, *rest: Any) -> Any:
        result = made(evaluator, *rest)
        kept.update(zip(evaluator.names, (one.account is not None for one in result.found), strict=True))
        return result

    monkeypatch.setattr("stresslab.runs.shard_stream.shard_result", watched)
    asked = {"permutations": 0, "realism_origins": 0}
    found = sl.stress_test(
        trend, make_bars(500), sl.StationaryBootstrap(), grid={"window": list(range(5, 5 + STRATEGIES + 4))},
        **arguments(universes=10, horizon=20, jobs=1, **asked),
    )  # fmt: skip
    best = sorted(found.strategies, key=lambda one: -float(one.backtest["total_return"]))[:STRATEGIES]
    assert {name for name, one in kept.items() if one} == {one.name for one in best}
    assert all(one.edge is not None for one in best)
