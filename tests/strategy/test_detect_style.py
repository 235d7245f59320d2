"""The form in which a strategy takes its bars, found out by calling it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import StrategyError
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.lookahead.check import find_lookahead
from stresslab.strategy.panel import Decisions, Panel
from tests.make.bars import make_bars

BARS = make_bars(300)
HISTORY = BARS[:200]


def seen(rule: Any) -> Strategy:
    """A rule in the form that it takes."""
    return detect_call_style(load_strategies(rule, {})[0], BARS)


def panel(universes: int = 3) -> Panel:
    """Universes that are walks of their own after one history."""
    values = np.stack([make_bars(100, seed=seed).values for seed in range(universes)])
    return Panel.of(Universes(values, BARS.timestamps[200:], HISTORY, np.arange(universes)), 100)


def assert_same(one: Decisions, other: Decisions) -> None:
    """All decisions are equal."""
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name])


def wide(bars: Any, window: int = 10) -> Any:
    """On all columns at once."""
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above


def loop(bars: Any, window: int = 10) -> Any:
    """The same over one series, price by price, with lists."""
    closes, entries, exits = bars.close, [], []
    for at, close in enumerate(closes):
        mean = closes.iloc[max(0, at - window + 1) : at + 1].mean() if at >= window - 1 else np.nan
        entries.append(close > mean)
        exits.append(not close > mean)
    return entries, exits


def table(bars: Any, window: int = 10) -> Any:
    """The same on a table of one series, which it adds a column to."""
    bars["mean"] = bars["close"].rolling(window).mean()
    above = pd.Series(np.where(bars["close"] > bars["mean"], True, False), index=bars.index)
    return above, ~above


def flattened(bars: Any, window: int = 10) -> Any:
    """The same on arrays, flattened, which is right for one column alone."""
    closes = bars.close.to_numpy().ravel()
    mean = np.full(len(closes), np.nan)
    mean[window - 1 :] = pd.Series(closes).rolling(window).mean().to_numpy()[window - 1 :]
    above = closes > mean
    return above, ~above


@pytest.mark.parametrize(
    ("rule", "shape"), [(wide, "wide"), (flattened, "column"), (loop, "series"), (table, "series")]
)
def test_each_form_decides_alike(rule: Any, shape: str) -> None:
    """One rule in every form makes the very same decisions in the same universes."""
    strategy = seen(rule)
    assert strategy.form.shape == shape
    assert strategy.form.one_by_one == strategy.one_by_one == (shape != "wide")
    assert (strategy.form.seconds > 0) == (shape != "wide")
    decisions, expected = strategy.decide(panel()), load_strategies(wide, {})[0].decide(panel())
    if shape == "wide":
        assert_same(decisions, expected)
    else:
        for name, array in decisions.arrays().items():
            np.testing.assert_allclose(np.mean(array != expected.arrays()[name]), 0.0, atol=0.01)  # ties by rounding


def test_what_answers_wrongly_beside_others_runs_alone() -> None:
    """A call that answers otherwise on all columns than on one is found by comparing, and made column by column."""

    def highest(bars: Any) -> Any:
        top = np.maximum.accumulate(bars.close.to_numpy(), axis=0).max(axis=1)[:, None]
        return bars.close >= top, bars.close < 0.9 * top

    strategy = seen(highest)
    assert strategy.form.shape == "column"
    together = strategy.decide(panel())
    for at in range(3):
        alone = strategy.decide(panel().take(slice(at, at + 1)))
        for name, array in alone.arrays().items():
            np.testing.assert_array_equal(array[:, 0], together.arrays()[name][:, at])


def test_weights_and_classes_in_series() -> None:
    """Weights of one series, by a class too, may be a Series, an array or a list."""

    class Held:
        def __init__(self, answer: str = "list") -> None:
            self.answer = answer

        def weights(self, bars: Any) -> Any:
            held = [1.0 if close > first else 0.0 for first, close in zip(bars.open, bars.close, strict=True)]
            return {"list": held, "array": np.array(held), "series": pd.Series(held, index=bars.index)}[self.answer]

    expected = (panel().close > panel().open).astype(float).to_numpy()
    for answer in ("list", "array", "series"):
        strategy = detect_call_style(load_strategies(Held, {"answer": answer})[0], BARS)
        np.testing.assert_array_equal(strategy.decide(panel()).weights, expected)


def test_bars_of_one_series_are_its_own() -> None:
    """What code does to its table stays there: the panel and the next call see the bars."""

    def spoils(bars: Any) -> Any:
        up = [close > opened for opened, close in zip(bars["open"], bars["close"], strict=True)]
        bars.loc[:, "close"] = 0.0
        return up, [not one for one in up]

    strategy, shown = seen(spoils), panel()
    before = shown.array("close").copy()
    assert_same(strategy.decide(shown), strategy.decide(shown))
    np.testing.assert_array_equal(shown.array("close"), before)


def test_the_form_travels(tmp_path: Path) -> None:
    """A worker calls a strategy in the form that was found, with the patience that was given."""
    path = tmp_path / "mine.py"
    path.write_text("def weights(bars):\n    return [float(a > b) for a, b in zip(bars['close'], bars['open'])]\n")
    strategy = detect_call_style(load_strategies(path, {}, patience=7.0)[0], BARS)
    again = pickle.loads(pickle.dumps(strategy))
    assert (again.form, again.patience, again.excused) == (strategy.form, 7.0, None)
    assert_same(again.decide(panel()), strategy.decide(panel()))


def test_on_bar_has_one_form() -> None:
    """An event loop is called bar by bar whatever it is."""

    class Loop:
        def on_bar(self, state: dict[str, Any], bar: Any) -> float:
            return 1.0

    strategy = seen(Loop)
    assert strategy.form.shape == "wide"
    assert strategy.one_by_one


@pytest.mark.slow
def test_leaks_of_one_series_are_found() -> None:
    """The look-ahead check works in every form."""

    def peeks(bars: Any) -> Any:
        closes = list(bars["close"])
        up = [after > close for close, after in zip(closes, [*closes[1:], closes[-1]], strict=True)]
        return up, [not one for one in up]

    assert find_lookahead(seen(peeks), BARS).found
    assert find_lookahead(seen(loop), BARS).found == []


def fails(bars: Any) -> Any:
    """Nowhere right."""
    return {}["missing"]


def asks_spy(bars: Any) -> Any:
    """Another symbol."""
    return bars["SPY"].close * 0


def asks_symbols(bars: Any) -> Any:
    """A list of symbols."""
    return bars.close[bars.symbols] * 0


def asks_daily(bars: Any) -> Any:
    """Another timeframe."""
    return bars.daily.close * 0


def writes(bars: Any) -> Any:
    """Writes into the panel."""
    bars.close.to_numpy()[0] = 1.0
    return bars.close.iloc[:, 0]


def ambiguous(bars: Any) -> Any:
    """Raises on frames, and then otherwise on one series."""
    if bars.close > 0:
        return 0
    return None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (fails, ["raised KeyError: 'missing'"]),
        (asks_spy, ["bars have no 'SPY'", "universes continue one series", 'return bars["SPY"].close * 0']),
        (asks_symbols, ["bars have no attribute 'symbols'", "there are no other symbols"]),
        (asks_daily, ["bars have no attribute 'daily'", "longer bars are resampled"]),
        (writes, ["the bars are read-only, work on a copy"]),
        (
            ambiguous,
            ["truth value of a DataFrame is ambiguous", "given one series alone: raised ValueError: The truth"],
        ),
    ],
)
def test_what_runs_in_no_form(rule: Any, words: list[str]) -> None:
    """Code that runs in no form is refused in one line with its first error; other symbols and series are named."""
    with pytest.raises(StrategyError) as caught:
        seen(rule)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_chance_is_left_to_the_check(bars: Bars) -> None:
    """Chance looks like another answer beside others, but no form cures it: the report tells."""

    def dice(bars: Any) -> Any:
        return bars.close * 0 + np.random.default_rng().random(bars.close.shape)

    strategy = seen(dice)
    assert strategy.form.shape == "wide"
    assert find_lookahead(strategy, bars).chance
