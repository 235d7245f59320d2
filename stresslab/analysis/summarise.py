"""One strategy on all grounds of a run, summarised and judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import LEVELS, StrategyResult
from stresslab.analysis.result_models import LookAhead, Luck, UniverseSummary
from stresslab.analysis.result_studies import StrategyStudies
from stresslab.analysis.verdict import Criteria, Findings, judge
from stresslab.backtest import Terms, buy_and_hold
from stresslab.backtest.evaluate import StrategyEvaluation, curves
from stresslab.data.universes import Universes
from stresslab.metrics.distribution import Interval, describe_realised, describe_universes, wilson
from stresslab.metrics.track_record import returns_by_period, thinned_track_record


def strategy_result(
    named: tuple[str, dict[str, Any], dict[str, Any], dict[str, str | None] | None],
    found: Mapping[str, StrategyEvaluation],
    judgement: tuple[Findings, Criteria],
    seed: int,
    held: pd.Series[float],
) -> StrategyResult:
    """One strategy on all grounds, summarised and judged.

    Args:
        named: name, parameters, look-ahead report and source.
        found: by ground.
        judgement: what the verdict is given on, as long as nothing is known of an edge, and thresholds.
        seed: of the run.
        held: value of buy and hold on the real bars before the origin, by time.
    """
    name, parameters, lookahead, source = named
    metrics = found["universes"].metrics
    backtested = _only_row(found["backtest"].metrics)
    realised = _only_row(found["realised"].metrics) if "realised" in found else None
    fan, losing = found["universes"].fan, found["universes"].losing
    assert fan is not None
    assert losing is not None
    counted = found["universes"].universes - len(found["universes"].log.failures)  # in the fan
    past = curves(found["backtest"])[:, 0], np.asarray(held, dtype=np.float64), pd.DatetimeIndex(held.index)
    return StrategyResult(
        name=name,
        parameters=parameters,
        verdict=judge(*judgement),
        backtest=backtested,
        realised=realised,
        universes=UniverseSummary.of(describe_universes(metrics, seed=seed)),
        luck=Luck.of(describe_realised(realised, metrics)),
        metrics=metrics,
        lookahead=LookAhead.of(lookahead),
        equity_fan=pd.DataFrame(fan.quantiles(LEVELS), columns=[str(level) for level in LEVELS]),
        realised_equity=pd.Series(curves(found["realised"])[:, 0]) if "realised" in found else None,
        source=source,
        track=thinned_track_record(*past),
        studies=StrategyStudies.of(
            {
                "periods": returns_by_period(*past),
                "horizon": {"universes": counted, "losing": losing.tolist()},
            }
        ),
    )


def findings_of(
    found: Mapping[str, StrategyEvaluation],
    trust: tuple[bool | None, str | None],
    span: tuple[int, float],
    level: float,
    most: int,
) -> Findings:
    """What the verdict on a strategy is given on, before anything is known of an edge.

    Args:
        found: by ground.
        trust: in the universes, and what to be careful about.
        span: horizon, and bars in a year.
        level: confidence of the intervals.
        most: universes that can be had.
    """
    metrics, count = found["universes"].metrics, len(found["universes"].metrics)
    return Findings(
        exposed=wilson(int((metrics["exposure"] > 0).sum()), count, level),
        without=wilson(int((metrics["total_return"] < 0).sum()), count, level),
        supported=None,
        edge=None,
        record=record_of(found["backtest"], span[1]),
        trusted=trust[0],
        caution=trust[1],
        attainable=most,
        horizon=span[0],
        periods_per_year=span[1],
    )


def record_of(backtested: StrategyEvaluation, periods_per_year: float) -> Interval | None:
    """The annual Sharpe ratio of a backtest, one standard error either way (Lo 2002, eq. 9); None without trades."""
    ratio, bars = float(backtested.metrics["sharpe"].iloc[0]), len(curves(backtested)) - 1
    if not np.isfinite(ratio) or bars < 1:
        return None
    error = float(np.sqrt((periods_per_year + ratio**2 / 2) / bars))
    return Interval(ratio, ratio - error, ratio + error)


def held_value(real: Universes, terms: Terms) -> pd.Series[float]:
    """(T + 1,) value of buy and hold on the one real series, from the bar before it on, if there is one."""
    first = real.history.timestamps[-1] if len(real.history) else real.timestamps[0]
    stamps = real.timestamps.insert(0, first)
    return pd.Series(buy_and_hold(real, terms).equity[:, 0], index=stamps)


def _only_row(metrics: pd.DataFrame) -> dict[str, float]:
    """The measures of one real series by name."""
    return {str(name): float(value) for name, value in metrics.iloc[0].items()}
