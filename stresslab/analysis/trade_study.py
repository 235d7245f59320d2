"""What a list of trades says: its times against chance, its exposure in universes, and the size that it bears.

A list cannot be run again, so nothing here is a verdict on the rule behind it. n is trades, T bars, N universes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.analysis.edge import Trials, posterior_of
from stresslab.analysis.limits import LimitPlan, limit_study
from stresslab.analysis.permutation_test import PERMUTATIONS, RealBars, beyond_chance
from stresslab.analysis.result_trades import TradeStudy
from stresslab.analysis.sides import Side, Sides
from stresslab.analysis.sizes import SizePlan, sized
from stresslab.analysis.trade_bars import TradesOnBars
from stresslab.backtest.costs import Costs
from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.core.randomness import Stream, numpy_generator, uniforms
from stresslab.data.bars import CLOSE, OPEN
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import block_positions
from stresslab.generators.permutation import permuted_bars
from stresslab.metrics.distribution import Interval, probability_of_drawdown, probability_of_loss
from stresslab.metrics.edge_posterior import EdgePosterior
from stresslab.metrics.market_timing import gains_variance, position_returns
from stresslab.metrics.position_size import kelly_size, largest_size, size_outcomes
from stresslab.metrics.trade_timing import fixed_timing, relocated, share_as_good, spells_of

Progress = Callable[[str, int, int], None]
LISTED, UNTIMED, SUPPORTED = "listed", "untimed", "supported"
ACCOUNTS = 2000
"""Accounts of resampled trades."""
_AT_ONCE = 500_000
"""Permuted bars in memory at a time."""
DEFECTS = (
    "No trade gains or loses more than the best and the worst of the list: what never happened in it does not happen "
    "here either.",
    "What lasts longer than a block of trades, such as a regime, is broken up, so that long runs of losses are rarer "
    "than they are.",
    "Markets are those of the list: trades meet no other volatility, gaps or trends than they met then.",
    "The list was kept because of what it earned: as listed, its mean is what a lucky choice shows too.",
    "The rule may have reacted to its own losses, by smaller sizes or a pause; here it does not.",
)
"""What accounts of resampled trades leave out."""


@dataclass(frozen=True)
class TradePlan:
    """What is asked of a list.

    Attributes:
        sizes: limit on a drawdown, and terms of credit.
        limits: that accounts are held to; None where there are none.
        costs: of the matched exposure in universes.
        trials: variants that were tried, the one of the list included.
        block: mean length of a block of trades; the cube root of their number by default.
        permutations: of the real bars.
        accounts: of resampled trades.
        horizon: bars of these.
        seed: of everything that is drawn.
    """

    sizes: SizePlan
    limits: LimitPlan | None = None
    costs: Costs = field(default_factory=Costs)
    trials: Trials = field(default_factory=lambda: Trials.of(1.0, None))
    block: float | None = None
    permutations: int = PERMUTATIONS
    accounts: int = ACCOUNTS
    horizon: int = 250
    seed: int = 0


def trade_study(
    on_bars: TradesOnBars, universes: Universes, generator: str, plan: TradePlan, progress: Progress | None = None
) -> TradeStudy:
    """Study a list of trades.

    Args:
        on_bars: the list over real bars.
        universes: N universes of those bars.
        generator: that made them, in words.
        plan: what is asked.
        progress: called with (stage, done, total).
    """
    real, permuted = _permuted(on_bars, plan, progress)
    posterior = posterior_of(real, plan.trials.count)
    matched, elsewhere = _matched(on_bars, permuted, plan)
    block = plan.block or max(1.0, len(on_bars.trades) ** (1 / 3))
    accounts = resampled_accounts(on_bars, posterior, elsewhere, block, plan)
    judged = SUPPORTED if SUPPORTED in accounts.by_name else UNTIMED
    limits = None
    if plan.limits is not None:
        stamps = on_bars.bars.calendar.future(on_bars.bars.timestamps, plan.horizon)
        limits = limit_study(accounts, plan.limits, stamps, plan.seed, judged)
    supported = Interval(math.nan, math.nan, math.nan) if posterior is None else posterior.interval()
    return TradeStudy.of(
        {
            "listed": _listed(on_bars),
            "edge": {
                "p_value": plain(real.p_value), "permutations": real.permutations, "sharpe": real.sharpe.to_dict(),
                "probability": None if posterior is None else plain(posterior.probability),
                "supported": supported.to_dict(), "trials": plan.trials.count, "trials_assumed": plan.trials.assumed,
            },
            "matched": matched,
            "universes": _in_universes(on_bars, universes, generator, plan),
            "limit": str(plan.sizes.limit),
            "depth": plan.sizes.depth,
            "accounts": plan.accounts,
            "horizon": plan.horizon,
            "block": block,
            "sides": {name: _sizes(side, accounts, plan) for name, side in accounts.by_name.items()},
            "judged": judged,
            "limits": limits,
            "defects": DEFECTS,
            "notices": (*on_bars.trades.notices, *on_bars.notices),
        }
    )  # fmt: skip


def _listed(on_bars: TradesOnBars) -> dict[str, Any]:
    """The list in figures."""
    earned, trades = on_bars.returns, on_bars.trades
    gains, losses = float(earned[earned > 0].sum()), float(-earned[earned < 0].sum())
    return {
        "form": trades.form,
        "trades": len(trades),
        "left_out": on_bars.left_out,
        "instant": on_bars.instant,
        "first": str(trades.entered.min()),
        "last": str(trades.left.max()),
        "bars": len(on_bars.position),
        "capital": on_bars.capital,
        "capital_assumed": on_bars.assumed,
        "point_value": on_bars.value,
        "total_return": float(np.prod(1 + on_bars.growth) - 1),
        "win_rate": float((earned > 0).mean()),
        "profit_factor": None if losses == 0 else gains / losses,
        "mean_return": float(earned.mean()),
        "worst_return": float(earned.min()),
        "exposure": float((on_bars.position != 0).mean()),
        "mean_bars": float((on_bars.last - on_bars.first).mean()),
        "costs": on_bars.costs / len(trades),
        "fills_inside": plain(on_bars.inside),
    }


def _permuted(on_bars: TradesOnBars, plan: TradePlan, progress: Progress | None) -> tuple[RealBars, FloatArray]:
    """Timing of the fixed positions on the real bars against permuted ones, and what they earn on each of those."""
    steps, count = len(on_bars.position), plan.permutations
    if not np.ptp(on_bars.position) > 1e-12:
        unknown = Interval(math.nan, -math.inf, math.inf)
        return RealBars(1.0, 0.0, unknown, 0, steps, False), np.array([math.nan])
    own = float(fixed_timing(on_bars.position, on_bars.earned)[0])
    drawn, totals = np.empty(count), np.empty(count)
    for start in range(0, count, max(1, _AT_ONCE // steps)):
        ids = np.arange(start, min(count, start + max(1, _AT_ONCE // steps)))
        values = permuted_bars(on_bars.bars, 1, ids, plan.seed).values
        returns = position_returns(values[:, :, OPEN].T, values[:, :, CLOSE].T)  # (T, n)
        drawn[ids] = fixed_timing(on_bars.position, returns)
        totals[ids] = on_bars.position @ returns
        if progress is not None:
            progress("permuting", int(ids[-1]) + 1, count)
    sharpe, error = beyond_chance(own, drawn, math.sqrt(on_bars.bars.periods_per_year / steps))
    gains = gains_variance(on_bars.position, on_bars.earned)
    return RealBars(share_as_good(own, drawn), own, sharpe, count, steps, True, error, gains), totals


def _matched(on_bars: TradesOnBars, permuted: FloatArray, plan: TradePlan) -> tuple[dict[str, Any], float]:
    """What the same exposure earns at other times and on permuted bars; and the first of these on average."""
    rng = numpy_generator(plan.seed, Stream.TRADE_PLACES)
    elsewhere = relocated(spells_of(on_bars.position), plan.permutations, rng).T @ on_bars.earned
    own = float(on_bars.position @ on_bars.earned)

    def spread(sample: FloatArray) -> dict[str, float | None]:
        return {"value": plain(sample.mean()), "low": plain(np.quantile(sample, 0.05)),
                "high": plain(np.quantile(sample, 0.95))}  # fmt: skip

    found = {"own": own, "real": spread(elsewhere), "real_as_good": share_as_good(own, elsewhere),
             "permuted": spread(permuted)}  # fmt: skip
    return found, float(elsewhere.mean())


def matched_accounts(on_bars: TradesOnBars, universes: Universes, costs: Costs, seed: int) -> FloatArray:
    """Equity (H + 1, N) of the same holding times, directions and sizes at random times of each universe, with costs.

    Each universe has an order of spells and gaps of its own, begun at a random place and repeated as often as its
    horizon asks. Fills are at opens, and the last position is closed at the last close.
    """
    rng, steps = numpy_generator(seed, Stream.TRADE_PLACES), universes.horizon
    paths = relocated(spells_of(on_bars.position), len(universes), rng)  # (T, N)
    begin = rng.integers(0, len(paths), len(universes))
    rows = (begin + np.arange(steps)[:, None]) % len(paths)
    held = np.take_along_axis(paths, rows, axis=0)  # (H, N)
    values = universes.values
    returns = position_returns(values[:, :, OPEN].T, values[:, :, CLOSE].T)
    edges = np.concatenate([np.zeros((1, held.shape[1])), held, np.zeros((1, held.shape[1]))])
    traded = np.abs(np.diff(edges, axis=0))  # (H + 1, N): the last is the sale at the end
    traded[-2] += traded[-1]
    growth = np.maximum(1 + held * returns - (costs.fees + costs.slippage) * traded[:-1], 0.0)
    return np.concatenate([np.ones((1, held.shape[1])), np.cumprod(growth, axis=0)])


def _in_universes(on_bars: TradesOnBars, universes: Universes, generator: str, plan: TradePlan) -> dict[str, Any]:
    equity = matched_accounts(on_bars, universes, plan.costs, plan.seed)
    returns = equity[-1] - 1
    deepest = (equity / np.maximum.accumulate(equity, axis=0) - 1).min(axis=0)
    low, middle, high = np.quantile(returns, [0.05, 0.5, 0.95])
    listed = float(np.log1p(on_bars.growth).sum())
    return {
        "generator": generator,
        "universes": len(universes),
        "horizon": universes.horizon,
        "loss": probability_of_loss(returns),
        "median_return": float(middle),
        "low_return": float(low),
        "high_return": float(high),
        "deep": probability_of_drawdown(deepest, 0.2),
        "median_drawdown": float(np.median(deepest)),
        "own": plain(math.expm1(listed * universes.horizon / len(on_bars.position))),
    }


def resampled_accounts(
    on_bars: TradesOnBars, posterior: EdgePosterior | None, elsewhere: float, block: float, plan: TradePlan
) -> Sides:
    """Accounts (H bars) whose trades are drawn from the list in blocks (stationary bootstrap; Politis & Romano 1994).

    What is drawn is a trade, or what was open at once, with its own bars and the flat ones before it. "listed" keeps
    what each bar earned; "untimed" moves the bars with a position until they earn on average what the same exposure
    earns at other times, less the list's costs; "supported" takes of the difference what each account's draw from the
    posterior takes of the estimate.

    Args:
        on_bars: the list.
        posterior: of the edge of its times; None where nothing was timed.
        elsewhere: what the same exposure earns at other times over all bars, in sum.
        block: mean length, trades.
        plan: how many accounts, how many bars, and the seed.
    """
    busy = (on_bars.position != 0) | (on_bars.growth != 0)
    at = drawn_bars(busy, plan, block)  # (H, N)
    timed = (float(on_bars.growth.sum()) - elsewhere + on_bars.costs) / int(busy.sum())
    shares = {LISTED: np.zeros(plan.accounts), UNTIMED: np.ones(plan.accounts)}
    estimate = 0.0 if posterior is None else posterior.evidence[0].sharpe
    if posterior is not None and estimate > 0:
        ids = np.arange(plan.accounts)
        theta = posterior.quantile(uniforms(plan.seed, ids, 1, 1, stream=Stream.EDGE)[:, 0, 0])
        shares[SUPPORTED] = 1 - theta / estimate
    growth, low, high = (array[at] for array in (on_bars.growth, on_bars.low, on_bars.high))
    sides = {}
    for name, taken in shares.items():
        less = timed * taken * busy[at]
        sides[name] = _side(growth - less, low - less, high - less)
    return Sides(sides, on_bars.position[at], None, on_bars.bars.periods_per_year)


def drawn_bars(busy: NDArray[np.bool_], plan: TradePlan, block: float) -> NDArray[np.int64]:
    """Bars (H, N) of the list's in the order of the drawn trades, each after the flat bars before it.

    Args:
        busy: (T,) whether a trade is open over the bar, or was inside it.
        plan: how many accounts, how many bars, and the seed.
        block: mean length, trades.
    """
    ends = np.flatnonzero(np.diff(np.append(busy, False).astype(np.int8)) < 0) + 1  # of each stretch with a trade
    starts = np.concatenate([[0], ends[:-1]])
    needed = -(-plan.horizon // int((ends - starts).min()))
    longest = min(needed, 4 * plan.horizon // max(1, int((ends - starts).mean())) + 20)
    found = np.empty((plan.horizon, plan.accounts), dtype=np.int64)
    for account in range(plan.accounts):
        pieces: list[NDArray[np.int64]] = []
        have, step = 0, 0
        while have < plan.horizon:
            u = uniforms(plan.seed, [account], longest, 2, first_step=step, stream=Stream.TRADE_BLOCKS)
            order = block_positions(u, len(ends), block)[0]
            pieces += [np.arange(starts[unit], ends[unit]) for unit in order]
            have, step = have + int((ends - starts)[order].sum()), step + longest
        found[:, account] = np.concatenate(pieces)[: plan.horizon]
    return found


def _side(growth: FloatArray, low: FloatArray, high: FloatArray) -> Side:
    """Accounts of bars (H, N)."""
    grown = np.maximum(1 + growth, 0.0)
    equity = np.concatenate([np.ones((1, grown.shape[1])), np.cumprod(grown, axis=0)])
    least, most = np.minimum(1 + low, grown), np.maximum(1 + high, grown)
    return Side(equity, equity[:-1] * np.maximum(least, 0.0), equity[:-1] * most)


def _sizes(side: Side, accounts: Sides, plan: TradePlan) -> dict[str, Any]:
    at_sizes, sizes = sized(side, accounts, plan.sizes), plan.sizes
    kelly = kelly_size(at_sizes, sizes.most, plan.seed)
    return {
        "rows": size_outcomes(at_sizes, sizes.depth, sizes.sizes),
        "largest": largest_size(at_sizes, sizes.depth, sizes.limit.bound, sizes.most),
        "kelly": {"value": kelly.size, "low": kelly.low, "high": kelly.high},
    }
