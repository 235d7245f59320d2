"""Costs are fractions and amounts, and nothing else is taken for one."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from stresslab.backtest import Costs
from stresslab.backtest.costs import costs_by_symbol
from stresslab.core.errors import InputError


def test_default_costs_are_not_zero() -> None:
    """Who says nothing about costs pays five basis points of fees and of slippage each."""
    assert Costs() == Costs(fees=0.0005, slippage=0.0005)


@pytest.mark.parametrize("value", [0, 0.0, 0.25, np.float32(0.001), np.float64(0.999)])
def test_fractions_are_taken(value: float) -> None:
    """Any number in [0, 1) is a fraction, of Python or numpy."""
    assert Costs(fees=value, slippage=value).fees == value


@pytest.mark.parametrize("name", ["fees", "slippage"])
@pytest.mark.parametrize("value", [-0.011, 1.0, 1.5, math.nan, math.inf, "0.1", None, True])
def test_anything_else_is_refused_in_one_line(name: str, value: float) -> None:
    """The message names the setting and its value, the rule and the remedy."""
    with pytest.raises(
        InputError, match=rf"^{name}={value} is not a fraction in \[(0|-0.01), 1\); for .*% write .*"
    ) as error:
        Costs(**{name: value})
    assert "\n" not in str(error.value)


def test_percent_is_told_what_to_write() -> None:
    """1.5, probably meant as percent, is answered with its fraction."""
    with pytest.raises(InputError, match=r"for 1\.5% write 0\.015$"):
        Costs(fees=1.5)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("fixed_fee", -1.0, r"^fixed_fee=-1.0 is not an amount of currency; give 0 or more, for example 1$"),
        ("fixed_fee", math.inf, r"^fixed_fee=inf is not an amount"),
        ("min_trade", math.nan, r"^min_trade=nan is not an amount"),
        ("min_trade", "50", r"^min_trade=50 is not an amount"),
        ("slippage_volatility", 11, r"^slippage_volatility=11 is not a multiple of volatility in \[0, 10\]; for a te"),
        ("slippage_volatility", -0.1, r"^slippage_volatility=-0.1 is not a multiple"),
        ("borrow_fee", -0.01, r"^borrow_fee=-0.01 is not a fraction in \[0, 10\); for 0.05% write 0.0005$"),
        ("borrow_fee", 25, r"^borrow_fee=25 is not a fraction in \[0, 10\); for 25% write 0.25$"),
        ("funding", -11, r"^funding=-11 is not a fraction in \[-10, 10\)"),
        ("funding", True, r"^funding=True is not a fraction"),
    ],
)
def test_the_other_costs_are_checked(name: str, value: float, text: str) -> None:
    """Amounts are amounts, multiples multiples, and only funding may be negative."""
    with pytest.raises(InputError, match=text):
        Costs(**{name: value})
    assert Costs(funding=-0.1).funding == -0.1


def test_costs_cannot_be_changed() -> None:
    """Costs, once made, stay."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Costs().fees = 0.1  # type: ignore[misc] # frozen


def test_a_rebate_and_costs_that_cannot_grow() -> None:
    """A maker's rebate is a fee below 0, which no multiple makes larger; five times a fee of 20% is no fee."""
    rebate = Costs(fees=-0.0002, slippage=0.001)
    assert rebate.scaled(3) == Costs(fees=-0.0002, slippage=0.003)
    assert rebate.scaled(0) == Costs(fees=-0.0002, slippage=0.0)
    with pytest.raises(InputError, match="is not a fraction"):
        Costs(fees=-0.5)
    assert [factor for factor in (0, 1, 3, 5) if Costs(fees=0.2).can_be_scaled(factor)] == [0, 1, 3]


def test_costs_by_symbol() -> None:
    """What is given of a symbol differs, the rest is as of all; wrong names and values are one line."""
    found = costs_by_symbol({"0008.HK.fees": 0.002, "0008.HK.fixed_fee": 3.0, "B.slippage": 0.0}, Costs(fees=0.001))
    assert found == {"0008.HK": Costs(fees=0.002, fixed_fee=3.0), "B": Costs(fees=0.001, slippage=0.0)}
    for key, value, words in (
        ("fees", 0.1, "not of the form SYMBOL.COST=VALUE"),
        ("B.fee", 0.1, "did you mean 'fees'"),
        ("B.fees", 5.0, "symbol_costs of B: fees=5.0 is not a fraction"),
    ):
        with pytest.raises(InputError, match=re.escape(words)):
            costs_by_symbol({key: value}, Costs())
