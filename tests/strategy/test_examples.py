"""The strategies that come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.core.errors import StrategyError
from stresslab.strategy import load_strategies
from stresslab.strategy.examples import example_names, example_path


@pytest.mark.parametrize("name", example_names())
def test_every_example_loads_by_its_name(name: str) -> None:
    """`example:NAME` is the file of that name, and takes parameters like any file."""
    (strategy,) = load_strategies(f"example:{name}", {})
    assert strategy.name == name
    assert strategy.path == example_path(f"example:{name}")
    assert Path(strategy.path).is_file()


def test_a_function_of_an_example_can_be_named() -> None:
    """`example:FILE:NAME` is what `FILE.py:NAME` is."""
    (strategy,) = load_strategies("example:sma_cross:signals", {"fast": 5})
    assert strategy.parameters["fast"] == 5


def test_an_unknown_example_is_refused() -> None:
    """One line names the nearest example."""
    with pytest.raises(StrategyError, match=r"^'example:sma_crss' is not an example; did you mean 'sma_cross'\?$"):
        load_strategies("example:sma_crss", {})


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own path is never taken for an example."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StrategyError, match="is not an example"):
        load_strategies("example:mine", {})
    (tmp_path / "example:mine").write_text("")
    with pytest.raises(StrategyError, match=r"^example:mine is not a Python file"):
        load_strategies("example:mine", {})
