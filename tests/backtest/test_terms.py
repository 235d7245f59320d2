"""Terms are taken as they are meant, and what cannot be meant is refused in one line."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from stresslab.backtest import Costs, Sizing, Stops, Terms
from stresslab.core.errors import InputError


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"position": "flt"}, r"^position='flt' is neither 'carry' nor 'flat'; did you mean 'flat'\?$"),
        ({"position": "long"}, r"^position='long' is neither .*; write 'carry' or 'flat'$"),
        ({"init_cash": 0.0}, r"^init_cash=0.0 is not an amount to trade with; give"),
        ({"init_cash": math.nan}, r"^init_cash=nan is not an amount to trade with; give"),
        ({"warmup": -1}, r"^warmup=-1 is less than no bars; give 0 or more$"),
        ({"max_leverage": 0.5}, r"^max_leverage=0.5 is not in \[1, 1000\]; 1 means no credit, 2 twice the equity$"),
        ({"max_leverage": math.inf}, r"^max_leverage=inf is not in"),
        ({"risk_free": 3.0}, r"^risk_free=3.0 is not a fraction in \[-1, 1\); for 3% write 0.03$"),
        ({"sizing": Sizing(fraction=1.5)}, r"^sizing fraction=1.5 is beyond max_leverage=1; lower it or raise `max_l"),
        ({"costs": Costs(fixed_fee=100_000)}, r"^fixed_fee=100000 is not below init_cash=100000: nothing could be"),
        ({"costs": Costs(min_trade=2e5)}, r"^min_trade=200000 is not below init_cash=100000: nothing could be traded$"),
    ],
)
def test_terms_are_checked(setting: dict[str, Any], text: str) -> None:
    """The message is one line with the value, the rule and the remedy."""
    with pytest.raises(InputError, match=text) as error:
        Terms(**setting)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"stop_loss": 0.0}, r"^stop_loss=0.0 would leave at once; leave it out, or write 0.05 for 5%$"),
        ({"stop_loss": 1.0}, r"^stop_loss=1.0 is not a fraction in \[0, 1\); for 1% write 0.01$"),
        ({"take_profit": 50}, r"^take_profit=50 is not a fraction in \[0, 10\); for 50% write 0.5$"),
        ({"trailing_stop": -0.1}, r"^trailing_stop=-0.1 is not a fraction"),
        ({"trailing_stop": "5%"}, r"^trailing_stop=5% is not a fraction"),
    ],
)
def test_stops_are_checked(given: dict[str, Any], text: str) -> None:
    """A stop is a fraction above 0."""
    with pytest.raises(InputError, match=text):
        Stops(**given)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"fraction": 0.5, "cash": 100}, r"^sizing by fraction=0.5 and cash=100 contradicts itself; give one of them$"),
        ({"fraction": 0}, r"^sizing fraction=0 is not above 0; write all-in, fraction=0.5, cash=10000 or volatility"),
        ({"cash": math.nan}, r"^sizing cash=nan is not above 0"),
        ({"volatility": True}, r"^sizing volatility=True is not above 0"),
        ({"volatility": 15.0}, r"^sizing volatility=15.0 a year is not a fraction; for 15% write 0.15$"),
    ],
)
def test_sizing_is_checked(given: dict[str, Any], text: str) -> None:
    """One rule at most, and a number above 0."""
    with pytest.raises(InputError, match=text):
        Sizing(**given)


@pytest.mark.parametrize("text", ["all-in", "fraction=0.5", "cash=10000", "volatility=0.15"])
def test_sizing_survives_its_spelling(text: str) -> None:
    """What is written is what is read."""
    assert str(Sizing.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("fractoin=0.5", r"^sizing 'fractoin=0.5' is not known; did you mean 'fraction'\? write all-in, "),
        ("all in", r"^sizing 'all in' is not known; did you mean 'all-in'\?"),
        ("cash", r"^sizing 'cash' has no number; write"),
        ("cash=much", r"^sizing 'cash=much' has no number; write"),
        ("all-in=1", r"^sizing 'all-in=1' is not known"),
    ],
)
def test_sizing_that_is_not_known(text: str, rule: str) -> None:
    """The message names what was given and what may be written."""
    with pytest.raises(InputError, match=rule):
        Sizing.parse(text)


def test_what_is_set_is_recorded() -> None:
    """Cash, fees and slippage always; the rest where it differs from what most runs do without."""
    assert Terms().recorded() == {"init_cash": 100_000.0, "fees": 0.0005, "slippage": 0.0005}
    terms = Terms(Costs(0.0, borrow_fee=0.02), Sizing(cash=100), Stops(trailing_stop=0.1), max_leverage=2)
    assert terms.recorded() == {
        "init_cash": 100_000.0,
        "fees": 0.0,
        "slippage": 0.0005,
        "borrow_fee": 0.02,
        "trailing_stop": 0.1,
        "sizing": "cash=100",
        "max_leverage": 2,
    }


def test_terms_cannot_be_changed() -> None:
    """Terms, once made, stay."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Terms().risk_free = 0.1  # type: ignore[misc] # frozen


@pytest.mark.parametrize(("text", "rule"), [
    ("sometimes", "on-change, every-bar or band=0.05"), ("every_bar", "did you mean 'every-bar'"),
    ("band", "no number"), ("band=0", "lies in"), ("band=nan", "lies in"),
])  # fmt: skip
def test_rebalancing_that_is_not_known(text: str, rule: str) -> None:
    """A rule that is none of the three is refused with the three."""
    with pytest.raises(InputError, match=rule):
        Terms(rebalance=text)


def test_rebalancing_is_recorded() -> None:
    """The rule stands in the record as it is written, where it is not the default."""
    assert "rebalance" not in Terms().recorded()
    assert Terms(rebalance="band=0.050").recorded()["rebalance"] == "band=0.05"
