"""Rolling origins of a market: joint universes beside what followed, and what symbols have to do with one another.

The equal-weight portfolio of a market is one series, judged like any other; whether its parts move together as they did
is asked here besides. Shapes: K symbols, N universes, H bars.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError
from stresslab.core.randomness import Stream, derive
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.generators.base import JointGenerator
from stresslab.generators.dependence import BARS, log_returns
from stresslab.metrics.dependence import joint_losses, pairs, spearman
from stresslab.metrics.forecast_scores import energy_score, mean_interval
from stresslab.realism.checks import Check, judged
from stresslab.realism.rolling_origins import CONTEXT, RECENT, USUAL, Origin

MAX_CORRELATION_ERROR = 0.1
"""Mean absolute error of the correlations of one-bar returns that is acceptable."""
JOINT_LOSSES = (0.6, 1.67)
"""Joint losses of pairs, simulated over real, that are acceptable."""


@dataclass(frozen=True)
class JointOrigin:
    """What was sampled of a market at one origin, beside its history and what followed.

    Attributes:
        portfolio: the equal-weight portfolio, rebalanced at every bar, as one series.
        correlations: (2, P) Spearman correlations of one-bar returns of the P pairs: simulated, and real before it.
        losses: (2, P) joint losses of the pairs likewise.
        sizes: (2, P) Spearman correlations of the absolute returns likewise.
        energy: energy score of the K returns over `H` bars, each in units of the history's deviation.
    """

    portfolio: Origin
    correlations: FloatArray
    losses: FloatArray
    sizes: FloatArray
    energy: float


def roll_market(
    market: Market,
    generator: JointGenerator,
    ends: Sequence[int],
    horizon: int,
    universes: int,
    *,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> tuple[tuple[JointOrigin, ...], tuple[str, ...]]:
    """Sample a market at every origin; see `rolling_origins.roll`.

    Returns:
        The origins, and why the generator could not sample at the others.
    """
    found, refusals = [], []
    for number, end in enumerate(ends):
        history, future = market[:end], market[end : end + horizon]
        try:
            joint = generator.sample(history, horizon, universes, derive(seed, Stream.JOINT_REALISM, number), jobs=jobs)
        except DataError as error:
            refusals.append(str(error))
        else:
            found.append(_observed(joint, history, future))
        if progress is not None:
            progress(1)
    return tuple(found), tuple(refusals)


def joint_checks(origins: Sequence[JointOrigin]) -> tuple[Check, ...]:
    """Whether symbols move together, and fall together, as they did."""
    errors = [float(np.abs(one.correlations[0] - one.correlations[1]).mean()) for one in origins]
    losses = [float(one.losses[0].sum() / max(one.losses[1].sum(), 1e-12)) for one in origins]
    return (
        judged(
            "correlations", lambda level: mean_interval(errors, level), (0.0, MAX_CORRELATION_ERROR),
            MAX_CORRELATION_ERROR,
            lambda found: f"Correlations of one-bar returns miss the real ones by {found.value:.3f} on average.",
            "correlations need two origins or more.",
        ),
        judged(
            "joint losses", lambda level: mean_interval(losses, level), JOINT_LOSSES, 1.0,
            lambda found: f"Pairs have their worst 5% of bars together {found.value:.2f} times as often as they really "
            "had.",
            "joint losses need two origins or more.",
        ),
    )  # fmt: skip


def _observed(joint: JointUniverses, history: Market, future: Market) -> JointOrigin:
    """One origin: the portfolio's paths, and the dependence of bars before it and in the universes."""
    closes = np.concatenate([history.values[:, -1:, 3], future.values[:, :, 3]], axis=1)  # (K, 1 + H)
    last = np.broadcast_to(closes[None, :, :1], (len(joint), len(closes), 1))
    sampled = np.concatenate([last, joint.values[..., 3].astype(np.float64)], axis=2)  # (N, K, 1 + H)
    paths, real = portfolio_paths(sampled), portfolio_paths(closes[None])[0]
    past = np.concatenate([[0.0], portfolio_paths(history.values[None, :, :, 3])[0]])[-CONTEXT:]
    recent, usual = np.diff(past)[-RECENT:], np.diff(past)[-USUAL:]
    portfolio = Origin(
        history.timestamps[-1], paths, real, float(past[-1] - past.mean()), float(np.sqrt((recent**2).mean())),
        spread=float(past.std()), usual_volatility=float(np.sqrt((usual**2).mean())),
        repaired=float(joint.facts.get("repaired_bars", 0)) / joint.values[..., 0].size,
    )  # fmt: skip
    before = log_returns(history)[-BARS:]  # (M, K)
    returns = np.diff(np.log(sampled), axis=2).transpose(0, 2, 1).reshape(-1, len(closes))  # (N H, K)
    unit = np.sqrt(len(future)) * before.std(axis=0)
    return JointOrigin(
        portfolio,
        np.stack([pairs(spearman(each)) for each in (returns, before)]),
        np.stack([pairs(joint_losses(each)) for each in (returns, before)]),
        np.stack([pairs(spearman(np.abs(each))) for each in (returns, before)]),
        energy_score(np.log(sampled[:, :, -1] / sampled[:, :, 0]) / unit, np.log(closes[:, -1] / closes[:, 0]) / unit),
    )


def portfolio_paths(closes: FloatArray) -> FloatArray:
    """Log value (N, H) of equal weights rebalanced at every bar, over its start, of closes (N, K, 1 + H)."""
    growth = (closes[:, :, 1:] / closes[:, :, :-1]).mean(axis=1)
    return np.asarray(np.log(growth).cumsum(axis=1))
