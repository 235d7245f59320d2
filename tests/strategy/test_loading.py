"""Strategies as they are loaded from files: what makes one another."""

from __future__ import annotations

from pathlib import Path

from stresslab.strategy import load_strategies


def test_another_neighbour_is_another_strategy(tmp_path: Path) -> None:
    """The hash of a strategy covers the modules beside it that it imports, and no others."""
    main, helper, idle = tmp_path / "rule.py", tmp_path / "helper.py", tmp_path / "idle.py"
    helper.write_text("LENGTH = 5\n")
    idle.write_text("LENGTH = 1\n")
    main.write_text("from helper import LENGTH\n\ndef weights(bars):\n    return bars.close * 0 + LENGTH / 10\n")
    first = load_strategies(str(main), {})[0].digest
    idle.write_text("LENGTH = 2\n")
    assert load_strategies(str(main), {})[0].digest == first
    helper.write_text("LENGTH = 6\n")
    assert load_strategies(str(main), {})[0].digest != first
