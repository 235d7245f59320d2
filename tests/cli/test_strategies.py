"""`stresslab strategies`: what a folder holds, and what cannot be loaded."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command
from tests.make.refused import assert_refused


def test_strategies_are_listed(command: Command, strategy: Path) -> None:
    """Each file with its parameters and first sentence; one that cannot be loaded says why."""
    strategy.with_name("broken.py").write_text("def signals(bars:\n")
    outcome = command("strategies", strategy.parent)
    assert outcome.code == 0
    assert "above_mean window=20\n  Long while the close is above its moving average." in outcome.out
    assert "cannot be loaded" in outcome.out
    assert command("strategies", strategy).code == 2


def test_strategies_lists_ranges(command: Command, tmp_path: Path) -> None:
    """`strategies` shows defaults and the ranges that a file declares."""
    (tmp_path / "mine.py").write_text(
        '"""Mine."""\nPARAMETERS = {"fast": (5, 50), "by": ["sma", "ema"]}\n\n\n'
        'def weights(bars, fast=10, by="sma"):\n    return bars.close * 0\n'
    )
    assert command("strategies", tmp_path).out == "mine fast=10 (5 to 50) by='sma' ('sma' or 'ema')\n  Mine.\n"


def test_without_a_folder_the_examples_are_listed(command: Command) -> None:
    """Those that come with the package, and how one is run by its name."""
    done = command("strategies")
    assert done.code == 0
    assert "sma_cross fast=" in done.out
    assert "cannot be loaded" not in done.out
    assert done.out.splitlines()[-1].startswith("Run one by its name, for example: stresslab run example:sma_cross")


def test_a_folder_without_strategies_is_refused(command: Command, tmp_path: Path) -> None:
    """Files that begin with an underscore are parts of others and do not count."""
    (tmp_path / "_shared.py").write_text("WINDOW = 20\n")
    assert_refused(command("strategies", tmp_path), str(tmp_path), "holds no strategy files")
