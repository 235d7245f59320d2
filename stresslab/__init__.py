"""stresslab: Monte Carlo stress tests of trading strategies in parallel universes.

Here are the names that users rely on; each is imported when it is first asked for, so `import stresslab` is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stresslab.core import display, provided

if TYPE_CHECKING:
    from stresslab.analysis.result import StressResult
    from stresslab.analysis.what_if_plan import WhatIfPlan
    from stresslab.backtest.costs import Costs
    from stresslab.backtest.terms import Sizing, Stops, Terms
    from stresslab.data import load_bars
    from stresslab.data.bars import Bars
    from stresslab.data.joint_universes import JointUniverses
    from stresslab.data.market import Market
    from stresslab.data.sources.load_market import load_market
    from stresslab.data.universes import Universes
    from stresslab.generators.bootstrap import StationaryBootstrap
    from stresslab.generators.garch import Garch
    from stresslab.generators.kronos.generator import Kronos
    from stresslab.realism import assess_realism, fit_temperature
    from stresslab.runs.check_run import check
    from stresslab.runs.compare_run import compare
    from stresslab.runs.folder import load_run
    from stresslab.runs.plan import Compute, Studies
    from stresslab.runs.sample_run import sample
    from stresslab.runs.stress_test import stress_test
    from stresslab.strategy.order_frames import Orders

    __version__: str

__all__ = [
    "Bars",
    "Compute",
    "Costs",
    "Garch",
    "JointUniverses",
    "Kronos",
    "Market",
    "Orders",
    "Sizing",
    "StationaryBootstrap",
    "Stops",
    "StressResult",
    "Studies",
    "Terms",
    "Universes",
    "WhatIfPlan",
    "__version__",
    "assess_realism",
    "check",
    "compare",
    "fit_temperature",
    "load_bars",
    "load_market",
    "load_run",
    "sample",
    "stress_test",
]

display.use(lambda: importlib.import_module("stresslab.runs.presenter"))
provided.provide("plain_account", lambda: importlib.import_module("stresslab.backtest.bar_account").plain_account)

_HOMES = {
    "Bars": "stresslab.data.bars",
    "Compute": "stresslab.runs.plan",
    "Costs": "stresslab.backtest.costs",
    "Garch": "stresslab.generators.garch",
    "JointUniverses": "stresslab.data.joint_universes",
    "Kronos": "stresslab.generators.kronos.generator",
    "Market": "stresslab.data.market",
    "Orders": "stresslab.strategy.order_frames",
    "Sizing": "stresslab.backtest.terms",
    "StationaryBootstrap": "stresslab.generators.bootstrap",
    "Stops": "stresslab.backtest.terms",
    "Studies": "stresslab.runs.plan",
    "Terms": "stresslab.backtest.terms",
    "StressResult": "stresslab.analysis.result",
    "Universes": "stresslab.data.universes",
    "WhatIfPlan": "stresslab.analysis.what_if_plan",
    "check": "stresslab.runs.check_run",
    "compare": "stresslab.runs.compare_run",
    "fit_temperature": "stresslab.realism",
    "load_bars": "stresslab.data",
    "load_market": "stresslab.data.sources.load_market",
    "load_run": "stresslab.runs.folder",
    "assess_realism": "stresslab.realism",
    "sample": "stresslab.runs.sample_run",
    "stress_test": "stresslab.runs.stress_test",
}


def __getattr__(name: str) -> Any:
    """Import one of the names above from its home and keep it."""
    if name == "__version__":
        from importlib import metadata

        try:
            found: Any = metadata.version("stresslab")
        except metadata.PackageNotFoundError:  # run from a source tree that is not installed
            found = "0+source"
    elif name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'stresslab' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names, for editors and notebooks, imported or not."""
    return sorted(__all__)
