"""What every model of settings is made of: how a field is declared, read and checked.

The settings themselves are declared in `settings`, `limit_settings` and `decision_settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean

PANELS = ("Common options", "Bars", "Universes", "Strategy", "Costs and orders", "Further studies", "Run")
"""Of the help, in their order."""
COMMON, BARS, UNIVERSES, STRATEGY, COSTS, STUDIES, RUN = PANELS
SETTINGS = "settings"
"""Where arguments and flags come from; whatever else settings come from is a file, or a part of one."""


def setting(
    panel: str,
    metavar: str,
    text: str,
    default: Any = ...,
    *,
    decides: bool = True,
    of_generator: bool = False,
    **limits: Any,
) -> Any:
    """A field of a settings model.

    Args:
        panel: of the help.
        metavar: what stands for the value in the help.
        text: the help, a sentence.
        default: the value where none is given; without one the setting must be given.
        decides: whether it may change the figures of a run; where it does not, the run's command leaves it out.
        of_generator: whether it is an argument of generators.
        limits: as pydantic's `Field` takes them.
    """
    more: dict[str, Any] = {"panel": panel, "metavar": metavar, "decides": decides, "of_generator": of_generator}
    if "default_factory" not in limits:
        limits["default"] = default
    return Field(description=text, json_schema_extra=more, **limits)


def extra(field: FieldInfo) -> dict[str, Any]:
    """What `setting` keeps of a field beside its type, default and help."""
    assert isinstance(field.json_schema_extra, dict)
    return field.json_schema_extra


class Config(BaseModel):
    """What the settings of all commands have in common: how they are read and checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, given: Mapping[str, Any], source: str = SETTINGS) -> Self:
        """The settings given, checked; the rest are defaults.

        Raises:
            InputError: one line with the first wrong value, its rule and the remedy.
        """
        for key in given:
            if key not in cls.model_fields:
                raise InputError(f"{source}: {key!r} is not a setting{did_you_mean(key, list(cls.model_fields))}")
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            if first["type"] == "missing":
                raise InputError(f"{source}: {_asked(name, source)} is missing; add it") from None
            message = first["msg"].replace("a valid tuple", "a list")
            value, rule, key = shortened(first["input"]), message[0].lower() + message[1:], name.split(".")[0]
            raise InputError(f"{source}: {name}={value} is refused: {rule}; correct {_asked(key, source)}") from None

    def recorded(self) -> dict[str, Any]:
        """All settings as plain JSON."""
        return self.model_dump(mode="json")


def _asked(name: str, source: str) -> str:
    """An argument in backticks, for which the command line writes its flag; a key of a file is no flag."""
    return f"`{name}`" if source == SETTINGS or source.startswith(f"{SETTINGS} (") else repr(name)


def shortened(value: object) -> str:
    """A value as Python writes it, in at most 200 signs; of a whole number of thousands of digits the size alone."""
    try:
        return f"{value!r:.200}"
    except ValueError:  # such numbers are not turned into decimals
        return f"a {type(value).__name__} of thousands of digits"
