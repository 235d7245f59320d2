"""Loads markets: several sources, or one with several series, aligned on their common bars."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stresslab.core.errors import DataError
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars
from stresslab.data.sources.collections import holds_several, load_series, series_of
from stresslab.data.sources.files import bars_of, is_database, is_folder_of_parts, read_source
from stresslab.data.sources.load import MARKETS, load_bars, named_as_sample, sample_path

_SAMPLE = "sample:"


def load_market(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    since: object = None,
    until: object = None,
    repair: bool = False,
    exchange: str | None = None,
) -> Market:
    """Load several real series and align them.

    Args:
        source: what `load_bars` reads, a folder of such files, a long table with a symbol column, `sample:crypto5`;
            or a list of these.
        since: first time stamp to keep.
        until: last time stamp to keep; a date without a time includes the whole day.
        repair: see `load_bars`.
        exchange: see `load_bars`.

    Returns:
        A Market on the common time stamps; `market.notices` says what aligning has cost. See `Market.align`.

    Raises:
        DataError: a series that cannot be used, or series that do not belong together; the message names it.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not sources:
        raise DataError("no source is given; name files, a folder, or sample:crypto5")
    series = [bars for one in sources for bars in _series(os.fspath(one), since, until, repair)]
    market = Market.align(series)
    return market if exchange is None else market.on_exchange(exchange)


def load_data(
    sources: Sequence[str],
    since: object = None,
    until: object = None,
    repair: bool = False,
    exchange: str | None = None,
) -> Bars:
    """The bars of one symbol, or of several the index that carries their market.

    Args:
        sources: see `load_market`.
        since: see `load_bars`; likewise the rest.
        until: last time stamp to keep.
        repair: repair instead of refusing.
        exchange: whose holidays future time stamps leave out.
    """
    given = [one.strip() for one in sources if one.strip()]
    if len(given) > 1 or (given and given[0].removeprefix(_SAMPLE) in MARKETS and given[0].startswith(_SAMPLE)):
        return IndexBars.of(load_market(given, since, until, repair, exchange))
    path = Path(given[0]).expanduser() if given else None
    if path is None or not (os.path.exists(path) or is_database(given[0])):
        return load_bars(sources[0], since, until, repair, exchange)
    series = _series_once(given[0], (since, until), repair)
    if isinstance(series, Bars):
        return series if exchange is None else series.on_exchange(exchange)
    market = Market.align(series)
    return IndexBars.of(market if exchange is None else market.on_exchange(exchange))


def _series_once(source: str, span: tuple[object, object], repair: bool) -> Bars | list[Bars]:
    """The series of a file or a folder, which is read once; of one alone its bars."""
    if os.path.isdir(Path(source).expanduser()):
        series = load_series(source, repair, since=span[0], until=span[1])
        return series[0] if len(series) == 1 and is_folder_of_parts(source) else series
    read = read_source(source)
    if not holds_several(read):
        return bars_of(read, source, *span, repair)
    return list(series_of(read, source, span, repair, _raise))


def _raise(error: DataError) -> None:
    raise error


def _series(source: str, since: object, until: object, repair: bool) -> list[Bars]:
    """The series of one source."""
    name = source.removeprefix(_SAMPLE)
    if source.startswith(_SAMPLE) and name in MARKETS:
        with named_as_sample(name):
            loaded = load_series(sample_path(name), repair, since=since, until=until)
        return [replace(bars, source=f"{source}#{bars.symbol}") for bars in loaded]
    return load_series(source, repair, since=since, until=until)
