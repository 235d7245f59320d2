"""The strategies that come with the package, named `example:NAME` instead of by a path.

They are plain user files: the repository keeps them in `strategies/`, an installed package in `stresslab/examples/`.
"""

from __future__ import annotations

from pathlib import Path

from stresslab.core.errors import StrategyError
from stresslab.core.text import did_you_mean

SCHEME = "example:"


def examples_folder() -> Path:
    """The folder of the strategies that come with the package."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "examples"
    return installed if installed.is_dir() else package.parent / "strategies"


def example_names() -> list[str]:
    """Names of the strategies that come with the package."""
    return sorted(path.stem for path in examples_folder().glob("*.py"))


def example_path(text: str) -> str:
    """The path (with `:NAME` where one is named) of `example:FILE` or `example:FILE:NAME`.

    Raises:
        StrategyError: there is no such example.
    """
    name, colon, entry = text.removeprefix(SCHEME).partition(":")
    if name not in example_names():
        raise StrategyError(f"{text!r} is not an example{did_you_mean(name, example_names())}")
    return f"{examples_folder() / name}.py{colon}{entry}"
