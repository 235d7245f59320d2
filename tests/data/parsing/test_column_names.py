"""Which column means what, by name."""

from __future__ import annotations

import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data.parsing.column_names import (
    CLOCK_NAMES,
    NAMES,
    PRICES,
    SYMBOL_NAMES,
    TIME_NAMES,
    are_currencies,
    candidates,
    check_unique,
    choose_symbol,
    fields_of,
    is_header,
    missing_column,
    needed,
    one_ticker,
    plain,
    recognised,
)

HEADERS = {
    "Yahoo": "Date,Open,High,Low,Close,Adj Close,Volume",
    "Binance": "open_time,open,high,low,close,volume,close_time,quote_asset_volume,number_of_trades",
    "MetaTrader": "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>,<VOL>,<SPREAD>",
    "Alpha Vantage": "timestamp,1. open,2. high,3. low,4. close,5. volume",
    "akshare": "日期,开盘,收盘,最高,最低,成交量,成交额,振幅",
    "NetEase": "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,成交量,成交金额",
    "Taiwan": "日期,開盤,最高,最低,收盤,成交量",
    "Japanese": "日付,始値,高値,安値,終値,出来高",
    "Korean": "날짜,시가,고가,저가,종가,거래량",
    "German": "Datum,Eröffnung,Hoch,Tief,Schlusskurs,Volumen",
    "Ariva": "Datum,Erster,Hoch,Tief,Schlusskurs,Stuecke,Volumen",
    "Spanish": "Fecha,Apertura,Máximo,Mínimo,Cierre,Volumen",
    "Spanish, newest first": "Fecha,Último,Apertura,Máximo,Mínimo,Vol.,% var.",
    "Italian": "Data,Ultimo,Apertura,Massimo,Minimo,Vol.",
    "French": "Date,Ouverture,Plus haut,Plus bas,Clôture,Volume",
    "Portuguese": "Data,Fechamento,Abertura,Máxima,Mínima,Vol.",
    "Polish": "Data,Otwarcie,Najwyższy,Najniższy,Zamknięcie,Wolumen",
    "Russian": "Дата,Цена,Откр.,Макс.,Мин.,Объём",
    "Investing": "Date,Price,Open,High,Low,Vol.,Change %",
    "Nasdaq": "Date,Close/Last,Volume,Open,High,Low",
}


@pytest.mark.parametrize("vendor", HEADERS)
def test_headers_are_recognised(vendor: str) -> None:
    """The header of each vendor or language gives time, the four prices and a volume, each from its own column."""
    cells = HEADERS[vendor].split(",")
    assert is_header(cells)
    assert candidates(cells, TIME_NAMES)
    found = fields_of(cells)
    first = [found[field][0] for field in (*PRICES, "volume")]
    assert len(set(first)) == 5


def test_one_name_means_one_thing() -> None:
    """No name stands for two fields, and all are written as `plain` gives them."""
    names = [name for field in NAMES.values() for name in field]
    assert len(names) == len(set(names))
    assert not set(names) & {*TIME_NAMES, *SYMBOL_NAMES}
    for name in (*names, *TIME_NAMES, *CLOCK_NAMES, *SYMBOL_NAMES):
        assert plain(name) == name


def test_plain() -> None:
    """Case, accents, spaces and punctuation do not matter; letters of other scripts do."""
    assert plain("<TICKVOL>") == plain("Tick Vol") == plain("tick_vol") == "tickvol"
    assert plain("Máximo") == "maximo"
    assert plain("开盘") == "开盘"
    assert plain("종가") == "종가"


def test_volume_of_a_pair() -> None:
    """Two volumes of a pair are units and money; a single volume of something is not guessed at."""
    cells = ["unix", "date", "symbol", "open", "high", "low", "close", "Volume BTC", "Volume USDT"]
    found = fields_of(cells)
    assert (found["volume"], found["amount"]) == (["Volume BTC"], ["Volume USDT"])
    assert fields_of(["open", "Volume_(BTC)", "Volume_(Currency)"])["amount"] == ["Volume_(Currency)"]
    assert fields_of(cells[:-1])["volume"] == []
    assert fields_of([*cells, "volume"])["volume"] == ["volume"]


@pytest.mark.parametrize("twice", ["close", "Close", "<CLOSE>", "date"])
def test_no_column_twice(twice: str) -> None:
    """Two columns of one known name are refused, by name and number; two of an unknown name are not."""
    with pytest.raises(DataError, match=r"stands 2 times in the table; keep one"):
        check_unique(["date", "open", "high", "low", "close", twice])
    check_unique(["date", "open", "high", "low", "close", "note", "note", "", ""])


def test_missing_columns_are_all_named() -> None:
    """The error names each missing price, the columns there are, and a similar one."""
    text = str(missing_column(["date", "Opne", "high", "close"]))
    assert text.startswith("no columns 'open', 'low' among 'date', 'Opne', 'high', 'close'; ")
    assert "did you mean 'Opne'?" in text
    assert "'low'" in str(missing_column(["open", "high", "close"]))


def test_long_names_do_not_flood_the_error() -> None:
    """However long or many the names, the error stays short enough to read."""
    assert len(str(missing_column(["x" * 10_000] * 100))) < 700


def test_recognised_counts_time_and_fields() -> None:
    """How much of a row names columns is what tells encodings apart."""
    assert recognised(["Date", "Open", "High", "Low", "Close", "Volume", "nonsense"]) == 6
    assert recognised(["2024-01-01", "1.0", "2.0"]) == 0


def test_fields_of_one_ticker() -> None:
    """A table of several tickers is cut down to the one asked for, whichever header row names tickers."""
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=pd.MultiIndex.from_product([["Close", "Open"], ["KO", "PEP"]]))
    for table in (frame, frame.swaplevel(axis=1)):
        one, ticker = one_ticker(table, "PEP")
        assert ticker == "PEP"
        assert one.iloc[0].to_dict() == {"Close": 2, "Open": 4}
        with pytest.raises(DataError, match=r"2 symbols in one file .*append #SYMBOL to the path"):
            one_ticker(table, None)


def test_symbols() -> None:
    """A symbol that is not there is answered with a similar one, or with those there are."""
    assert choose_symbol(["KO"], None) == "KO"
    assert choose_symbol([], None) is None
    with pytest.raises(DataError, match="did you mean 'BTCUSDT'"):
        choose_symbol(["BTCUSDT", "KO"], "BTCUSD")
    with pytest.raises(DataError, match="it holds BTCUSDT, KO"):
        choose_symbol(["BTCUSDT", "KO"], "XYZ")


@pytest.mark.parametrize(
    "symbol",
    ["EURUSD", "EUR/USD", "EUR_USD", "eurusd", "EURUSD=X", "DAT_ASCII_EURUSD_M1", "XAUUSD", "GBPJPY-1h", "C:EURUSD"],
)
def test_currencies(symbol: str) -> None:
    """Pairs of currencies are known in the forms in which brokers and vendors write them."""
    assert are_currencies(symbol)


@pytest.mark.parametrize(
    "symbol", ["KO", "BTCUSD", "BTCUSDT", "USDUSD", "NZDX", "EURUSDT", "prices", "AUDCOIN", "FIDEURUSDX"]
)
def test_what_is_no_pair_of_currencies(symbol: str) -> None:
    """Shares, coins and words that contain a currency are none."""
    assert not are_currencies(symbol)


def test_columns_that_are_needed() -> None:
    """Time stamps, symbols and fields are needed; all, where a price is missing, so that an error can name them."""
    names = ["id", "Date", "Time", "Open", "High", "Low", "Close", "Vol", "Volume BTC", "Up", "Down", "ticker", "rsi"]
    assert needed(names) == ["Date", "Time", "Open", "High", "Low", "Close", "Vol", "Up", "Down", "ticker"]
    assert needed([*names[:3], *names[4:]]) == [*names[:3], *names[4:]]
    assert needed(["Date", *names[3:7], "Volume BTC", "Volume USDT"])[-2:] == ["Volume BTC", "Volume USDT"]
