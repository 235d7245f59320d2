"""Lists of trades as platforms export them: the same two trades in each form, read to the last digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data.sources.trade_files import load_trades
from stresslab.data.trades import TradeList

EXPORTS = Path(__file__).parent / "exports"
FORMS = {
    "tradingview.csv": "TradingView",
    "tradingview_signal.csv": "TradingView",
    "metatrader4_statement.htm": "MetaTrader",
    "metatrader4_tester.htm": "MetaTrader",
    "metatrader4.csv": "MetaTrader",
    "metatrader5_positions.html": "MetaTrader",
    "metatrader5_deals.csv": "MetaTrader",
    "ninjatrader.csv": "NinjaTrader",
    "freqtrade.json": "freqtrade",
    "backtesting_py.csv": "backtesting.py",
    "generic.csv": "trades",
}
"""Exports of the same two trades, and whose they are said to be."""


def export(name: str) -> str:
    """The text of an export."""
    return (EXPORTS / name).read_text(encoding="utf-8")


GENERIC = export("generic.csv")


def written(folder: Path, content: str | bytes, name: str = "list.csv") -> str:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def assert_the_two(found: TradeList) -> None:
    """The long and the short trade that every form holds."""
    assert found.side.tolist() == [1, -1]
    assert found.units.tolist() == [1.0, 2.0]
    assert list(found.entered) == [pd.Timestamp("2024-03-01 09:30"), pd.Timestamp("2024-03-05 16:30")]
    assert list(found.left) == [pd.Timestamp("2024-03-04 15:45"), pd.Timestamp("2024-03-07 12:00")]
    np.testing.assert_allclose(found.entry_price, [100, 100])
    np.testing.assert_allclose(found.exit_price, [109.75, 98.5])
    np.testing.assert_allclose(found.profit, [9.5, 2.8])


@pytest.mark.parametrize(("name", "form"), FORMS.items())
def test_every_export_is_the_same_list(name: str, form: str) -> None:
    """Times, sides, sizes, prices and profits net of charges; the export is named."""
    found = load_trades(EXPORTS / name)
    assert_the_two(found)
    assert found.form.split()[0] == form


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_reports_in_two_bytes(tmp_path: Path, encoding: str) -> None:
    """MetaTrader 5 writes UTF-16, with and without a mark."""
    assert_the_two(load_trades(written(tmp_path, export("metatrader5_positions.html").encode(encoding), "report.html")))


def test_decimal_commas(tmp_path: Path) -> None:
    """A list from a country that writes 1.234,5."""
    text = (
        "Entry time;Exit time;Side;Size;Entry price;Exit price;Profit\n"
        "01.03.2024 09:30;04.03.2024 15:45;long;1,5;1.100,25;1.109,75;14,25\n"
        "13.03.2024 09:30;14.03.2024 15:45;short;1;1.100,00;1.109,50;-9,50\n"
    )
    found = load_trades(written(tmp_path, text))
    assert found.entry_price.tolist() == [1100.25, 1100.0]
    assert found.profit.tolist() == [14.25, -9.5]
    assert found.units.tolist() == [1.5, 1.0]


def test_open_trades_are_left_out_and_said(tmp_path: Path) -> None:
    """What is not closed has no result yet."""
    assert load_trades(EXPORTS / "tradingview_signal.csv").notices == ("1 trades are still open and were left out",)
    text = GENERIC + "2024-03-08 10:00,,buy,1,97,,\n"
    found = load_trades(written(tmp_path, text))
    assert len(found) == 2
    assert "still open" in found.notices[-1]


def test_deals_in_parts_and_reversals(tmp_path: Path) -> None:
    """First in, first out; an in/out deal closes what is open and opens the rest on the other side."""
    text = (
        "Time,Deal,Symbol,Type,Direction,Volume,Price,Order,Commission,Swap,Profit,Balance\n"
        "2024.03.01 10:00:00,1,ABC,buy,in,1,100,1,-1,0,0,0\n"
        "2024.03.01 11:00:00,2,ABC,buy,in,3,104,2,-3,0,0,0\n"
        "2024.03.01 12:00:00,3,ABC,sell,out,2,110,3,-2,0,16,0\n"
        "2024.03.01 13:00:00,4,ABC,sell,in/out,5,102,4,-5,0,-4,0\n"
        "2024.03.01 14:00:00,5,ABC,buy,out,3,100,5,-3,0,6,0\n"
    )
    found = load_trades(written(tmp_path, text))
    assert list(zip(found.side, found.units, found.entry_price, found.exit_price, strict=True)) == [
        (1, 1, 100, 110), (1, 1, 104, 110), (1, 2, 104, 102), (-1, 3, 102, 100),
    ]  # fmt: skip
    assert found.profit.sum() == pytest.approx(16 - 4 + 6 - 1 - 3 - 2 - 5 - 3)  # all deals' profits and commissions


def test_one_of_several_symbols(tmp_path: Path) -> None:
    """A list of several symbols is asked for one, by its name behind #."""
    text = GENERIC.replace("direction", "direction,symbol").replace("sell", "sell,ABC").replace("BUY", "BUY,XYZ")
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=r"holds trades of 2 symbols \(ABC, XYZ\); choose one, as in trades.csv#ABC"):
        load_trades(path)
    assert load_trades(f"{path}#XYZ").side.tolist() == [1]
    with pytest.raises(DataError, match="symbol 'XY' is not in the list; did you mean 'XYZ'"):
        load_trades(f"{path}#XY")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        (
            "a,b,c\n1,2,3\n",
            r"holds no list of trades in a known form \(its columns are a, b, c\); give a list of trades of Trad",
        ),
        (
            "Date,Open,High,Low,Close\n2024-01-01,1,2,1,2\n",
            r"holds no list of trades in a known form \(its columns are Date",
        ),
        ("entry_time,exit_time,profit\n2024-01-01,2024-01-02,5\n", "trade 1 does not say whether it is long or short"),
        (GENERIC.splitlines()[0] + "\n", "the list holds no closed trade"),
        ("{", "is no valid JSON"),
        ('{"strategy": {"A": {}, "B": {}}}', r"holds 2 strategies \(A, B\)"),
        (b"PK\x03\x04....", "is a workbook or a zip archive; save the list of trades as CSV"),
        (GENERIC.replace("2024-03-07", "2024-03-01"), "is left at .* before it was entered"),
        (GENERIC.replace("98.5", "-98.5"), "has exit_price=-98.5, which is not above 0"),
        (GENERIC.replace("98.5", "dear"), "exitprice=dear is not a number"),
    ],
)
def test_what_is_no_list(tmp_path: Path, content: str | bytes, reason: str) -> None:
    """One line each that names the file and the remedy."""
    with pytest.raises(DataError, match=reason) as caught:
        load_trades(written(tmp_path, content))
    assert "list.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    """The path is named."""
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file"):
        load_trades("nowhere.csv")
