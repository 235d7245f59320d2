"""Fixtures of the Kronos tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.generators.kronos.cases import CASES, Case, case, save_tiny


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks on one thread: more of them only wait for each other, many times as long on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint of scaled returns with random weights; not to be changed."""
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(params=CASES)
def parity(request: pytest.FixtureRequest) -> Case:
    """Each parity case in turn."""
    return case(request.param)


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Torch on two threads, and afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
