"""What is said about errors whose cause is known."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from stresslab.core.errors import StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.remedies import remedy
from tests.make.bars import make_bars

BARS = make_bars(60)


@pytest.mark.parametrize(("body", "text"), [
    ("return bars['close'].append(bars['close'])", "write pd.concat"),
    ("return bars['close'].fillna(method='ffill')", "fillna.* away, write .ffill"),
    ("return bars['close'][0]", r"rows are labelled by their time and not by numbers, write \.iloc\[0\]"),
    ("return pd.read_csv('prices.csv')", "take the data from bars"),
    ("import talib\n    return 1", "install it beside stresslab, as in `pip install TA-Lib`"),
    ("import no_such_module_of_mine\n    return 1", "correct it there"),
])  # fmt: skip
def test_errors_of_a_strategy(tmp_path: Path, body: str, text: str) -> None:
    """Old idioms, rows by numbers, files of its own and libraries that are missing have their own line."""
    if "talib" in body and importlib.util.find_spec("talib"):
        pytest.skip("TA-Lib is installed")
    path = tmp_path / "mine.py"
    path.write_text(f"import pandas as pd\n\ndef weights(bars):\n    {body}\n")
    (strategy,) = load_strategies(str(path), {})
    with pytest.raises(StrategyError, match=text):
        detect_call_style(strategy, BARS).decide(strategy.panel(Universes.from_bars(BARS, BARS[:0]), 0))


def test_only_what_is_known_is_named() -> None:
    """Another error is to be corrected where it was raised."""
    assert remedy(ValueError("no"), "no") == "correct it there"
    assert remedy(ValueError("'append'"), "'append'") == "correct it there"
    assert "read-only" in remedy(ValueError(), "assignment destination is read-only")
