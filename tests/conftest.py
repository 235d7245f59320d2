"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stresslab.core.cache import FOLDER
from stresslab.data.bars import Bars
from tests.make.bars import make_bars


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
def own_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def own_cache(own_caches: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a cache of its own, empty at its begin, so that none depends on what others computed."""
    monkeypatch.setenv(FOLDER, str(tmp_path_factory.mktemp("cache")))
