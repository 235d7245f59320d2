"""The README tells the truth: its commands parse, its names exist, its files are there."""

import ast
import re
import shlex
from typing import Any

import pytest
from typer.main import get_command

import stresslab
from stresslab.cli import app
from tests.end_to_end.readme import COMMANDS, GUIDE, README, ROOT, SHOWN

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "strategies/README.md",
    "stresslab/generators/kronos/nano/README.md",
    "stresslab/data/panels/README.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")),
)


@pytest.mark.parametrize("line", [*COMMANDS, *SHOWN])
def test_commands_parse(line: str) -> None:
    """Every command of the README is one, with flags that it has."""
    words = shlex.split(line, comments=True)[1:]
    command: Any = get_command(app)
    context = command.make_context("stresslab", [])
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words, parent=context)
    with pytest.raises(Exception, match="--no-such-flag"):
        command.make_context(command.name, [*words, "--no-such-flag"], parent=context)


def test_python_names_exist() -> None:
    """What README and guide call `sl.` something is in the package, and their Python is Python."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        ast.parse(block)
        for name in re.findall(r"\bsl\.(\w+)", block):
            assert hasattr(stresslab, name), name


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page leads to a file."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_readme_is_short() -> None:
    """Whoever looks for more follows a link."""
    assert len(README.splitlines()) <= 150


def test_first_screen_has_both_commands() -> None:
    """`make demo` and `make test` are what a newcomer sees first, and the gate runs the latter."""
    first = "\n".join(README.splitlines()[:15])
    assert "make demo" in first
    assert "make test" in first
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
