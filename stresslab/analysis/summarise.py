"""One strategy in universes and on real bars, summarised and judged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stresslab.analysis.result import LEVELS, StrategyResult
from stresslab.analysis.result_models import LookAhead, Luck, UniverseSummary
from stresslab.analysis.result_studies import StrategyStudies
from stresslab.analysis.strategy_run import StrategyRun
from stresslab.analysis.verdict import Criteria, Findings, judge
from stresslab.backtest import Terms, buy_and_hold
from stresslab.backtest.evaluate import StrategyEvaluation, curves
from stresslab.data.universes import Universes
from stresslab.metrics.distribution import Interval, describe_realised, describe_universes, wilson
from stresslab.metrics.tear_sheet import tear_sheet
from stresslab.metrics.track_record import returns_by_period, thinned_track_record
from stresslab.realism import Trust


def strategy_result(
    run: StrategyRun, judgement: tuple[Findings, Criteria], seed: int, held: pd.Series[float], risk_free: float = 0.0
) -> StrategyResult:
    """One strategy in universes and on real bars, summarised and judged.

    Args:
        run: evaluated.
        judgement: what the verdict is given on, as long as nothing is known of an edge, and thresholds.
        seed: of the run.
        held: value of buy and hold on the real bars before the origin, by time.
        risk_free: interest a year.
    """
    evaluated = run.in_universes
    realised = None if run.realised is None else _only_row(run.realised.metrics)
    assert evaluated.fan is not None
    assert evaluated.losing is not None
    past = curves(run.in_backtest)[:, 0], np.asarray(held, dtype=np.float64), pd.DatetimeIndex(held.index)
    counted = evaluated.universes - len(evaluated.log.failures)  # in the fan, copies included
    horizon = {"universes": counted, "losing": evaluated.losing.tolist()}
    return StrategyResult(
        name=run.name,
        parameters=run.parameters,
        verdict=judge(*judgement),
        backtest=_only_row(run.in_backtest.metrics),
        realised=realised,
        universes=UniverseSummary.of(describe_universes(evaluated.metrics, seed=seed)),
        luck=Luck.of(describe_realised(realised, evaluated.metrics)),
        metrics=evaluated.metrics,
        lookahead=LookAhead.of(run.lookahead.to_dict()),
        equity_fan=pd.DataFrame(evaluated.fan.quantiles(LEVELS), columns=[str(level) for level in LEVELS]),
        realised_equity=None if run.realised is None else pd.Series(curves(run.realised)[:, 0]),
        source=run.source,
        track=thinned_track_record(*past),
        studies=StrategyStudies.of(
            {
                "periods": returns_by_period(*past),
                "tear_sheet": tear_sheet(past[0], past[2], judgement[0].periods_per_year, risk_free),
                "horizon": horizon,
            }
        ),
    )


def findings_of(
    run: StrategyRun,
    trust: Trust,
    span: tuple[int, float],
    level: float,
    most: int,
) -> Findings:
    """What the verdict on a strategy is given on, before anything is known of an edge.

    Args:
        run: evaluated.
        trust: in the universes.
        span: horizon, and bars in a year.
        level: confidence of the intervals.
        most: universes that can be had.
    """
    metrics, count = run.in_universes.metrics, len(run.in_universes.metrics)
    return Findings(
        exposed=wilson(int((metrics["exposure"] > 0).sum()), count, level),
        without=wilson(int((metrics["total_return"] < 0).sum()), count, level),
        supported=None,
        edge=None,
        record=record_of(run.in_backtest, span[1]),
        trusted=trust.behave,
        caution=trust.caution,
        lacks_timing=trust.lacks_timing,
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


def held_value(real: Universes, terms: Terms, periods_per_year: float) -> pd.Series[float]:
    """(T + 1,) value of buy and hold on the one real series, from the bar before it on, if there is one."""
    first = real.history.timestamps[-1] if len(real.history) else real.timestamps[0]
    stamps = real.timestamps.insert(0, first)
    return pd.Series(buy_and_hold(real, terms, periods_per_year=periods_per_year).equity[:, 0], index=stamps)


def _only_row(metrics: pd.DataFrame) -> dict[str, float]:
    """The measures of one real series by name."""
    return {str(name): float(value) for name, value in metrics.iloc[0].items()}
