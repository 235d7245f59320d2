"""Walk-forward re-optimisation: what it trades was chosen before, and it is judged as one trial."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from stresslab.analysis.reoptimisation import procedure, reoptimisation
from stresslab.backtest import Costs, Terms
from stresslab.data.bars import Bars
from stresslab.strategy import Strategy, load_strategies
from tests.make.bars import make_bars

TERMS = Terms(costs=Costs(fees=0.0, slippage=0.0), warmup=50)


def fade(bars: Any, sign: int = 1) -> Any:
    """Against the last move, or with it."""
    return -sign * np.sign(np.log(bars.close).diff())


def weights(bars: Any, sign: int = 1) -> Any:
    """As `fade`, under the name that says what it answers with."""
    return fade(bars, sign)


def reverting(bars: int, lean: float) -> Bars:
    """Bars whose moves lean against the one before."""
    rng = np.random.default_rng(6)
    moves = rng.normal(0, 0.01, bars)
    for at in range(1, bars):
        moves[at] -= lean * np.clip(moves[at - 1], -0.01, 0.01)
    close = 100 * np.exp(np.cumsum(moves))
    opened = np.concatenate([[100.0], close[:-1]])
    values = np.column_stack(
        [
            opened,
            np.maximum(opened, close) * 1.001,
            np.minimum(opened, close) * 0.999,
            close,
            np.full(bars, 1e6),
            close * 1e6,
        ]
    )
    return Bars(make_bars(bars).timestamps, values, symbol="LEAN", source="made")


def both() -> list[Strategy]:
    """The rule and its opposite."""
    return load_strategies(weights, {}, {"sign": [-1, 1]})


def test_a_planted_edge_in_the_grid_is_claimed_at_one_trial() -> None:
    """The right sign is chosen before each window, and every return is out of sample."""
    history = reverting(1600, 0.25)
    found = procedure(both(), history, TERMS)
    assert found is not None
    made, edge = found
    assert edge.label == "yes"
    assert edge.trials.count == 1.0
    assert set(made.chosen) == {1}
    stored = json.loads(json.dumps(reoptimisation(both(), history, TERMS), allow_nan=False))
    assert stored["sharpe"] > 1
    assert stored["bars"] == len(made.returns)
    assert [one["strategy"] for one in stored["windows"]] == ["weights[sign=1]"] * len(made.chosen)


def test_nothing_is_claimed_without_an_edge() -> None:
    """On moves that know nothing of one another the procedure has no edge to claim."""
    found = procedure(both(), reverting(1600, 0.0), TERMS)
    assert found is not None
    assert found[1].label != "yes"


def test_one_strategy_or_few_bars_are_no_procedure() -> None:
    """There is nothing to choose, or nothing to choose on."""
    assert reoptimisation(both()[:1], reverting(1600, 0.2), TERMS) is None
    assert reoptimisation(both(), reverting(250, 0.2), TERMS) is None
