"""`import stresslab` is light, and its names are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import stresslab


def test_import_is_light() -> None:
    """Importing the package imports none of its dependencies."""
    heavy = "torch vectorbt numba matplotlib scipy pandas numpy pyarrow pydantic typer rich jinja2 joblib arch".split()
    script = f"import sys, stresslab; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_imports_only_what_it_computes_with(tmp_path: Path) -> None:
    """One by the bootstrap needs no torch; where universes are cached, one needs nothing slow up to its verdict."""
    heavy = "torch numba vectorbt matplotlib arch scipy.stats scipy.signal scipy.spatial jinja2 joblib".split()
    script = (
        "import sys, stresslab as sl\n"
        "def follow(bars):\n    return bars.close > bars.open, bars.close < bars.open\n"
        f"def say(result):\n    print([name for name in {heavy} if name in sys.modules])\n"
        "studies = sl.Studies(realism_origins=2, permutations=19)\n"
        "bars = sl.load_bars('sample:bitcoin', until='2020-01-01')\n"
        "sl.stress_test(follow, bars, sl.StationaryBootstrap(), 20, 10, studies=studies, on_verdict=say)\n"
        "print('torch' in sys.modules)\n"
    )
    there = os.environ | {"STRESSLAB_CACHE": str(tmp_path)}
    for imported in (None, "[]"):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=there)
        before, after = done.stdout.splitlines()
        assert after == "False", done.stderr
        assert before == (imported or before)


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


def test_the_version_is_the_same_everywhere() -> None:
    """`pyproject.toml` has it; the citation and the first section of the changelog follow."""
    root = Path(__file__).parents[2]
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.findall(r"^version: (.*)$", (root / "CITATION.cff").read_text(encoding="utf-8"), re.M) == [version]
    headings = re.findall(r"^## (\S+)", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert headings[0] == version
