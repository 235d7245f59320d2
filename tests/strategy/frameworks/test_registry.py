"""Which framework something is a class of, and what is said of files that cannot be run."""

from __future__ import annotations

from types import ModuleType

import pytest

from stresslab.strategy.frameworks.freqtrade_names import IStrategy
from stresslab.strategy.frameworks.registry import foreign, framework_of


def test_classes_are_recognised() -> None:
    """A class of a framework is known by its base; a plain class and a function are of none."""
    found = framework_of(type("Mine", (IStrategy,), {}))
    assert found is not None
    assert found.name == "freqtrade"
    assert framework_of(type("Strategy", (), {})) is None
    assert framework_of(len) is None
    assert framework_of(IStrategy) is None


@pytest.mark.parametrize(("source", "text"), [
    ("def handle_data(context, data): pass", "written for zipline"),
    ("x = 1", "has no function signals"),
])  # fmt: skip
def test_other_files_are_named(source: str, text: str) -> None:
    """What is nearest to a file that has no strategy of ours."""
    module = ModuleType("mine")
    exec(source, module.__dict__)
    assert text in foreign(module)
