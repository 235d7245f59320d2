"""The versions that the check of bounds installs are those of pyproject.toml."""

from __future__ import annotations

import importlib.util
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement


def test_every_bound_is_pinned_and_what_is_installed_lies_within() -> None:
    """Each dependency, optional ones too, has a lower bound: the lowest set installs it, nothing here is below it."""
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
        try:
            installed = version(given.name)
        except PackageNotFoundError:
            assert given.name in {
                "ccxt", "yfinance", "exchange-calendars", "exchange_calendars", "openpyxl", "duckdb"
            }  # fmt: skip
        else:
            assert given.specifier.contains(installed)
    assert {"torch", "weasyprint", "ccxt"} <= {Requirement(one).name for one in lowest}
    pinned = bounds.requirements(False, torch="2.13.0")
    assert "torch==2.13.0" in pinned
    assert [one for one in pinned if not one.startswith("torch=")] == [one for one in written if "torch" not in one]
