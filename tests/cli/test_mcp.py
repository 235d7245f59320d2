"""`stresslab mcp`: agents list and call the commands by the protocol, and are refused as people are."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

INSTALLED = importlib.util.find_spec("mcp") is not None
needs_mcp = pytest.mark.skipif(not INSTALLED, reason="needs the package mcp")


@pytest.mark.skipif(INSTALLED, reason="is about a missing package")
def test_without_the_package_it_says_how_to_get_it(command: Command) -> None:
    """One line with the remedy."""
    found = command("mcp")
    assert found.code == 2
    assert "pip install 'stresslab[mcp]'" in found.err


def talk(calls: list[tuple[str, dict[str, Any]]], *flags: str) -> tuple[list[str], list[Any]]:
    """What a client of the protocol gets from the server in a process of its own: tools, and an answer to each call."""
    import anyio
    from mcp import Client, StdioServerParameters, stdio_client

    async def run() -> tuple[list[str], list[Any]]:
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "stresslab", "mcp", *flags], env=dict(os.environ),
            cwd=str(Path(__file__).parents[2]),
        )  # fmt: skip
        async with Client(stdio_client(server)) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            return names, [await client.call_tool(name, given) for name, given in calls]

    return anyio.run(run)


@needs_mcp
def test_agents_call_commands_and_are_refused() -> None:
    """A check answers, a look-ahead and a wrong name are refused with the command's own lines."""
    peek = "tests/corpus/leaking"
    names, (good, leaky, wrong, unknown) = talk([
        ("check", {"strategies": ["example:buy_and_hold"], "data": "sample:bitcoin"}),
        ("check", {"strategies": [str(sorted(Path(peek).glob("*.py"))[0])], "data": "sample:bitcoin"}),
        ("check", {"stratgies": []}),
        ("chekc", {}),
    ])  # fmt: skip
    assert {"run", "check", "trades"} <= set(names)
    assert not good.is_error
    assert good.structured_content == {"exit_code": 0}
    assert "does not look ahead" in good.content[0].text
    assert leaky.is_error
    assert "looks ahead; decide from bars up to the current one" in leaky.content[0].text
    assert wrong.is_error
    assert "did you mean 'strategies'" in wrong.content[0].text
    assert unknown.is_error
    assert "there is no tool 'chekc'" in unknown.content[0].text


@needs_mcp
def test_a_call_that_takes_too_long_is_stopped() -> None:
    """The server says so and goes on."""
    _, (slow, after) = talk([
        ("run", {"strategies": ["example:sma_cross"], "data": "sample:nasdaq", "universes": 100000, "out": "/nowhere"}),
        ("strategies", {"nonsense": 1}),
    ], "--timeout", "1")  # fmt: skip
    assert slow.is_error
    assert "took longer than 1 s and was stopped" in slow.content[0].text
    assert after.is_error
