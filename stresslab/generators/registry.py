"""Which generators there are, by the names that the command line uses; none is imported before it is asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from stresslab.core.errors import InputError
from stresslab.generators.base import Generator


@dataclass(frozen=True)
class Entry:
    """One row of the table of generators.

    Attributes:
        module: where the class is.
        attribute: the class.
        description: one sentence in plain words.
    """

    module: str
    attribute: str
    description: str


GENERATORS: Mapping[str, Entry] = MappingProxyType(
    {
        "kronos": Entry(
            "stresslab.generators.kronos.generator", "Kronos",
            "An autoregressive model whose words are candlesticks.",
        ),
        "bootstrap": Entry(
            "stresslab.generators.bootstrap", "StationaryBootstrap",
            "Blocks of real bars of random length, laid end to end.",
        ),
        "garch": Entry(
            "stresslab.generators.garch", "Garch",
            "Real bars rescaled to the volatility that a fitted GJR-GARCH gives each day.",
        ),
    }
)  # fmt: skip


def generator_class(name: str) -> type[Generator]:
    """The class of a generator, imported now."""
    if name not in GENERATORS:
        raise InputError(f"generator={name!r} is not known; choose one of {', '.join(GENERATORS)}")
    entry = GENERATORS[name]
    return cast(type[Generator], getattr(importlib.import_module(entry.module), entry.attribute))


def settings_of(name: str) -> tuple[str, ...]:
    """The settings that a generator takes."""
    return tuple(inspect.signature(generator_class(name)).parameters)


def as_generator(given: Any) -> Generator:
    """The generator that is given: itself, one by its name with its defaults, or Kronos for None.

    Raises:
        InputError: it is neither.
    """
    if given is None or isinstance(given, str):
        return make_generator(given or "kronos")
    if isinstance(given, type) or not callable(getattr(given, "sample", None)):
        called = f"; write {given.__name__}()" if isinstance(given, type) else ""
        raise InputError(
            f"generator={given!r:.60} makes no universes{called or '; give one of ' + ', '.join(GENERATORS)}, or for "
            "example sl.Kronos(temperature=0.9)"
        )
    return cast(Generator, given)


def make_generator(name: str, **settings: Any) -> Generator:
    """A generator with these settings.

    Args:
        name: a key of `GENERATORS`.
        settings: its constructor's arguments.

    Raises:
        InputError: an unknown generator, or a setting that it does not have.
    """
    known = settings_of(name)
    for setting, value in settings.items():
        if setting not in known:
            raise InputError(f"{setting}={value!r} is not a setting of {name}; its settings are {', '.join(known)}")
    return generator_class(name)(**settings)
