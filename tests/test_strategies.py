"""The strategy files that are shipped: each follows its rule, is causal, and is documented by code that runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.data.bars import Bars
from stresslab.lookahead import find_lookahead
from stresslab.panel import Decisions, Panel
from stresslab.strategy import load_strategies
from stresslab.universes import Universes
from tests.market import make_bars

FOLDER = Path(__file__).parents[1] / "strategies"
FILES = sorted(FOLDER.glob("*.py"))
README = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def decide(name: str, bars: Bars, **params: object) -> Decisions:
    """What a shipped strategy decides on one series."""
    (strategy,) = load_strategies(FOLDER / f"{name}.py", params)
    return strategy.decide(Panel.of(Universes.from_bars(bars[100:], bars[:100]), 100))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_plain_short_files(path: Path) -> None:
    """A shipped strategy is under 25 lines, has a docstring and imports nothing from stresslab."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 25
    assert ast.get_docstring(ast.parse(text))
    assert "stresslab" not in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_causal_and_awake(path: Path, bars: Bars) -> None:
    """A shipped strategy decides something and never looks ahead."""
    (strategy,) = load_strategies(path, {})
    report = find_lookahead(strategy, bars)
    assert (report.found, report.inconclusive) == ([], False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_universes_side_by_side(path: Path) -> None:
    """What a shipped strategy decides in a universe is the same beside others as alone."""
    past, futures = make_bars(150), [make_bars(60, seed=seed) for seed in range(3)]
    stamps = past.calendar.future(past.timestamps, 60)
    values, ids = np.stack([future.values for future in futures]), np.arange(3)
    (strategy,) = load_strategies(path, {})
    together = strategy.decide(Panel.of(Universes(values, stamps, past, ids), 100)).arrays()
    for at in range(3):
        alone = strategy.decide(Panel.of(Universes(values[[at]], stamps, past, ids[[at]]), 100)).arrays()
        for name, array in alone.items():
            np.testing.assert_array_equal(array[:, 0], together[name][:, at])


def test_buy_and_hold(bars: Bars) -> None:
    """Buy and hold is fully invested at every bar."""
    weights = decide("buy_and_hold", bars).weights
    assert weights is not None
    assert (weights == 1.0).all()


def test_sma_cross(bars: Bars) -> None:
    """The crossing averages fire exactly where the sign of fast minus slow changes, taken bar by bar."""
    decisions = decide("sma_cross", bars, fast=5, slow=20)
    close = bars.close.to_numpy()
    spread = [close[at - 4 : at + 1].mean() - close[at - 19 : at + 1].mean() for at in range(19, len(close))]
    entries, exits = np.flatnonzero(decisions.long_entries), np.flatnonzero(decisions.long_exits)
    sign = np.sign(np.round(spread, 9))
    expected = [at + 19 for at in range(len(sign)) if sign[at] > 0 and (at == 0 or sign[at - 1] <= 0)]
    assert list(entries) == expected
    assert abs(len(entries) - len(exits)) <= 1
    assert len(set(entries) & set(exits)) == 0


def test_rsi_reversion(bars: Bars) -> None:
    """The relative strength index is Wilder's recursion, written out bar by bar."""
    window, low, high = 14, 35.0, 60.0
    decisions = decide("rsi_reversion", bars, window=window, low=low, high=high)
    gain = loss = None
    index = [np.nan]
    for change in np.diff(bars.close.to_numpy()):
        up, down = max(change, 0.0), max(-change, 0.0)
        gain = up if gain is None else gain + (up - gain) / window
        loss = down if loss is None or gain is None else loss + (down - loss) / window
        index.append(100 * gain / (gain + loss) if gain + loss else np.nan)
    index[:window] = [np.nan] * window
    np.testing.assert_array_equal(np.ravel(decisions.long_entries), np.array(index) < low)
    np.testing.assert_array_equal(np.ravel(decisions.long_exits), np.array(index) > high)


def test_donchian_breakout(bars: Bars) -> None:
    """The channel is that of the bars before, so that a bar is never compared with itself."""
    decisions = decide("donchian_breakout", bars, entry=15, exit=7)
    close, high, low = (series.to_numpy() for series in (bars.close, bars.high, bars.low))
    entries = [at >= 15 and close[at] > high[at - 15 : at].max() for at in range(len(close))]
    exits = [at >= 7 and close[at] < low[at - 7 : at].min() for at in range(len(close))]
    np.testing.assert_array_equal(np.ravel(decisions.long_entries), entries)
    np.testing.assert_array_equal(np.ravel(decisions.long_exits), exits)
    assert any(entries)
    assert any(exits)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_readme_examples(number: int, tmp_path: Path, bars: Bars) -> None:
    """Every example of the strategies' README loads, decides and is causal."""
    path = tmp_path / "example.py"
    path.write_text(EXAMPLES[number], encoding="utf-8")
    (strategy,) = load_strategies(path, {})
    report = find_lookahead(strategy, bars)
    assert (report.found, report.inconclusive) == ([], False)


def test_readme_table() -> None:
    """The README's table lists every shipped strategy with its parameters and their defaults."""
    assert len(EXAMPLES) == 4
    for path in FILES:
        (strategy,) = load_strategies(path, {})
        settings = " ".join(f"{name}={value!r}" for name, value in strategy.parameters.items())
        row = next(line for line in README.splitlines() if f"({path.name})" in line)
        assert row.endswith(f"| `{settings}` |" if settings else "| |")


def test_no_frame_is_changed(bars: Bars) -> None:
    """The shipped strategies leave the panel's frames as they were."""
    panel = Panel.of(Universes.from_bars(bars[100:], bars[:100]), 100)
    before = panel.close.copy()
    for path in FILES:
        load_strategies(path, {})[0].decide(panel)
    pd.testing.assert_frame_equal(panel.close, before)
