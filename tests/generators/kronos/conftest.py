"""Fixtures of the Kronos tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generators.kronos.cases import save_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint of scaled returns with random weights; not to be changed."""
    return save_tiny(tmp_path_factory.mktemp("tiny"))
