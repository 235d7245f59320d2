"""Texts of flags as values: whole numbers, `name=value` pairs, grids, shares of capital, lists.

Which values are allowed is decided by `stresslab.runs.settings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import typer

from stresslab.core.errors import InputError


def whole(text: Any) -> int:
    """A flag's text as a whole number."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number; write for example 120") from None


def number(text: Any) -> float:
    """A flag's text as a number."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number; write for example 0.5") from None


def parse_parameters(pairs: Sequence[str]) -> dict[str, Any]:
    """The mapping in `k=v` pairs; numbers, True, False, None and quoted text as in Python, all else is text."""
    from stresslab.strategy.parameters import literal

    parameters: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"--param {pair!r} is not of the form name=value; write for example --param fast=10")
        parameters[name] = literal(text)
    return parameters


def parse_grid(pairs: Sequence[str]) -> dict[str, list[Any]]:
    """The values by name of `name=values` texts, such as `fast=5:20:5` and `slow=30,60,90`.

    Raises:
        InputError: a text is of another form, names a parameter twice, or has too many values.
    """
    from stresslab.strategy.parameters import grid_values

    grid: dict[str, list[Any]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier() or not text.strip():
            raise InputError(f"--grid {pair!r} is not of the form name=values; write fast=5:20:5 or fast=5,10,20")
        if name in grid:
            raise InputError(f"--grid names {name!r} twice; write all its values in one, such as {name}=5:20:5,30")
        grid[name] = grid_values(name, text)
    return grid


def parse_shares(given: Sequence[str]) -> dict[str, float]:
    """Shares of the capital by strategy, given repeatedly or separated by commas."""
    return _numbers(split(given), "--portfolio {!r} is not of the form name=share; write for example sma_cross=0.6")


def parse_symbol_costs(given: Sequence[str]) -> dict[str, float]:
    """Costs by symbol and name, given repeatedly: {"BTCUSDT.fees": 0.001}."""
    return _numbers(given, "--symbol-costs {!r} is not of the form SYMBOL.COST=VALUE; write BTCUSDT.fees=0.001")


def _numbers(given: Sequence[str], refusal: str) -> dict[str, float]:
    """Numbers by name; a pair that is not name=number is put into the refusal."""
    found: dict[str, float] = {}
    for pair in given:
        name, _, text = pair.rpartition("=")
        try:
            found[name] = float(text)
        except ValueError:
            name = ""
        if not name:
            raise InputError(refusal.format(pair))
    return found


def split(given: Sequence[str]) -> list[str]:
    """Entries of a list, given repeatedly or separated by commas."""
    return [part.strip() for entry in given for part in entry.split(",")]


def one_file(given: Sequence[str]) -> str:
    """The one file that a flag names.

    Raises:
        InputError: it was given more than once.
    """
    if len(given) > 1:
        raise InputError(f"--limits is given {len(given)} times; put all limits into one file")
    return given[0]


PARSERS: Mapping[str, Callable[[Sequence[str]], Any]] = MappingProxyType(
    {
        "param": parse_parameters,
        "grid": parse_grid,
        "portfolio": parse_shares,
        "symbol_costs": parse_symbol_costs,
        "fail_on": split,
        "limits": one_file,
    }
)
"""Settings that a flag spells otherwise than a file does."""
