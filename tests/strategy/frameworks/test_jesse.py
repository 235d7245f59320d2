"""Classes of Jesse's run without Jesse: their parameters, what they are refused, and where their orders fill."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import StrategyError
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.jesse import is_theirs
from stresslab.strategy.lookahead.check import find_lookahead
from tests.make.bars import make_bars

BARS = make_bars(300)
CROSS = """
import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy, cached

class Cross(Strategy):
    slow = 20

    def hyperparameters(self):
        return [dict(name="fast", type=int, min=2, max=20, default=5)]

    def should_long(self):
        return ta.sma(self.candles, self.hp["fast"]) > ta.sma(self.candles, self.slow)

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance, self.price), self.price

    def update_position(self):
        if ta.sma(self.candles, self.hp["fast"]) < ta.sma(self.candles, self.slow):
            self.liquidate()
"""


def load(tmp_path: Path, source: str, **parameters: Any) -> Strategy:
    """The one strategy in a file, in its call style."""
    path = tmp_path / "mine.py"
    path.write_text(source)
    (strategy,) = load_strategies(str(path), {"warm_up_candles": 25, **parameters})
    return detect_call_style(strategy, BARS)


def fills(tmp_path: Path, body: str, rows: list[tuple[float, float, float, float]]) -> list[tuple[int, ...]]:
    """(bar, opens or closes, price, share) of what a class fills on bars of open, high, low and close."""
    path = tmp_path / "mine.py"
    path.write_text("from jesse.strategies import Strategy\n\nclass Mine(Strategy):\n" + body)
    (strategy,) = load_strategies(str(path), {"warm_up_candles": 0})
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"], dtype=float)
    frame = frame.assign(volume=1.0).set_index(pd.date_range("2020-01-01", periods=len(rows)))
    given: Any = strategy._function
    found = given(frame, **strategy.parameters)._fills
    return [(row, int(np.sign(lane)), price, round(size, 6)) for row, all_ in sorted(found.items())
            for lane, price, size in all_]  # fmt: skip


ONCE = """
    def should_long(self): return self.index == 0
    def should_cancel_entry(self): return False
    def go_long(self): self.buy, self.stop_loss, self.take_profit = {}, {}, {}
"""
FLAT = (100.0, 101.0, 99.0, 100.0)


def test_without_a_file_nothing_is_theirs() -> None:
    """A class that happens to be called Strategy is not taken for one of theirs."""
    assert not is_theirs(type("Strategy", (), {}))
    assert not is_theirs(3)


def test_a_class_runs_as_it_is(tmp_path: Path) -> None:
    """Hyperparameters and numbers of the class are parameters; nothing of the modules stays behind."""
    strategy = load(tmp_path, CROSS, fast="8")
    assert strategy.parameters == {"slow": 20, "fast": 8, "warm_up_candles": 25}
    assert strategy.form.shape == "series"
    assert "jesse.strategies" not in sys.modules
    report = find_lookahead(strategy, BARS)
    assert (report.found, report.inconclusive) == ([], False)


@pytest.mark.parametrize(("entry", "stop", "target", "rows", "expected"), [
    ("(.5*self.balance/100, 100)", None, None, [(102, 103, 101, 102)], [(1, 1, 102.0, 0.5)]),
    ("(.5*self.balance/98, 98)", None, None, [FLAT, (99, 99, 97, 98)], [(2, 1, 98.0, 0.5)]),
    ("(.5*self.balance/98, 98)", None, None, [(97, 99, 96, 98)], [(1, 1, 97.0, 0.494898)]),
    ("(.5*self.balance/102, 102)", None, None, [FLAT, (101, 103, 100, 102)], [(2, 1, 102.0, 0.5)]),
    ("(.5*self.balance/100, 100)", "(.5*self.balance/100, 95)", "(.5*self.balance/100, 105)",
     [(100, 106, 94, 101)], [(1, 1, 100.0, 0.5), (1, -1, 95.0, 1.0)]),
    ("(.5*self.balance/100, 100)", "(.5*self.balance/100, 95)", "(.5*self.balance/100, 105)",
     [(100, 106, 94, 99)], [(1, 1, 100.0, 0.5), (1, -1, 105.0, 1.0)]),
    ("(.5*self.balance/100, 100)", "(.5*self.balance/100, 95)", None,
     [FLAT, (92, 93, 91, 92)], [(1, 1, 100.0, 0.5), (2, -1, 92.0, 1.0)]),
    ("(.5*self.balance/100, 100)", None, "[(.25*self.balance/100, 103), (.25*self.balance/100, 106)]",
     [(100, 104, 100, 104), (104, 107, 103, 106)], [(1, 1, 100.0, 0.5), (1, -1, 103.0, 0.5), (2, -1, 106.0, 1.0)]),
    ("[(.25*self.balance/100, 100), (.25*self.balance/98, 98)]", None, None,
     [FLAT, (99, 99, 97, 98)], [(1, 1, 100.0, 0.25), (2, 1, 98.0, 0.251256)]),
])  # fmt: skip
def test_where_orders_fill(
    entry: str, stop: Any, target: Any, rows: list[Any], expected: list[Any], tmp_path: Path
) -> None:
    """At the next open, at a price inside the bar, at the open beyond it; as the path of the bar meets them."""
    found = fills(tmp_path, ONCE.format(entry, stop, target), [FLAT, *rows])
    assert [one[:3] for one in found] == [one[:3] for one in expected]
    assert [one[3] for one in found] == pytest.approx([one[3] for one in expected], abs=1e-5)


def test_what_waits_is_cancelled_unless_told_otherwise(tmp_path: Path) -> None:
    """By default an entry lives for one bar, and a filter lets none be ordered."""
    body = ONCE.format("(.5*self.balance/98, 98)", None, None)
    rows = [FLAT, FLAT, (99.0, 99.0, 97.0, 98.0)]
    assert len(fills(tmp_path, body, rows)) == 1
    assert (
        fills(tmp_path, body.replace("cancel_entry(self): return False", "cancel_entry(self): return True"), rows) == []
    )
    assert fills(tmp_path, body + "\n    def filters(self): return [lambda: False]\n", rows) == []


def test_a_short_side_and_a_stop_that_moves(tmp_path: Path) -> None:
    """A stop set when the position opens is replaced by that of `update_position`."""
    body = """
    def should_long(self): return False
    def should_short(self): return self.index == 0
    def go_long(self): pass
    def go_short(self): self.sell = .5 * self.balance / self.price, self.price
    def on_open_position(self, order): self.stop_loss = self.position.qty, 110
    def update_position(self): self.stop_loss = abs(self.position.qty), 1.03 * self.price
"""
    found = fills(tmp_path, body, [FLAT, FLAT, (100.0, 104.0, 100.0, 102.0)])
    assert [one[:3] for one in found] == [(1, 1, 100.0), (2, -1, 103.0)]
    assert found[0][3] == pytest.approx(-0.5, abs=1e-5)


@pytest.mark.parametrize(("old", "new", "text"), [
    ("ta.sma(self.candles, self.slow)", "ta.supertrend(self.candles)", r"jesse\.indicators\.supertrend is not here"),
    ("self.slow)", "self.slow) and self.get_candles('', '', '4h')", r"self\.get_candles, which is not here"),
    ("self.balance, self.price), self.price", "3 * self.balance, self.price), self.price", "order less, or"),
    ("self.price), self.price", "self.price), -1", "prices are above it"),
    ("    slow = 20", "    slow = 20\n    def dna(self): return 'x'", "has a method dna"),
    ("    slow = 20", "    slow = 20\n    def should_short(self): return True", "true at once"),
    ("    slow = 20", "    slow = 20\n    LEVERAGE = 0", "LEVERAGE=0 is no leverage"),
])  # fmt: skip
def test_what_cannot_be_run_is_refused(old: str, new: str, text: str, tmp_path: Path) -> None:
    """By name, with what to do."""
    with pytest.raises(StrategyError, match=text):
        load(tmp_path, CROSS.replace(old, new))


def test_leverage_lets_it_order_more(tmp_path: Path) -> None:
    """Where the class declares it."""
    more = CROSS.replace("self.balance, self.price), self.price", "2 * self.balance, self.price), self.price")
    load(tmp_path, more.replace("    slow = 20", "    slow = 20\n    LEVERAGE = 2"))


def test_a_leak_is_found(tmp_path: Path) -> None:
    """What reads the bar after this one is found."""
    leaky = CROSS.replace(
        'return ta.sma(self.candles, self.hp["fast"]) > ta.sma(self.candles, self.slow)',
        "rows = self._account._rows\n        at = len(self.candles)\n"
        "        return at < len(rows) and rows[at, 2] > self.price",
    )
    assert find_lookahead(load(tmp_path, leaky), BARS).found
