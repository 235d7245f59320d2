"""The wheel that users install: it holds all that a first run needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "stresslab", "strategies")


def call(words: list[str], place: Path, **environment: str) -> str:
    """What a command that works prints."""
    done = subprocess.run(
        words, cwd=place, capture_output=True, text=True, check=False, env=os.environ | environment, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources without a network."""
    pytest.importorskip("setuptools", "77")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        path = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(path, source / name, ignore=ignored) if path.is_dir() else shutil.copy(path, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    call([*pip, "--wheel-dir", str(out), str(source)], source)
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_what_the_package_reads(wheel: Path) -> None:
    """Every data file of the package is in it, and the strategies as examples; no test is."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    data = [path for path in (ROOT / "stresslab").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(ROOT).as_posix() for path in data} <= names
    assert {f"stresslab/examples/{path.name}" for path in (ROOT / "strategies").glob("*.py")} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "strategies/"))]


@pytest.mark.slow
def test_a_first_run_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Installed beside its dependencies, far from the repository, it lists its examples and runs one."""
    site, place = tmp_path / "site", tmp_path / "home"
    place.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(site)]
    call([*pip, str(wheel)], tmp_path)
    stresslab = [sys.executable, "-m", "stresslab"]
    where = call([sys.executable, "-c", "import stresslab; print(stresslab.__file__)"], place, PYTHONPATH=str(site))
    assert Path(where.strip()).is_relative_to(site)
    assert "example:sma_cross" in call([*stresslab, "strategies"], place, PYTHONPATH=str(site))
    few = ["--universes", "20", "--horizon", "20", "--realism-origins", "0", "--permutations", "9", "--jobs", "1"]
    words = ["run", "example:sma_cross", "--data", "sample:bitcoin", "--out", "reports", *few]
    assert "sma_cross" in call([*stresslab, *words], place, PYTHONPATH=str(site))
    (page,) = (place / "reports").glob("*/report.html")
    assert page.stat().st_size > 10_000
