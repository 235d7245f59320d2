"""Commands as tools: schemas that agree with the flags, command lines that cannot be turned into others."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from typer.main import get_command

from stresslab.cli import app
from stresslab.cli.tools import LEFT_OUT, WITHOUT, Answer, Tool, process, tools
from stresslab.core.errors import InputError

KNOWN = tools(get_command(app))


@pytest.mark.parametrize("tool", KNOWN.values(), ids=str)
def test_every_flag_is_in_the_schema(tool: Tool) -> None:
    """All arguments and options but those that never end; each has a type and a description."""
    schema = tool.schema
    assert set(schema["properties"]) == {one.name for one in tool.command.params if one.name not in WITHOUT}
    assert set(schema["required"]) <= set(schema["properties"])
    for name, one in schema["properties"].items():
        assert "type" in one or "anyOf" in one, name
        assert one["description"], name
    assert tool.description


def test_which_commands_are_tools() -> None:
    """All but those for people; those of two words are joined."""
    assert {"run", "check", "trades", "size", "limits", "compare", "train_model"} <= set(KNOWN)
    assert not set(LEFT_OUT) & set(KNOWN)


def test_types_are_those_of_the_flags() -> None:
    """Numbers, booleans, lists, and several sources of bars."""
    found = KNOWN["run"].schema["properties"]
    assert found["horizon"]["type"] == "integer"
    assert found["fees"]["type"] == "number"
    assert found["repair"]["type"] == "boolean"
    assert found["param"]["type"] == found["strategies"]["type"] == "array"
    assert {one["type"] for one in found["data"]["anyOf"]} == {"string", "array"}
    assert KNOWN["run"].schema["required"] == ["strategies"]


@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("run", {"strategies": ["a.py"], "data": ["b.csv", "c.csv"], "horizon": 60, "repair": True, "since": None},
         ["run", "--data=b.csv;c.csv", "--horizon=60", "--repair", "--", "a.py"]),
        ("run", {"strategies": ["--out=/"], "data": "--repair", "param": ["a=1", "b=2"], "repair": False},
         ["run", "--data=--repair", "--param=a=1", "--param=b=2", "--", "--out=/"]),
        ("limits", {"limits_file": "l.yaml", "run": "r"}, ["limits", "--", "r", "l.yaml"]),
        ("train_model", {"data": ["b.csv"]}, ["train", "model", "--data=b.csv"]),
    ],
)  # fmt: skip
def test_a_call_is_a_command_line(tool: str, given: dict[str, Any], words: list[str]) -> None:
    """Values stay values, whatever they begin with; arguments stand in the command's order."""
    assert KNOWN[tool].arguments(given) == words


def test_an_unknown_name_is_refused() -> None:
    """With the one that was meant."""
    with pytest.raises(InputError, match="check takes no 'stratgies'; did you mean 'strategies'"):
        KNOWN["check"].arguments({"stratgies": ["a.py"]})


def test_refusals_are_those_of_the_command() -> None:
    """The process ends with the command's own line and exit code; progress is left out of the answer."""
    words = process(KNOWN["check"].arguments({"strategies": ["nowhere.py"], "data": "sample:bitcoin"}))
    done = subprocess.run(words, capture_output=True, check=False)
    answer = Answer.of(done.returncode, done.stdout, done.stderr)
    assert answer.refused
    assert answer.text.startswith("error: nowhere.py does not exist")
    assert answer.text.endswith("exit code 2")


def test_answers() -> None:
    """A verdict that was asked to fail is an answer."""
    plain = Answer.of(0, b"ROBUST\n", b"sampling: in 1 s\n")
    assert (plain.text, plain.refused) == ("ROBUST", False)
    failed = Answer.of(4, b"LUCKY", b"")
    assert (failed.text, failed.refused) == ("LUCKY\n\nexit code 4", False)
    assert Answer.of(1, b"", b"error: x").refused
