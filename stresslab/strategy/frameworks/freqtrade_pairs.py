"""Pairs of freqtrade as series of bars: which a class names, which symbol each is, and longer bars of it.

A class trades pairs and may look at others. Those that its source names are looked at alone; all other symbols that are
given are traded, each on an equal part of the capital. `freqtrade` runs the class on each of them.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.errors import StrategyError
from stresslab.strategy.fills import INIT_CASH
from stresslab.strategy.frameworks.freqtrade_names import timeframe_to_seconds

PAIR = "SERIES/CASH"
"""The pair of a single series, as a strategy sees it that names no other."""
STAKES = ("USDT", "USDC", "BUSD", "USD", "EUR", "BTC")
"""Currencies in which symbols such as BTCUSDT are counted, where the class does not name one."""
_NAMED = re.compile(r"(\d{0,7}[A-Z][A-Z0-9]*)/(|\{\w+\}|[A-Z]{3,5}(:[A-Z]{3,5})?)")
"""A pair, or its beginning, to which the stake currency is added."""
_TIMEFRAME = re.compile(r"\d+[smhdwM]")
_MARKETS = {"PERP", "SPOT", "FUTURES", "SWAP"}
"""What stands beside a pair in names of files."""


def named_pairs(theirs: Any, module: Any = None) -> tuple[str, ...]:
    """Pairs such as "BTC/USDT" or "BTC/{stake}" that a class's own source or its file's variables name."""
    texts = [] if module is None else [one for one in vars(module).values() if isinstance(one, str)]
    for one in theirs.__mro__:
        if one.__module__.partition(".")[0] not in ("freqtrade", "builtins", "abc"):
            texts += _texts(one)
    return tuple(dict.fromkeys(text for text in texts if _NAMED.fullmatch(text)))


def _texts(theirs: Any) -> Iterator[str]:
    """Texts in a class's source; of an f-string what stands before its first value."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(theirs)))
    except (OSError, TypeError, SyntaxError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@dataclass(frozen=True)
class Pairs:
    """Symbols and the pairs that they are.

    Attributes:
        symbols: that are given.
        named: pairs that the class names.
    """

    symbols: tuple[str, ...]
    named: tuple[str, ...]

    @property
    def stake(self) -> str:
        """The currency that profits are counted in: that of the symbols, else of the named pairs."""
        letters = [_letters(symbol) for symbol in self.symbols]
        quotes = [pair.partition("/")[2].partition(":")[0] for pair in self.named]
        ends = [stake for stake in STAKES if any(one.endswith(stake) and one != stake for one in letters)]
        if not ends and all(one.isalpha() for one in quotes):
            ends = [stake for stake in STAKES if stake in quotes] or quotes
        return ends[0] if ends else STAKES[0]

    @property
    def traded(self) -> tuple[str, ...]:
        """Symbols that are traded: those that the class does not name; where it names all of them, the first."""
        looked_at = {self._found(pair) for pair in self.named}
        return tuple(one for one in self.symbols if one not in looked_at) or self.symbols[:1]

    def pair(self, symbol: str) -> str:
        """A symbol as a pair."""
        letters = _letters(symbol)
        base = letters.removesuffix(self.stake) or letters
        return f"{base}/{self.stake}"

    def symbol(self, pair: str) -> str:
        """The symbol that a pair is.

        Raises:
            StrategyError: it is not among those given.
        """
        found = self._found(pair)
        if found is None:
            given = ", ".join(self.symbols)
            raise StrategyError(f"{pair} is not among the symbols given ({given}): add its bars to `data`")
        return found

    def _found(self, pair: str) -> str | None:
        base, _, quote = pair.upper().partition(":")[0].partition("/")
        quote = quote if quote.isalnum() else self.stake
        letters = {symbol: _letters(symbol) for symbol in self.symbols}
        for wanted in (base + quote, base + quote + quote, base):
            for symbol, own in letters.items():
                if own == wanted:
                    return symbol
        return None


def _letters(symbol: str) -> str:
    """The letters of a symbol, without a timeframe and a kind of market, as names of files have them."""
    parts = [one for one in re.split(r"[^A-Za-z0-9]+", symbol) if one and not _TIMEFRAME.fullmatch(one)]
    return "".join(one.upper() for one in parts if one.upper() not in _MARKETS)


def frame_of(bars: pd.DataFrame) -> pd.DataFrame:
    """Bars as freqtrade gives them: numbered rows, and when each begins."""
    stamps = pd.DatetimeIndex(bars.index)
    dates = stamps.tz_localize("UTC") if stamps.tz is None else stamps.tz_convert("UTC")
    frame = bars[["open", "high", "low", "close", "volume"]].reset_index(drop=True)
    frame.insert(0, "date", dates)
    return frame


def seconds_between(frame: pd.DataFrame) -> int:
    """Between two bars, mostly."""
    return int(np.median(np.diff(frame["date"].to_numpy()) / np.timedelta64(1, "s"))) if len(frame) > 1 else 60


def spelled(seconds: int) -> str:
    """A timeframe such as "1h"."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def longer_bars(frame: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """The same series in bars of a timeframe.

    Raises:
        StrategyError: it has none that are short enough.
    """
    seconds, own = timeframe_to_seconds(timeframe), seconds_between(frame)
    if seconds < own:
        raise StrategyError(
            f"the strategy asks for bars of {timeframe}, and the data has {spelled(own)}; give such bars"
        )
    if seconds == own:
        return frame.copy()
    began = frame["date"].dt.floor("D") - pd.to_timedelta(frame["date"].dt.day_of_week, "D")
    if seconds != 7 * 86400:
        began = frame["date"].dt.floor(f"{seconds}s")
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return frame.groupby(began.rename("date")).agg(rules).reset_index()


class DataProvider:
    """What a strategy's `self.dp` can answer from bars.

    Args:
        frames: of each pair.
        own: the pair that is traded.
        whitelist: all that are.
        pairs: which symbol a pair is; None where there is one series and no name for it.
        known: the analysed bars of the traded pair that are over.
    """

    runmode = SimpleNamespace(value="backtest")

    def __init__(self, frames: Mapping[str, pd.DataFrame], own: str, pairs: Pairs | None, known: Any) -> None:
        self._frames, self._own, self._pairs, self._known = frames, own, pairs, known

    def current_whitelist(self) -> list[str]:
        """The pairs that are traded."""
        return [self._own] if self._pairs is None else [self._pairs.pair(symbol) for symbol in self._pairs.traded]

    def bars_of(self, pair: str, timeframe: str) -> pd.DataFrame:
        """A pair in bars of a timeframe; its own where that is empty."""
        if pair == self._own:
            own = self._frames[pair]
        elif self._pairs is None:
            raise StrategyError(
                f"the strategy asks for bars of {pair}, which its source does not name: write the pair's name into the "
                "class as one text, and add its bars to `data`"
            )
        else:
            own = self._frames[self._pairs.pair(self._pairs.symbol(pair))]
        return longer_bars(own, timeframe) if timeframe else own.copy()

    def get_pair_dataframe(self, pair: str = "", timeframe: str | None = None, candle_type: str = "") -> pd.DataFrame:
        """A pair, in longer bars too."""
        return self.bars_of(pair or self._own, timeframe or "")

    historic_ohlcv = get_pair_dataframe

    def get_analyzed_dataframe(self, pair: str, timeframe: str = "") -> tuple[pd.DataFrame, Any]:
        """The bars that are over, with the strategy's columns, of the pair that is traded."""
        if pair != self._own and self._pairs is not None:
            raise StrategyError(
                f"get_analyzed_dataframe of {pair} is asked while {self._own} is traded; merge its columns into those "
                "of the pair that is traded, by merge_informative_pair"
            )
        frame = self._known()
        return frame, None if frame.empty else frame["date"].iloc[-1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise StrategyError(f"self.dp.{name} needs an exchange, and a universe has none; decide from the bars")


class Wallets:
    """An account that has what a run begins with."""

    def get_total_stake_amount(self) -> float:
        """All of it."""
        return INIT_CASH.get()

    def get_available_stake_amount(self) -> float:
        """All of it."""
        return INIT_CASH.get()

    def get_total(self, currency: str = "") -> float:
        """All of it."""
        return INIT_CASH.get()

    get_free = get_total
