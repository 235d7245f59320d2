"""A stored run, and a copy of it that may be spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.make.runs import stored_run


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the bootstrap with a parameter of the strategy; not to be changed."""
    return stored_run(
        tmp_path_factory.mktemp("rerun"), "--generator", "bootstrap", "--param", "window=15", "--jobs", "2"
    )


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """A copy of the run whose data and strategy may be changed."""
    shutil.copytree(original.parent.parent, tmp_path / "copy")
    copied = tmp_path / "copy" / "runs" / original.name
    return copied
