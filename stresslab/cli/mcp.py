"""`stresslab mcp`: the commands for agents, by the Model Context Protocol on standard input and output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stresslab.cli.tools import READING, Answer, Tool, process, tools
from stresslab.core.errors import InputError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

EXAMPLE = """Example:

stresslab mcp --timeout 1800
"""
INSTRUCTIONS = (
    "Monte Carlo stress tests of trading strategies. Check a strategy with `check` first: one that looks ahead is "
    "refused by `run` too. `run` answers with a verdict and a folder, which `show`, `size`, `limits`, `compare` and "
    "`report` take. A refusal names the value, the rule and the remedy: correct it, do not work around it. A verdict "
    "of inconclusive is an answer. Do not choose among many variants without saying so: give `trials`."
)


def mcp(
    ctx: typer.Context,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Longest that one call may take.", min=1.0)
    ] = 3600.0,
) -> None:
    """Serve all commands to agents as tools, with the same refusals (Model Context Protocol, on stdin and stdout)."""
    try:
        import anyio
        from mcp.server.stdio import stdio_server
    except ImportError:
        raise InputError("stresslab mcp needs the package mcp; install it with: pip install 'stresslab[mcp]'") from None

    server = made(tools(ctx.find_root().command), timeout)

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(serve)


def made(known: Mapping[str, Tool], timeout: float) -> Server[Any]:
    """The server, whose tools are the commands.

    Args:
        known: tools by name.
        timeout: seconds that one call may take.
    """
    from mcp import types
    from mcp.server.lowlevel import Server

    import stresslab

    async def listed(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(one) for one in known.values()])

    async def called(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        answer = await _called(known, params.name, params.arguments or {}, timeout)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=answer.text)],
            structured_content={"exit_code": answer.code},
            is_error=answer.refused,
        )

    def _described(one: Tool) -> types.Tool:
        hints = types.ToolAnnotations(read_only_hint=one.words[0] in READING, destructive_hint=False)
        return types.Tool(name=one.name, description=one.description, input_schema=one.schema, annotations=hints)

    return Server(
        "stresslab", version=stresslab.__version__, instructions=INSTRUCTIONS, on_list_tools=listed, on_call_tool=called
    )


async def _called(known: Mapping[str, Tool], name: str, given: dict[str, Any], timeout: float) -> Answer:
    """Run a tool's command; what cannot be called is refused like any wrong input."""
    import subprocess

    import anyio

    if name not in known:
        return Answer(f"error: there is no tool {name!r}; there are {', '.join(known)}", 2)
    try:
        words = process(known[name].arguments(given))
    except InputError as error:
        return Answer(f"error: {error}\n\nexit code 2", 2)
    try:
        with anyio.fail_after(timeout):
            done = await anyio.run_process(words, check=False, stdin=subprocess.DEVNULL)
    except TimeoutError:
        return Answer(
            f"error: {name} took longer than {timeout:g} s and was stopped; ask for less, or start the server with a "
            "longer --timeout\n\nexit code 3",
            3,
        )
    return Answer.of(done.returncode, done.stdout, done.stderr)
