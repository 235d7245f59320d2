"""Parameters of a strategy: types and ranges declared once, values checked against them, grids of values expanded.

A default gives the type. A file (or a class) may say more, as `PARAMETERS = {"fast": (5, 50), "by": ["sma", "ema"]}`:
a pair is from and to, a list holds the choices. `loading` knows whose parameters they are.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from inspect import Parameter
from typing import Any

from stresslab.core.errors import StrategyError
from stresslab.core.text import did_you_mean

DECLARATION = "PARAMETERS"
MAX_SETS = 1000
"""Parameter sets that a grid may have, of all strategies together."""
_EXAMPLES = {"bool": "true", "int": "10", "float": "0.5", "str": "daily"}


def literal(text: str) -> Any:
    """What a flag's text stands for: numbers, True, False, None and quoted text as in Python; all else is text."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def values_of(
    who: str, declared: Mapping[str, Parameter], ranges: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Each parameter's value: the one given, converted to its default's or annotation's type, or the default.

    Args:
        who: name of the strategy.
        declared: its parameters by name.
        ranges: what `PARAMETERS` says of them.
        given: values by name; those of other strategies are passed over.

    Raises:
        StrategyError: a value is missing, of another type, or outside its range.
    """
    values = {}
    for name, item in declared.items():
        if name not in given and item.default is item.empty:
            raise StrategyError(
                f"strategy {who!r} needs a value for {name!r}; set it, or give it a default (if it stands "
                "for another symbol or series: universes continue one series and have none)"
            )
        values[name] = converted(name, given[name], item) if name in given else item.default
        if name in ranges:
            _check_range(who, name, values[name], ranges[name])
    return values


def converted(name: str, value: Any, item: Parameter) -> Any:
    """A value as the parameter's bool, int, float or str; of any other type as it came."""
    annotated = getattr(item.annotation, "__name__", item.annotation)
    kind = annotated if item.default is item.empty or item.default is None else type(item.default).__name__
    if kind not in _EXAMPLES:
        return value
    text = str(value).strip()
    try:
        if kind == "bool":
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if kind != "str" and isinstance(value, bool):
            raise ValueError
        if kind == "int":
            return int(text) if isinstance(value, str) else operator.index(int(value) if value == int(value) else value)
        return float(text) if kind == "float" else text
    except (KeyError, ValueError, TypeError, OverflowError):
        raise StrategyError(f"{name}={value!r} is not of type {kind}; write for example {_EXAMPLES[kind]}") from None


def check_declaration(who: str, ranges: Any, declared: Sequence[str]) -> dict[str, Any]:
    """`PARAMETERS` as it stands in a file or class; refuses what declares nothing.

    Args:
        who: where it stands.
        ranges: the mapping.
        declared: every parameter.
    """
    example = f'{DECLARATION} = {{"fast": (5, 50), "mode": ["sma", "ema"]}}'
    if not isinstance(ranges, Mapping):
        raise StrategyError(f"{who}: {DECLARATION} is a {type(ranges).__name__}; write {example}")
    for name, allowed in ranges.items():
        if name not in declared:
            raise StrategyError(
                f"{who}: {DECLARATION} names {name!r}, which is not a parameter{did_you_mean(str(name), declared)}"
            )
        pair = isinstance(allowed, tuple) and len(allowed) == 2 and all(_is_number(one) for one in allowed)
        if not (pair and allowed[0] <= allowed[1]) and not (isinstance(allowed, list) and allowed):
            raise StrategyError(
                f"{who}: {DECLARATION}[{name!r}]={allowed!r:.80} is neither (from, to) nor a list; {example}"
            )
    return dict(ranges)


def _check_range(who: str, name: str, value: Any, allowed: Any) -> None:
    if isinstance(allowed, list):
        if not any(value == one and type(value) is type(one) for one in allowed):
            raise StrategyError(
                f"{name}={value!r} is none of {allowed!r:.200}, which {who} declares; choose one of them"
            )
    elif not (_is_number(value) and allowed[0] <= value <= allowed[1]):
        raise StrategyError(
            f"{name}={value!r} is not within {allowed[0]} to {allowed[1]}, the range that {who} declares; choose a "
            f"value within, or change {DECLARATION}"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def grid_values(name: str, values: Any) -> list[Any]:
    """The values of one parameter of a grid, each once.

    Args:
        name: of the parameter.
        values: a text of values and `start:stop:step` ranges (the stop included where a step meets it, the step 1
            where it is left out) separated by commas; or a sequence of values.
    """
    if isinstance(values, str):
        found = [one for part in values.split(",") for one in _part(name, part.strip())]
    elif isinstance(values, Mapping) or not hasattr(values, "__iter__"):
        raise StrategyError(f"grid {name}={values!r:.80} holds no values; write [5, 10, 20] or '5:20:5', in quotes")
    else:
        found = [one.item() if hasattr(one, "item") else one for one in itertools.islice(values, MAX_SETS + 1)]
    if not found:
        raise StrategyError(f"grid {name} has no values; write [5, 10, 20] or '5:20:5'")
    if len(found) > MAX_SETS:
        raise StrategyError(f"grid {name} has more than {MAX_SETS:,} values; take a larger step")
    return [one for at, one in enumerate(found) if not any(one == two and type(one) is type(two) for two in found[:at])]


def _part(name: str, text: str) -> list[Any]:
    """One value, or those of `start:stop:step`."""
    if ":" not in text:
        return [literal(text)]
    numbers = text.split(":")
    example = f"write for example {name}=5:20:5, from 5 to 20 by 5"
    try:
        start, stop, step = (Decimal(one.strip()) for one in (*numbers, "1")[:3])
        steps = (stop - start) / step
        if not steps.is_finite():
            raise ValueError
        count = int(min(steps, Decimal(MAX_SETS))) + 1  # a number of steps may have a million digits
    except (ArithmeticError, ValueError):
        raise StrategyError(f"grid {name}={text!r:.80} is not a range of numbers; {example}") from None
    if len(numbers) > 3 or steps < 0:
        raise StrategyError(f"grid {name}={text!r:.80} never reaches its stop; {example}")
    if count > MAX_SETS:
        raise StrategyError(f"grid {name}={text!r:.80} has more than {MAX_SETS:,} values; take a larger step")
    whole = all(re.fullmatch(r"[+-]?\d+", one.strip()) for one in numbers)
    return [int(start + at * step) if whole else float(start + at * step) for at in range(count)]


def expand(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every set of one value for each parameter, the last parameter changing fastest.

    Raises:
        StrategyError: there are more than `MAX_SETS`.
    """
    sizes = [len(values) for values in grid.values()]
    if math.prod(sizes) > MAX_SETS:
        product = " x ".join(map(str, sizes))
        raise StrategyError(
            f"the grid has {product} = {math.prod(sizes):,} parameter sets, more than {MAX_SETS:,}; take larger steps "
            "or fewer parameters"
        )
    return [dict(zip(grid, chosen, strict=True)) for chosen in itertools.product(*grid.values())]


def describe_grid(grid: Mapping[str, Any]) -> str:
    """How many parameter sets a grid has for a strategy with all its parameters: "fast 4 x slow 3 = 12 sets"."""
    sizes = {name: len(grid_values(name, values)) for name, values in grid.items()}
    product = " x ".join(f"{name} {size}" for name, size in sizes.items())
    return product if len(sizes) == 1 else f"{product} = {math.prod(sizes.values()):,} sets"


def label(chosen: Mapping[str, Any]) -> str:
    """What a parameter set adds to a strategy's name: `[fast=5,slow=30]`; nothing where nothing was chosen."""
    return f"[{','.join(f'{name}={value}' for name, value in chosen.items())}]" if chosen else ""
