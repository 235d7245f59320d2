"""Bars from services: Yahoo through `yfinance`, exchanges through `ccxt`, both optional and imported only when asked.

Fetching and the form of the answers are known here; whether the bars are sound is checked by `Bars`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import did_you_mean
from stresslab.data.bars import Bars
from stresslab.data.parsing.column_names import one_ticker
from stresslab.data.parsing.timestamps import parse_date

YAHOO_INTERVALS = {
    "1m": "7d", "2m": "60d", "5m": "60d", "15m": "60d", "30m": "60d", "60m": "730d", "1h": "730d", "1d": "max",
    "1wk": "max", "1mo": "max", "3mo": "max",
}  # fmt: skip
"""Intervals that Yahoo serves, and the longest period it serves them for."""
_SPANS = {"m": 60, "h": 3600, "d": 86_400, "wk": 7 * 86_400}
"""Seconds in the units of intervals; a month has no fixed length."""
PAGE = 1000
"""Bars asked of an exchange at once; most give that many or fewer."""
DEFAULT_BARS = 2000
"""Newest bars fetched from an exchange when no `since` is given."""


def load_yahoo(spec: str, since: object = None, until: object = None, repair: bool = False) -> Bars:
    """Bars of `yf:TICKER` (daily) or `yf:TICKER:INTERVAL` from Yahoo Finance; unfinished bars are left out."""
    source = f"yf:{spec}"
    ticker, _, interval = spec.partition(":")
    interval = interval or "1d"
    if not ticker:
        raise DataError(f"{source} names no ticker; write yf:TICKER or yf:TICKER:INTERVAL, for example yf:BTC-USD:1h")
    if interval not in YAHOO_INTERVALS:
        raise DataError(
            f"{source}: interval {interval!r} is not served by Yahoo; choose one of {', '.join(YAHOO_INTERVALS)}"
        )
    yfinance = _library("yfinance", source)
    span = yahoo_span(interval, since, until)
    history = yfinance.Ticker(ticker).history
    answer = _ask(
        source, lambda: history(interval=interval, auto_adjust=False, actions=False, raise_errors=True, **span)
    )
    frame, notices = yahoo_frame(answer, ticker, interval, pd.Timestamp.now("UTC"), source)
    return Bars.from_frame(frame, ticker, source, repair, notices, since=since, until=until)


def yahoo_span(interval: str, since: object, until: object) -> dict[str, Any]:
    """The arguments of `yfinance.Ticker.history` for a range of dates; Yahoo leaves the end's day out."""
    longest = YAHOO_INTERVALS[interval]
    if since is None and until is None:
        return {"period": longest}
    span: dict[str, Any] = {}
    if until is not None:
        span["end"] = parse_date("until", until).normalize() + pd.Timedelta(days=1)
    if since is not None:
        span["start"] = parse_date("since", since)
    elif longest == "max":
        span["start"] = pd.Timestamp("1900-01-01")
    else:
        span["start"] = pd.Timestamp.now().normalize() - pd.Timedelta(days=int(longest[:-1]) - 1)
    return span


def yahoo_frame(
    answer: pd.DataFrame | None, ticker: str, interval: str, now: pd.Timestamp, source: str
) -> tuple[pd.DataFrame, list[str]]:
    """The table of one ticker in an answer of `yfinance`, without a bar that is not finished `now`.

    Args:
        answer: index time stamps, columns of fields, or of (field, ticker).
        ticker: the ticker asked for.
        interval: the interval asked for.
        now: the time with time zone.
        source: for the error.
    """
    if answer is None or answer.empty:
        raise DataError(
            f"{source}: Yahoo has no bars for it; check the ticker (as on finance.yahoo.com), since and until"
        )
    frame = one_ticker(answer, None)[0] if isinstance(answer.columns, pd.MultiIndex) else answer
    count = int("".join(filter(str.isdigit, interval)))
    unit = interval.lstrip("0123456789")
    last = pd.Timestamp(frame.index[-1])
    end = last + (pd.DateOffset(months=count) if unit == "mo" else pd.Timedelta(seconds=count * _SPANS[unit]))
    clock = now.tz_convert(last.tz) if last.tz else now.tz_localize(None)
    return _finished(frame, bool(end > clock), last)


def load_ccxt(spec: str, since: object = None, until: object = None, repair: bool = False) -> Bars:
    """Bars of `ccxt:EXCHANGE:PAIR:TIMEFRAME` in UTC; without `since` the newest `DEFAULT_BARS`."""
    source = f"ccxt:{spec}"
    name, _, rest = spec.partition(":")
    pair, _, timeframe = rest.rpartition(":")  # a pair may hold a colon itself: BTC/USDT:USDT
    if not (name and pair and timeframe):
        raise DataError(f"{source}: an exchange, a pair and a time frame are needed; write ccxt:binance:BTC/USDT:1h")
    ccxt = _library("ccxt", source)
    if name not in ccxt.exchanges:
        hint = did_you_mean(name, ccxt.exchanges, "see ccxt.exchanges")
        raise DataError(f"{source}: exchange {name!r} is not known to ccxt{hint}")
    exchange = getattr(ccxt, name)({"enableRateLimit": True})
    markets = _ask(source, exchange.load_markets)
    if pair not in markets:
        hint = did_you_mean(pair.upper(), markets, "write it as BTC/USDT")
        raise DataError(f"{source}: pair {pair!r} is not traded on {name}{hint}")
    frames = exchange.timeframes or {}
    if timeframe not in frames:
        raise DataError(
            f"{source}: time frame {timeframe!r} is not served by {name}; choose one of {', '.join(frames)}"
        )
    step = int(exchange.parse_timeframe(timeframe)) * 1000
    now = int(exchange.milliseconds())
    first = now - DEFAULT_BARS * step if since is None else int(parse_date("since", since).timestamp() * 1000)
    last = now if until is None else min(now, int(parse_date("until", until).timestamp() * 1000) + 86_400_000)
    rows = _ask(
        source, lambda: fetch_rows(lambda at: exchange.fetch_ohlcv(pair, timeframe, at, PAGE), first, last, step)
    )
    frame, notices = ccxt_frame(rows, step, now, source)
    return Bars.from_frame(frame, pair, source, repair, notices, since=since, until=until)


def fetch_rows(page: Callable[[int], list[list[float]]], first: int, last: int, step: int) -> list[list[float]]:
    """All rows from `first` to `last` (ms), page by page.

    Args:
        page: gives up to `PAGE` rows from a time on, oldest first; none where nothing was traded then.
        first: least time stamp.
        last: largest time stamp.
        step: time from one row to the next (ms).
    """
    rows: list[list[float]] = []
    at = first
    while at <= last:
        new = [row for row in page(at) if row[0] >= at]
        rows += new
        at = int(new[-1][0]) + 1 if new else at + PAGE * step
    return [row for row in rows if row[0] <= last]


def ccxt_frame(rows: Sequence[Sequence[float]], step: int, now: int, source: str) -> tuple[pd.DataFrame, list[str]]:
    """The table of rows [ms, open, high, low, close, volume], without a bar that is not finished at `now` (ms)."""
    if not rows:
        raise DataError(f"{source}: the exchange has no bars for it; check the pair, since and until")
    frame = pd.DataFrame([row[:6] for row in rows], columns=["timestamp", "open", "high", "low", "close", "volume"])
    last = int(frame["timestamp"].iloc[-1])
    return _finished(frame, last + step > now, pd.Timestamp(last, unit="ms"))


def _finished(frame: pd.DataFrame, open_bar: bool, last: pd.Timestamp) -> tuple[pd.DataFrame, list[str]]:
    return (frame[:-1], [f"the bar of {last} is not finished and was left out"]) if open_bar else (frame, [])


def _library(name: str, source: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise DataError(f"{source}: needs {name}, which is not installed; install it: pip install {name}") from error


def _ask(source: str, question: Callable[[], Any]) -> Any:
    """The answer of a service; what its library raises becomes one line, what it warns of is not shown."""
    logger = logging.getLogger("yfinance")  # says on stderr what it raises as well
    level = logger.level
    try:
        logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return question()
    except Exception as error:  # each library has its own errors, and those of the network below
        reason = (str(error).splitlines() or [type(error).__name__])[0].partition(" See http")[0]
        raise DataError(
            f"{source}: the service gave no bars ({reason:.120}); check the spelling and the network, then try again"
        ) from error
    finally:
        logger.setLevel(level)
