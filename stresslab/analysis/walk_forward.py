"""The test repeated from dates across the history: was the answer that of one date, or of the strategy?

At each origin the generator sees only the bars up to it, and what really followed is laid beside its universes. Origins
are at least a horizon apart, so that no bar is a future twice. What is concluded is for verdict and edge to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.permutation_test import positions_and_returns
from stresslab.backtest import Backtest, Terms, backtest
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.core.plain_json import plain
from stresslab.core.randomness import Stream, derive, numpy_generator
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.metrics.distribution import (
    DRAWDOWNS,
    Interval,
    expected_shortfall,
    percentile_of,
    probability_of_drawdown,
    probability_of_loss,
    quantile_interval,
)
from stresslab.metrics.error_budget import monte_carlo_variance
from stresslab.metrics.market_timing import Timing, origin_timing
from stresslab.metrics.performance import drawdown, max_drawdown, total_return
from stresslab.realism.rolling_origins import MIN_HISTORY, origin_positions
from stresslab.strategy import Strategy

UNIVERSES = 256
"""Universes at each origin, at most: the spread over origins is far wider than what so few leave open."""
TREND, RECENT = 250, 60
"""Bars whose return is an origin's trend, and bars whose volatility is compared with the median before."""
PATHS = 1000
"""Histories that are put together of one universe per window."""
SPREAD = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that tell how wide the results at an origin, or of chained paths, lie."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One strategy at one origin.

    Attributes:
        at: time stamp of the last bar seen.
        universes: N accounts in the universes.
        real: the account on what followed.
        expected: mean position and mean return over the universes, (2, T).
        followed: position and return on the real bars, (2, T).
        trend: "up" or "down", by the return of the last `TREND` bars.
        volatility: "calm" or "turbulent", by the last `RECENT` bars against the median of all such windows before.
        in_sample: whether the generator was trained on the days that followed; None where it was not trained.
    """

    at: pd.Timestamp
    universes: Backtest
    real: Backtest
    expected: FloatArray
    followed: FloatArray
    trend: str
    volatility: str
    in_sample: bool | None

    @property
    def loss(self) -> Interval:
        """P(loss) at this origin."""
        return probability_of_loss(total_return(self.universes.equity))

    def to_dict(self) -> dict[str, Any]:
        """One row of the table of origins."""
        returns, real = total_return(self.universes.equity), float(total_return(self.real.equity)[0])
        falls = max_drawdown(drawdown(self.universes.equity))
        return {
            "origin": str(self.at),
            "trend": self.trend,
            "volatility": self.volatility,
            "in_sample": self.in_sample,
            "universes": len(self.universes),
            "probability_of_loss": self.loss.to_dict(),
            "probability_of_drawdown": {
                str(depth): probability_of_drawdown(falls, depth).to_dict() for depth in DRAWDOWNS
            },
            "expected_shortfall_97_5": expected_shortfall(returns).to_dict(),
            "median_return": plain(float(np.median(returns))),
            "median_interval": quantile_interval(returns, 0.5).ends(),
            "quantiles": _spread(returns),
            "realised_return": plain(real),
            "realised_percentile": percentile_of(real, returns).to_dict(),
        }


def fold_ends(history: Bars, horizon: int, origins: int | str | Sequence[str]) -> list[int]:
    """Numbers of bars seen at each origin, in order.

    Args:
        history: real bars up to the run's own origin; what follows each origin lies within them.
        horizon: bars after each origin.
        origins: how many, spread evenly; a distance such as "3M" or "1Y"; or months or dates, such as "2008-09".

    Raises:
        InputError: there is no room for two, or dates lie outside the history or closer than a horizon.
    """
    if isinstance(origins, int):
        found = origin_positions(len(history), horizon, origins)
        if len(found) < 2:
            raise InputError(
                f"origins={origins}: {len(history)} bars before the run's origin leave room for {len(found)} with "
                f"{horizon} bars after each; give more bars or a shorter `horizon`"
            )
        return found
    dates = _every(history, origins) if isinstance(origins, str) else [_named(history, one) for one in origins]
    found = sorted({len(history.up_to(date)) for date in dates})
    found = [at for at in found if MIN_HISTORY <= at <= len(history) - horizon]
    if isinstance(origins, str):
        found = _apart(found, horizon)
    close = [at for at, after in itertools.pairwise(found) if after - at < horizon]
    if close:
        raise InputError(
            f"the origin {history.timestamps[close[0] - 1]} is less than {horizon} bars before the next, so their "
            "futures overlap; name fewer or give a shorter `horizon`"
        )
    if len(found) < 2 or (not isinstance(origins, str) and len(found) < len(dates)):
        raise InputError(
            f"origins={origins!r}: {len(found)} of {len(dates)} have {MIN_HISTORY} bars before and {horizon} after "
            f"them within {history.timestamps[0]} to {history.timestamps[-1]}; choose others"
        )
    return found


def _every(history: Bars, step: str) -> list[pd.Timestamp]:
    try:
        offset = pd.tseries.frequencies.to_offset(step.upper().replace("M", "ME").replace("Y", "YE"))
    except ValueError:
        raise InputError(f"every={step!r} is no distance; write for example 3M, 1Y or 2W") from None
    return list(pd.date_range(history.timestamps[0], history.timestamps[-1], freq=offset))


def _named(history: Bars, date: str) -> pd.Timestamp:
    """The last moment of a month or a day that the user named."""
    try:
        return pd.Period(date).end_time
    except ValueError:
        raise InputError(f"episode {date!r} is no month or date; write for example 2008-09") from None


def _apart(found: Sequence[int], horizon: int) -> list[int]:
    """Those that are at least a horizon after the one before."""
    kept: list[int] = []
    for at in found:
        if not kept or at - kept[-1] >= horizon:
            kept.append(at)
    return kept


@dataclass(frozen=True)
class FoldPlan:
    """What every fold of a walk-forward test has in common.

    Attributes:
        generator: samples at each fold's end from the bars up to it.
        horizon: bars after each.
        terms: of the accounts.
        universes: at each.
        seed: of the run; each fold has random numbers of its own.
        jobs: workers of the generator.
    """

    generator: Generator
    horizon: int
    terms: Terms
    universes: int = UNIVERSES
    seed: int = 0
    jobs: int = 1


def walk_forward(
    strategies: Sequence[Strategy],
    bars: Bars,
    ends: Sequence[int],
    plan: FoldPlan,
    progress: Callable[[int], None] | None = None,
) -> dict[str, list[Fold]]:
    """Every strategy at the end of every fold, by name; each is run in the same universes.

    Args:
        strategies: whose results at other dates are wanted.
        bars: real bars up to the run's own origin.
        ends: numbers of bars seen, as `fold_ends` gives them.
        plan: what the folds have in common.
        progress: called with 1 after each fold.
    """
    found: dict[str, list[Fold]] = {one.name: [] for one in strategies}
    until = plan.generator.describe().get("trained_until")
    for number, at in enumerate(ends):
        history = bars[:at]
        seed = derive(plan.seed, Stream.WALK_FORWARD, number)
        try:
            sampled = plan.generator.sample(history, plan.horizon, plan.universes, seed, jobs=plan.jobs)
        except DataError as error:
            raise InputError(f"origin {history.timestamps[-1]}: {error}") from error
        real = Universes.from_bars(bars[at : at + plan.horizon], history)
        labels = regime(history)
        trained = None if until is None else bool(sampled.timestamps[0].normalize() <= pd.Timestamp(until))
        for strategy in strategies:
            found[strategy.name].append(_fold(strategy, sampled, real, plan.terms, labels, trained))
        if progress is not None:
            progress(1)
    return found


def _fold(
    strategy: Strategy,
    sampled: Universes,
    real: Universes,
    terms: Terms,
    labels: tuple[str, str],
    trained: bool | None,
) -> Fold:
    account, followed = backtest(strategy, sampled, terms), backtest(strategy, real, terms)
    expected = np.stack([one.mean(axis=1) for one in positions_and_returns(account, sampled)])
    happened = np.stack([one[:, 0] for one in positions_and_returns(followed, real)])
    return Fold(sampled.history.timestamps[-1], account, followed, expected, happened, *labels, trained)


def regime(history: Bars) -> tuple[str, str]:
    """Trend and volatility at the end of a history, judged by itself."""
    logs = np.log(history.values[:, CLOSE])
    trend = "up" if logs[-1] >= logs[max(0, len(logs) - 1 - TREND)] else "down"
    squares = np.cumsum(np.concatenate([[0.0], np.diff(logs) ** 2]))
    windows = squares[RECENT:] - squares[:-RECENT]
    wild = len(windows) > 0 and windows[-1] > np.median(windows)
    return trend, "turbulent" if wild else "calm"


def timing_at_origins(folds: Sequence[Fold], periods_per_year: float) -> Timing:
    """Timing on what followed the origins, each origin one cluster."""
    real, expected = (np.stack([getattr(fold, side) for fold in folds], axis=2) for side in ("followed", "expected"))
    return origin_timing(real[0], real[1], expected[0], expected[1], periods_per_year)


def effective_origins(folds: Sequence[Fold]) -> float:
    """How many independent origins there are in these: K (1 - r) / (1 + r) (Bartlett 1935, for an AR(1)).

    r is the lag-1 autocorrelation of what the strategy earned at each; the number lies between 1 and K.
    """
    earned = np.array([float(total_return(fold.real.equity)[0]) for fold in folds])
    centred = earned - earned.mean()
    variance = float((centred**2).sum())
    if len(folds) < 3 or variance == 0:
        return float(len(folds))
    r = float((centred[1:] * centred[:-1]).sum()) / variance
    return float(np.clip(len(folds) * (1 - r) / (1 + r), 1.0, len(folds)))


def chained_paths(folds: Sequence[Fold], seed: int = 0, count: int = PATHS) -> dict[str, Any]:
    """The whole backtest in sampled markets: one universe for each window, the accounts put end to end.

    Args:
        folds: of one strategy, in order; their windows do not overlap.
        seed: of the draws.
        count: paths to sample.

    Returns:
        Distribution of total return and maximum drawdown over all windows, and the one that happened in the same
        windows, each entered without a position; "values" are those of every path, in order.
    """
    rng = numpy_generator(seed, Stream.CHAINED_PATHS)
    pieces = []
    for fold in folds:
        chosen = rng.integers(0, len(fold.universes), count)
        pieces.append(fold.universes.equity[:, chosen] / fold.universes.init_cash)
    lived = _chained(pieces)
    real = _chained([fold.real.equity / fold.real.init_cash for fold in folds])
    figures = {}
    for name, of_lives, of_real in (
        ("total_return", total_return(lived), total_return(real)),
        ("max_drawdown", max_drawdown(drawdown(lived)), max_drawdown(drawdown(real))),
    ):
        figures[name] = {
            "quantiles": _spread(of_lives),
            "values": [round(float(one), 6) for one in np.sort(of_lives)],
            "real": plain(float(of_real[0])),
            "real_percentile": percentile_of(float(of_real[0]), of_lives).to_dict(),
        }
    loss = probability_of_loss(total_return(lived))
    bars = sum(len(fold.real.timestamps) for fold in folds)
    return {"paths": count, "windows": len(folds), "bars": bars, "probability_of_loss": loss.to_dict(), **figures}


def _spread(sample: FloatArray) -> dict[str, float | None]:
    """Quantiles of a sample by level."""
    return {str(level): plain(float(np.quantile(sample, level))) for level in SPREAD}


def _chained(pieces: Sequence[FloatArray]) -> FloatArray:
    """Growth curves (T+1, n) one after the other, each going on from where the last one ended; a ruined one stays."""
    chain = pieces[0]
    for piece in pieces[1:]:
        chain = np.concatenate([chain, np.maximum(chain[-1], 0.0) * piece[1:]])
    return chain


def describe_folds(folds: Sequence[Fold], periods_per_year: float, seed: int = 0) -> dict[str, Any]:
    """The "origins" section of one strategy in `result.json`."""
    return {
        "origins": [fold.to_dict() for fold in folds],
        "effective": plain(effective_origins(folds)),
        "timing": timing_at_origins(folds, periods_per_year).to_dict(),
        "chained_paths": chained_paths(folds, seed),
    }


def losses_by_origin(folds: Sequence[Fold]) -> tuple[list[float], list[float]]:
    """P(loss) at each origin and its Monte Carlo variance, for the error budget."""
    shares = [fold.loss.value for fold in folds]
    return shares, [monte_carlo_variance(share, len(fold.universes)) for share, fold in zip(shares, folds, strict=True)]
