"""What trading costs and what holding costs; the engine charges it."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean


@dataclass(frozen=True)
class Costs:
    """Costs of every fill, and of holding a position from close to close.

    Attributes:
        fees: fraction of the traded value paid to broker and exchange; a maker's rebate is below 0, at least -0.01.
        slippage: fraction by which every fill, a stop's too, is worse than its price: bought higher, sold lower.
        fixed_fee: currency per order, whatever its size.
        slippage_volatility: slippage in multiples of recent volatility, added to `slippage`: 0.1 fills worse by a tenth
            of the standard deviation of the last 20 bar returns known when the order was decided.
        borrow_fee: fraction a year of the value of a short position, paid to its lender.
        funding: fraction a year of the value of a perpetual future: a long position pays it and a short one receives
            it; the other way round where it is negative.
        min_trade: currency; an order of less value is skipped, unless it closes the position.
    """

    fees: float = 0.0005
    slippage: float = 0.0005
    fixed_fee: float = 0.0
    slippage_volatility: float = 0.0
    borrow_fee: float = 0.0
    funding: float = 0.0
    min_trade: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        check_fraction("fees", self.fees, least=-0.01)
        check_fraction("slippage", self.slippage)
        check_fraction("borrow_fee", self.borrow_fee, most=10.0)
        check_fraction("funding", self.funding, least=-10.0, most=10.0)
        check_amount("fixed_fee", self.fixed_fee)
        check_amount("min_trade", self.min_trade)
        if not (is_number(self.slippage_volatility) and 0 <= self.slippage_volatility <= 10):
            raise InputError(
                f"slippage_volatility={self.slippage_volatility} is not a multiple of volatility in [0, 10]; for a "
                "tenth of a bar's standard deviation write 0.1"
            )

    def scaled(self, factor: float) -> Costs:
        """Costs of trading and of borrowing times `factor`; funding, a transfer with a sign, stays as it is."""
        if not (math.isfinite(factor) and factor >= 0):
            raise InputError(f"costs x {factor:g} is not a factor; write for example 3")
        names = ("fees", "slippage", "fixed_fee", "slippage_volatility", "borrow_fee")
        given = {name: getattr(self, name) for name in names}
        return replace(self, **{name: factor * value if value > 0 else value for name, value in given.items()})

    def can_be_scaled(self, factor: float) -> bool:
        """Whether `scaled` gives costs: five times a fee of 20% is no fee."""
        try:
            self.scaled(factor)
        except InputError:
            return False
        return True


def costs_by_symbol(given: Mapping[str, float], costs: Costs) -> dict[str, Costs]:
    """Costs of symbols that differ from the others'.

    Args:
        given: values by symbol and cost, such as {"BTCUSDT.fees": 0.001}.
        costs: of the others, and of what is not given.

    Raises:
        InputError: no symbol, a cost that is not known, or a value that it cannot have.
    """
    names = [one.name for one in fields(Costs)]
    found: dict[str, Costs] = {}
    for key, value in given.items():
        symbol, _, name = key.rpartition(".")
        if not symbol or name not in names:
            hint = did_you_mean(name, names, f"there are {', '.join(names)}")
            raise InputError(f"symbol_costs={key!r} is not of the form SYMBOL.COST=VALUE{hint}")
        try:
            found[symbol] = replace(found.get(symbol, costs), **{name: value})
        except InputError as error:
            raise InputError(f"symbol_costs of {symbol}: {error}") from None
    return found


def check_fraction(name: str, value: Any, *, least: float = 0.0, most: float = 1.0) -> None:
    """Refuse what is not a fraction in [least, most), and say what to write for a percentage."""
    if is_number(value) and least <= value < most:
        return
    percent = value if is_number(value) and 1 <= value < 100 * most else 0.05
    raise InputError(
        f"{name}={value} is not a fraction in [{least:g}, {most:g}); for {percent:g}% write {percent / 100:g}"
    )


def check_amount(name: str, value: Any) -> None:
    """Refuse what is not an amount of currency."""
    if not (is_number(value) and value >= 0):
        raise InputError(f"{name}={value} is not an amount of currency; give 0 or more, for example 1")


def is_number(value: Any) -> bool:
    """Whether it is a finite number, of Python or numpy; True and False are not meant as 1 and 0."""
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and math.isfinite(value)
