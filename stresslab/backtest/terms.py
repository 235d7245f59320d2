"""The terms on which an account trades: costs, sizes, stops, credit. The engine applies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from stresslab.backtest.costs import Costs, check_fraction, is_number
from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean, nearest

POSITIONS = ("carry", "flat")
REBALANCE = "write on-change, every-bar or band=0.05"
_SIZINGS = "write all-in, fraction=0.5, cash=10000 or volatility=0.15"


@dataclass(frozen=True)
class Sizing:
    """How large a full position is; at most one is given, and without any it is all of the equity.

    It is measured when an order fills, costs of the order included, and then drifts with the price. A weight is a
    multiple of the full position.

    Attributes:
        fraction: of the equity.
        cash: currency for each position, as far as equity and `max_leverage` reach.
        volatility: standard deviation a year that a position shall have, judged by the last 20 bar returns known when
            the order was decided; at most `max_leverage` times the equity, and nothing while there are not two returns.
    """

    fraction: float | None = None
    cash: float | None = None
    volatility: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        given = [one for one in fields(self) if getattr(self, one.name) is not None]
        if len(given) > 1:
            names = " and ".join(f"{one.name}={getattr(self, one.name)}" for one in given)
            raise InputError(f"sizing by {names} contradicts itself; give one of them")
        for one in given:
            value = getattr(self, one.name)
            if not (is_number(value) and value > 0):
                raise InputError(f"sizing {one.name}={value} is not above 0; {_SIZINGS}")
        if self.volatility is not None and self.volatility >= 10:
            raise InputError(f"sizing volatility={self.volatility} a year is not a fraction; for 15% write 0.15")

    @classmethod
    def parse(cls, text: str) -> Sizing:
        """The sizing that `str` writes: "all-in", "fraction=0.5", "cash=10000", "volatility=0.15"."""
        name, equals, value = str(text).strip().partition("=")
        known = [one.name for one in fields(cls)]
        if name == "all-in" and not equals:
            return cls()
        if name not in known:
            near = nearest(name, ["all-in", *known])
            raise InputError(f"sizing {text!r} is not known; {f'did you mean {near!r}? ' if near else ''}{_SIZINGS}")
        try:
            return cls(**{name: float(value)})
        except ValueError:
            raise InputError(f"sizing {text!r} has no number; {_SIZINGS}") from None

    def __str__(self) -> str:
        """The text that `parse` reads."""
        given = [(one.name, getattr(self, one.name)) for one in fields(self)]
        return next((f"{name}={value:.12g}" for name, value in given if value is not None), "all-in")


@dataclass(frozen=True)
class Stops:
    """Orders that leave a position inside a bar, each a fraction of a price; None where there is no such stop.

    A bar is walked as its open and then the rest. At the open the decided order fills first; then a position beyond a
    level already leaves at the open, a gap's loss (or gain) included. In the rest of the bar it leaves at the level
    that low or high reach, at the stop before the target where both are. A bar's extremes are known only afterwards,
    so trailing looks at those of earlier bars. After a stop, the next entry opens again, also one that was up all
    along; a weight does so when it changes. Nothing is traded over the warm-up, so no stop is watched there.

    Attributes:
        stop_loss: below the average entry price of a long position, above that of a short one.
        take_profit: above the average entry price of a long position, below that of a short one.
        trailing_stop: below the highest price since entry of a long position, above the lowest of a short one: the
            entry price and the highs (lows) of all bars since, up to the last one that is complete.
    """

    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is not a fraction above 0."""
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None:
                check_fraction(one.name, value, most=10.0 if one.name == "take_profit" else 1.0)
                if value == 0:
                    raise InputError(f"{one.name}={value} would leave at once; leave it out, or write 0.05 for 5%")

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self != Stops()


@dataclass(frozen=True)
class Terms:
    """Everything about execution that is not the strategy's.

    There is no margin engine: no margin calls, no liquidation inside a bar, no margin requirements, no limit to what a
    lender lends. An account borrows up to `max_leverage` times its equity when it orders, and then goes on until its
    equity is gone.

    Attributes:
        costs: of fills and of holding.
        sizing: how large a full position is.
        stops: orders inside a bar.
        init_cash: initial equity, currency.
        warmup: bars of history that the strategy sees before the universe, at most.
        position: "carry" opens the position held at the origin at the first generated open, "flat" does not.
        max_leverage: most exposure over equity that an order may lead to; 1 is an account without credit.
        risk_free: interest a year on cash, as a fraction, paid on negative cash, and what Sharpe and Sortino subtract.
            The proceeds of a short sale are cash.
        rebalance: when target weights are orders. "on-change": when the target changes; in between units are held, as
            a strategy that orders only when its decision changes does, and as signals do. "every-bar": at each open for
            which there is a target, so that the weight is held and not the units. "band=0.05": when the target changes
            or the weight at the close is further from it than that. The first is the default since it trades least and
            is what most backtesters do with weights that repeat; signals know none of this.
        symbol_costs: of symbols of a market that cost something else than `costs`.
    """

    costs: Costs = field(default_factory=Costs)
    sizing: Sizing = field(default_factory=Sizing)
    stops: Stops = field(default_factory=Stops)
    init_cash: float = 100_000.0
    warmup: int = 500
    position: str = "carry"
    max_leverage: float = 1.0
    risk_free: float = 0.0
    rebalance: str = "on-change"
    symbol_costs: Mapping[str, Costs] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, in one line."""
        object.__setattr__(self, "rebalance", parse_rebalance(self.rebalance))
        if not (is_number(self.init_cash) and self.init_cash > 0):
            raise InputError(
                f"init_cash={self.init_cash} is not an amount to trade with; give a number above 0, for example 100000"
            )
        if self.warmup < 0:
            raise InputError(f"warmup={self.warmup} is less than no bars; give 0 or more")
        if self.position not in POSITIONS:
            hint = did_you_mean(str(self.position), POSITIONS, "write 'carry' or 'flat'")
            raise InputError(f"position={self.position!r} is neither 'carry' nor 'flat'{hint}")
        if not (is_number(self.max_leverage) and 1 <= self.max_leverage <= 1000):
            raise InputError(
                f"max_leverage={self.max_leverage} is not in [1, 1000]; 1 means no credit, 2 twice the equity"
            )
        check_fraction("risk_free", self.risk_free, least=-1.0)
        if self.sizing.fraction is not None and self.sizing.fraction > self.max_leverage:
            raise InputError(
                f"sizing fraction={self.sizing.fraction} is beyond max_leverage={self.max_leverage:g}; lower it or "
                "raise `max_leverage`"
            )
        for name in ("fixed_fee", "min_trade"):
            value = getattr(self.costs, name)
            if value >= self.init_cash:
                raise InputError(f"{name}={value:g} is not below init_cash={self.init_cash:g}: nothing could be traded")

    def costs_of(self, symbol: str) -> Costs:
        """The costs of a symbol."""
        return self.symbol_costs.get(symbol, self.costs)

    def check_symbols(self, symbols: Sequence[str]) -> None:
        """Refuse costs of a symbol that the data do not have."""
        unknown = [symbol for symbol in self.symbol_costs if symbol not in symbols or len(symbols) < 2]
        if unknown:
            hint = did_you_mean(unknown[0], symbols, f"the data have {', '.join(symbols)}")
            one = "; of one series give fees and slippage without a symbol" if len(symbols) < 2 else ""
            raise InputError(f"symbol_costs name {unknown[0]!r}{one or hint}")

    def recorded(self) -> dict[str, Any]:
        """What a run's settings say of these terms: always cash, fees and slippage, all else where it is set."""
        costs = {one.name: getattr(self.costs, one.name) for one in fields(self.costs)}
        stops = {one.name: getattr(self.stops, one.name) for one in fields(self.stops)}
        always = {name: costs.pop(name) for name in ("fees", "slippage")}
        more: dict[str, Any] = costs | stops | {"risk_free": self.risk_free}
        more["sizing"] = None if self.sizing == Sizing() else str(self.sizing)
        more["rebalance"] = None if self.rebalance == "on-change" else self.rebalance
        more["max_leverage"] = None if self.max_leverage == 1 else self.max_leverage
        more["symbol_costs"] = {symbol: asdict(one) for symbol, one in self.symbol_costs.items()}
        return {"init_cash": self.init_cash, **always, **{name: value for name, value in more.items() if value}}

    @property
    def band(self) -> float | None:
        """How far from its target a weight may drift, 0 for every bar; None where drifting is no reason to order."""
        if self.rebalance == "on-change":
            return None
        return 0.0 if self.rebalance == "every-bar" else float(self.rebalance.partition("=")[2])

    @property
    def are_plain(self) -> bool:
        """Whether costs are proportional to fills and each order is a share of the equity within the account's cash."""
        costs = self.costs
        proportional = Costs(costs.fees, costs.slippage, slippage_volatility=costs.slippage_volatility)
        unlike: list[Any] = [self.sizing != Sizing(), self.stops, self.max_leverage != 1, self.risk_free, self.band]
        return costs == proportional and not any(unlike)


def parse_rebalance(text: str) -> str:
    """The rule for target weights as it is written: "on-change", "every-bar" or "band=0.05".

    Raises:
        InputError: it is none of these.
    """
    name, equals, value = str(text).strip().partition("=")
    if name in ("on-change", "every-bar") and not equals:
        return name
    if name != "band":
        known = ("on-change", "every-bar", "band")
        raise InputError(f"rebalance={text!r} is not known{did_you_mean(name, known, REBALANCE)}")
    try:
        width = float(value)
    except ValueError:
        raise InputError(f"rebalance={text!r} has no number; {REBALANCE}") from None
    if not 0 < width < 10:
        raise InputError(
            f"rebalance={text!r}: a band of weights lies in (0, 10), 0.05 for 5% of the equity; {REBALANCE}"
        )
    return f"band={width:.12g}"
