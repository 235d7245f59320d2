"""The path of a bar, and the trades of one net position."""

from __future__ import annotations

import pytest

from stresslab.strategy.frameworks.jesse_orders import Book, Order, Position, along, gapped, near, rest_of


def order(units: float, price: float, kind: str) -> Order:
    """An entry."""
    return Order(units, price, kind, False, "entry")


@pytest.mark.parametrize(("close", "expected"), [(101.0, [98, 99, 102, 103]), (99.5, [102, 103, 99, 98])])
def test_a_bar_goes_its_way(close: float, expected: list[float]) -> None:
    """One that rises by its low, one that falls by its high; each price is met where the rest of the bar has it."""
    bar, waiting, met = (100.0, close, 104.0, 97.0), [order(1, price, "STOP") for price in (103, 98, 102, 99)], []
    while here := [one for one in waiting if bar[3] <= one.price <= bar[2]]:
        one = min(here, key=along(bar[0], rises=bar[1] >= bar[0]))
        bar = rest_of(*bar, one.price)
        waiting.remove(one)
        met.append(one.price)
    assert sorted(met) == sorted(expected)
    assert met[0] == (99 if close > 100 else 102)


@pytest.mark.parametrize(("units", "kind", "opened", "expected"), [
    (1, "LIMIT", 98, True), (-1, "STOP", 98, True), (1, "STOP", 98, False), (1, "STOP", 102, False),
    (-1, "LIMIT", 98, False), (1, "MARKET", 98, False),
])  # fmt: skip
def test_a_gap_fills_what_it_passes(units: float, kind: str, opened: float, expected: bool) -> None:
    """From a close of 100 down to an open of 98, with an order at 99."""
    assert gapped(order(units, 99.0, kind), 100.0, opened) is expected


def test_a_price_near_the_current_one_is_the_market() -> None:
    """Within 0.015%."""
    assert near(100.01, 100.0)
    assert not near(100.02, 100.0)


def test_one_net_position_is_trades() -> None:
    """The oldest closes first, and what closes all closes each to the last unit."""
    book = Book()
    book.opened(0, 10.0, 0.1, 1.0)
    book.opened(1, 11.0, 0.2, 1.0)
    book.reduced(2, 12.0, -0.15, 1.0, whole=False)
    book.reduced(3, 13.0, -0.15, 1.0, whole=True)
    assert [(one.bar, one.trade) for one in book.events] == [(0, 0), (1, 1), (2, 0), (2, 1), (3, 1)]
    assert [one.units for one in book.events] == pytest.approx([0.1, 0.2, -0.1, -0.05, -0.15])


def test_a_position_says_what_it_earns() -> None:
    """In cash and in percent of what it cost, long and short; nothing where none is held."""
    assert (Position(1000.0, 2.0, 100.0, 110.0).pnl, Position(1000.0, 2.0, 100.0, 110.0).pnl_percentage) == (20.0, 10.0)
    short = Position(1000.0, -2.0, 100.0, 110.0)
    assert (short.type, short.pnl, short.pnl_percentage) == ("short", -20.0, -10.0)
    assert (Position(1000.0).type, Position(1000.0).pnl, Position(1000.0).pnl_percentage) == ("close", 0.0, 0.0)
