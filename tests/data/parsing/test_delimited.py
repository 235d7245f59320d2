"""Tables in text: encoding, delimiter, decimal sign, and where the header is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import Bars
from stresslab.data.parsing import delimited
from stresslab.data.parsing.delimited import read_text
from tests.data.tables import HEADERS, same, table, text
from tests.make.bars import make_bars

BARS = make_bars(40)


def _bars(data: bytes | str, symbol: str | None = None) -> Bars:
    frame, _, decimal, _ = read_text(data.encode() if isinstance(data, str) else data, symbol)
    return Bars.from_frame(frame, decimal=decimal)


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("English", "utf-8"), ("Chinese", "utf-8"), ("Chinese", "utf-8-sig"), ("Chinese", "gbk"), ("Chinese", "utf-16"),
        ("Chinese", "utf-32"), ("Japanese", "shift_jis"), ("German", "latin-1"), ("German", "cp1252"),
        ("Spanish", "latin-1"), ("French", "latin-1"), ("French", "utf-16"),
    ],
)  # fmt: skip
def test_encodings(language: str, encoding: str) -> None:
    """Each language's header is understood in the encodings in which its programs write it."""
    assert same(_bars(text(table(BARS, HEADERS[language])).encode(encoding)), BARS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_delimiters_and_decimals(delimiter: str, decimal: str) -> None:
    """Any delimiter goes with any decimal sign; decimal commas between commas stand in quotation marks."""
    frame = table(BARS)
    assert same(_bars(text(frame, delimiter, decimal, list(frame.columns[1:]))), BARS)


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_line_ends(ending: str) -> None:
    """Lines may end as on Windows, on an old Mac, or on Unix."""
    assert same(_bars(text(table(BARS)).replace("\n", ending)), BARS)


def test_what_stands_around_a_table() -> None:
    """A title above the header, empty lines, and a delimiter at the end of each line do not matter."""
    plain = text(table(BARS))
    for data in (
        "https://example.org\n" + plain,
        "Symbol: X\nMade by hand\n\n" + plain,
        plain.replace("\n", "\n\n"),
        plain.replace("\n", ",\n"),
        plain.split("\n", 1)[0] + "\n" + plain.split("\n", 1)[1].replace("\n", ",\n"),
        plain.replace("\n", "\n ").rstrip(" "),
    ):
        assert same(_bars(data), BARS)


def test_thousands() -> None:
    """Prices written with thousands and two decimals are the prices, in English, German, Swiss and French."""
    frame = table(BARS)
    prices = pd.DataFrame(BARS.values, columns=frame.columns[1:])
    for group, decimal, delimiter in ((",", ".", ","), (".", ",", ";"), ("'", ".", ";"), ("\u202f", ",", ";")):
        written = frame.copy()
        for name in prices:
            cells = prices[name].map(lambda value: f"{100 * value:,.2f}")
            written[name] = cells.map(
                lambda cell, group=group, decimal=decimal: (
                    cell.replace(",", "#").replace(".", decimal).replace("#", group)
                )
            )
        found = _bars(written.to_csv(sep=delimiter, index=False))
        assert abs(found.values - 100 * BARS.values).max() <= 0.005


def test_klines_without_a_header() -> None:
    """The twelve columns of Binance's archives are known by their order: amount and close time too."""
    start = BARS.timestamps.as_unit("ms").asi8
    frame = pd.DataFrame(BARS.values, columns=["o", "h", "l", "c", "v", "a"])
    rows = pd.DataFrame({"t": start, **frame[["o", "h", "l", "c", "v"]], "ct": start + 1, "a": frame["a"]})
    rows = rows.assign(n=0, b=0, q=0, i=0)
    frame, ticker, _, notices = read_text(rows.to_csv(header=False, index=False).encode(), None)
    assert same(Bars.from_frame(frame), BARS)
    assert ticker is None
    assert notices == ("no header: columns taken as open_time, open, high, low, close, volume, close_time",)


def test_terminal_without_a_header() -> None:
    """A date, a time, four prices and a volume, as MetaTrader 4 writes them, need no header."""
    bars = make_bars(60, freq="h")
    frame = table(bars, form="%Y.%m.%d")
    frame.insert(1, "time", bars.timestamps.strftime("%H:%M"))
    plain = frame.drop(columns="amount").to_csv(header=False, index=False)
    for data in (plain, "\n \n" + plain):
        found = _bars(data)
        assert found.timestamps.equals(bars.timestamps)
        assert (found.values[:, :5] == bars.values[:, :5]).all()


def test_wrong_order_without_a_header() -> None:
    """Columns without a header in another order than open, high, low, close are refused, not mixed up."""
    frame = table(BARS)[["date", "close", "low", "high", "open", "volume"]]
    with pytest.raises(DataError, match=r"no header, and \d+% of the rows do not fit .*; write a header line"):
        read_text(frame.to_csv(header=False, index=False).encode(), None)
    wide = table(BARS).assign(x="1", y="2")
    with pytest.raises(DataError, match="9 columns are not an order that is known here"):
        read_text(wide.to_csv(header=False, index=False).encode(), None)


def test_three_rows_of_header() -> None:
    """The header of yfinance, with fields, tickers and the name of the index, gives the ticker and its bars."""
    frame = table(BARS)[["date", "close", "high", "low", "open", "volume", "amount"]]
    names = "Price,Close,High,Low,Open,Volume,Amount\nTicker" + ",KO" * 6 + "\nDate,,,,,,\n"
    found, ticker, _, _ = read_text((names + frame.to_csv(header=False, index=False)).encode(), None)
    assert ticker == "KO"
    assert same(Bars.from_frame(found), BARS)


def test_two_tickers_under_three_rows_of_header() -> None:
    """Where such a file holds two tickers, one has to be chosen."""
    frame = table(BARS)[["date", "open", "high", "low", "close"]]
    both = frame.assign(o="1", h="1", l="1", c="1")
    names = "Price" + ",Open,High,Low,Close" * 2 + "\nTicker" + ",KO" * 4 + ",PEP" * 4 + "\nDate" + "," * 8 + "\n"
    data = (names + both.to_csv(header=False, index=False)).encode()
    found, ticker, _, _ = read_text(data, "KO")
    assert ticker == "KO"
    assert (Bars.from_frame(found).values[:, :4] == BARS.values[:, :4]).all()
    with pytest.raises(DataError, match="2 symbols in one file"):
        read_text(data, None)


def test_leading_zeros_survive() -> None:
    """Codes such as 000001 and times such as 0930 stay texts."""
    frame, _, _, _ = read_text(b"date,time,code,open,high,low,close\n20240102,0930,000001,1,1,1,1\n", None)
    assert frame.loc[0, ["date", "time", "code"]].tolist() == ["20240102", "0930", "000001"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\n \n", "holds no text"),
        (b"date,open,high,low,close\n", "a header but no rows; give a file with one row per bar"),
        (b"close\n1\n2\n", "no columns 'open', 'high', 'low' among 'close'"),
        (b"1\n2\n3\n", "no columns 'open', 'high', 'low', 'close' among '1'"),
        (b"Dear reader,\nthis is a letter.\n", "no columns 'open', 'high', 'low', 'close' among 'Dear reader'"),
        (b"date,open,high,low,close,close\n1,1,1,1,1,1\n", "column 'close' stands 2 times"),
        (b'date,"open\n,high,low,close\n1,1,1,1,1\n', "no columns|unclosed quotation mark"),
        (b'date,open,"high,low,close\n1,1,1,1,1\n', "no columns|unclosed quotation mark"),
        (b"date,open,high,low,close\n1,1,1,1,1\n1,1,1,1,1,1,1\n", r"do not form a table \(.*line 3.*\); correct"),
        (b'date,open,high,low,close\n1,1,1,1,1\n"1,1,1,1,1\n', r"do not form a table \(.*\); correct"),
        (b"\xff\xfed\x00a\x00t", "begins as utf-16 but is damaged"),
        (b'"' + b"x" * 200_000 + b'"', "first lines do not form a table"),
    ],
)
def test_what_is_no_table(data: bytes, words: str) -> None:
    """Text that is no table of bars is refused with the reason and what to do."""
    with pytest.raises(DataError, match=words):
        read_text(data, None)


def _points(language: str, rows: list[str], header: str | None = None) -> str:
    """A file of 40 days of whole points, all four prices as written in `rows`, in turn."""
    names = header or ";".join(HEADERS[language][:5])
    days = pd.date_range("2020-01-01", periods=40)
    return "\n".join(
        [names, *(f"{day:%d.%m.%Y};" + ";".join([rows[at % len(rows)]] * 4) for at, day in enumerate(days))]
    )


@pytest.mark.parametrize(
    ("rows", "first"),
    [(["18.003", "18.014"], 18003.0), (["1.018.003", "998.014"], 1018003.0), (["1.001", "997"], 1001.0)],
)
def test_thousands_in_whole_points(rows: list[str], first: float) -> None:
    """Points between thousands of whole prices are not decimal points, below 1,000 too."""
    frame, _, decimal, notices = read_text(_points("German", rows).encode(), None)
    assert Bars.from_frame(frame, decimal=decimal).open.iloc[0] == first
    if rows[0].count(".") == 1:
        assert f"{rows[0]!r} read as {first:,.10g}" in notices[0]


def test_three_decimals_stay_decimals() -> None:
    """Prices of three decimals in an English file, and beside a volume without separators, are no thousands."""
    english = _points("English", ["110.123", "110.010"])
    assert _bars(english).open.iloc[0] == 110.123
    header = ";".join(HEADERS["German"][:6])
    lines = _points("German", ["110.123", "110.010"]).splitlines()[1:]
    assert _bars("\n".join([header, *(f"{line};30684" for line in lines)])).open.iloc[0] == 110.123


def test_seven_columns_of_kraken() -> None:
    """Without a header the seventh column is the number of trades; a seventh that is no count is not guessed."""
    rows = table(BARS, form="s").iloc[:, :6]
    kraken = rows.assign(trades=[str(at) for at in range(len(rows))]).to_csv(header=False, index=False)
    assert _bars(kraken).values[:, :5].tolist() == BARS.values[:, :5].tolist()
    with pytest.raises(DataError, match="7 columns"):
        _bars(rows.assign(other="1.5").to_csv(header=False, index=False))


@pytest.mark.parametrize("name", ["window_start", "t"])
def test_time_stamps_of_polygon(name: str) -> None:
    """Flat files stamp bars in a column `window_start`, the interface in `t`."""
    frame = table(BARS, form="ns" if name == "window_start" else "ms").iloc[:, :6]
    frame.columns = [name, *(["open", "high", "low", "close", "volume"] if name != "t" else "ohlcv")]
    assert _bars(text(frame)).timestamps.equals(BARS.timestamps)


def _arrow_alone(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """From now on every table is tried with Arrow's reader; whether it took each."""
    taken: list[bool] = []
    read = delimited._read_plain

    def noted(*given: Any) -> pd.DataFrame | None:
        frame = read(*given)
        taken.append(frame is not None)
        return frame

    monkeypatch.setattr(delimited, "_LARGE", 0)
    monkeypatch.setattr(delimited, "_read_plain", noted)
    return taken


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "ms"])
def test_the_reader_of_large_tables(monkeypatch: pytest.MonkeyPatch, delimiter: str, decimal: str, form: str) -> None:
    """Large plain tables are read by Arrow, and give the same bars to the last bit."""
    taken = _arrow_alone(monkeypatch)
    frame = table(BARS, form=form).assign(note="x", volume=lambda of: of["volume"].where(of.index != 3, ""))
    written = text(frame, delimiter, decimal, list(frame.columns[1:7]))
    for data in (written, written.replace("\n", "\r\n"), "a title\n" + written):
        raw = read_text(data.encode(), None)
        assert "note" not in raw.frame
        bars = Bars.from_frame(
            raw.frame.assign(volume=raw.frame["volume"].fillna(BARS.volume.iloc[3])), decimal=decimal
        )
        assert same(bars, BARS)
    assert taken == [True] * 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace("\n", ",\n").replace(",\n", "\n", 1),  # a delimiter at the end of each line
        lambda data: data[:-1] + ",1,2\n",  # a row that is too long
        lambda data: data + "2030-01-01,1,2\n",  # one that is too short
        lambda data: data + "Source: by hand\n",
        lambda data: re.sub(r",\d+\.\d+\n", ",$1.5K\n", data),
        lambda data: data.replace("volume", "open"),
    ],
)
def test_what_is_no_plain_table(monkeypatch: pytest.MonkeyPatch, damage: Callable[[str], str]) -> None:
    """What Arrow does not take is read as smaller tables are, with the same result or the same line."""

    def outcome() -> object:
        try:
            bars = _bars(damage(text(table(BARS))))
        except DataError as error:
            return str(error)
        return bars.digest, bars.notices

    expected = outcome()
    taken = _arrow_alone(monkeypatch)
    assert outcome() == expected
    assert not any(taken)


def test_encodings_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoding is found although its signs are cut by the blocks in which it is looked for."""
    monkeypatch.setattr(delimited, "_BLOCK", 7)
    for encoding in ("utf-8", "utf-16", "gbk"):
        assert same(_bars(text(table(BARS, HEADERS["Chinese"])).encode(encoding)), BARS)
