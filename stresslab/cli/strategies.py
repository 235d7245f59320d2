"""`stresslab strategies`: the strategies in a folder, or those that come with the package."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Annotated, Any

import typer

from stresslab.cli.console import say
from stresslab.core.errors import InputError

EXAMPLE = """Example:

stresslab strategies

stresslab strategies my_strategies/
"""


def strategies(
    folder: Annotated[
        str | None, typer.Argument(metavar="FOLDER", help="Folder of strategy files; the bundled examples by default.")
    ] = None,
) -> None:
    """List the strategies in a folder with their parameters and what they say of themselves."""
    from stresslab.strategy.examples import SCHEME, examples_folder

    place = examples_folder() if folder is None else Path(folder)
    if not place.is_dir():
        raise InputError(f"{folder} is not a folder; name one that holds strategy files")
    files = sorted(path for path in place.glob("*.py") if not path.name.startswith("_"))
    if not files:
        raise InputError(f"{folder} holds no strategy files (*.py); docs/strategies.md says how to write one")
    for path in files:
        say(_describe(path))
    if folder is None:
        say(f"Run one by its name, for example: stresslab run {SCHEME}sma_cross --data sample:bitcoin")


def _describe(path: Path) -> str:
    """A strategy file in two lines: name and parameters, then its first sentence; or why it cannot be loaded."""
    from stresslab.strategy import load_strategies

    try:
        loaded = load_strategies(str(path), {})
        summary = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    except InputError as error:
        return f"{path}\n  cannot be loaded: {error}"
    lines = [
        " ".join([one.name, *(f"{key}={value!r}{_range(one.ranges.get(key))}" for key, value in values.items())])
        for one, values in ((one, one.parameters) for one in loaded)
    ]
    return "\n".join([*lines, f"  {summary or 'no docstring'}"])


def _range(allowed: Any) -> str:
    """What a file declares of a parameter."""
    if allowed is None:
        return ""
    return f" ({' or '.join(map(repr, allowed))})" if isinstance(allowed, list) else f" ({allowed[0]} to {allowed[1]})"
