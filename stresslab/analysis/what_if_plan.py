"""What is asked of a run beyond what the generator makes by itself: shocks, crises and conditions, checked."""

from __future__ import annotations

from dataclasses import dataclass

from stresslab.analysis.conditions import Condition, parse_condition
from stresslab.analysis.continued_shocks import ContinuedShock, check_continuing, crisis_shock, parse_shock
from stresslab.analysis.crises import chosen_crises
from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.data.market_index import IndexBars
from stresslab.generators.base import Generator

CRISIS_AFTER = 10
"""A tenth of the horizon passes before a crisis of the library begins."""


@dataclass(frozen=True)
class WhatIfPlan:
    """What is asked.

    Attributes:
        shock: texts such as gap=-8%@10.
        scenarios: "all", names of crises with commas between them, or a YAML file.
        given: texts such as 'drawdown >= 30%'.
    """

    shock: tuple[str, ...] = ()
    scenarios: str | None = None
    given: tuple[str, ...] = ()

    def shocks(self, horizon: int) -> list[ContinuedShock]:
        """Every shock, those of crises after a tenth of the horizon.

        Raises:
            InputError: one is no shock, is not known, or lies after the horizon.
        """
        asked = [parse_shock(text).within(horizon) for text in self.shock]
        names = [] if self.scenarios is None else chosen_crises(self.scenarios)
        return asked + [crisis_shock(name, horizon // CRISIS_AFTER, horizon=horizon) for name in names]

    def conditions(self, horizon: int, history: Bars | None = None) -> list[Condition]:
        """Every condition once.

        Raises:
            InputError: one is no condition, can never hold, or is about more bars than there are.
        """
        return [parse_condition(text, history).within(horizon) for text in dict.fromkeys(self.given)]

    def check(self, horizon: int, generator: Generator) -> None:
        """Refuse what cannot be asked, before bars are looked at."""
        if self.shocks(horizon):
            check_continuing(generator)
        self.conditions(horizon)

    def check_history(self, horizon: int, history: Bars) -> None:
        """Refuse what these bars cannot answer."""
        if isinstance(history, IndexBars) and (self.shock or self.scenarios or self.given):
            raise InputError(
                "several symbols have no shocks, scenarios and conditions yet; give one symbol, or leave out `shock`, "
                "`scenarios` and `given`"
            )
        self.conditions(horizon, history)
