"""One strategy on its way through a run: its code, what the look-ahead check found, and its accounts so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.backtest.portfolio import PORTFOLIO
from stresslab.strategy import Strategy
from stresslab.strategy.lookahead.check import LookAheadReport


@dataclass(eq=False)
class StrategyRun:
    """A strategy, or the portfolio of several, and what a run has found of it; each step fills in its part.

    Attributes:
        name: as shown.
        parameters: keyword arguments, or the portfolio's shares.
        lookahead: what the look-ahead check found; of a portfolio, in the first of its members that looks ahead.
        strategy: the code; None for the portfolio.
        universes: in the run's universes.
        backtest: on the real bars before the origin.
        realised: on the real bars after it; None where there is no full horizon of them.
        failure: why it has no result; empty while it may have one.
    """

    name: str
    parameters: dict[str, Any]
    lookahead: LookAheadReport
    strategy: Strategy | None = None
    universes: StrategyEvaluation | None = None
    backtest: StrategyEvaluation | None = None
    realised: StrategyEvaluation | None = None
    failure: str = ""

    @property
    def source(self) -> Mapping[str, str | None] | None:
        """Where the code is and its SHA-256; None for the portfolio."""
        return None if self.strategy is None else {"path": self.strategy.path, "sha256": self.strategy.digest}

    @property
    def in_universes(self) -> StrategyEvaluation:
        """In the run's universes, once they were evaluated."""
        assert self.universes is not None
        return self.universes

    @property
    def in_backtest(self) -> StrategyEvaluation:
        """On the real bars before the origin, once they were evaluated."""
        assert self.backtest is not None
        return self.backtest


def strategies_of(runs: list[StrategyRun]) -> list[Strategy]:
    """The strategies among them, without the portfolio."""
    return [run.strategy for run in runs if run.strategy is not None]


def shares_of(runs: list[StrategyRun]) -> dict[str, float]:
    """The portfolio's shares; none where there is no portfolio."""
    return next((dict(run.parameters) for run in runs if run.strategy is None and run.name == PORTFOLIO), {})
