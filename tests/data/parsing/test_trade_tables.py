"""Which columns of a table of trades mean what."""

from __future__ import annotations

import pytest

from stresslab.core.errors import DataError
from stresslab.data.parsing.trade_tables import Table, is_trade_header, read_trade_table


@pytest.mark.parametrize(
    ("cells", "is_one"),
    [
        (["Trade #", "Type", "Date and time", "Price USDT", "Qty"], True),
        (["Ticket", "Open Time", "Type", "Size", "Item", "Price"], True),
        (["entry_date", "exit_date", "side"], True),
        (["Date", "Open", "High", "Low", "Close", "Volume"], False),
        (["2024-01-01", "buy", "1"], False),
    ],
)
def test_headers(cells: list[str], is_one: bool) -> None:
    """A header names times and at least two things that trades have; one of bars does not."""
    assert is_trade_header(cells) == is_one


def test_currencies_and_percent_signs_are_no_names() -> None:
    """`Price USDT` is a price, `Profit %` is no profit; the second of two `Price` is the exit's."""
    frame = Table(("Price USDT", "Profit %", "Profit", "Price", "#"), [["1", "2", "3", "4", "5"]]).frame()
    assert list(frame) == ["price", "profitpct", "profit", "price2", "number"]


def test_sizes_below_zero_are_short() -> None:
    """Without a side, the sign of the size says it."""
    rows = [["2024-01-01", "2024-01-02", "-3"], ["2024-01-02", "2024-01-03", "2"]]
    found, form = read_trade_table([Table(("entry_time", "exit_time", "size"), rows)])
    assert found.trades["side"].tolist() == [-1, 1]
    assert found.trades["units"].tolist() == [3, 2]
    assert form == "trades"


def test_amounts_in_brackets_are_negative() -> None:
    """As spreadsheets and NinjaTrader write losses."""
    rows = [["2024-01-01", "2024-01-02", "long", "($1,250.50)"], ["2024-01-01", "2024-01-02", "short", "$3.00"]]
    found, _ = read_trade_table([Table(("entry_time", "exit_time", "side", "profit"), rows)])
    assert found.trades["profit"].tolist() == [-1250.5, 3.0]


def test_a_side_that_is_none_is_refused() -> None:
    """Its word is shown."""
    rows = [["2024-01-01", "2024-01-02", "up"]]
    with pytest.raises(DataError, match=r"trade 1 does not say whether it is long or short \('up'\)"):
        read_trade_table([Table(("entry_time", "exit_time", "side"), rows)])
