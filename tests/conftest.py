"""Fixtures that every test may use."""

from __future__ import annotations

import pytest

from stresslab.data.bars import Bars
from tests.make.bars import make_bars


@pytest.fixture(scope="session")
def bars() -> Bars:
    """600 daily bars."""
    return make_bars()
