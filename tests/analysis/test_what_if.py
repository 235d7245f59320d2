"""What if: conditions met by enough universes, or too few, beside the base case."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stresslab.analysis.case import Case
from stresslab.analysis.conditions import VOLATILITY_UP, parse_condition
from stresslab.analysis.result_studies import WhatIf
from stresslab.analysis.what_if import (
    MAX_SAMPLED,
    MIN_MET,
    WANTED,
    condition_rows,
    conditional_universes,
    what_if,
)
from stresslab.backtest import Terms
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars
from tests.make.strategies import hold

HISTORY = make_bars(400, seed=7)
BOOTSTRAP = StationaryBootstrap(block=10)
FIRST = BOOTSTRAP.sample(HISTORY, 40, 300, seed=1)


def more(first: int) -> Universes | None:
    """The next 500 universes."""
    if first >= MAX_SAMPLED:
        return None
    return BOOTSTRAP.sample(HISTORY, 40, MAX_SAMPLED, seed=1, ids=range(first, min(first + 500, MAX_SAMPLED)))


def case() -> Case:
    """Buy and hold."""
    (strategy,) = load_strategies(hold, {})
    return Case(strategy, FIRST, HISTORY, Terms(warmup=0), seed=1)


def test_universes_are_sampled_until_enough_meet_the_condition() -> None:
    """The first ones count; every kept one meets it; the probability is that of all that were looked at."""
    conditions = [parse_condition("return <= -10%"), parse_condition("return > -100%")]
    told: list[int] = []
    rare, sure = conditional_universes(conditions, FIRST, more, told.append)
    assert (sure.sampled, sure.met) == (300, 300)
    assert rare.met >= WANTED
    assert rare.sampled > 300
    assert rare.universes is not None
    assert len(rare.universes) == rare.met == len(set(rare.universes.ids.tolist()))
    assert rare.condition.met(rare.universes).all()
    whole = BOOTSTRAP.sample(HISTORY, 40, rare.sampled, seed=1)
    assert int(rare.condition.met(whole).sum()) == rare.met
    assert sum(told) == 2 * WANTED


def test_no_universe_is_looked_at_twice() -> None:
    """Where some of the first ones are left out, sampling goes on after the last of them."""
    condition = parse_condition("return <= -10%")
    (found,) = conditional_universes([condition], FIRST.take(np.arange(0, 300, 2)), more)
    assert found.universes is not None
    assert len(set(found.universes.ids.tolist())) == found.met


def test_a_condition_that_is_too_rare_ends_early() -> None:
    """No strategy is judged in it; its probability and what was looked at are given."""
    (never,) = conditional_universes([parse_condition("drawdown >= 95%")], FIRST, more)
    assert never.met == 0
    assert not never.enough
    assert never.sampled < MAX_SAMPLED / 2
    answer = condition_rows([case()], [never])[case().strategy.name]
    assert answer["rows"] == []
    (rare,) = answer["too_rare"]
    assert rare["probability"]["high"] * MAX_SAMPLED < MIN_MET


def test_figures_are_those_of_the_universes_that_meet_it() -> None:
    """Where universes fall by a fifth, buy and hold loses more."""
    met = conditional_universes([parse_condition("return <= -10%")], FIRST, more)
    (row,) = condition_rows([case()], met)[case().strategy.name]["rows"]
    assert row["probability_of_loss"]["value"] == 1
    assert row["probability"]["value"] < 1


def test_rising_volatility_stands_in_every_report() -> None:
    """On the universes that are there, without a backtest of its own; beside the base case."""
    one = case()
    found = WhatIf.of(what_if(one))
    base, standing = found.rows
    mask = VOLATILITY_UP.met(FIRST)
    assert (base.kind, base.universes) == ("base", 300)
    assert (standing.name, standing.universes, standing.sampled) == ("volatility >= 1.2x", int(mask.sum()), 300)
    assert standing.median_return == float(one.metrics["total_return"][mask].median())
    few = Case(one.strategy, FIRST.take(np.arange(50)), HISTORY, one.terms, seed=1)
    assert [row.kind for row in WhatIf.of(what_if(few)).rows] == ["base"]
    assert WhatIf.of(what_if(few)).too_rare[0].met < MIN_MET


def test_what_was_asked_stands_after_it_once() -> None:
    """Rows of shocks follow; a condition that was asked for is not given twice."""
    one = case()
    asked = condition_rows([one], conditional_universes([VOLATILITY_UP], FIRST, more))[one.strategy.name]
    found = what_if(one.with_answers(what_if=asked))
    assert [row["name"] for row in found["rows"]] == ["base", "volatility >= 1.2x"]
    assert isinstance(one.metrics, pd.DataFrame)
