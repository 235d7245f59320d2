"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
