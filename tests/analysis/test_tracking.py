"""Monitors: what they compute, how rarely they err, and what they tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.analysis.tracking import ABOUT, ALPHA, SHARES, Live, Stamps, tracked, volatility_before, waiting
from tests.make.tracked import BARS, COUNT, live, reference, watch

TEXTS = [f"bar {at}" for at in range(BARS)]


def test_shares_add_up() -> None:
    """All monitors together spend what was promised."""
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert watch().level == pytest.approx(ALPHA, abs=0.005)
    assert set(ABOUT) == set(SHARES)


def test_evidence_is_that_of_a_loop() -> None:
    """Bets on the place of each standardised return among the universes', bar by bar."""
    given, life = reference(), live(50)
    squared = float(
        sum(0.5 ** ((len(given.past) - 1 - at) / 20) * move**2 for at, move in enumerate(given.past))
        / sum(0.5 ** (at / 20) for at in range(len(given.past)))
    )
    decay, state, pool = 0.5 ** (1 / 20), squared, []
    for one in range(COUNT):
        state, before, price = squared, 1.0, 1.0
        for bar in range(BARS):
            pool.append((given.claimed[bar, one] / before - 1) / np.sqrt(state))  # type: ignore[index]
            move = np.log(given.closes[bar, one] / price)
            before, price = given.claimed[bar, one], given.closes[bar, one]  # type: ignore[index]
            state = decay * state + (1 - decay) * move**2
    ordered = np.sort(pool)
    wealth, state, before, price = np.ones(6), squared, 1.0, 1.0
    for bar in range(BARS):
        gain = (life.equity[bar] / before - 1) / np.sqrt(state)
        rank = (np.searchsorted(ordered, gain, "left") + np.searchsorted(ordered, gain, "right")) / 2
        wealth *= 1 - np.array([0.1, 0.2, 0.4, 0.8, 1.2, 1.6]) * ((rank + 0.5) / (len(ordered) + 1) - 0.5)
        move = np.log(life.closes[bar] / price)
        before, price = life.equity[bar], life.closes[bar]
        state = decay * state + (1 - decay) * move**2
    (edge,) = (one for one in watch().look(life) if one.name == "edge")
    assert edge.values[-1] == pytest.approx(wealth.mean(), rel=1e-6)


def test_the_volatility_before_a_bar_does_not_know_it() -> None:
    """A jump shows in the bar after it."""
    closes = np.ones((5, 1))
    closes[2:] = 1.5
    found = volatility_before(closes, np.full(50, 0.01))
    assert found[2, 0] < 0.011
    assert found[3, 0] > 0.05


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_promised() -> None:
    """Of lives of the same law at most 5% see any alarm over the horizon."""
    seen = watch()
    alarmed = [any(one.alarm is not None for one in seen.look(live(1000 + 3 * at))) for at in range(600)]
    assert np.mean(alarmed) <= 0.07


def test_what_changed_is_told_apart() -> None:
    """An edge that is gone is an alarm of the edge, moves twice as large one of the market."""
    seen = watch()
    gone = [tracked("one", seen, live(2000 + 3 * at, claim=0.0), Stamps(TEXTS)) for at in range(20)]
    wild = [tracked("one", seen, live(3000 + 3 * at, factor=2.5), Stamps(TEXTS)) for at in range(20)]
    causes = [one.cause for one in gone]
    assert causes.count("edge") >= 10
    assert causes.count("market") <= 2
    assert [one.cause for one in wild].count("market") >= 15


def test_a_state_has_a_date_and_something_to_do() -> None:
    """Outside since the first alarm; before any bar nothing is said, and no universes are needed."""
    seen = watch()
    found = tracked("one", seen, live(3000, factor=4.0), Stamps(TEXTS, 1.0))
    first = min(one.alarm for one in seen.look(live(3000, factor=4.0)) if one.alarm is not None)
    assert (found.state, found.since) == ("outside", TEXTS[first])
    assert "run again" in found.advice
    empty = waiting("one", BARS, 1.0, "2026-04-30")
    assert (empty.state, empty.bars, empty.since, empty.monitors) == ("inside", 0, None, ())
    assert empty.advice == "No bars yet after 2026-04-30, the last that the run knew: nothing to say."


def test_an_alarm_does_not_go_away() -> None:
    """What was outside at a bar is outside at all later ones."""
    seen, life = watch(), live(3003, factor=4.0)
    states = [
        tracked("one", seen, Live(life.closes[:count], life.equity[:count]), Stamps(TEXTS[:count])).state
        for count in range(8, BARS + 1, 8)
    ]
    assert "outside" in states
    assert set(states[states.index("outside") :]) == {"outside"}
