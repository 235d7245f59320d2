"""Costs are fractions, and nothing else is taken for one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from stresslab.backtest import Costs
from stresslab.errors import InputError


def test_default_costs_are_not_zero() -> None:
    """Who says nothing about costs pays five basis points of fees and of slippage each."""
    assert Costs() == Costs(fees=0.0005, slippage=0.0005)


@pytest.mark.parametrize("value", [0, 0.0, 0.25, np.float32(0.001), np.float64(0.999)])
def test_fractions_are_taken(value: float) -> None:
    """Any number in [0, 1) is a fraction, of Python or numpy."""
    assert Costs(fees=value, slippage=value).fees == value


@pytest.mark.parametrize("name", ["fees", "slippage"])
@pytest.mark.parametrize("value", [-0.001, 1.0, 1.5, math.nan, math.inf, "0.1", None, True])
def test_anything_else_is_refused_in_one_line(name: str, value: float) -> None:
    """The message names the setting and its value, the rule and the remedy."""
    with pytest.raises(InputError, match=rf"^{name}={value} is not a fraction in \[0, 1\); for .*% write .*") as error:
        Costs(**{name: value})
    assert "\n" not in str(error.value)


def test_percent_is_told_what_to_write() -> None:
    """1.5, probably meant as percent, is answered with its fraction."""
    with pytest.raises(InputError, match=r"for 1\.5% write 0\.015$"):
        Costs(fees=1.5)


def test_costs_cannot_be_changed() -> None:
    """Costs, once made, stay."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Costs().fees = 0.1  # type: ignore[misc] # frozen
