"""A strategy: the user's code with its parameters, called on panels of universes; its answers become decisions.

`loading` finds the code and `sandbox` keeps each call in bounds. `stresslab.strategy.lookahead` checks whether it looks
ahead, `stresslab.backtest` computes what it earns.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stresslab.core.errors import StrategyError, StrategyLimitError
from stresslab.core.provided import provided
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.market_index import IndexBars, IndexUniverses
from stresslab.data.universes import REAL, Universes
from stresslab.strategy.bar_state import BarAccount, BarState, Opened
from stresslab.strategy.call_style import WIDE, Form
from stresslab.strategy.fills import INIT_CASH, Fills, market_fills
from stresslab.strategy.market_panel import MarketPanel, read_market_decisions
from stresslab.strategy.order_frames import as_orders
from stresslab.strategy.panel import Bar, Decisions, Kind, Panel, read_decisions
from stresslab.strategy.sandbox import CALL_TIMEOUT_SECONDS, CallLog, aside, blaming, within_memory

METHODS: tuple[Kind, ...] = ("signals", "weights", "on_bar")
LOCATED = 20
"""Universes in which a strategy fails after which the search for more of them stops."""


@dataclass(frozen=True, eq=False)
class Strategy:
    """One strategy with its parameters.

    Attributes:
        name: the file's stem, the name after the colon or the callable's name; of a grid with the parameters chosen.
        parameters: every keyword argument with the value that it gets.
        kind: what is called.
        path: the file, or None for a callable.
        digest: SHA-256 of the source.
        form: how it takes its bars.
        patience: seconds that one call may take.
        excused: universes of one call in which its code may fail; they stay flat, and `log` says why. None: an error in
            one universe fails the call.
        ranges: what `PARAMETERS` declares of its parameters: a pair, from and to, or a list of values.
        log: what calls left behind; not part of what the strategy is, and not sent to workers.
    """

    name: str
    parameters: dict[str, Any]
    kind: Kind
    path: str | None
    digest: str
    _function: Any = field(repr=False)
    """A function, or a class or an object that has the method `kind`."""
    _entry: str = field(repr=False, default="")
    """The function's or class's name in the file."""
    form: Form = WIDE
    patience: float = CALL_TIMEOUT_SECONDS
    excused: int | None = None
    ranges: Mapping[str, Any] = field(default_factory=dict)
    log: CallLog = field(repr=False, default_factory=CallLog)

    @property
    def one_by_one(self) -> bool:
        """Whether each universe is a call (for `on_bar` a walk) of its own, which takes time in proportion."""
        return self.kind == "on_bar" or self.form.one_by_one

    @functools.cached_property
    def takes_market(self) -> bool:
        """Whether it takes several symbols: its first argument is called `market`, or the second of on_bar `bars`."""
        names = [name for name in _argument_names(self._function, self.kind) if name != "self"]
        if self.kind == "on_bar":
            return names[1:2] == ["bars"]
        return names[:1] == ["market"]

    @functools.cached_property
    def sees_others(self) -> bool:
        """Whether it trades single series and looks at others beside them, where several symbols are given."""
        return getattr(self._function, "takes", "") == "beside"

    def traded(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Those of several symbols that it trades, each on an equal part of the capital."""
        return self._function.traded(symbols) if self.sees_others else symbols

    def panel(self, universes: Universes, warmup: int) -> Panel | MarketPanel:
        """What it sees of universes.

        Raises:
            StrategyError: it is written for several symbols, and there is one.
        """
        if self.sees_others and isinstance(universes, IndexUniverses):
            return MarketPanel.of(universes, warmup)
        if not self.takes_market:
            return Panel.of(universes, warmup)
        if not isinstance(universes, IndexUniverses):
            raise StrategyError(
                f"strategy {self.name!r} trades several symbols, and the data are one series; give several, for "
                "example sample:crypto5, or call its argument bars"
            )
        return MarketPanel.of(universes, warmup)

    def sees(self, bars: Bars) -> Bars:
        """The real bars that it is checked on: of a market those of its first symbol, unless it takes them all."""
        whole = self.takes_market or self.sees_others
        return bars.market.series[0] if isinstance(bars, IndexBars) and not whole else bars

    def decide(
        self,
        panel: Panel | MarketPanel,
        *,
        allow_silence: bool = False,
        init_cash: float = 100_000.0,
        accounts: Opened | None = None,
    ) -> Decisions:
        """Call the user's code on the whole panel (`on_bar`: bar by bar) and check what it answers.

        Args:
            panel: bars of N universes.
            allow_silence: accept weights that are NaN in every row, as on a panel shorter than the warm-up.
            init_cash: of the accounts; it decides where code orders numbers of units.
            accounts: opens the account of a universe for an `on_bar` that asks for it; without costs by default.

        Raises:
            StrategyError: the code raised, or its answer is no decision; one line, with the user's own line of code.
            StrategyLimitError: it took more time or memory than it may.
        """
        INIT_CASH.set(init_cash)
        accounts = accounts or functools.partial(_plain_account, init_cash=init_cash)
        with aside(self.log), within_memory():
            try:
                decisions = self._answer(panel, accounts)
            except StrategyLimitError:
                raise
            except StrategyError as error:
                if self.excused is None or (panel.ids == REAL).all():
                    raise
                decisions = self._without_failing(panel, error, accounts)
        if decisions.is_silent and not allow_silence:
            raise StrategyError(
                f"strategy {self.name!r}: every weight in {panel.rows} rows is NaN, so it can never trade; return 0 "
                "for flat, or give it more bars than its longest window"
            )
        return decisions

    def twin(self) -> Strategy:
        """The same strategy as if its code had never run: its file loaded again, or what a function holds on to copied.

        A function's module and a class are shared all the same.
        """
        if self.path is not None:
            return replace(copy.copy(self), log=self.log)  # `loading` makes a copy load its file again
        function = self._function
        if inspect.isfunction(function) and function.__closure__:
            try:
                cells = tuple(types.CellType(copy.deepcopy(cell.cell_contents)) for cell in function.__closure__)
            except Exception:  # what cannot be copied is shared
                return replace(self)
            twin = types.FunctionType(
                function.__code__, function.__globals__, function.__name__, function.__defaults__, cells
            )
            twin.__kwdefaults__ = function.__kwdefaults__
            return replace(self, _function=twin)
        return replace(self)

    def _answer(self, panel: Panel | MarketPanel, accounts: Opened) -> Decisions:
        """The decisions in all universes."""
        if self.one_by_one:
            walked = functools.partial(self._walked, accounts=accounts)
            one = walked if self.kind == "on_bar" else self._called
            found = []
            for at in range(panel.shape[1]):
                found.append(one(panel.take(slice(at, at + 1))))
                self.log.advance(1)
            return Decisions.side_by_side(found)
        decisions = self._called(panel)
        self.log.advance(panel.shape[1])
        return decisions

    def _called(self, panel: Panel | MarketPanel) -> Decisions:
        """One call, on the form's own kind of bars."""
        with self._blaming():
            answer = self._fresh()(panel if isinstance(panel, MarketPanel) else self.form.of(panel))
        try:
            if isinstance(panel, MarketPanel):
                if self.sees_others:
                    return market_fills(answer, panel)
                return read_market_decisions(self.kind, answer, panel)
            if isinstance(answer, Fills):
                return answer.decisions(panel)
            orders = as_orders(answer)
            return read_decisions(self.kind, answer, panel) if orders is None else orders.decisions(panel)
        except StrategyError as error:
            raise StrategyError(f"strategy {self.name!r}: {error}") from None

    def _walked(self, panel: Panel | MarketPanel, accounts: Opened) -> Decisions:
        """`on_bar` at each bar of one universe, with a state and (for a class) an object of its own."""
        market = panel if isinstance(panel, MarketPanel) else None
        panels: list[Any] = [market[symbol] for symbol in market.symbols] if market else [panel]
        targets = np.full((panel.rows, panel.width), np.nan)
        columns = [zip(*(one.array(name)[:, 0].tolist() for name in FIELDS), strict=True) for one in panels]
        with self._blaming():
            on_bar, state = self._fresh(), BarState(None if market else panels[0], accounts)
            for at, (stamp, *bars) in enumerate(zip(panel.timestamps, *columns, strict=True)):
                seen, state.row = [Bar(stamp, *values) for values in bars], at
                answer = on_bar(state, dict(zip(market.symbols, seen, strict=True)) if market else seen[0])
                if answer is None:
                    continue
                for symbol, target in _targets(answer, market).items():
                    if target is None:
                        continue
                    if not isinstance(target, (float, int, np.number, np.bool_)):
                        raise StrategyError(
                            f"strategy {self.name!r}: on_bar returned {target!r:.60} at {stamp}; return a number, the "
                            "target weight, or None to keep what is held"
                        )
                    targets[at, market.symbols.index(symbol) if market else 0] = target
        try:
            if market:
                frames = {symbol: targets[:, k : k + 1] for k, symbol in enumerate(market.symbols)}
                return read_market_decisions("weights", frames, market)
            assert isinstance(panel, Panel)
            if state.account is None:
                return read_decisions(self.kind, targets, panel)
            if not np.isnan(targets).all():
                first = panel.timestamps[int(np.flatnonzero(~np.isnan(targets[:, 0]))[0])]
                raise StrategyError(
                    f"on_bar asks for its account and returns a target weight ({first}); give orders, as in "
                    "state.enter_long() and state.close(), and return nothing"
                )
            return state.account.decisions()
        except StrategyError as error:
            raise StrategyError(f"strategy {self.name!r}: {error}") from None

    def _without_failing(self, panel: Panel | MarketPanel, error: StrategyError, accounts: Opened) -> Decisions:
        """The decisions in the universes where the code works, found by halving; flat in the few where it fails."""
        most = max(self.excused or 0, LOCATED)
        found: dict[int, Decisions] = {}
        failures: dict[int, str] = {}
        waiting = [slice(0, panel.shape[1])]
        while waiting and len(failures) <= most:
            part = waiting.pop()
            try:
                if part == slice(0, panel.shape[1]) and panel.shape[1] > 1:
                    raise error
                found[part.start] = self._answer(panel.take(part), accounts)
            except StrategyLimitError:
                raise
            except StrategyError as failure:
                if part.stop - part.start == 1:
                    failures[int(panel.ids[part.start])] = str(failure)
                    found[part.start] = Decisions(weights=np.full((panel.rows, panel.width), np.nan))
                    continue
                middle = part.start + 1 if self.one_by_one else (part.start + part.stop) // 2
                waiting += [slice(middle, part.stop), slice(part.start, middle)]
        if not failures:  # it fails only where they are together
            raise error
        if len(failures) > (self.excused or 0):
            raise StrategyError(describe_failures(self.name, failures, panel.shape[1], whole=not waiting))
        self.log.failures.update(failures)
        failed = {at for at, one in enumerate(panel.ids) if int(one) in failures}
        kinds = [one for start, one in sorted(found.items()) if start not in failed]
        flat = kinds[0].flat() if kinds else Decisions(weights=np.zeros((panel.rows, panel.width)))
        return Decisions.side_by_side([flat if start in failed else one for start, one in sorted(found.items())])

    def _blaming(self) -> Any:
        return blaming(f"strategy {self.name!r}", self.path or _file_of(self._function), self.patience)

    def _fresh(self) -> Callable[..., Any]:
        """The user's function with its parameters; of a class or an object a new one, so that no call sees another."""
        if inspect.isclass(self._function):
            return getattr(self._function(**self.parameters), self.kind)  # type: ignore[no-any-return] # the user's method
        if has_method(self._function):
            return functools.partial(getattr(copy.deepcopy(self._function), self.kind), **self.parameters)
        return functools.partial(self._function, **self.parameters)


def _plain_account(panel: Panel, init_cash: float) -> BarAccount:
    opened: BarAccount = provided("plain_account")(panel, init_cash)
    return opened


def _targets(answer: Any, market: MarketPanel | None) -> Mapping[str, Any]:
    """Target weights by symbol of what on_bar answered."""
    if market is None:
        return {"": answer}
    if not isinstance(answer, Mapping):
        raise StrategyError(f"on_bar returned {answer!r:.60}; return a dict of target weights by symbol, or None")
    unknown = [symbol for symbol in answer if symbol not in market.symbols]
    if unknown:
        raise StrategyError(f"on_bar names the symbol {unknown[0]!r}; the market has {', '.join(market.symbols)}")
    return answer


def _argument_names(function: Any, kind: str) -> list[str]:
    """Names of the arguments of what is called."""
    called = function if inspect.isroutine(function) else getattr(function, kind, function)
    try:
        return list(inspect.signature(called).parameters)
    except (TypeError, ValueError):
        return []


def describe_failures(name: str, failures: Mapping[int, str], universes: int, *, whole: bool = True) -> str:
    """Which universes a strategy fails in, and the first of its errors, in one line.

    Args:
        name: of the strategy.
        failures: error by id of the universe.
        universes: how many there were.
        whole: whether that is all of them.
    """
    ids = sorted(failures)
    listed = ", ".join(map(str, ids[:LOCATED])) + (", ..." if len(ids) > LOCATED or not whole else "")
    first = failures[ids[0]].removeprefix(f"strategy {name!r}").removeprefix(":").strip()
    count = f"{len(ids)}" if whole else f"at least {len(ids)}"
    return f"strategy {name!r} fails in {count} of {universes:,} universes ({listed}); in universe {ids[0]}: {first}"


def has_method(thing: Any) -> bool:
    """Whether something other than a function has one of the methods of a strategy."""
    return not inspect.isroutine(thing) and any(callable(getattr(thing, method, None)) for method in METHODS)


def owner(function: Any) -> Any:
    """What has a name and a source: the function inside a partial, the class of an object."""
    function = function.func if isinstance(function, functools.partial) else function
    return function if inspect.isroutine(function) or inspect.isclass(function) else type(function)


def _file_of(function: Any) -> str:
    try:
        return inspect.getfile(owner(function))
    except (OSError, TypeError):
        return ""
