"""Runs stored by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stresslab.cli import main
from tests.make.bars import make_bars

SETTINGS = ("--universes", "70", "--horizon", "12", "--realism-origins", "0", "--warmup", "50", "--seed", "5")


def stored_run(folder: Path, *flags: str) -> Path:
    """A run of a strategy on a CSV file, both in the folder."""
    make_bars(400).frame.to_csv(folder / "bars.csv", index_label="date")
    strategy = folder / "above.py"
    strategy.write_text(
        "def signals(bars, window=20):\n"
        "    above = bars.close > bars.close.rolling(window).mean()\n"
        "    return above, ~above\n"
    )
    words = ["run", strategy, "--data", folder / "bars.csv", "--out", folder / "runs", *SETTINGS, *flags]
    assert main([str(word) for word in words]) == 0
    (run,) = (folder / "runs").glob("*/")
    return run


def edited(run: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    edit(manifest)
    (run / "manifest.json").write_text(json.dumps(manifest))
