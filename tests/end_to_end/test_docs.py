"""The documentation follows from the code, and leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> Any:
    """The script that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "result.schema.json", "method.md"])
def test_generated_pages_are_up_to_date(generate: Any, name: str) -> None:
    """What the script writes is what is there; after a change of the code run `python docs/generate.py`."""
    assert generate.pages()[name] == (DOCS / name).read_text(encoding="utf-8")


def test_every_command_and_flag_is_in_the_reference(generate: Any) -> None:
    """No command, argument or flag is left out."""
    from typer.main import get_command

    from stresslab.cli import app

    text = generate.commands()

    def check(command: Any, words: str) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            check(inner, f"{words} {name}")
        if words == "stresslab":
            return
        section = text[text.index(f"## {words}\n") :].partition("\n## ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert f"`{parameter.opts[0]}" in section

    check(get_command(app), "stresslab")


def test_the_schema_is_json() -> None:
    """The published schema is read by any program."""
    schema = json.loads((DOCS / "result.schema.json").read_text(encoding="utf-8"))
    assert schema["$schema"].endswith("2020-12/schema")


def test_files_that_the_architecture_names_exist() -> None:
    """Every file that `architecture.md` names is there, and every package is in its table."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`([\w/]+/\w+\.py)`", text))
    assert len(paths) > 15
    for path in paths:
        assert (DOCS.parent / path).is_file() or (DOCS.parent / "stresslab" / path).is_file(), path
    packages = {path.parent.name for path in (DOCS.parent / "stresslab").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_files_that_a_page_names_exist(page: str) -> None:
    """Files and folders of the repository that a page names by their path are there."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:tests|benchmarks|stresslab|docs|strategies|notebooks)/[\w/.]+)`", text):
        assert (DOCS.parent / path).exists(), path


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page leads to a file."""
    for target in re.findall(r"\]\(([^)#:]+)\)", (DOCS / page).read_text(encoding="utf-8")):
        assert (DOCS / target).exists(), target
