"""The strategy files that are shipped: each follows its rule, is causal, and is documented by code that runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.data.bars import Bars
from stresslab.data.market_index import IndexBars
from stresslab.data.sources.load_market import load_market
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.lookahead.check import find_lookahead
from stresslab.strategy.panel import Decisions, Panel
from tests.make.bars import make_bars

FOLDER = Path(__file__).parents[2] / "strategies"
FILES = sorted([*FOLDER.glob("*.py"), *FOLDER.glob("forms/*.py")])
README = (FOLDER / "README.md").read_text(encoding="utf-8")
MARKET = IndexBars.of(load_market("sample:crypto5")[-600:])
GUIDE = (FOLDER.parent / "docs" / "strategies.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def suited(strategy: Strategy, bars: Bars) -> Bars:
    """The bars, or a market for a strategy that takes several symbols."""
    return MARKET if strategy.takes_market else bars


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
    real = suited(strategy, bars)
    strategy = detect_call_style(strategy, real)
    report = find_lookahead(strategy, real)
    assert (report.found, report.inconclusive) == ([], False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_universes_side_by_side(path: Path) -> None:
    """What a shipped strategy decides in a universe is the same beside others as alone."""
    (strategy,) = load_strategies(path, {})
    past = suited(strategy, make_bars(150))
    universes = StationaryBootstrap(block=5).sample(past, 60, 3, seed=1)
    strategy = detect_call_style(strategy, past)
    together = strategy.decide(strategy.panel(universes, 100))
    for at in range(3):
        alone = strategy.decide(strategy.panel(universes.take([at]), 100))
        for name, array in alone.arrays().items():
            part = together.arrays()[name][:, at * together.width : (at + 1) * together.width]
            np.testing.assert_array_equal(array, part)


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
    """Every example of the guide to strategies loads, decides and is causal."""
    path = tmp_path / "example.py"
    path.write_text(EXAMPLES[number], encoding="utf-8")
    (strategy,) = load_strategies(path, {})
    real = suited(strategy, bars)
    strategy = detect_call_style(strategy, real)
    report = find_lookahead(strategy, real)
    assert (report.found, report.inconclusive) == ([], False)
    assert strategy.form.shape == ("series" if "as a loop" in EXAMPLES[number] else "wide")


def test_readme_table() -> None:
    """The README's tables list every shipped strategy with its parameters and their defaults."""
    assert len(EXAMPLES) == 9
    for path in FILES:
        (strategy,) = load_strategies(path, {})
        settings = " ".join(f"{name}={value!r}" for name, value in strategy.parameters.items())
        row = next(line for line in README.splitlines() if f"({path.relative_to(FOLDER)})" in line)
        assert row.endswith(f"| `{settings}` |" if settings else "| |")


def test_no_frame_is_changed(bars: Bars) -> None:
    """The shipped strategies leave the panel's frames as they were."""
    panel = Panel.of(Universes.from_bars(bars[100:], bars[:100]), 100)
    before = panel.close.copy()
    for path in FILES:
        (strategy,) = load_strategies(path, {})
        if not strategy.takes_market:
            detect_call_style(strategy, bars).decide(panel)
    pd.testing.assert_frame_equal(panel.close, before)


def test_calm_trend(bars: Bars) -> None:
    """Flat in a falling market, and in a rising one as much as the volatility asks for, in tenths."""
    weights = decide("forms/calm_trend", bars, lag=50, window=20, target=0.2).weights
    assert weights is not None
    close = bars.close.to_numpy()
    for at in range(60, len(close), 37):
        sigma = np.std(np.diff(close[at - 20 : at + 1]) / close[at - 20 : at], ddof=1) * 252**0.5
        expected = round(min(1.0, 0.2 / max(sigma, 0.01)), 1) if close[at] > close[at - 50] else 0.0
        assert weights[at, 0] == pytest.approx(expected)


def by_hand(closes: list[float]) -> Bars:
    """Bars of these prices, the last of them going on."""
    frame = make_bars(40).frame.copy()
    for name in ("open", "high", "low", "close"):
        frame[name] = [float(one) for one in (closes + [closes[-1]] * 40)[:40]]
    return Bars.from_frame(frame, symbol="HAND", source="test")


def test_peak_guard() -> None:
    """Out at the fall, in at the new high, or after so many bars; by hand on few closes."""
    bars = by_hand([100, 105, 94, 95, 106, 90, 91, 92, 93, 94, 80, 81])
    (strategy,) = load_strategies(FOLDER / "forms/peak_guard.py", {"drop": 0.1, "wait": 3})
    weights = strategy.decide(Panel.of(Universes.from_bars(bars, bars[:0]), 0)).weights
    assert weights is not None
    assert weights[:12, 0].tolist() == [1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]


def test_swing_loop() -> None:
    """In after a rise of the step from the low, out after a fall of it from the high."""
    bars = by_hand([100, 95, 99, 101, 110, 104, 103])
    strategy = detect_call_style(load_strategies(FOLDER / "forms/swing_loop.py", {"step": 0.06})[0], bars)
    decisions = strategy.decide(Panel.of(Universes.from_bars(bars, bars[:0]), 0))
    assert np.flatnonzero(decisions.long_entries).tolist() == [3]  # 101 is 6.3% above 95
    assert np.flatnonzero(decisions.long_exits).tolist() == [6]  # 103 is 6.4% below 110, 104 only 5.5%


def test_long_short_channel(bars: Bars) -> None:
    """Each side looks at the closes before; the short side mirrors the long one."""
    decisions = decide("forms/long_short_channel", bars, entry=12, exit=5)
    close = bars.close.to_numpy()
    for name, window, high in (
        ("long_entries", 12, True),
        ("long_exits", 5, False),
        ("short_entries", 12, False),
        ("short_exits", 5, True),
    ):
        past = [close[at - window : at] for at in range(window, len(close))]
        now = close[window:]
        expected = [c > one.max() if high else c < one.min() for c, one in zip(now, past, strict=True)]
        np.testing.assert_array_equal(np.ravel(decisions.arrays()[name])[window:], expected)


def test_dip_ladder() -> None:
    """Below the mean an order `step` under the close waits three bars; what fills leaves at the mean of that close."""
    closes = np.concatenate([np.full(40, 100.0), [96.0], np.full(3, 96.0), [94.0, 94.0, 99.5, 99.5]])
    frame = pd.DataFrame({name: closes for name in ("open", "high", "low", "close")} | {"volume": 1.0})
    frame.index = pd.date_range("2024-01-01", periods=len(closes), freq="D")
    history = Bars.from_frame(frame, symbol="DIP")
    (strategy,) = load_strategies(FOLDER / "forms/dip_ladder.py", {"window": 20, "step": 0.02, "parts": 2})
    decisions = strategy.decide(Panel.of(Universes.from_bars(history[30:], history[:30]), 30))
    assert decisions.long_entries is not None
    first = 40  # the close at 96 is the first below the mean
    assert np.flatnonzero(decisions.long_entries)[0] == first
    level = {name: float(array[first, 0]) for name, array in decisions.levels.items()}
    assert level["long_limit"] == pytest.approx(96 * 0.98)
    assert level["long_take_profit"] == pytest.approx((19 * 100 + 96) / 20)
    assert (level["long_size"], level["long_lifetime"], level["long_exit_after"]) == (0.5, 3, 20)


def test_bracket_breakout(bars: Bars) -> None:
    """A stop at the high of the window, half its width at risk, twice that to gain, renewed at each close."""
    decisions = decide("forms/bracket_breakout", bars, days=10, reward=2.0)
    high, low = bars.high.rolling(10).max().to_numpy()[-1], bars.low.rolling(10).min().to_numpy()[-1]
    last = {name: np.ravel(array)[-1] for name, array in decisions.levels.items()}
    assert last["long_stop"] == high
    np.testing.assert_allclose(last["long_stop_loss"], (high + low) / 2)
    np.testing.assert_allclose(last["long_take_profit"], high + (high - low))
    assert last["long_exit_after"] == 10
    assert decisions.rules is not None
    assert decisions.rules.lifetime == 1
