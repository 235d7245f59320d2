"""What a framework's account traded as fills: shares where they grow with the account, units where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.strategy.fills import INIT_CASH
from stresslab.strategy.frameworks.accounts import CASH, Traded, as_series_function, shares_or_units, with_equity


def traded(fills: list[tuple[int, int, float, float]], cash: float, counts: bool = True) -> Traded:
    """Fills on an account, of ten rows."""
    return Traded(with_equity(fills, cash), np.full(10, np.nan), np.full(10, np.nan), counts)


def test_equity_before_each_fill() -> None:
    """Cash and what is held, at the price of the fill."""
    events = with_equity([(0, 0, 10.0, 5.0), (1, 0, 12.0, -5.0), (2, 1, 8.0, 1.0)], 100.0)
    assert [one.equity for one in events] == [100.0, 110.0, 110.0]


@pytest.mark.parametrize(("grows", "size"), [(True, 0.5), (False, 50.0)])
def test_units_and_shares_differ(grows: bool, size: float) -> None:
    """Half of the equity is a share; fifty units whatever the account has are fifty units, of the run's own cash."""
    seen: list[float] = []

    def run(cash: float) -> Traded:
        seen.append(cash)
        units = 0.5 * cash / 10 if grows else 50.0
        return traded([(1, 0, 10.0, units), (3, 0, 11.0, -units)], cash)

    fills = shares_or_units(run)
    assert fills.counted is not grows
    assert fills._fills[1] == [(1, 10.0, pytest.approx(size))]
    assert seen == ([CASH, 2 * CASH] if grows else [CASH, 2 * CASH, INIT_CASH.get()])


def test_parts_of_a_trade_are_parts_of_what_is_left() -> None:
    """Of ten units, five and then the other five: half, and all of the rest."""
    fills = traded([(0, 0, 10.0, 10.0), (1, 0, 10.0, -5.0), (2, 0, 10.0, -5.0)], 1000.0).fills(counted=True)
    assert [fills._fills[row] for row in (1, 2)] == [[(-1, 10.0, 0.5)], [(-1, 10.0, 1.0)]]


def test_a_function_has_the_parameters_of_its_class() -> None:
    """Their defaults, and flags that nobody set."""
    shown = as_series_function(lambda bars: traded([], 1.0).fills(counted=False), "Mine", {"n": 5}, ["hedging"])
    assert (shown.__name__, str(shown.__signature__)) == ("Mine", "(bars, *, n=5, hedging: bool = None)")  # type: ignore[attr-defined]


def test_what_is_ordered_does_not_depend_on_the_cash() -> None:
    """So that a prefix of the bars without a fill is no other decision than the whole."""

    def run(cash: float) -> Traded:
        one = traded([(1, 0, 10.0, 50.0)], cash)
        one.ordered[0] = 500.0 / cash
        return one

    assert shares_or_units(run).ordered[0] == 500.0 / CASH


def test_what_is_refused_is_that_of_the_runs_own_cash() -> None:
    """Shares as they are there, while what was ordered is that of the large account."""

    def run(cash: float) -> Traded:
        shares = 0.25 if cash == INIT_CASH.get() else 0.5
        made = traded([(1, 0, 10.0, shares * cash / 10)], cash)
        made.refused, made.ordered[0] = cash == CASH, cash
        return made

    fills = shares_or_units(run)
    assert (fills.counted, fills._fills[1], fills.ordered[0]) == (False, [(1, 10.0, pytest.approx(0.25))], CASH)
