"""Texts of flags become values: parameters, grids, shares of capital."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.cli.values import parse_grid, parse_parameters, parse_shares, split
from stresslab.core.errors import InputError


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("x=10", 10),
        ("x=1e-3", 1e-3),
        ("x=-0.5", -0.5),
        ("x=true", True),
        ("x=False", False),
        ("x=none", None),
        ("x=ema", "ema"),
        ("x='10'", "10"),
        ("x=a=b", "a=b"),
        ("x=[1, 2]", [1, 2]),
        ("x=", ""),
    ],
)
def test_parameters_are_read_as_python_would(pair: str, value: object) -> None:
    """Numbers, truth values, None and lists are themselves, all else is text."""
    found = parse_parameters([pair])["x"]
    assert found == value
    assert type(found) is type(value)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.text())
def test_parameters_survive_their_spelling(value: object) -> None:
    """Whatever Python can spell is read back."""
    assert parse_parameters([f"x={value!r}"]) == {"x": value}


@pytest.mark.parametrize("pair", ["fast", "=3", "2x=3", "a b=3"])
def test_a_parameter_without_a_name_is_refused(pair: str) -> None:
    """A parameter has a name and a value."""
    with pytest.raises(InputError, match="--param fast=10"):
        parse_parameters([pair])


def test_a_grid_of_the_command_line() -> None:
    """`--grid` may be repeated, once for each parameter."""
    assert parse_grid(["fast=5:10:5", "slow=30,60"]) == {"fast": [5, 10], "slow": [30, 60]}


@pytest.mark.parametrize("wrong", [["fast"], ["fast="], ["=5"], ["fast=5", "fast=10"], ["1fast=5"]])
def test_a_wrong_grid_is_refused_with_an_example(wrong: list[str]) -> None:
    """A text without a name or values, and a parameter that is named twice, are refused."""
    with pytest.raises(InputError, match=r"^--grid .*fast=5:20:5"):
        parse_grid(wrong)


def test_shares_are_separated_by_commas_or_repeated() -> None:
    """`--portfolio a=0.6,b=0.4` and two flags are the same; a name may hold an equals sign."""
    assert parse_shares(["a=0.6,b=0.4"]) == parse_shares(["a=0.6", "b=0.4"]) == {"a": 0.6, "b": 0.4}
    assert split(["lucky, losing", "robust"]) == ["lucky", "losing", "robust"]


@pytest.mark.parametrize("wrong", ["a", "=0.5", "a=much"])
def test_a_wrong_share_is_refused_with_an_example(wrong: str) -> None:
    """A share has a name and a number."""
    with pytest.raises(InputError, match=r"^--portfolio .*sma_cross=0.6"):
        parse_shares([wrong])
