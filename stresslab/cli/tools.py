"""The commands as tools for agents: what each takes as a schema, and a call as the command line that it is.

A tool runs its command in a process of its own, so that refusals, exit codes and files are those of the command line.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean

LEFT_OUT = ("mcp", "new", "cache")
"""Commands that are for people: the server itself, a first file, and the clearing of the cache."""
WITHOUT = ("help", "help_all", "watch", "install_completion", "show_completion")
"""Flags that make no sense in a call: `--watch` never ends."""
READING = ("check", "show", "strategies", "scenarios", "models", "verify")
"""Commands that write nothing."""
FAILED_ON = 4
"""Exit code of a result that was asked to fail the command: an answer, not an error."""


@dataclass(frozen=True, eq=False)
class Tool:
    """A command that can be called.

    Attributes:
        name: of the tool; words of a command of two are joined by an underscore.
        words: the command.
        command: as typer made it.
    """

    name: str
    words: tuple[str, ...]
    command: Any

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Its arguments and options by name."""
        return {one.name: one for one in self.command.params if one.name not in WITHOUT}

    @property
    def description(self) -> str:
        """The help of the command, and how it answers."""
        text = re.sub(r"\s+", " ", self.command.help or "").strip()
        return f"{text} (stresslab {' '.join(self.words)})"

    @property
    def schema(self) -> dict[str, Any]:
        """What it takes, as JSON schema; names are those of the flags with underscores."""
        types = _annotations(self.command)
        found = {
            name: _kind(name, types.get(name, str)) | ({"description": one.help} if getattr(one, "help", None) else {})
            for name, one in self.parameters.items()
        }
        needed = [name for name, one in self.parameters.items() if one.required or name in _NEEDED]
        return {"type": "object", "properties": found, "required": needed, "additionalProperties": False}

    def arguments(self, given: Mapping[str, Any]) -> list[str]:
        """The command line of a call.

        Raises:
            InputError: it names something that the command does not take.
        """
        options: list[str] = []
        positional: list[str] = []
        for name, value in given.items():
            if name not in self.parameters:
                raise InputError(f"{self.name} takes no {name!r}{did_you_mean(name, list(self.parameters))}")
            if value is None or value is False:
                continue
            one = self.parameters[name]
            values = [str(part) for part in value] if isinstance(value, (list, tuple)) else [str(value)]
            if one.param_type_name == "argument":
                positional += values
            elif one.is_flag:
                options.append(one.opts[0])
            elif name == "data":
                options.append(f"{one.opts[0]}={_SEVERAL.join(values)}")
            else:
                options += [f"{one.opts[0]}={part}" for part in values]
        order = [name for name, one in self.parameters.items() if one.param_type_name == "argument"]
        if len(order) > 1:
            positional = [str(part) for name in order for part in _listed(given.get(name))]
        return [*self.words, *options, *(["--", *positional] if positional else [])]


_SEVERAL = ";"
_NEEDED = ("strategies", "run", "runs", "limits_file", "trades")


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _annotations(command: Any) -> dict[str, Any]:
    """The types of a command's parameters by name, as its function declares them."""
    signature = inspect.signature(command.callback, eval_str=True)
    found = {}
    for name, one in signature.parameters.items():
        shown = get_args(one.annotation)[0] if get_origin(one.annotation) is Annotated else one.annotation
        chosen = [part for part in get_args(shown) if part is not NoneType] if NoneType in get_args(shown) else [shown]
        found[name] = chosen[0]
    return found


_JSON = {bool: "boolean", int: "integer", float: "number"}


def _kind(name: str, annotation: Any) -> dict[str, Any]:
    """The type of a parameter in JSON schema."""
    if name == "data":  # several sources are several symbols
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    if get_origin(annotation) in (list, tuple) or annotation in (list, tuple):
        return {"type": "array", "items": {"type": "string"}}
    return {"type": _JSON.get(annotation, "string")}


def tools(root: Any) -> dict[str, Tool]:
    """All commands below the program's own that can be called, by the names of their tools."""
    return {one.name: one for one in _below(root, ())}


def _below(command: Any, words: tuple[str, ...]) -> list[Tool]:
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    if not inner:
        return [Tool("_".join(words).replace("-", "_"), words, command)]
    kept = [(name, one) for name, one in inner.items() if words or name not in LEFT_OUT]
    return [tool for name, one in kept for tool in _below(one, (*words, name))]


def process(arguments: Sequence[str]) -> list[str]:
    """The program that runs a command line."""
    return [sys.executable, "-m", "stresslab", *arguments]


@dataclass(frozen=True)
class Answer:
    """What a call gave.

    Attributes:
        text: what the command said, its refusal included.
        code: its exit code.
    """

    text: str
    code: int

    @property
    def refused(self) -> bool:
        """Whether the command did not do what it was asked."""
        return self.code not in (0, FAILED_ON)

    @classmethod
    def of(cls, code: int, out: bytes, err: bytes) -> Answer:
        """The answer of a process that has ended; progress is left out."""
        said = out.decode("utf-8", errors="replace").strip()
        lines = [line for line in err.decode("utf-8", errors="replace").splitlines() if line.startswith("error:")]
        parts = [said, *lines, *([f"exit code {code}"] if code else [])]
        return cls("\n\n".join(part for part in parts if part), code)
