"""The source of a strategy file with every local module that it imports, found without running any of it.

Local is what lies in the file's folder or below it, where `loading` lets a strategy import from. Modules that are named
by computed text (`importlib.import_module(name)`) are not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

MAX_MODULES, MAX_BYTES = 1000, 64 * 2**20
"""Of a strategy; what goes beyond is no longer followed."""


def local_sources(path: Path) -> dict[str, bytes]:
    """The sources by their names in the strategy's folder, with slashes; the strategy's own file comes first.

    Args:
        path: of the strategy file.
    """
    root = path.resolve().parent
    sources, waiting, size = dict[str, bytes](), [path.resolve()], 0
    while waiting and len(sources) < MAX_MODULES:
        file = waiting.pop(0)
        name = file.relative_to(root).as_posix()
        if name in sources:
            continue
        content = file.read_bytes()
        size += len(content)
        if size > MAX_BYTES:
            break
        sources[name] = content
        waiting += [
            found for found in _imported(content, file, root) if found.relative_to(root).as_posix() not in sources
        ]
    return sources


def _imported(content: bytes, file: Path, root: Path) -> list[Path]:
    """Files below the root that a source imports, anywhere in it."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        found for node in ast.walk(tree) for parts, start in _named(node, file, root) for found in _files(parts, start)
    ]


def _named(node: ast.AST, file: Path, root: Path) -> Iterator[tuple[list[str], Path]]:
    """Dotted names that an import statement may stand for, each with the folder that it begins in."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name.split("."), root
    elif isinstance(node, ast.ImportFrom):
        start = root
        if node.level:
            above = file.parents[node.level - 1]
            if not above.is_relative_to(root):
                return
            start = above
        parts = node.module.split(".") if node.module else []
        yield parts, start
        for alias in node.names:
            yield [*parts, alias.name], start


def _files(parts: list[str], start: Path) -> Iterator[Path]:
    """The module of a dotted name and the packages around it, as far as they are files below a folder."""
    place = start
    for part in parts:
        for found in (place / f"{part}.py", place / part / "__init__.py"):
            if found.is_file():
                yield found
        place = place / part
