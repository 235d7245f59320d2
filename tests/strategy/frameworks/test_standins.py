"""Files that import freqtrade are loaded without it, and nothing stays behind."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from stresslab.core.errors import StrategyError
from stresslab.strategy import load_strategies
from stresslab.strategy.frameworks.standins import standing_in

HERE = importlib.util.find_spec("freqtrade") is not None


@pytest.mark.skipif(HERE, reason="freqtrade itself is installed")
def test_modules_are_there_while_a_file_is_loaded() -> None:
    """The names that a strategy is defined by can be imported, and are gone after that."""
    with standing_in(b"from freqtrade.strategy import IStrategy"):
        import freqtrade.vendor.qtpylib.indicators as qtpylib
        from freqtrade.persistence import Trade
        from freqtrade.strategy import IStrategy, merge_informative_pair

        assert IStrategy.__module__ == "freqtrade.strategy.interface"
        assert Trade is object
        assert callable(qtpylib.crossed_above)
        assert callable(merge_informative_pair)
    assert "freqtrade" not in sys.modules
    with standing_in(b"from technical import qtpylib"):
        from technical import qtpylib

        assert callable(qtpylib.typical_price)
    assert "technical" not in sys.modules
    with standing_in(b"import pandas"):
        assert "freqtrade" not in sys.modules


@pytest.mark.skipif(HERE, reason="freqtrade itself is installed")
def test_what_needs_the_package_is_named(tmp_path: Path) -> None:
    """A name that only freqtrade has is refused with that advice."""
    path = tmp_path / "mine.py"
    path.write_text("from freqtrade.freqtradebot import FreqtradeBot\n")
    with pytest.raises(StrategyError, match=r"No module named 'freqtrade\.freqtradebot'"):
        load_strategies(str(path), {})
    path.write_text("from freqtrade.strategy import PairLock\n")
    with pytest.raises(StrategyError, match=r"freqtrade\.strategy\.PairLock needs freqtrade itself"):
        load_strategies(str(path), {})
