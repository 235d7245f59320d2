"""One strategy on all grounds of a run, summarised and judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import LEVELS, StrategyResult
from stresslab.analysis.verdict import Criteria, judge
from stresslab.backtest import Terms, buy_and_hold
from stresslab.backtest.evaluate import StrategyEvaluation, curves
from stresslab.data.universes import Universes
from stresslab.metrics.distribution import describe_realised, describe_universes
from stresslab.metrics.track_record import by_period, track_of


def strategy_result(
    named: tuple[str, dict[str, Any], dict[str, Any], dict[str, str | None] | None],
    found: Mapping[str, StrategyEvaluation],
    criteria: Criteria,
    trust: tuple[bool | None, str | None],
    seed: int,
    span: tuple[int, float],
    held: pd.Series[float],
) -> StrategyResult:
    """One strategy on all grounds, summarised and judged.

    Args:
        named: name, parameters, look-ahead report and source.
        found: by ground.
        criteria: thresholds.
        trust: in the universes, and what to be careful about.
        seed: of the run.
        span: horizon, and bars in a year.
        held: value of buy and hold on the real bars before the origin, by time.
    """
    name, parameters, lookahead, source = named
    metrics = found["universes"].metrics
    backtested = _only_row(found["backtest"].metrics)
    realised = _only_row(found["realised"].metrics) if "realised" in found else None
    verdict = judge(
        losses=int((metrics["total_return"] < 0).sum()),
        exposed=int((metrics["exposure"] > 0).sum()),
        universes=len(metrics),
        horizon=span[0],
        periods_per_year=span[1],
        realised_return=None if realised is None else realised["total_return"],
        backtest_return=backtested["total_return"],
        trusted=trust[0],
        caution=trust[1],
        criteria=criteria,
    )
    fan, losing = found["universes"].fan, found["universes"].losing
    assert fan is not None
    assert losing is not None
    past = curves(found["backtest"])[:, 0], np.asarray(held, dtype=np.float64), pd.DatetimeIndex(held.index)
    return StrategyResult(
        name=name,
        parameters=parameters,
        verdict=verdict,
        backtest=backtested,
        realised=realised,
        universes=describe_universes(metrics, seed=seed),
        luck=describe_realised(realised, metrics),
        metrics=metrics,
        lookahead=lookahead,
        equity_fan=pd.DataFrame(fan.quantiles(LEVELS), columns=[str(level) for level in LEVELS]),
        realised_equity=pd.Series(curves(found["realised"])[:, 0]) if "realised" in found else None,
        source=source,
        track=track_of(*past),
        studies={
            "periods": by_period(*past),
            "horizon": {"universes": len(metrics), "losing": losing.tolist()},
        },
    )


def held_value(real: Universes, terms: Terms) -> pd.Series[float]:
    """(T + 1,) value of buy and hold on the one real series, from the bar before it on, if there is one."""
    first = real.history.timestamps[-1] if len(real.history) else real.timestamps[0]
    stamps = real.timestamps.insert(0, first)
    return pd.Series(buy_and_hold(real, terms).equity[:, 0], index=stamps)


def _only_row(metrics: pd.DataFrame) -> dict[str, float]:
    """The measures of one real series by name."""
    return {str(name): float(value) for name, value in metrics.iloc[0].items()}
