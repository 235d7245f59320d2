"""A script that ends in vectorbt's `Portfolio.from_signals(...)` as a function of one series.

The whole file is run again on each series: what it downloads or reads is the series, and what it hands to
`from_signals` is the answer. Entries and exits fill at the next open, where vectorbt fills at the close that gave the
signal; stops are those of `backtest.event_fills`, fractions of the price of entry. Cash, fees and slippage are the
run's. What is no signal of one series is refused by name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.errors import StrategyError
from stresslab.strategy.fills import Fills
from stresslab.strategy.frameworks.accounts import as_series_function
from stresslab.strategy.sandbox import FrameworkWarning

CALL = "from_signals"
_ASKED = ("entries", "exits", "short_entries", "short_exits", "direction", "size", "size_type", "sl_stop", "sl_trail",
          "tp_stop", "accumulate")  # fmt: skip
_RUNS = ("close", "init_cash", "fees", "fixed_fees", "slippage", "freq", "price", "open", "high", "low", "cash_sharing")
"""Arguments that the run decides, or that say nothing of decisions."""
_READERS = ("read_csv", "read_parquet", "read_pickle", "read_excel", "read_feather", "read_hdf")


class _Captured(BaseException):  # no error, and nothing of the script's may stop it
    """What the script hands over; the rest of it is not run."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__()
        self.given = given


def is_script(source: bytes) -> bool:
    """Whether a file calls `Portfolio.from_signals` and has no function that is called signals, weights or on_bar."""
    if CALL.encode() not in source or b"vectorbt" not in source:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return bool(_calls(tree)) and not own & {"signals", "weights", "on_bar"}


def _calls(tree: ast.AST) -> list[ast.Call]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node for node in nodes if getattr(node.func, "attr", "") == CALL]


def adapted(path: str, source: bytes) -> Callable[..., Any]:
    """The function `signals(bars)` that a script stands for.

    Raises:
        ValueError: it has several calls of `from_signals`.
    """
    calls = len(_calls(ast.parse(source)))
    if calls > 1:
        raise ValueError(f"calls from_signals {calls} times; keep the one that is to be tested")
    code = compile(source, path, "exec")
    importlib.import_module("vectorbt")  # which takes seconds, here and not at the first call

    def signals(bars: Any) -> Any:
        frame = _spelled(bars)
        with _on(frame):
            try:
                exec(code, {"__name__": "__main__", "__file__": path})
            except _Captured as captured:
                return _answer(captured.given, bars)
        raise StrategyError("the script ended without calling Portfolio.from_signals; let it call that at import")

    return as_series_function(signals, "signals", {})


def _spelled(bars: pd.DataFrame) -> pd.DataFrame:
    """Bars as downloads name them: Open to Volume, and in small letters too."""
    frame = bars[["open", "high", "low", "close", "volume"]].rename(columns=str.capitalize)
    return frame.assign(**{"Adj Close": frame["Close"], **{name: bars[name] for name in ("open", "high", "low", "close",
                                                                                          "volume")}})  # fmt: skip


class _Downloaded:
    """What `YFData.download(...)` and its like give."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame[["Open", "High", "Low", "Close", "Volume"]]

    def get(self, column: Any = None, **_: Any) -> Any:
        """A column, several, or all."""
        return self._frame if column is None else self._frame[column]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise StrategyError(f"a download's {name} is not known here; use .get('Close')")


@contextmanager
def _on(frame: pd.DataFrame) -> Iterator[None]:
    """Let what a script downloads or reads be a series, and note what it hands to `from_signals`."""
    whole = importlib.import_module("vectorbt")
    portfolio, download = whole.Portfolio, whole.data.base.Data
    shape = inspect.signature(portfolio.from_signals)

    def capture(*args: Any, **kwargs: Any) -> Any:
        raise _Captured(shape.bind_partial(*args, **kwargs).arguments)

    changed: list[tuple[Any, str, Any]] = [
        (portfolio, CALL, staticmethod(capture)),
        (download, "download", classmethod(lambda cls, *_, **__: _Downloaded(frame))),
        *((pd, name, lambda *_, **__: _with_dates(frame)) for name in _READERS),
    ]
    before = [(where, name, vars(where)[name]) for where, name, _ in changed]
    yahoo = sys.modules.get("yfinance")
    sys.modules["yfinance"] = _yfinance(frame)
    try:
        for where, name, value in changed:
            setattr(where, name, value)
        yield
    finally:
        for where, name, value in before:
            setattr(where, name, value)
        if yahoo is None:
            sys.modules.pop("yfinance", None)
        else:
            sys.modules["yfinance"] = yahoo


def _with_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """A table as files have it: dates as columns too."""
    return frame.assign(**dict.fromkeys(("Date", "date", "Datetime", "datetime", "timestamp"), frame.index))


def _yfinance(frame: pd.DataFrame) -> ModuleType:
    module = ModuleType("yfinance")
    history = {"history": lambda self, *_, **__: frame.copy(), "__init__": lambda self, *_, **__: None}
    module.__dict__.update(download=lambda *_, **__: frame.copy(), Ticker=type("Ticker", (), history))
    return module


def _answer(given: Mapping[str, Any], bars: pd.DataFrame) -> Any:
    """Signals, or fills where there are stops or sizes."""
    given = {name: value for name, value in given.items() if value is not None}
    given = {**{k: v for k, v in given.items() if k != "kwargs"}, **given.get("kwargs", {})}
    for name in given:
        if name not in (*_ASKED, *_RUNS):
            raise StrategyError(f"from_signals({name}=...) is not read here; leave it out, or answer with sl.Orders")
    if given.get("accumulate"):
        raise StrategyError("from_signals(accumulate=True) adds to a position; answer with sl.Orders(entries=5)")
    warnings.warn(
        "signals fill at the next open, where vectorbt fills them at the close that gave them; fees and cash are the "
        "run's",
        FrameworkWarning,
        stacklevel=2,
    )
    sides = _sides(given, bars)
    stops: dict[str, float] = {
        name: float(given[name]) for name in ("sl_stop", "tp_stop") if isinstance(given.get(name), int | float)
    }
    if any(name in given and name not in stops for name in ("sl_stop", "tp_stop")):
        raise StrategyError("from_signals with a column of stops is not read here; give one number for all")
    size, kind = given.get("size", np.inf), str(given.get("size_type", "amount")).lower()
    if not isinstance(size, int | float):
        raise StrategyError("from_signals with a column of sizes is not read here; give one number for all")
    if not stops and np.isinf(float(size)):
        return sides
    if kind not in ("amount", "percent", "0", "2"):
        raise StrategyError(f"from_signals(size_type={kind!r}) is not read here; give 'percent' or 'amount'")
    counted = kind in ("amount", "0") and np.isfinite(float(size))
    return _filled(sides, stops, (min(float(size), 1.0) if not counted else float(size), counted),
                   bool(given.get("sl_trail", False)), bars)  # fmt: skip


def _sides(given: Mapping[str, Any], bars: pd.DataFrame) -> tuple[pd.Series, ...]:
    """Long entries, long exits, short entries, short exits."""
    found = {name: _flags(name, given.get(name), bars) for name in _ASKED[:4]}
    entries, exits = found["entries"], found["exits"]
    never = pd.Series(False, index=bars.index)
    if "short_entries" in given or "short_exits" in given:
        return entries, exits, found["short_entries"], found["short_exits"]
    direction = str(given.get("direction", "longonly")).lower()
    if direction in ("both", "all", "2"):
        return entries, never, exits, never
    return (never, never, entries, exits) if direction in ("shortonly", "1") else (entries, exits, never, never)


def _flags(name: str, value: Any, bars: pd.DataFrame) -> pd.Series:
    if value is None:
        return pd.Series(False, index=bars.index)
    values = np.asarray(value)
    if values.ndim == 2 and values.shape[1] > 1:
        raise StrategyError(f"{name} has {values.shape[1]} columns, one for each set of parameters; choose one set")
    values = values.reshape(-1) if values.ndim else np.full(len(bars), bool(values))
    if len(values) != len(bars):
        raise StrategyError(f"{name} has {len(values)} rows, and the series {len(bars)}; drop no rows")
    return pd.Series(pd.Series(values).fillna(False).astype(bool).to_numpy(), index=bars.index)


def _filled(
    sides: tuple[pd.Series, ...], stops: Mapping[str, float], size: tuple[float, bool], trails: bool, bars: pd.DataFrame
) -> Fills:
    """Signals at the next open, and stops inside the bar: the stop before the target, a gap at the open."""
    le, lx, se, sx = (side.to_numpy() for side in sides)
    prices = bars[["open", "high", "low"]].to_numpy(dtype=float)
    fills = Fills(len(bars), size[1])
    fills.ordered[:] = np.where(le | lx | se | sx, le + 2.0 * lx + 4.0 * se + 8.0 * sx, np.nan)
    lane, sign, entry, best = 0, 0, 0.0, 0.0
    for row in range(1, len(bars)):
        opened, high, low = prices[row]
        buys, leaves, sells, covers = le[row - 1], lx[row - 1], se[row - 1], sx[row - 1]
        way = 0 if (buys and (leaves or sells)) or (sells and covers) else int(buys) - int(sells)
        if sign and ((leaves if sign > 0 else covers) or way == -sign):
            fills.leave(row, lane, opened)
            sign = 0
        if way and not sign:
            lane, sign, entry, best = fills.enter(row, opened, way * size[0]), way, opened, opened
        if sign:
            price = _stopped(sign, (entry, best), stops, trails, (opened, high, low))
            if price is not None:
                fills.leave(row, lane, price)
                sign = 0
            best = max(best, high) if sign > 0 else min(best, low)
    return fills


def _stopped(
    sign: int, prices: tuple[float, float], stops: Mapping[str, float], trails: bool, bar: tuple[float, float, float]
) -> float | None:
    """Where a trade leaves inside a bar, or None."""
    entry, best = prices
    opened, high, low = bar
    worst, reached = (low, high) if sign > 0 else (high, low)
    if "sl_stop" in stops:
        stop = (best if trails else entry) * (1.0 - sign * stops["sl_stop"])
        if sign * worst <= sign * stop:
            return sign * min(sign * opened, sign * stop)
    if "tp_stop" in stops:
        target = entry * (1.0 + sign * stops["tp_stop"])
        if sign * reached >= sign * target:
            return sign * max(sign * opened, sign * target)
    return None
