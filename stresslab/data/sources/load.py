"""One door to all bars: decides from the source's spelling whether a sample, a service or a file is meant."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.resources import files

from stresslab.core.errors import DataError
from stresslab.core.text import nearest, one_line
from stresslab.data.bars import Bars
from stresslab.data.sources.files import DATABASES, load_file
from stresslab.data.sources.remote import load_ccxt, load_yahoo

SAMPLES = {
    "bitcoin": "Bitcoin against USDT, daily, 2017 to 2026",
    "nasdaq": "NASDAQ Composite, 1999 to 2018",
    "sp500": "S&P 500, 1999 to 2018",
}
"""Samples of one series. Opens of the S&P 500 equal the previous close on most days before 2006."""

MARKETS = {"crypto5": "BNB, BTC, ETH, SOL and XRP against USDT, daily, 2020 to 2025"}
"""Samples of several series."""

FROM_ARCH = ("nasdaq", "sp500")
"""Samples that come with the package arch, as modules of `arch.data`; the others are `panels/NAME_1d.parquet`."""


def sample_path(name: str) -> str:
    """The file of a sample that comes with this package."""
    return str(files("stresslab.data").joinpath("panels", f"{name}_1d.parquet"))


@contextmanager
def named_as_sample(name: str) -> Iterator[None]:
    """Let a complaint about a sample name the sample, not the package's file."""
    try:
        yield
    except DataError as error:
        raise DataError(str(error).replace(sample_path(name), f"sample:{name}")) from error


def load_sample(name: str, since: object = None, until: object = None, repair: bool = False) -> Bars:
    """The bundled sample `name`, as `sample:name`; of a market one symbol, as `sample:name#SYMBOL`."""
    market, _, symbol = name.partition("#")
    if market in MARKETS and symbol:
        with named_as_sample(market):
            bars = load_file(f"{sample_path(market)}#{symbol}", since, until, repair)
        return replace(bars, source=f"sample:{name}")
    if market in MARKETS:
        raise DataError(
            f"sample:{name} holds several symbols ({MARKETS[market]}), and bars are of one; load it as a market "
            f"(sl.load_market), or choose one of them, for example sample:{name}#BTCUSDT"
        )
    if name not in SAMPLES:
        every = SAMPLES | MARKETS
        close = nearest(name, every)
        hint = f"did you mean sample:{close}? There are" if close else "there are"
        known = ", ".join(f"sample:{key} ({title})" for key, title in every.items())
        raise DataError(one_line(f"sample:{name} is not a sample; {hint} {known}"))
    if name not in FROM_ARCH:
        with named_as_sample(name):
            bars = load_file(sample_path(name), since, until, repair)
        return replace(bars, source=f"sample:{name}", symbol=name)
    frame = import_module(f"arch.data.{name}").load()
    return Bars.from_frame(frame, symbol=name, source=f"sample:{name}", repair=repair, since=since, until=until)


def _load_table(kind: str, spec: str, since: object, until: object, repair: bool) -> Bars:
    return load_file(f"{kind}:{spec}", since, until, repair)


SCHEMES: dict[str, Callable[[str, object, object, bool], Bars]] = {
    "sample": load_sample,
    "yf": load_yahoo,
    "ccxt": load_ccxt,
    **{kind: partial(_load_table, kind) for kind in DATABASES},
}


def load_bars(
    source: str | os.PathLike[str],
    since: object = None,
    until: object = None,
    repair: bool = False,
    exchange: str | None = None,
) -> Bars:
    """Load and check one real series.

    Args:
        source: a CSV, JSON, parquet, feather or Excel file, also packed (`path#SYMBOL` where it holds several), or a
            folder of files that are parts of one series; `sqlite:FILE:TABLE`, `duckdb:FILE:TABLE`; `sample:bitcoin`,
            `sample:nasdaq`, `sample:sp500`, `yf:TICKER[:INTERVAL]` or `ccxt:EXCHANGE:PAIR:TIMEFRAME`.
        since: first time stamp to keep.
        until: last time stamp to keep; a date without a time includes the whole day.
        repair: repair what can be repaired (drop rows that are not numbers or duplicates, sort, widen high and low, set
            negative volume to zero), count it and say so, instead of refusing.
        exchange: an exchange such as `XNYS` whose holidays future time stamps leave out (needs `exchange_calendars`).

    Returns:
        Bars; `bars.notices` says what was noticed and done.
    """
    bars = _load(os.fspath(source), since, until, repair)
    return bars if exchange is None else bars.on_exchange(exchange)


def _load(text: str, since: object, until: object, repair: bool) -> Bars:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9]+):(?![\\/])", text)
    if scheme and not os.path.exists(text):
        if scheme[1] not in SCHEMES:
            known = ", ".join(f"{name}:..." for name in SCHEMES)
            raise DataError(
                one_line(f"{text}: {scheme[1]}: is not a kind of source; give a file's path or one of {known}")
            )
        return SCHEMES[scheme[1]](text[scheme.end() :], since, until, repair)
    if re.match(r"[a-z]+://", text):
        raise DataError(one_line(f"{text}: addresses are not read; download the file and give its path"))
    return load_file(text, since, until, repair)
