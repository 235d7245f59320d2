"""The versions that the check of bounds installs are those of pyproject.toml."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement


def test_every_bound_is_pinned_and_what_is_installed_lies_within() -> None:
    """Each dependency has a lower bound, which is what the lowest set installs; this environment is not below it."""
    path = Path(__file__).parents[2] / "benchmarks" / "bounds.py"
    spec = importlib.util.spec_from_file_location("bounds", path)
    assert spec is not None
    assert spec.loader is not None
    bounds = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bounds)
    lowest, written = (bounds.requirements(lowest) for lowest in (True, False))
    for low, given in zip(map(Requirement, lowest), map(Requirement, written), strict=True):
        (pin,) = low.specifier
        assert pin.operator == "=="
        assert given.specifier.contains(pin.version)
        assert given.specifier.contains(version(given.name))
