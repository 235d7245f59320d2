"""A stored run with an edge posterior, for what follows a verdict."""

from __future__ import annotations

from pathlib import Path

from stresslab.cli import main
from tests.make.bars import make_bars

CODE = """def weights(bars, window=20):
    above = bars.close > bars.close.rolling(window).mean()
    return 2.0 * above - 1.0
"""
SETTINGS = (
    "--universes", "120", "--horizon", "30", "--realism-origins", "0", "--warmup", "60", "--seed", "5",
    "--generator", "bootstrap", "--permutations", "99", "--trials", "1", "--jobs", "1",
)  # fmt: skip


def decided_run(folder: Path, *flags: str, bars: int = 700, code: str = CODE) -> Path:
    """A run of a strategy that is always long or short on a CSV file, both in the folder.

    Args:
        folder: gets everything.
        flags: further ones.
        bars: of the random walk.
        code: of the strategy.
    """
    make_bars(bars).frame.to_csv(folder / "bars.csv", index_label="date")
    strategy = folder / "both_ways.py"
    strategy.write_text(code)
    words = ["run", strategy, "--data", folder / "bars.csv", "--out", folder / "runs", *SETTINGS, *flags]
    assert main([str(word) for word in words]) in (0, 4)
    return max((folder / "runs").glob("2*/"), key=lambda path: path.stat().st_mtime)
