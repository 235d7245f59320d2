"""Which framework something is a class of, and what is said of files that cannot be run."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from stresslab.core.errors import StrategyError
from stresslab.strategy import load_strategies
from stresslab.strategy.frameworks.freqtrade_names import IStrategy
from stresslab.strategy.frameworks.registry import foreign, framework_of, refusal


def test_classes_are_recognised() -> None:
    """A class of a framework is known by its base; a plain class and a function are of none."""
    found = framework_of(type("Mine", (IStrategy,), {}))
    assert found is not None
    assert found.name == "freqtrade"
    assert framework_of(type("Strategy", (), {})) is None
    assert framework_of(len) is None
    assert framework_of(IStrategy) is None


@pytest.mark.parametrize(("source", "text"), [
    ("def handle_data(context, data): pass", "zipline.*handle_data as a function on_bar"),
    ("from zipline.api import order", "zipline"),
    ("from AlgorithmImports import *", "QuantConnect"),
    ("import MetaTrader5 as mt5", "MetaTrader 5.*stresslab trades"),
    ("import bt", "target weights from a function weights"),
    ("//@version=5\nstrategy('x')", "Pine of TradingView"),
])  # fmt: skip
def test_files_of_others_are_refused_unread(source: str, text: str) -> None:
    """What they import says what they are written for; none of their code is run."""
    found = refusal(source.encode())
    assert found is not None
    assert re.search(text, found)


OTHERS = ["import backtrader as bt", "import pandas", "import bt\ndef weights(bars): pass", "(", "from .bt import x"]


@pytest.mark.parametrize("source", OTHERS)
def test_other_files_are_not(source: str) -> None:
    """A function of ours, an alias and a neighbour are no reason."""
    assert refusal(source.encode()) is None


@pytest.mark.parametrize(("source", "text"), [
    ("x = 1", "has no function signals"),
    ("class Mine:\n    pass", "has a class, and none with a method signals"),
    ("def f():\n    return pd.read_csv('x.csv')", "is a script without a function"),
])  # fmt: skip
def test_files_without_a_strategy_are_named(source: str, text: str) -> None:
    """What is nearest to a file that has no strategy of ours."""
    module = ModuleType("mine")
    exec(source, module.__dict__)
    assert text in foreign(module, source.encode())


@pytest.mark.parametrize(
    ("name", "text"), [("a.mq5", "MetaTrader 5"), ("b.pine", "Pine"), ("c.ipynb", "notebook"), ("d.CS", "C#")]
)
def test_files_of_other_languages_are_named(tmp_path: Path, name: str, text: str) -> None:
    """How their name ends says what they are."""
    path = tmp_path / name
    path.write_text("whatever")
    with pytest.raises(StrategyError, match=text):
        load_strategies(str(path), {})
