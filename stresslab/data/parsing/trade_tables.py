"""Tables of trades, fills and deals become trades: which column means what, and which rows belong together.

Every export that is known is a row of `READERS`. Cells come as texts; where tables come from is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from stresslab.core.errors import DataError
from stresslab.data.parsing.column_names import plain
from stresslab.data.parsing.numbers import decimal_sign, parse_numbers
from stresslab.data.parsing.timestamps import parse_timestamps

NO_TRADE = "export the closed trades, with entries and exits"
COLUMNS = ("side", "units", "entered", "left", "entry_price", "exit_price", "profit", "symbol")


class Table(NamedTuple):
    """A header and the rows below it, all of its length."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]

    def frame(self) -> pd.DataFrame:
        """The cells, columns named as `plain` does; the second of two of one name has a 2 behind it."""
        names: list[str] = []
        for name in self.names:
            bare = _bare(name)
            names.append(bare if bare not in names else f"{bare}2")
        unique = [name if names.index(name) == at else f"{name}.{at}" for at, name in enumerate(names)]
        return pd.DataFrame([list(row) for row in self.rows], columns=unique, dtype=object)


class Found(NamedTuple):
    """Trades with the columns `COLUMNS`, and what was noticed."""

    trades: pd.DataFrame
    notices: tuple[str, ...] = ()


_CURRENCIES = "USD|EUR|GBP|JPY|CHF|AUD|CAD|NZD|CNY|HKD|INR|BTC|ETH|USDT|USDC"


def _bare(name: str) -> str:
    """A column's name without currency, units in brackets and punctuation: `Price USD` is price, `%` stays as pct."""
    text = re.sub(rf"\b(?:{_CURRENCIES})\b\s*(?=$|%)", "", name.strip()) if len(name.split()) > 1 else name
    bare = plain(text.replace("%", " pct "))
    return bare or ("number" if "#" in name else "")


_ENTERED = (
    "entrytime", "opentime", "opendate", "entrydate", "opened", "openedat", "entrytimestamp", "dateopened", "timein",
    "buydate", "entryat", "entrydatetime", "opendatetime", "datein", "entered",
)  # fmt: skip
_LEFT = (
    "exittime", "closetime", "closedate", "exitdate", "closed", "closedat", "exittimestamp", "dateclosed", "timeout",
    "selldate", "exitat", "exitdatetime", "closedatetime", "dateout", "left",
)  # fmt: skip
_SIDES = ("side", "direction", "marketpos", "type", "tradetype", "longshort", "buysell", "position", "isshort",
          "action")  # fmt: skip
_UNITS = ("size", "qty", "quantity", "units", "volume", "contracts", "amount", "lots", "shares", "positionsize",
          "positionsizeqty", "sizeqty")  # fmt: skip
_ENTRY_PRICES = ("entryprice", "openprice", "openrate", "pricein", "avgentryprice", "buyprice", "entry", "openingprice")
_EXIT_PRICES = ("exitprice", "closeprice", "closerate", "priceout", "avgexitprice", "sellprice", "exit", "closingprice")
_PROFITS = ("netprofit", "netpnl", "netpl", "profitabs", "pnl", "profit", "pl", "profitloss", "realizedpnl", "netpandl",
            "gainloss")  # fmt: skip
_SYMBOLS = ("symbol", "instrument", "pair", "item", "ticker", "market", "asset")
_CHARGES = ("commission", "fee", "taxes", "swap", "swaps", "clearingfee", "exchangefee", "ipfee", "nfafee")
_NOTHING = 1e-9
"""Units that are rounding."""
_LONG = {"long", "buy", "b", "l", "1", "1.0", "+1", "false", "bought"}
_SHORT = {"short", "sell", "s", "-1", "-1.0", "true", "sold"}


def _first(names: Sequence[Hashable], wanted: Sequence[str]) -> str | None:
    return next((name for name in wanted if name in names), None)


def _numbers(cells: pd.Series) -> pd.Series:
    """Numbers of cells such as `1 234.50`, `$12.50`, `($3.00)` and `5 USD`."""
    text = cells.fillna("").astype(str).str.replace("\u00a0", " ").str.replace("\u2212", "-").str.strip()
    text = text.str.replace(r"^\(\s*(.*?)\s*\)$", r"-\1", regex=True)
    text = text.str.replace(r"^([+-]?)\s*[$€£¥]\s*", r"\1", regex=True)
    text = text.str.replace(rf"\s*(?:{_CURRENCIES})$", "", regex=True)
    sign = decimal_sign(text, ".")
    return pd.Series(parse_numbers(text, str(cells.name), sign), index=cells.index)


def _times(cells: pd.Series) -> tuple[pd.Series, list[str]]:
    stamps, notices = parse_timestamps(cells)
    return pd.Series(stamps, index=cells.index), notices


def _sides(cells: pd.Series) -> pd.Series:
    """1 and -1 of words, 0 where a cell is neither."""
    words = cells.fillna("").astype(str).str.strip().str.casefold()
    return words.map(lambda word: 1 if word in _LONG else -1 if word in _SHORT else 0).astype(int)


def _tradingview(frame: pd.DataFrame) -> Found | None:
    """TradingView's list of trades: a row for each entry and each exit, of the same number."""
    kind = frame["type"].fillna("").astype(str).str.casefold() if "type" in frame else None
    if kind is None or not kind.str.fullmatch(r"(entry|exit) (long|short)").any():
        return None
    number = _first(list(frame), ("trade", "tradenumber", "number", "tradeno"))
    when = next((name for name in map(str, frame) if name.startswith("date")), None)
    price = next((name for name in map(str, frame) if name.startswith("price")), None)
    if number is None or when is None or price is None:
        return None
    units, profit = _first(list(frame), _UNITS), _first(list(frame), _PROFITS)
    known = kind.str.fullmatch(r"(entry|exit) (long|short)").fillna(False).astype(bool)
    frame, kind = frame[known], kind[known]
    stamps, notices = _times(frame[when])
    rows = pd.DataFrame({
        "number": frame[number].astype(str), "entry": kind.str.startswith("entry"),
        "side": np.where(kind.str.endswith("long"), 1, -1), "time": stamps, "price": _numbers(frame[price]),
        "units": _numbers(frame[units]) if units else np.nan, "profit": _numbers(frame[profit]) if profit else np.nan,
        "open": frame["signal"].astype(str).str.casefold().eq("open") if "signal" in frame else False,
    })  # fmt: skip
    entries = rows[rows["entry"]].groupby("number").first()
    exits = rows[~rows["entry"] & ~rows["open"]].groupby("number").first()
    both = entries.merge(exits, left_index=True, right_index=True, suffixes=("", "_exit"))
    still = len(entries) - len(both)
    notices += [f"{still} trades are still open and were left out"] if still else []
    return Found(
        pd.DataFrame({
            "side": both["side"], "units": both["units_exit"].fillna(both["units"]), "entered": both["time"],
            "left": both["time_exit"], "entry_price": both["price"], "exit_price": both["price_exit"],
            "profit": both["profit_exit"].fillna(both["profit"]),
        }),
        tuple(notices),
    )  # fmt: skip


def _metatrader(frame: pd.DataFrame) -> Found | None:
    """Closed positions of MetaTrader 4 and 5: two prices, and in 5 two times of one name."""
    names = list(map(str, frame))
    entered, left = ("opentime", "closetime") if "opentime" in names else ("time", "time2")
    units = _first(names, ("size", "volume", "lots"))
    if not {entered, left, "type", "price", "price2", "profit"} <= set(names) or units is None:
        return None
    side = _sides(frame["type"])
    kept = (side != 0) & frame[left].fillna("").astype(str).str.strip().ne("")
    frame, side = frame[kept], side[kept]
    (opened, one), (closed, two) = _times(frame[entered]), _times(frame[left])
    symbol = _first(names, _SYMBOLS)
    return Found(
        pd.DataFrame({
            "side": side, "units": _numbers(frame[units]), "entered": opened, "left": closed,
            "entry_price": _numbers(frame["price"]), "exit_price": _numbers(frame["price2"]),
            "profit": _numbers(frame["profit"]) + _charges(frame),
            **({"symbol": frame[symbol]} if symbol else {}),
        }),
        tuple(dict.fromkeys(one + two)),
    )  # fmt: skip


def _charges(frame: pd.DataFrame) -> pd.Series | float:
    """Commissions, taxes and swaps as MetaTrader books them: what is paid is negative."""
    found: pd.Series | float = 0.0
    for name in _CHARGES:
        if name in frame:
            found = found + _numbers(frame[name]).fillna(0.0)
    return found


def _tester(frame: pd.DataFrame) -> Found | None:
    """MetaTrader 4's strategy tester: events of numbered orders."""
    if not {"time", "type", "order", "size", "price", "profit", "balance"} <= set(frame) or "deal" in frame:
        return None
    kinds = frame["type"].fillna("").astype(str).str.strip().str.casefold()
    kept = kinds.isin(["buy", "sell", "close", "s/l", "t/p", "close at stop"])
    frame, kinds = frame[kept], kinds[kept]
    stamps, notices = _times(frame["time"])
    rows = pd.DataFrame({
        "order": frame["order"].astype(str), "kind": kinds, "time": stamps, "price": _numbers(frame["price"]),
        "units": _numbers(frame["size"]), "profit": _numbers(frame["profit"]),
    })  # fmt: skip
    opens = rows["kind"].isin(["buy", "sell"])
    events = rows[opens].groupby("order").first(), rows[~opens].groupby("order").last()
    both = events[0].merge(events[1], left_index=True, right_index=True, suffixes=("", "_exit"))
    return Found(
        pd.DataFrame({
            "side": _sides(both["kind"]), "units": both["units_exit"], "entered": both["time"],
            "left": both["time_exit"], "entry_price": both["price"], "exit_price": both["price_exit"],
            "profit": both["profit_exit"],
        }),
        tuple(notices),
    )  # fmt: skip


def _deals(frame: pd.DataFrame) -> Found | None:
    """MetaTrader 5's deals: in, out and in/out, matched first in, first out."""
    if not {"time", "deal", "type", "direction", "volume", "price", "profit"} <= set(frame):
        return None
    way = frame["direction"].fillna("").astype(str).str.strip().str.casefold()
    kept = way.isin(["in", "out", "in/out"]) & (_sides(frame["type"]) != 0)
    frame, way = frame[kept], way[kept]
    stamps, notices = _times(frame["time"])
    symbols = frame["symbol"].astype(str) if "symbol" in frame else pd.Series("", index=frame.index)
    charges = _charges(frame)
    costs = charges if isinstance(charges, pd.Series) else pd.Series(charges, index=frame.index)
    deals = [
        _Deal(kind, int(side), time, float(volume), float(price), float(profit), float(cost))
        for kind, side, time, volume, price, profit, cost in zip(
            way, _sides(frame["type"]), stamps, _numbers(frame["volume"]), _numbers(frame["price"]),
            _numbers(frame["profit"]).fillna(0.0), costs.fillna(0.0), strict=True,
        )
    ]  # fmt: skip
    waiting: dict[str, list[_Lot]] = {}
    found = []
    for deal, symbol in zip(deals, symbols, strict=True):
        found += [(*one, symbol) for one in _matched(deal, waiting.setdefault(symbol, []))]
    names = ["side", "units", "entered", "left", "entry_price", "exit_price", "profit", "symbol"]
    return Found(pd.DataFrame(found, columns=names), tuple(notices))


class _Deal(NamedTuple):
    """A fill: "in", "out" or "in/out", 1 for a purchase, and what it booked."""

    kind: str
    side: int
    time: pd.Timestamp
    volume: float
    price: float
    profit: float
    cost: float


@dataclass
class _Lot:
    """What is left of an entry, and what its units paid each."""

    side: int
    volume: float
    time: pd.Timestamp
    price: float
    paid: float


def _matched(deal: _Deal, lots: list[_Lot]) -> list[tuple[object, ...]]:
    """The trades that a deal closes, oldest lots first; what is left of it waits with them, where it opens."""
    found: list[tuple[object, ...]] = []
    held = sum(lot.volume for lot in lots if lot.side == -deal.side)
    closing = 0.0 if deal.kind == "in" else min(held, deal.volume)
    each = deal.cost / deal.volume  # of a unit
    rest = closing
    for lot in [one for one in lots if one.side == -deal.side]:
        part = min(lot.volume, rest)
        if part <= _NOTHING:
            break
        gained = deal.profit * part / closing + (each + lot.paid) * part
        found.append((lot.side, part, lot.time, deal.time, lot.price, deal.price, gained))
        lot.volume, rest = lot.volume - part, rest - part
    lots[:] = [lot for lot in lots if lot.volume > _NOTHING]
    if deal.kind != "out" and deal.volume - closing > _NOTHING:
        lots.append(_Lot(deal.side, deal.volume - closing, deal.time, deal.price, each))
    return found


def _one_row_each(frame: pd.DataFrame) -> Found | None:
    """One row for each trade, with times of entry and exit: NinjaTrader, freqtrade, backtesting.py and most others."""
    names = list(map(str, frame))
    entered, left = _first(names, _ENTERED), _first(names, _LEFT)
    if entered is None or left is None:
        return None
    units, side = _first(names, _UNITS), _first(names, _SIDES)
    size = _numbers(frame[units]) if units else pd.Series(np.nan, index=frame.index)
    sides = _sides(frame[side]) if side else pd.Series(0, index=frame.index)
    if (sides == 0).all() and units is not None:
        sides = np.sign(size).fillna(0).astype(int)
    if (sides == 0).any():
        row = int((sides == 0).to_numpy().argmax())
        said = "" if side is None else f" ({frame[side].iloc[row]!r:.40})"
        raise DataError(
            f"trade {row + 1} does not say whether it is long or short{said}; give a column side with long or short, "
            "or a size that is negative for short"
        )
    closed = frame[left].fillna("").astype(str).str.strip().str.casefold()
    kept = ~closed.isin(["", "none", "nan", "nat", "-", "null"])
    if not kept.any():
        raise DataError(f"the list holds no closed trade; {NO_TRADE}")
    (opened, one), (ended, two) = _times(frame[entered][kept]), _times(frame[left][kept])
    notices = list(dict.fromkeys(one + two))
    if not kept.all():
        notices.append(f"{int((~kept).sum())} trades are still open and were left out")
    columns = {"side": sides, "units": size.abs()}
    for name, wanted in (("entry_price", _ENTRY_PRICES), ("exit_price", _EXIT_PRICES), ("profit", _PROFITS)):
        column = _first(names, wanted)
        columns[name] = _numbers(frame[column]) if column else pd.Series(np.nan, index=frame.index)
    symbol = _first(names, _SYMBOLS)
    more = {"symbol": frame[symbol][kept]} if symbol else {}
    return Found(
        pd.DataFrame(
            {name: values[kept] for name, values in columns.items()} | {"entered": opened, "left": ended} | more
        ),
        tuple(notices),
    )


READERS: tuple[tuple[str, Callable[[pd.DataFrame], Found | None]], ...] = (
    ("TradingView", _tradingview),
    ("MetaTrader deals", _deals),
    ("MetaTrader tester", _tester),
    ("MetaTrader", _metatrader),
    ("trades", _one_row_each),
)
"""Exports by the form of their tables, the most telling first."""
_FORMS = {"marketpos": "NinjaTrader", "entrybar": "backtesting.py", "openrate": "freqtrade"}
KNOWN = (
    "TradingView, MetaTrader 4 and 5, NinjaTrader, freqtrade, backtesting.py, or columns such as entry_time, "
    "exit_time, side, entry_price, exit_price, size and profit"
)


def read_trade_table(tables: Sequence[Table]) -> tuple[Found, str]:
    """The trades in the first table that holds some, and whose export it is.

    Raises:
        DataError: no table holds trades, or a cell of one cannot be read.
    """
    seen: list[str] = []
    for form, reader in READERS:
        for table in tables:
            frame = table.frame()
            found = reader(frame)
            if found is not None:
                return found, next((name for column, name in _FORMS.items() if column in frame), form)
            seen = seen or list(table.names)
    columns = f" (its columns are {', '.join(seen)[:160]})" if seen else ""
    raise DataError(f"holds no list of trades in a known form{columns}; give a list of trades of {KNOWN}")


def is_trade_header(cells: Sequence[str]) -> bool:
    """Whether a row names the columns of a table of trades."""
    names = {_bare(cell) for cell in cells}
    times = any(name.startswith("date") or name in ("time", *_ENTERED, *_LEFT) for name in names)
    return times and len(names & _NAMES) >= 2 and len(cells) >= 3


_NAMES = {
    "type", "trade", "tradenumber", "price", "deal", "order", "direction",
    *_ENTERED, *_LEFT, *_SIDES, *_UNITS, *_ENTRY_PRICES, *_EXIT_PRICES, *_PROFITS,
}  # fmt: skip
