"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from stresslab.core.cache import FOLDER
from stresslab.data.bars import Bars
from tests.make.bars import make_bars

settings.register_profile("gate", derandomize=True)
settings.register_profile("explore")
settings.load_profile(os.environ.get("STRESSLAB_HYPOTHESIS", "gate"))  # the same examples in every run of the gate

QUICK_NOTEBOOK = "quick_start.ipynb"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All notebooks but the first one that people open are slow tests."""
    for item in items:
        if item.path.suffix == ".ipynb" and item.path.name != QUICK_NOTEBOOK:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def bars() -> Bars:
    """600 daily bars."""
    return make_bars()


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    """A Dask cluster of two worker processes on loopback."""
    pytest.importorskip("distributed")
    from stresslab.core.dask import connect

    with connect(jobs=2) as connected:
        yield connected


@pytest.fixture(scope="session", autouse=True)
def own_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or fills the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv(FOLDER, str(folder))
        yield folder


@pytest.fixture(autouse=True)
def own_cache(own_caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a cache of its own, empty at its begin, so that none depends on what others computed."""
    monkeypatch.setenv(FOLDER, str(own_caches / uuid4().hex))
