"""GJR-GARCH filtered historical simulation: real bars, rescaled to the volatility that a fitted model gives each day.

It starts from the present volatility and lets it react to shocks, more to falls than to rises; it knows no pattern in
the mean, and pays no heed to the time of day. `stresslab.generators.bar_shapes` turns shapes into bars.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, overload

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.core.randomness import uniforms
from stresslab.data.bars import Bars
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars, as_given
from stresslab.data.universes import Universes
from stresslab.generators.bar_shapes import Shapes, recent, sample_universes
from stresslab.generators.base import Progress, share_progress
from stresslab.generators.dependence import check_whole_days, own_seeds

MIN_BARS = 250
_MAX_SCALE = 1e6
"""Bound of a bar's volatility over the sample's, far beyond any market, so that it stays a number."""
_REMEDY = "use `generator=bootstrap`, or another stretch of history"


@dataclass(frozen=True)
class Garch:
    """Filtered historical simulation (Barone-Adesi, Giannopoulos & Vosper 1999) with a GJR-GARCH(1,1) filter.

    The filter (Glosten, Jagannathan & Runkle 1993) is fitted by maximum likelihood with Student-t innovations, by arch.
    Each generated bar takes a whole real bar, drawn at random, and scales its shape about the mean return by the ratio
    of the two days' volatilities; its volume is kept as it was. Residuals are centred (Pascual, Romo & Ruiz 2006), and
    the universes drift as the history did: with the fitted location of a symmetric t alone, the drift of a skewed
    market would lie above its mean, and sink as volatility rises.

    Attributes:
        context: number of last bars of the history to fit and to draw from; None for all of them.
        dependence: of several symbols: "empirical" resamples the same days of all of them, "independent" of each its
            own.
    """

    name: ClassVar[str] = "garch"
    context: int | None = None
    dependence: Literal["empirical", "independent"] = "empirical"

    def __post_init__(self) -> None:
        """Check the settings."""
        check_whole_days(self.dependence, self.name)
        if self.context is not None and self.context < MIN_BARS:
            raise InputError(f"context={self.context} is below {MIN_BARS} bars; give more, or none for all of them")

    @overload
    def sample(
        self, bars: Market, horizon: int, universes: int, seed: int = 0, *,
        ids: Sequence[int] | None = None, jobs: int = 1, progress: Progress | None = None,
    ) -> JointUniverses: ...  # fmt: skip

    @overload
    def sample(
        self, bars: Bars, horizon: int, universes: int, seed: int = 0, *,
        ids: Sequence[int] | None = None, jobs: int = 1, progress: Progress | None = None,
    ) -> Universes: ...  # fmt: skip

    def sample(
        self,
        bars: Bars | Market,
        horizon: int,
        universes: int,
        seed: int = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Universes | JointUniverses:
        """Sample continuations of `bars`; see `stresslab.generators.base.Generator`."""
        if isinstance(bars, Market | IndexBars):
            market = bars if isinstance(bars, Market) else bars.market
            joint = self._sample_market(market, horizon, universes, seed, ids=ids, jobs=jobs, progress=progress)
            return as_given(joint, bars)
        seen = recent(bars, self.context, MIN_BARS, "garch")
        shapes = Shapes.of(seen)
        filtered, drift = fit(shapes.returns), float(shapes.returns.mean())

        def make(piece: NDArray[np.int64]) -> tuple[NDArray[np.float32], int]:
            u = uniforms(seed, piece, horizon, 1)[:, :, 0]
            sources = np.minimum((u * len(shapes)).astype(np.int64), len(shapes) - 1)
            volatility = filtered.volatility_path(sources)  # (n, T)
            scale = (volatility / filtered.volatility[sources])[:, :, None]
            centre = (drift - volatility * filtered.residuals.mean())[:, :, None]
            return shapes.assemble(centre + scale * (shapes.prices[sources] - filtered.mean), sources)

        fitted = filtered.describe() | {"drift": drift}
        facts = {"generator": self.describe(), "fit": fitted, "bars_seen": len(seen)}
        return sample_universes(
            bars, make, facts, horizon=horizon, universes=universes, ids=ids, jobs=jobs, progress=progress
        )

    def _sample_market(
        self, market: Market, horizon: int, universes: int, seed: int, *, progress: Progress | None, **options: Any
    ) -> JointUniverses:
        """The same real days in all symbols, each scaled by its own volatility."""
        progress, count = share_progress(progress, len(market.series)), len(market.series)
        seeds = own_seeds(seed, count) if self.dependence == "independent" else [seed] * count
        parts = [
            self.sample(bars, horizon, universes, own, progress=progress, **options)
            for bars, own in zip(market, seeds, strict=True)
        ]
        facts = {"generator": self.describe(), "dependence": {"kind": self.dependence}}
        return JointUniverses.join(parts, market, facts)

    def describe(self) -> dict[str, Any]:
        """The settings that decide what is sampled, as plain JSON."""
        return {"name": self.name, "context": self.context, "dependence": self.dependence}


@dataclass(frozen=True)
class Parameters:
    """r_t = mean + e_t, e_t = s_t z_t, s_t^2 = omega + (alpha + gamma [e_{t-1} < 0]) e_{t-1}^2 + beta s_{t-1}^2."""

    mean: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    degrees_of_freedom: float


@dataclass(frozen=True, eq=False)
class Filter:
    """A fitted GJR-GARCH(1,1) and the history seen through it.

    Attributes:
        parameters: of the fit to `unit` times the log returns.
        unit: what returns were multiplied by, so that their deviation is 1.
        volatility: (M,) conditional deviation of each log return.
        residuals: (M,) log returns less the mean, over their volatility.
    """

    parameters: Parameters
    unit: float
    volatility: FloatArray
    residuals: FloatArray

    @property
    def mean(self) -> float:
        """Location of a bar's log return."""
        return self.parameters.mean / self.unit

    @property
    def growth(self) -> FloatArray:
        """Factor (M,) by which each residual carries variance on to the next bar, leaving omega aside."""
        p, z2 = self.parameters, self.residuals**2
        return p.beta + np.where(self.residuals < 0, p.alpha + p.gamma, p.alpha) * z2

    def volatility_path(self, sources: NDArray[np.int64]) -> FloatArray:
        """Conditional deviations (n, T) when the residuals at `sources` (n, T) follow the history."""
        omega, growth = self.parameters.omega, self.growth
        variance = np.full(len(sources), omega + growth[-1] * (self.volatility[-1] * self.unit) ** 2)
        path = np.empty(sources.shape)
        for step in range(sources.shape[1]):
            path[:, step] = variance
            variance = np.minimum(omega + growth[sources[:, step]] * variance, _MAX_SCALE**2)
        return np.sqrt(path) / self.unit

    def describe(self) -> dict[str, Any]:
        """The fit as plain JSON.

        "persistence" is the mean factor by which the drawn residuals carry variance on: from 1 on, the variance of the
        universes grows with the horizon. "log_growth" is the mean of its logarithm: below 0, volatility settles down.
        """
        growth = self.growth
        about = {"persistence": float(growth.mean()), "log_growth": _log_mean(growth), "unit": self.unit}
        return asdict(self.parameters) | about


def fit(returns: FloatArray) -> Filter:
    """Fit a GJR-GARCH(1,1) with constant mean and t innovations to log returns (M,).

    Raises:
        DataError: no maximum of the likelihood was found, or the fitted volatility explodes.
    """
    from arch import arch_model

    unit = 1 / float(returns.std())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what they warn of is checked below
        try:
            model = arch_model(unit * returns, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
            fitted = model.fit(disp="off", show_warning=False)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise DataError(f"GARCH cannot be fitted to {len(returns)} returns ({error}); {_REMEDY}") from None
    estimates = fitted.params
    parameters = Parameters(*(float(estimates[k]) for k in ("mu", "omega", "alpha[1]", "gamma[1]", "beta[1]", "nu")))
    volatility = np.asarray(fitted.conditional_volatility, dtype=np.float64) / unit
    residuals = (returns - parameters.mean / unit) / volatility
    if fitted.convergence_flag != 0 or not np.all(np.isfinite(residuals)):
        raise DataError(f"GARCH did not converge on {len(returns)} returns; {_REMEDY}")
    return settling(Filter(parameters, unit, volatility, residuals))


def settling(filtered: Filter) -> Filter:
    """The filter itself when its volatility settles down: the variance's growth has a mean log below 0.

    That is the condition for a stationary GARCH(1,1) (Nelson 1990, theorem 2); a persistence of 1 or more alone is not
    against it.
    """
    count, growth = len(filtered.residuals), _log_mean(filtered.growth)
    if not growth < 0:
        raise DataError(f"GARCH fitted to {count} returns explodes (mean log growth {growth:.2g} >= 0); {_REMEDY}")
    return filtered


def _log_mean(growth: FloatArray) -> float:
    """Mean logarithm of positive factors; a factor of 0 counts as the smallest float."""
    return float(np.log(np.maximum(growth, math.ulp(0.0))).mean())
