"""Opens the accounts that `on_bar` trades on, on the terms of a run; what walks them is imported when one is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stresslab.backtest.costs import Costs
from stresslab.backtest.terms import Terms
from stresslab.core.arrays import FloatArray
from stresslab.data.universes import Universes
from stresslab.strategy.bar_state import BarAccount
from stresslab.strategy.panel import Panel


@dataclass(frozen=True, eq=False)
class Accounts:
    """Opens the accounts of universes on the terms of a run.

    Attributes:
        universes: N of them.
        terms: of the accounts.
        periods_per_year: bars in a year; the history's where it is None.
        slippage_of: gives the slippage (N, T) of each fill; asked once, and only where an account is opened.
    """

    universes: Universes
    terms: Terms
    periods_per_year: float | None
    slippage_of: Callable[[Universes, Costs], FloatArray]

    @cached_property
    def _slippage(self) -> FloatArray:
        return self.slippage_of(self.universes, self.terms.costs)

    def __call__(self, panel: Panel) -> BarAccount:
        """The account of the one universe in a panel."""
        from stresslab.backtest.bar_account import WalkedAccount
        from stresslab.backtest.order_fills import rates_of

        at = int(np.flatnonzero(self.universes.ids == panel.ids[0])[0])
        rates = rates_of(self.terms, self.periods_per_year or self.universes.history.periods_per_year)
        return WalkedAccount(panel, rates, np.ascontiguousarray(self._slippage[at]), self.terms.init_cash)
