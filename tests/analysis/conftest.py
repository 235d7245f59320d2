"""Fixtures of the studies' tests."""

from __future__ import annotations

import pytest

from stresslab.data import load_bars
from stresslab.data.bars import Bars


@pytest.fixture(scope="module")
def nasdaq() -> Bars:
    """A rising decade."""
    return load_bars("sample:nasdaq", since="2009-01-02", until="2018-12-31")
