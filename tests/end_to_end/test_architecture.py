"""The layout of the code: one direction, no circles, and tests that mirror the package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, TESTS = ROOT / "stresslab", ROOT / "tests"


def circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """Strongly connected groups of more than one module (Tarjan, 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in graph.find_modules_directly_imported_by(module):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(graph.modules):
        if module not in number:
            visit(module)
    return found


def test_circles_are_found() -> None:
    """The search finds a circle of three, and only that."""
    graph = grimp.ImportGraph()
    for importer, imported in [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "a")]:
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == [["a", "b", "c"]]


def test_no_circle_of_modules() -> None:
    """No modules import one another, inside functions neither."""
    assert circles(grimp.build_graph("stresslab", cache_dir=None)) == []


def test_root_holds_no_modules() -> None:
    """Every module is in a package with a name of its own."""
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}


UNTESTED = frozenset(
    """
    core/arrays.py
    """.split()
)
"""Modules without a test file of their own, tested through others'; this list only shrinks."""


def modules() -> set[str]:
    """Every module with code, as a path below the package."""
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return {path.as_posix() for path in paths if path.name not in ("__init__.py", "__main__.py")}


def mirrored(module: str) -> Path:
    """The test file of a module: `core/text.py` is tested by `core/test_text.py`."""
    return TESTS / Path(module).with_name(f"test_{Path(module).name}")


def test_every_module_has_its_test_file() -> None:
    """A module is tested where a reader looks for it; those that are not are listed, and no longer than needed."""
    assert {module for module in modules() if not mirrored(module).exists()} == UNTESTED


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.relative_to(TESTS).as_posix())
def test_no_test_imports_another(path: Path) -> None:
    """What two test files need is in `tests/make`, so that either can be moved or split."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not [name for name in names if name.startswith("tests.") and ".test_" in name]


MAX_LINES = 400
LONG_MODULES = {
    "runs/settings.py": "the one table of all settings, a row each: flags, files, records and docs follow from it",
    "generators/kronos/generator.py": "the one class with every way to sample; what each does is in modules of its own",
}
"""Modules with more lines, and why each is one idea; this list only shrinks."""

MAX_FUNCTION_LINES = 60
LONG_FUNCTIONS = {
    ("runs/stress_test.py", "stress_test"): "the one door for a person in Python: half of it says what each setting is",
}
"""Functions with more lines, signature and docstring counted, and why; this list only shrinks."""


def test_no_module_is_long() -> None:
    """A module past 400 lines is two ideas, unless there is a reason beside its name."""
    counts = {one: len((PACKAGE / one).read_text(encoding="utf-8").splitlines()) for one in modules()}
    assert {one for one, count in counts.items() if count > MAX_LINES} == set(LONG_MODULES)


def test_no_function_is_long() -> None:
    """A function past 60 lines is several steps, unless there is a reason beside its name."""
    long = {
        (module, function.name)
        for module in modules()
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno >= MAX_FUNCTION_LINES
    }
    assert long == set(LONG_FUNCTIONS)


MAX_PARAMETERS = 8
WIDE = {("runs/stress_test.py", "stress_test")}
"""Functions with more parameters: the one door for a person in Python, whose settings are named one by one."""


def functions(module: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters a call may name, `self` aside."""
    found = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len(found) - (found[:1] in (["self"], ["cls"]))


def test_no_function_is_wide() -> None:
    """Outside the commands, whose parameters are flags, a function takes at most eight parameters."""
    wide = {
        (module, function.name)
        for module in modules()
        if not module.startswith("cli/")
        for function in functions(module)
        if parameters(function) > MAX_PARAMETERS
    }
    assert wide == WIDE


@pytest.mark.parametrize("module", sorted(one for one in modules() if not one.startswith("cli/")))
def test_flags_are_spelled_by_the_commands(module: str) -> None:
    """A message from below names the Python argument; the command line spells it as a flag."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    bodies = [getattr(node, "body", None) for node in ast.walk(tree)]
    docs = {id(body[0].value) for body in bodies if isinstance(body, list) and body and isinstance(body[0], ast.Expr)}
    said = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]
    assert not [text for text in said if re.search(r"(?<![\w-])--[a-z]", text)]


def test_every_dependency_has_its_reason() -> None:
    """Nothing is installed that nobody can say what it is for: the reason stands beside it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = text[text.index("dependencies = [") : text.index("[tool.")]
    required = re.findall(r'^(?: {4}|\w+ = \[)"([^"]+)".*$', listed, re.MULTILINE)
    reasoned = re.findall(r'^(?: {4}|\w+ = \[)"([^"]+)"[^"\n]*# \S.*$', listed, re.MULTILINE)
    assert len(required) > 40
    assert required == reasoned
