"""Which column of a table means what: the names that exchanges, brokers and vendors give to the fields of a bar.

Names only; `numbers` and `timestamps` read the cells.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import did_you_mean, nearest

FIELDS = ("open", "high", "low", "close", "volume", "amount")
OPEN, HIGH, LOW, CLOSE, VOLUME, AMOUNT = range(len(FIELDS))
"""Where each stands in an array's last axis."""
"""The six fields of a bar, in the order of every array in stresslab."""
PRICES = FIELDS[:4]
ADJUSTED = "adj_close"

_NAMES: dict[str, tuple[str, ...]] = {
    "open": (
        "open", "o", "open price", "price open", "1. open", "开盘", "开盘价", "今开", "開盤", "開盤價", "始値", "시가",
        "Eröffnung", "Eröffnungskurs", "Eröffn.", "Erster", "Apertura", "Ouverture", "Ouv.", "Abertura", "Otwarcie",
        "Откр.", "Открытие",
    ),
    "high": (
        "high", "h", "max", "high price", "price high", "2. high", "最高", "最高价", "最高價", "高値", "고가",
        "Hoch", "Höchst", "Höchstkurs", "Tageshoch", "Máximo", "Máxima", "Massimo", "Plus haut", "Najwyższy", "Макс.",
        "Максимум",
    ),
    "low": (
        "low", "l", "min", "low price", "price low", "3. low", "最低", "最低价", "最低價", "安値", "저가",
        "Tief", "Tiefst", "Tiefstkurs", "Tagestief", "Mínimo", "Mínima", "Minimo", "Plus bas", "Najniższy", "Мин.",
        "Минимум",
    ),
    "close": (
        "close", "c", "close price", "price close", "close/last", "4. close", "price", "收盘", "收盘价", "收盤",
        "收盤價", "終値", "종가", "Schluss", "Schlusskurs", "Zuletzt", "Letzter", "Cierre", "Último", "Clôture",
        "Dernier", "Chiusura", "Ultimo", "Fechamento", "Zamknięcie", "Цена", "Закрытие",
    ),
    ADJUSTED: ("adj close", "adjusted close", "close adj", "close adjusted", "5. adjusted close", "Cierre ajustado"),
    "volume": (
        "volume", "v", "vol", "real volume", "base volume", "5. volume", "6. volume", "成交量", "出来高", "거래량",
        "Stücke", "Stuecke", "Volumen", "Wolumen", "Объем", "tick volume", "tick vol",
    ),
    "amount": (
        "amount", "amt", "quote asset volume", "quote volume", "turnover value", "money", "成交额", "成交金额",
        "成交金額",
    ),
}  # fmt: skip
_TIMES = (
    "timestamp", "timestamps", "datetime", "open time", "日期时间", "时间戳", "date", "trade date", "日期", "交易日期",
    "日付", "日付け", "날짜", "Datum", "Fecha", "Data", "Дата", "time", "trade time", "时间", "交易时间", "gmt time",
    "local time", "utc time", "unix", "unix timestamp", "epoch", "window start", "t", "day", "Tag",
    "Unnamed: 0", "index", "",
)  # fmt: skip
_CLOCKS = (
    "time",
    "trade time",
    "时间",
    "交易时间",
    "clock",
    "Uhrzeit",
    "Zeit",
    "Hora",
    "Heure",
    "Ora",
    "時刻",
    "Время",
)


def plain(name: object) -> str:
    """A column's name without case, accents, spaces and punctuation: `<TICKVOL>` and `Tick Vol` are `tickvol`."""
    letters = unicodedata.normalize("NFKD", str(name).replace("ł", "l"))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", bare)).casefold()


NAMES = {field: tuple(dict.fromkeys(map(plain, names))) for field, names in _NAMES.items()}
"""Names of each field as `plain` gives them, most telling first."""
_ENGLISH = re.compile(r"\d?(price)?(open|high|low|close|last|max|min|o|h|l|c)?(price|last)?")
EUROPEAN = {
    name
    for field in PRICES
    for name in NAMES[field]
    if not _ENGLISH.fullmatch(name) and all(ord(letter) < 0x2E80 for letter in name)
}
"""Names of prices in languages that write 1.234,5."""
TIME_NAMES = tuple(dict.fromkeys(map(plain, _TIMES)))
CLOCK_NAMES = tuple(dict.fromkeys(map(plain, _CLOCKS)))
_CURRENCIES = (
    "USD EUR GBP JPY CHF AUD NZD CAD SEK NOK DKK PLN CZK HUF TRY ZAR MXN SGD HKD CNH CNY INR KRW BRL ILS THB XAU XAG"
)
_CURRENCY = f"(?:{'|'.join(_CURRENCIES.split())})"
_PAIR = re.compile(rf"(?<![A-Z0-9])({_CURRENCY})[/ .-]?(?!\1)({_CURRENCY})(?![A-Z])")
"""Two currencies, or a metal and one, that are traded against each other."""
SYMBOL_NAMES = ("symbol", "ticker", "code", "tscode", "instrument", "股票代码", "代码", "pair")


def candidates(columns: Iterable[object], names: Sequence[str]) -> list[object]:
    """The columns that go by one of the names, in the order of the names."""
    by_name: dict[str, object] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    return [by_name[name] for name in names if name in by_name]


def fields_of(columns: Iterable[object]) -> dict[str, list[object]]:
    """The columns that may hold each field, most telling first; empty where there are none.

    Two columns such as `Volume BTC` and `Volume USDT`, without a plain volume, count units and money.
    """
    columns = list(columns)
    found = {field: candidates(columns, names) for field, names in NAMES.items()}
    pair = [column for column in columns if re.fullmatch(r"volume[\s_]*\W?\s*\w{2,10}\W?", str(column).strip(), re.I)]
    if not found["volume"] and len(pair) == 2:
        found["volume"], found["amount"] = pair[:1], found["amount"] or pair[1:]
    return found


def needed(names: Sequence[str]) -> list[str]:
    """Those of a table's columns that bars are made of; all where a price is missing, for the error to name them."""
    fields = fields_of(names)
    known = candidates(names, (*TIME_NAMES, *CLOCK_NAMES, *SYMBOL_NAMES))
    wanted = [*known, *(column for options in fields.values() for column in options), *up_and_down(names)]
    return [name for name in names if name in wanted] if all(fields[price] for price in PRICES) else list(names)


def up_and_down(columns: Iterable[object]) -> list[object]:
    """The columns in which TradeStation counts what was traded at rising and at falling prices; both or none."""
    pair = candidates(columns, ("up", "down"))
    return pair if len(pair) == 2 else []


def are_currencies(symbol: str) -> bool:
    """Whether a symbol names a pair of currencies: EURUSD, EUR/USD, GBPJPY=X, DAT_ASCII_EURUSD_M1."""
    return _PAIR.search(symbol.upper().replace("_", " ")) is not None


def check_unique(columns: Iterable[object]) -> None:
    """Refuse a table in which two columns go by the same known name."""
    known = {*TIME_NAMES, *SYMBOL_NAMES, *(name for names in NAMES.values() for name in names)} - {""}
    columns = list(columns)
    counts = Counter(plain(column) for column in columns)
    for column in columns:
        name = plain(column)
        if counts[name] > 1 and name in known:
            raise DataError(f"column {str(column)[:30]!r} stands {counts[name]} times in the table; keep one of them")


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row of cells names columns: at least two of the four prices."""
    return sum(bool(candidates(cells, NAMES[field])) for field in PRICES) >= 2


def recognised(cells: Sequence[str]) -> int:
    """How many of time and fields a row of cells names."""
    return sum(bool(candidates(cells, names)) for names in (TIME_NAMES[:-1], *NAMES.values()))


def missing_column(columns: Sequence[object]) -> DataError:
    """The error that says which prices have no column, which columns there are, and which may have been meant."""
    seen = ", ".join(f"{str(column)[:30]!r}" for column in columns[:12]) + (", ..." if len(columns) > 12 else "")
    absent = [field for field in PRICES if not candidates(columns, NAMES[field])]
    by_name = {plain(column): str(column) for column in columns}
    taken = {plain(column) for names in NAMES.values() for column in candidates(columns, names)}
    close = nearest(absent[0], [name for name in by_name if name not in taken])
    hint = f"did you mean {by_name[close][:30]!r}? Rename it to {absent[0]!r}" if close else "name the columns so"
    which = f"column{'s' if len(absent) > 1 else ''} {', '.join(map(repr, absent))}"
    return DataError(f"no {which} among {seen or 'no columns at all'}; open, high, low, close are needed: {hint}")


def one_ticker(frame: pd.DataFrame, symbol: str | None) -> tuple[pd.DataFrame, str | None]:
    """A table with two-row headers (field and ticker, as yfinance returns) cut down to the fields of one ticker.

    Args:
        frame: columns are a MultiIndex of two levels, fields on one of them.
        symbol: the ticker to take; may be None when there is only one.

    Returns:
        The table with plain columns, and the ticker.
    """
    levels = [sum(plain(value) in NAMES["close"] for value in frame.columns.get_level_values(k)) for k in (0, 1)]
    other = 1 if levels[0] else 0
    tickers = [str(ticker) for ticker in dict.fromkeys(frame.columns.get_level_values(other)) if str(ticker)]
    chosen = choose_symbol(tickers, symbol)
    if chosen is None:
        raise missing_column([" ".join(map(str, column)) for column in frame.columns])
    one = frame.loc[:, frame.columns.get_level_values(other).astype(str) == chosen]
    return one.set_axis(one.columns.get_level_values(1 - other), axis=1), chosen


def choose_symbol(symbols: Sequence[str], symbol: str | None) -> str | None:
    """The one symbol of a table, or the one asked for."""
    if symbol is not None and symbol not in symbols:
        hint = did_you_mean(symbol, symbols, f"it holds {_listed(symbols) or 'none by name'}")
        raise DataError(f"symbol {symbol!r} is not in the file{hint}")
    if symbol is None and len(symbols) > 1:
        raise DataError(
            f"{len(symbols)} symbols in one file ({_listed(symbols)}); bars are of one symbol: "
            f"append #SYMBOL to the path, for example #{symbols[0]}"
        )
    return symbol if symbol is not None else (symbols[0] if symbols else None)


def _listed(symbols: Sequence[str]) -> str:
    return ", ".join(symbols[:5]) + (", ..." if len(symbols) > 5 else "")
