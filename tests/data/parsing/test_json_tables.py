"""JSON as exchanges and vendors answer it: each form gives the same bars, and every other answer is one line."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import DataError
from stresslab.data.bars import Bars
from stresslab.data.parsing.json_tables import read_json
from tests.make.bars import make_bars

BARS = make_bars(60, freq="h")
SECONDS = (BARS.timestamps.as_unit("s").asi8).tolist()
O, H, L, C, V, A = BARS.values.T.tolist()  # noqa: E741
T = SECONDS
MS = [1000 * stamp for stamp in T]


def rows(*columns: list[Any]) -> list[list[Any]]:
    """Columns as rows."""
    return [list(row) for row in zip(*columns, strict=True)]


def texts(*columns: list[Any]) -> list[list[str]]:
    """Columns as rows of texts."""
    return [[str(cell) for cell in row] for row in zip(*columns, strict=True)]


def objects(**columns: list[Any]) -> list[dict[str, Any]]:
    """Columns as rows of objects."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def load(document: Any) -> Bars:
    """The bars of a document."""
    table = read_json(document if isinstance(document, bytes) else json.dumps(document).encode())
    return Bars.from_frame(table.frame, table.symbol or "bars", notices=table.notices)


def saved(orient: Any) -> Any:
    """The bars as pandas writes them."""
    frame = BARS.frame[["open", "high", "low", "close", "volume"]]
    return json.loads(frame.to_json(orient=orient, double_precision=15, date_format="iso"))


ONE = [1] * len(BARS)
CLOCK = BARS.timestamps.strftime("%Y-%m-%d %H:%M:%S").tolist()
WITH_AMOUNT = {
    "Binance": texts(MS, O, H, L, C, V, MS, A, ONE, V, A, [0] * len(BARS)),
    "Bybit": {"retCode": 0, "retMsg": "OK", "result": {"category": "spot", "symbol": "BTCUSDT",
              "list": texts(MS, O, H, L, C, V, A)[::-1]}, "time": 1},
    "OKX, a swap": {"code": "0", "msg": "", "data": texts(MS, O, H, L, C, ONE, V, A, ONE)[::-1]},
    "OKX, spot": {"code": "0", "msg": "", "data": texts(MS, O, H, L, C, V, A, A, ONE)[::-1]},
    "KuCoin": {"code": "200000", "data": texts(T, O, C, H, L, V, A)[::-1]},
    "Gate.io": texts(T, A, C, H, L, O, V, ["true"] * len(BARS)),
    "HTX": {"status": "ok", "data": objects(id=T, open=O, close=C, low=L, high=H, amount=V, vol=A, count=ONE)[::-1]},
}  # fmt: skip
WITHOUT = {
    "ccxt, freqtrade": rows(MS, O, H, L, C, V),
    "Coinbase Exchange": rows(T, L, H, O, C, V)[::-1],
    "Coinbase Advanced": {"candles": objects(start=list(map(str, T)), low=L, high=H, open=O, close=C, volume=V)[::-1]},
    "Kraken": {"error": [], "result": {"XXBTZUSD": [[t, *map(str, row), 5] for t, *row in rows(T, O, H, L, C, C, V)],
               "last": T[-1]}},
    "Bitfinex": rows(MS, O, C, H, L, V)[::-1],
    "Bitstamp": {"data": {"pair": "BTC/USD", "ohlc": objects(timestamp=list(map(str, T)), open=O, high=H, low=L,
                 close=C, volume=V)}},
    "Deribit": {"jsonrpc": "2.0", "result": {"ticks": MS, "open": O, "high": H, "low": L, "close": C, "volume": V,
                "status": "ok"}},
    "Polygon": {"ticker": "KO", "resultsCount": 60, "adjusted": True, "status": "OK",
                "results": objects(v=V, vw=C, o=O, c=C, h=H, l=L, t=MS, n=ONE)},
    "Alpaca": {"bars": objects(t=BARS.timestamps.strftime("%Y-%m-%dT%H:%M:%SZ").tolist(), o=O, h=H, l=L, c=C, v=V),
               "symbol": "KO", "next_page_token": None},
    "Alpha Vantage": {"Meta Data": {"2. Symbol": "KO"}, "Time Series (60min)": {
        clock: dict(zip(("1. open", "2. high", "3. low", "4. close", "5. volume"), map(str, row), strict=True))
        for clock, *row in reversed(rows(CLOCK, O, H, L, C, V))}},
    "Twelve Data": {"meta": {"symbol": "KO", "interval": "1h"}, "values": objects(datetime=CLOCK, open=O, high=H, low=L,
                    close=C, volume=V)[::-1], "status": "ok"},
    "Yahoo": {"chart": {"result": [{"meta": {"symbol": "KO"}, "timestamp": T, "indicators": {
        "quote": [{"open": O, "high": H, "low": L, "close": C, "volume": V}]}}], "error": None}},
    "UDF": {"s": "ok", "t": T, "o": O, "h": H, "l": L, "c": C, "v": V},
    "Oanda": {"instrument": "EUR_USD", "granularity": "H1", "candles": [
        {"complete": True, "volume": v, "time": clock, "mid": {"o": str(o), "h": str(h), "l": str(low), "c": str(c)}}
        for clock, o, h, low, c, v in rows(CLOCK, O, H, L, C, V)]},
    "records": objects(timestamp=CLOCK, open=O, high=H, low=L, close=C, volume=V),
    "lines": "\n".join(map(json.dumps, objects(timestamp=CLOCK, open=O, high=H, low=L, close=C, volume=V))).encode(),
    "orient=list": {"timestamp": CLOCK, "open": O, "high": H, "low": L, "close": C, "volume": V},
    "orient=split": saved("split"),
    "orient=columns": saved("columns"),
    "orient=index": saved("index"),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_AMOUNT)
def test_answers_with_amounts(name: str) -> None:
    """Units and money stand where each exchange writes them."""
    bars = load(WITH_AMOUNT[name])
    assert bars.timestamps.equals(BARS.timestamps)
    assert np.allclose(bars.values, BARS.values, rtol=1e-14)
    assert not any("no amount" in notice for notice in bars.notices)


@pytest.mark.parametrize("name", WITHOUT)
def test_answers_without_amounts(name: str) -> None:
    """Prices and volume are equal, whatever the order of columns and rows."""
    bars = load(WITHOUT[name])
    assert bars.timestamps.equals(BARS.timestamps)
    assert np.allclose(bars.values[:, :5], BARS.values[:, :5], rtol=1e-13)


def test_orders_are_said_and_symbols_known() -> None:
    """Which order was taken is said; an answer's own symbol names the series."""
    (notice,) = [one for one in load(WITHOUT["Coinbase Exchange"]).notices if "no names" in one]
    assert notice == ("no names: columns taken as timestamp, low, high, open, close, volume, in the order of Coinbase")
    names = {"Polygon": "KO", "Alpaca": "KO", "Twelve Data": "KO", "Yahoo": "KO", "Bitstamp": "BTC/USD"}
    assert {name: load(WITHOUT[name]).symbol for name in names} == names
    assert load(WITH_AMOUNT["Bybit"]).symbol == "BTCUSDT"


def test_bars_that_are_not_finished() -> None:
    """The last bar is left out where the exchange says that it is not over."""
    okx = {"code": "0", "data": texts(MS, O, H, L, C, V, A, A, [*ONE[:-1], 0])[::-1]}
    kraken = json.loads(json.dumps(WITHOUT["Kraken"]))
    kraken["result"]["last"] = T[-2]
    for document in (okx, kraken):
        bars = load(document)
        assert bars.timestamps.equals(BARS.timestamps[:-1])
        assert "1 bar is not finished, as the exchange says, and left out" in bars.notices
    with pytest.raises(DataError, match="no bar is finished"):
        load({"code": "0", "data": texts(MS, O, H, L, C, V, A, A, [0] * len(BARS))})


def test_several_symbols() -> None:
    """Answers for several symbols are one long table."""
    records = objects(t=CLOCK, o=O, h=H, l=L, c=C, v=V)
    for document in (
        {"bars": {"KO": records, "PEP": records}},
        {"KO": {"t": T, "o": O, "h": H, "l": L, "c": C}, "PEP": {"t": T, "o": O, "h": H, "l": L, "c": C}},
    ):
        table = read_json(json.dumps(document).encode())
        assert table.frame["symbol"].value_counts().to_dict() == {"KO": 60, "PEP": 60}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"code": -1121, "msg": "Invalid symbol."}, "is an answer without bars, which says 'Invalid symbol.'; ask"),
        ({"error": ["EQuery:Unknown asset pair"]}, "which says 'EQuery:Unknown asset pair'"),
        ({"retCode": 10001, "retMsg": "Not supported symbols", "result": {}}, "which says 'Not supported symbols'"),
        ({"Information": "rate limit\nreached"}, r"which says 'rate limit\nreached'"),
        ({"a": 1, "b": [1, 2]}, "is JSON without a table of bars (it holds 'a', 'b'); write"),
        ([], "is JSON without a table of bars; write one object or list per bar"),
        ([1, 2, 3], "is JSON without a table of bars; write"),
        ([[1, 5.0, 4.0, 6.0, 5.0, 1]] * 9, "is JSON with rows of 6 values without names, in no order that is known"),
        ([[1, 5.0, 4.0, 6.0, 5.0, 1, 1, 1, 1, 1]] * 9, "(none); write them with names"),
        (b'{"open": [1, 2', "is damaged or cut off JSON ("),
        (b"[" * 100_000, "is JSON of too many levels"),
        (b"[" + b"9" * 5000 + b"]", "is damaged or cut off JSON (Exceeds the limit"),
        (b'{"open": "\xff\xfe"}', "is no JSON in UTF-8"),
        ({"open": [1, 2], "high": [1], "low": [1, 2], "close": [1, 2]}, "with lists of prices of different lengths"),
        ({"columns": ["open", "high", "low", "close"], "data": [[1, 2], [1, 2, 3, 4, 5]]}, "do not all have 4 values"),
        ({"a": [{"o": 1, "h": 1, "l": 1, "c": 1}], "b": {"a": [{"o": 1, "h": 1, "l": 1, "c": 1}]}}, "2 unnamed tables"),
    ],
)  # fmt: skip
def test_what_holds_no_bars(document: Any, words: str) -> None:
    """Answers of errors, other documents and damaged ones are refused in one line that says what they are."""
    with pytest.raises(DataError) as caught:
        load(document)
    assert str(caught.value).isprintable()
    assert words in str(caught.value)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_answers_never_crash(data: st.DataObject) -> None:
    """Whatever is cut out of or put into an answer, it gives sound bars or is refused in one printable line."""
    document = data.draw(st.sampled_from([*WITH_AMOUNT.values(), *WITHOUT.values()]))
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    for _ in range(data.draw(st.integers(1, 3))):
        end = data.draw(st.sampled_from([150, len(content)]))
        place = data.draw(st.integers(0, end))
        put = data.draw(
            st.sampled_from([b"", b"null", b'"x"', b"[]", b"{}", b"-1", b"1e999", b",", b"true", b"9" * 30])
        )
        content = content[:place] + put + content[place + data.draw(st.integers(0, 12)) :]
    try:
        bars = load(content)
    except DataError as error:
        line = str(error)
    else:
        line = repr(bars)
        assert (bars.values[:, :4] > 0).all()
    assert line.isprintable()
