"""Stress results made from a seed: simple strategies on random walks, summarised and judged by the real functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import LEVELS, StrategyResult, StressResult
from stresslab.analysis.result_document import DataSummary
from stresslab.analysis.result_models import LookAhead, Luck, UniverseSummary
from stresslab.analysis.result_realism import RealismSection
from stresslab.analysis.result_studies import StrategyStudies
from stresslab.analysis.verdict import Findings, judge
from stresslab.core.arrays import FloatArray
from stresslab.data.bars import Bars
from stresslab.data.universes import REAL
from stresslab.metrics.distribution import Interval, describe_realised, describe_universes, wilson
from stresslab.metrics.measures import MEASURES, Account, MeasureInputs
from stresslab.metrics.tear_sheet import tear_sheet
from stresslab.metrics.track_record import returns_by_period, thinned_track_record
from stresslab.realism import Origin, assess
from tests.make.bars import make_bars

Position = Callable[[FloatArray], FloatArray]
COST = 0.001
CASH = 100_000.0


def hold(closes: FloatArray) -> FloatArray:
    """Always long."""
    return np.ones_like(closes)


def idle(closes: FloatArray) -> FloatArray:
    """Never in the market."""
    return np.zeros_like(closes)


def follow(closes: FloatArray) -> FloatArray:
    """Long while the close is above its mean of ten bars."""
    return (closes > pd.DataFrame(closes).rolling(10, min_periods=1).mean().to_numpy()).astype(np.float64)


def churn(closes: FloatArray) -> FloatArray:
    """Long at every other bar: costs eat the account."""
    return np.broadcast_to((np.arange(len(closes)) % 2).astype(np.float64)[:, None], closes.shape)


def favour(closes: FloatArray) -> FloatArray:
    """Long before bars that rise, which no strategy can know: nearly always a gain."""
    rises = np.diff(closes, axis=0, append=closes[-1:]) > 0
    return np.where(rises, 0.5, 0.1)


STRATEGIES: dict[str, Position] = {"hold": hold, "follow": follow, "churn": churn, "favour": favour, "idle": idle}


@dataclass(frozen=True)
class Market:
    """Closes that strategies meet: row 0 is the last real one, (T + 1, N)."""

    closes: FloatArray
    periods_per_year: float

    def run(self, position: Position) -> tuple[FloatArray, pd.DataFrame]:
        """Equity (T + 1, N) and measures of a strategy, with holding throughout as its benchmark."""
        account = self._account(position(self.closes)[:-1])
        benchmark = self._account(hold(self.closes)[:-1]).equity[-1] / CASH - 1
        inputs = MeasureInputs(account, self.periods_per_year, benchmark)
        return account.equity, pd.DataFrame({name: row.compute(inputs) for name, row in MEASURES.items()})

    def _account(self, held: FloatArray) -> Account:
        traded = np.abs(np.diff(held, axis=0, prepend=0.0))  # (T, N)
        gains = held * (self.closes[1:] / self.closes[:-1] - 1) - COST * traded
        growth = np.vstack([np.ones(held.shape[1]), 1 + gains])
        equity = np.asarray(CASH * np.cumprod(growth, axis=0), dtype=np.float64)
        profits, trades = np.diff(equity, axis=0), (traded > 0).sum(axis=0)
        return Account(
            equity=equity,
            position=held,
            traded=traded,
            trades=trades,
            wins=np.floor(trades * (gains > 0).mean(axis=0)).astype(np.int64),
            gross_profit=np.maximum(profits, 0).sum(axis=0),
            gross_loss=np.maximum(-profits, 0).sum(axis=0),
        )


def make_result(
    *names: str,
    universes: int = 400,
    horizon: int = 60,
    realised: bool = True,
    drift: float = 2e-4,
    seed: int = 0,
    rename: dict[str, str] | None = None,
    **changes: Any,
) -> StressResult:
    """A stress test of strategies of `STRATEGIES`.

    Args:
        names: of strategies; "follow" when there is none.
        universes: N.
        horizon: T.
        realised: whether real bars follow the origin.
        drift: mean log return of the universes' bars.
        seed: of real bars and universes.
        rename: shown names of strategies, by name.
        changes: fields of the result to replace.
    """
    bars = make_bars(400 + horizon, seed=seed)
    history, future = bars[:400], bars[400:]
    rng = np.random.default_rng(seed)
    steps = np.cumsum(drift + 0.011 * rng.standard_t(4, (horizon, universes)) / np.sqrt(2), axis=0)
    start = float(history.values[-1, 3])
    closes = np.vstack([np.full(universes, start), start * np.exp(steps)])  # (T + 1, N)
    fan = pd.DataFrame(np.quantile(closes[1:], LEVELS, axis=1).T, future.timestamps, [str(level) for level in LEVELS])
    grounds = {"universes": closes, "backtest": history.values[:, 3:4]}
    if realised:
        grounds["realised"] = np.vstack([[[start]], future.values[:, 3:4]])
    markets = {name: Market(ground, bars.periods_per_year) for name, ground in grounds.items()}
    facts: dict[str, Any] = {
        "config": {"strategies": list(names), "seed": seed, "init_cash": CASH, "fees": 0.0005, "out": None},
        "bars": (bars if realised else history)[100:],
        "origin": history.timestamps[-1],
        "horizon": horizon,
        "universes_count": universes,
        "fan": fan,
        "sample_paths": closes[1:, :30].T,
        "data": DataSummary.of(describe(bars)),
        "generator": {
            "name": "kronos",
            "model": "nano",
            "temperature": 1.0,
            "top_p": 1.0,
            "trained_until": "2012-12-31",
        },
        "generator_facts": {"generator": {"name": "kronos"}, "context": 392, "repaired_bars": 17},
        "in_sample": False,
        "realism": None,
        "notices": [],
        "strategies": [strategy(name, markets, (rename or {}).get(name, name)) for name in names or ("follow",)],
        "timings": {"sampling": 12.345, "backtest": 0.5},
        "environment": {"python": "3.11.9", "processors": 2, "versions": {"numpy": "2.0.0", "torch": "2.5.0"}},
    }
    return StressResult(**(facts | changes))


def make_realism(
    *,
    width: float = 1.0,
    count: int = 24,
    universes: int = 64,
    horizon: int = 60,
    support: float | None = None,
    **changes: Any,
) -> RealismSection:
    """The realism section of universes that are `width` times as wide as what followed.

    Args:
        width: of the universes, 1 for the true ones.
        count: of origins.
        universes: at each of them.
        horizon: bars.
        support: share of universes at the model's last price; None where it has none.
        changes: fields of the assessment to replace.
    """
    rng = np.random.default_rng(7)
    origins = [
        Origin(
            at=pd.Timestamp("2001-01-01") + pd.Timedelta(days=100 * number),
            paths=np.cumsum(0.01 * width * rng.standard_normal((universes, horizon)), axis=1),
            real=np.cumsum(0.01 * rng.standard_normal(horizon)),
            displacement=float(rng.normal(0, 0.1)),
            recent_volatility=float(rng.uniform(0.005, 0.02)),
            spread=0.1,
            volume_volatility=(0.2, 0.3),
            support=support,
        )
        for number in range(count)
    ]
    return RealismSection.of(replace(assess(origins, horizon, universes), **changes).to_dict())


def describe(bars: Bars) -> dict[str, Any]:
    """The facts about bars that a result holds."""
    return {
        "source": "walk.csv",
        "symbol": bars.symbol,
        "bars": len(bars),
        "start": str(bars.timestamps[0]),
        "end": str(bars.timestamps[-1]),
        "calendar": bars.calendar.describe(),
        "periods_per_year": bars.periods_per_year,
        "repaired": 0,
        "notices": [],
        "digest": bars.digest,
    }


def strategy(name: str, markets: dict[str, Market], shown: str) -> StrategyResult:
    """One strategy on all markets, as `stress_test` puts it together."""
    equity, metrics = markets["universes"].run(STRATEGIES[name])
    metrics.index.name = "universe"
    past, measured = markets["backtest"].run(STRATEGIES[name])
    backtest = only_row(measured)
    held = markets["backtest"].run(STRATEGIES["hold"])[0][:, 0]
    stamps = pd.bdate_range("2016-01-01", periods=len(past))
    real = markets["realised"].run(STRATEGIES[name]) if "realised" in markets else None
    realised = None if real is None else only_row(real[1])
    count = len(metrics)
    ratio = backtest["sharpe"]
    verdict = judge(
        Findings(
            exposed=wilson(int((metrics["exposure"] > 0).sum()), count),
            without=wilson(int((metrics["total_return"] < 0).sum()), count),
            supported=None,
            edge=None,
            record=Interval(ratio, ratio - 0.5, ratio + 0.5) if math.isfinite(ratio) else None,
            trusted=None,
            caution=None,
            attainable=200_000,
            horizon=len(equity) - 1,
            periods_per_year=markets["universes"].periods_per_year,
        )
    )
    return StrategyResult(
        name=shown,
        parameters={"window": 10},
        verdict=verdict,
        backtest=backtest,
        realised=realised,
        universes=UniverseSummary.of(describe_universes(metrics)),
        luck=Luck.of(describe_realised(realised, metrics)),
        metrics=metrics,
        lookahead=LookAhead(found=(), inconclusive=name == "idle", bars=400, cuts=32, decisions=9 * (name != "idle")),
        equity_fan=pd.DataFrame(np.quantile(equity, LEVELS, axis=1).T, columns=[str(level) for level in LEVELS]),
        realised_equity=None if real is None else pd.Series(real[0][:, 0]),
        track=thinned_track_record(past[:, 0], held, stamps),
        studies=StrategyStudies.of(
            {
                "periods": returns_by_period(past[:, 0], held, stamps),
                "tear_sheet": tear_sheet(past[:, 0], stamps, markets["backtest"].periods_per_year),
                "horizon": {"universes": len(metrics), "losing": (equity < equity[0]).sum(axis=1).tolist()},
            }
        ),
        replays=replays(markets, STRATEGIES[name], equity, metrics),
    )


def replays(markets: dict[str, Market], position: Position, equity: FloatArray, metrics: pd.DataFrame) -> pd.DataFrame:
    """Candles of what followed, where something did, and of the three universes with the lowest return."""
    worst = metrics["total_return"].sort_values(kind="stable").index[:3]
    parts = [candles(markets["universes"].closes, position, equity, int(one), int(one)) for one in worst]
    if "realised" in markets:
        real = markets["realised"]
        parts.insert(0, candles(real.closes, position, real.run(position)[0], 0, REAL))
    return pd.concat(parts, ignore_index=True)


def candles(closes: FloatArray, position: Position, equity: FloatArray, column: int, universe: int) -> pd.DataFrame:
    """Candles that open at the close before."""
    held = position(closes)[:-1, column]  # (T,)
    opens, ends = closes[:-1, column], closes[1:, column]
    return pd.DataFrame(
        {
            "universe": universe,
            "step": np.arange(1, len(opens) + 1),
            "open": opens,
            "high": np.maximum(opens, ends) * 1.004,
            "low": np.minimum(opens, ends) * 0.996,
            "close": ends,
            "position": held,
            "traded": np.abs(np.diff(held, prepend=0.0)),
            "equity": equity[1:, column],
        }
    )


def only_row(metrics: pd.DataFrame) -> dict[str, float]:
    """The measures of one series by name."""
    return {str(name): float(value) for name, value in metrics.iloc[0].items()}
