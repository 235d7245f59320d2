"""Scripts that end in `Portfolio.from_signals`: run on each series, with what they hand over as the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Costs, Stops, Terms, backtest
from stresslab.core.errors import StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.vectorbt_script import adapted, is_script
from tests.make.bars import make_bars

BARS = make_bars(300)
FRAME = BARS.frame
SCRIPT = """
import vectorbt as vbt
import yfinance as yf

price = vbt.YFData.download("BTC-USD", start="2018-01-01").get("Close")
fast, slow = price.rolling(5).mean(), price.rolling(20).mean()
entries, exits = (fast > slow) & (fast.shift() <= slow.shift()), (fast < slow) & (fast.shift() >= slow.shift())
portfolio = vbt.Portfolio.from_signals(price, entries, exits, init_cash=100, fees=0.01, freq="D")
raise RuntimeError("what comes after is not run")
"""


def answer(source: str) -> Any:
    """What a script answers on one series."""
    return adapted("script.py", source.encode())(FRAME)


def with_call(more: str) -> str:
    """The script with more arguments of its call."""
    return SCRIPT.replace('freq="D"', f'freq="D", {more}')


def crossings() -> tuple[Any, Any]:
    """Entries and exits of the same rule."""
    fast, slow = FRAME["close"].rolling(5).mean(), FRAME["close"].rolling(20).mean()
    above, before = fast > slow, fast.shift() > slow.shift()
    return (above & ~before & slow.shift().notna()).to_numpy(), (~above & before).to_numpy()


def test_what_is_handed_over_is_the_answer() -> None:
    """The download is the series; fees and cash are the run's, and that fills are a bar later is said."""
    with pytest.warns(UserWarning, match="fill at the next open, where vectorbt fills them at the close"):
        sides = answer(SCRIPT)
    entries, exits = crossings()
    np.testing.assert_array_equal(sides[0], entries)
    np.testing.assert_array_equal(sides[1], exits)
    assert not sides[2].any()
    assert not sides[3].any()


@pytest.mark.filterwarnings("ignore:signals fill")
@pytest.mark.parametrize(("more", "order"), [
    ('direction="both"', (0, None, 1, None)), ('direction="shortonly"', (None, None, 0, 1)),
    ("short_entries=exits, short_exits=entries", (0, 1, 1, 0)),
])  # fmt: skip
def test_directions(more: str, order: tuple[int | None, ...]) -> None:
    """Both sides, one of them, and sides of their own."""
    flags = crossings()
    for side, which in zip(answer(with_call(more)), order, strict=True):
        np.testing.assert_array_equal(side, False if which is None else flags[which])


def equity(function: Any, terms: Terms) -> Any:
    """An account of a function of one series on the real bars."""
    strategy = Strategy("one", {}, "any", None, "", function)
    strategy = detect_call_style(strategy, BARS)
    return backtest(strategy, Universes.from_bars(BARS, BARS[:0]), terms, periods_per_year=252).equity[:, 0]


@pytest.mark.filterwarnings("ignore:signals fill")
@pytest.mark.parametrize(("more", "stops"), [
    ("sl_stop=0.02", Stops(0.02)), ("tp_stop=0.03", Stops(None, 0.03)),
    ("sl_stop=0.02, tp_stop=0.03", Stops(0.02, 0.03)),
    ("sl_stop=0.02, sl_trail=True", Stops(None, None, 0.02)),
])  # fmt: skip
def test_stops_are_those_of_the_accounts(more: str, stops: Stops) -> None:
    """Stops that a script gives are filled as stops that a run gives."""
    terms = Terms(Costs(0.001, 0.0), warmup=0)
    mine = equity(adapted("script.py", with_call(more).encode()), terms)
    plain = equity(adapted("script.py", SCRIPT.encode()), Terms(Costs(0.001, 0.0), stops=stops, warmup=0))
    np.testing.assert_allclose(mine, plain, rtol=1e-9)
    assert not np.allclose(mine, equity(adapted("script.py", SCRIPT.encode()), terms))


@pytest.mark.filterwarnings("ignore:signals fill")
def test_sizes() -> None:
    """A share of the equity, and a number of units."""
    half, units = answer(with_call('size=0.5, size_type="percent"')), answer(with_call("size=3"))
    row = int(np.flatnonzero(crossings()[0])[0]) + 1
    assert half._fills[row][0][2] == 0.5
    assert (units.counted, units._fills[row][0][2]) == (True, 3.0)


@pytest.mark.parametrize(("more", "text"), [
    ("accumulate=True", "entries=5"), ("size=entries", "column of sizes"), ("sl_stop=fast", "column of stops"),
    ("call_seq=1", r"call_seq=\.\.\.\) is not read"), ('size=1, size_type="value"', "size_type='value'"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:signals fill")
def test_what_is_not_read_is_refused(more: str, text: str) -> None:
    """Each argument by name."""
    with pytest.raises(StrategyError, match=text):
        answer(with_call(more))


@pytest.mark.filterwarnings("ignore:signals fill")
@pytest.mark.parametrize(("old", "new", "text"), [
    ("entries, exits, init", "pd.concat([entries] * 3, axis=1), exits, init", "entries has 3 columns.*choose one set"),
    ("entries, exits, init", "entries.iloc[5:], exits, init", "entries has 295 rows, and the series 300"),
    ("vbt.Portfolio.from_signals(", "print(", "ended without calling"),
])  # fmt: skip
def test_answers_of_another_shape(old: str, new: str, text: str) -> None:
    """Several sets of parameters, and rows that were dropped."""
    source = (
        SCRIPT.replace(old, new).replace("import yfinance as yf", "import pandas as pd").replace("raise Runtime", "#")
    )
    if "print(" in new:
        source = source.replace("portfolio =", "hidden = lambda: vbt.Portfolio.from_signals(1)\nportfolio =").replace(
            'init_cash=100, fees=0.01, freq="D"', ""
        )
    with pytest.raises(StrategyError, match=text):
        answer(source)


def test_scripts_are_recognised(tmp_path: Path) -> None:
    """A call at any place of a file without a function of ours; several calls are refused."""
    assert is_script(SCRIPT.encode())
    assert not is_script(b"import vectorbt\ndef signals(bars):\n    x.from_signals(1)")
    assert not is_script(b"import pandas\nx.from_signals(1)")
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    (strategy,) = load_strategies(str(path), {})
    assert strategy.name == "script"
    path.write_text(SCRIPT + SCRIPT)
    with pytest.raises(StrategyError, match="calls from_signals 2 times"):
        load_strategies(str(path), {})


@pytest.mark.filterwarnings("ignore:signals fill")
def test_nothing_stays_changed() -> None:
    """What a script reads is the series only while it is run."""
    reader = pd.read_csv
    sides = answer(SCRIPT.replace('vbt.YFData.download("BTC-USD", start="2018-01-01").get("Close")',
                                  'yf.download("X")["Close"]'))  # fmt: skip
    assert pd.read_csv is reader
    np.testing.assert_array_equal(sides[0], crossings()[0])
