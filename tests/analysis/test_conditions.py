"""Conditions on universes: read, checked, and met by those that meet them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.conditions import VOLATILITY_UP, parse_condition
from stresslab.core.errors import InputError
from stresslab.data.universes import Universes
from stresslab.generators.garch import Garch
from tests.make.bars import make_bars

HISTORY = make_bars(400)
LAST = HISTORY.values[-1, 3]


def of_closes(closes: np.ndarray) -> Universes:
    """Universes with these closes over the last real one."""
    values = np.repeat(np.asarray(closes, dtype=np.float64)[:, :, None] * LAST, 6, axis=2)
    stamps = HISTORY.calendar.future(HISTORY.timestamps, values.shape[1])
    return Universes(values, stamps, HISTORY, np.arange(len(values)))


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("return <= -20%", [True, False, False]),
        ("return(2) <= -20%", [False, True, False]),
        ("return > 0%", [False, False, True]),
        ("return >= 0.1", [False, False, True]),
        ("drawdown >= 30%", [True, True, False]),
        ("drawdown(1) > 5%", [False, True, False]),
        ("drawdown < 1%", [False, False, True]),
    ],
)
def test_returns_and_drawdowns_by_hand(text: str, met: list[bool]) -> None:
    """Over all bars or the first ones; falls count from the last real close on."""
    universes = of_closes(np.array([[1.2, 1.1, 0.7], [0.9, 0.65, 1.0], [1.0, 1.05, 1.15]]))
    assert parse_condition(text).met(universes).tolist() == met


def test_volatility_is_over_that_of_as_many_real_bars() -> None:
    """Deviation of log returns over the horizon against the last bars of the history."""
    universes = Garch().sample(HISTORY, 50, 200, seed=1)
    closes = np.concatenate([np.full((200, 1), LAST), universes.values[:, :, 3].astype(float)], axis=1)
    before = np.diff(np.log(HISTORY.values[-51:, 3])).std()
    ratio = np.diff(np.log(closes), axis=1).std(axis=1) / before
    assert np.array_equal(VOLATILITY_UP.met(universes), ratio >= 1.2)
    assert np.array_equal(parse_condition("volatility < 0.8x").met(universes), ratio < 0.8)


def test_like_a_stretch_of_the_history() -> None:
    """The stretch itself is like itself, and so is one a little wilder; its mirror and a calm one are not."""
    stretch = HISTORY.frame["2016-03":"2016-05"]
    condition = parse_condition("like 2016-03..2016-05", HISTORY)
    before = HISTORY.frame.close[: stretch.index[0] - pd.Timedelta(days=1)].iloc[-1]
    path = np.log(stretch.close.to_numpy() / before)
    assert len(condition.like) == len(stretch)
    assert np.allclose(np.cumsum(condition.like), path)
    noise = np.random.default_rng(0).standard_normal(len(path)) * np.std(condition.like) * 0.3
    others = [path, path + noise, -path, 0.3 * path, path + np.linspace(0, 1, len(path))]
    assert condition.met(of_closes(np.exp(others))).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("drawdown >= 120%", "never happens: drawdown is from 0 to below 100%"),
        ("drawdown < 0%", "never happens"),
        ("return <= -100%", "never happens: return is above -100%"),
        ("volatility <= -1x", "never happens: volatility is at least 0"),
        ("volatilty >= 2x", "did you mean 'volatility'"),
        ("volatility >= 2", "volatility is a multiple such as 1.5x"),
        ("drawdown >= 2x", "volatility is a multiple such as 1.5x"),
        ("return(0) <= 5%", "is about too few bars"),
        ("volatility(1) >= 2x", "is about too few bars"),
        ("return <= 1.2.3%", "'1.2.3' is not a number"),
        ("nonsense", "is not a condition; write 'volatility >= 1.5x'"),
        ("like 2016-05..2016-03", "ends before it begins"),
        ("like 1999-05..1999-07", "holds 0 bars of it; give at least 5"),
        ("like 2016-05-02..2016-05-03", "holds 2 bars of it; give at least 5"),
        ("like 2016-13..2017-02", "2016-13"),
    ],
)
def test_what_cannot_be_is_refused(text: str, words: str) -> None:
    """One line that names it and says what to write."""
    with pytest.raises(InputError) as caught:
        parse_condition(text, HISTORY)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_condition_about_more_bars_than_there_are_is_refused() -> None:
    """It names both numbers."""
    with pytest.raises(InputError, match=r"is about 60 bars, more than the horizon of 59; give a longer `horizon`"):
        parse_condition("return(60) <= -20%").within(59)
    with pytest.raises(InputError, match="more than the horizon of 10"):
        parse_condition("like 2016-03..2016-05", HISTORY).within(10)
