"""`import stresslab` is light, and its names are there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import stresslab


def test_import_is_light() -> None:
    """Importing the package imports none of its dependencies."""
    heavy = "torch vectorbt numba matplotlib scipy pandas numpy pyarrow pydantic typer rich jinja2 joblib arch".split()
    script = f"import sys, stresslab; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", stresslab.__all__)
def test_names_are_there(name: str) -> None:
    """Each promised name can be had, and `dir` lists it."""
    assert getattr(stresslab, name) is not None
    assert name in dir(stresslab)


def test_dir_shows_what_is_public() -> None:
    """And nothing else, whatever was imported before."""
    assert dir(stresslab) == sorted(stresslab.__all__)


def test_unknown_names_are_refused() -> None:
    """A misspelt name is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="load_bar"):
        stresslab.load_bar  # noqa: B018 - looking it up is the test
