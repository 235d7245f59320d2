"""GJR-GARCH filtered historical simulation: real bars, rescaled to the volatility that a fitted model gives each day.

It starts from the present volatility and lets it react to shocks, more to falls than to rises; it knows no pattern in
the mean, and pays no heed to the time of day. `stresslab.generators.bar_shapes` turns shapes into bars.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.core.randomness import uniforms
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import Universes
from stresslab.generators.bar_shapes import Shapes, continue_universes, past_returns, recent, sample_universes
from stresslab.generators.base import Progress, check_inserted
from stresslab.generators.dependence import check_whole_days
from stresslab.generators.series_by_series import SeriesBySeries

MIN_BARS = 250
FITTED = 200_000
"""Latest returns that decide its parameters."""
_MAX_SCALE = 1e6
"""Bound of a bar's volatility over the sample's, far beyond any market, so that it stays a number."""
_REMEDY = "use `generator=bootstrap`, or another stretch of history"


@dataclass(frozen=True)
class Garch(SeriesBySeries):
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

    def sample_series(
        self,
        bars: Bars,
        horizon: int,
        universes: int,
        seed: int,
        *,
        ids: Sequence[int] | None,
        jobs: int,
        progress: Progress | None,
    ) -> Universes:
        """See `SeriesBySeries`."""
        seen = recent(bars, self.context, MIN_BARS, "garch")
        shapes = Shapes.of(seen)
        filtered, drift = fit(shapes.returns), float(shapes.returns.mean())

        def make(piece: NDArray[np.int64]) -> tuple[NDArray[np.float32], int]:
            sources = _sources(seed, piece, horizon, len(shapes))
            prices = filtered.rescaled(shapes.prices, sources, filtered.volatility_path(sources), drift)
            return shapes.assemble(prices, sources)

        fitted = filtered.describe() | {"drift": drift}
        facts = {"generator": self.describe(), "fit": fitted, "bars_seen": len(seen)}
        return sample_universes(
            bars, make, facts, horizon=horizon, universes=universes, ids=ids, jobs=jobs, progress=progress
        )

    def continued(
        self,
        universes: Universes,
        at: int,
        inserted: ArrayLike,
        seed: int = 0,
        *,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Universes:
        """Go on after inserted bars, whose returns feed the variance; see `stresslab.generators.base.Continuing`."""
        bars = check_inserted(universes, at, inserted, self.describe())
        shapes = Shapes.of(recent(universes.history, self.context, MIN_BARS, "garch"))
        filtered, drift, end = fit(shapes.returns), float(shapes.returns.mean()), at + bars.shape[1]
        known = past_returns(universes, at, bars, bars.shape[1]) - drift  # (N, L)

        def make(rows: slice) -> tuple[NDArray[np.float32], int]:
            sources = _sources(seed, universes.ids[rows], universes.horizon, len(shapes))
            volatility = filtered.volatility_path(sources, at, known[rows])
            prices = filtered.rescaled(shapes.prices, sources[:, end:], volatility[:, end:], drift)
            return shapes.assemble(prices, sources[:, end:], bars[rows, -1, CLOSE])

        return continue_universes(universes, at, bars, make, jobs=jobs, progress=progress)

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

    def volatility_path(self, sources: NDArray[np.int64], at: int = 0, known: FloatArray | None = None) -> FloatArray:
        """Conditional deviations (n, T) when the residuals at `sources` (n, T) follow the history.

        Args:
            sources: positions of residuals.
            at: first step of returns that are known.
            known: (n, L) log returns over the drift that stand in place of the residuals from there on; none when None.
                Residuals are centred, so that a return of r over the drift at volatility s is a residual of
                r / s + their mean.
        """
        p, growth, centre = self.parameters, self.growth, self.residuals.mean()
        variance = np.full(len(sources), p.omega + growth[-1] * (self.volatility[-1] * self.unit) ** 2)
        path = np.empty(sources.shape)
        for step in range(sources.shape[1]):
            path[:, step] = variance
            if known is not None and at <= step < at + known.shape[1]:
                shock = known[:, step - at] * self.unit + centre * np.sqrt(variance)
                follows = p.omega + np.where(shock < 0, p.alpha + p.gamma, p.alpha) * shock**2 + p.beta * variance
            else:
                follows = p.omega + growth[sources[:, step]] * variance
            variance = np.minimum(follows, _MAX_SCALE**2)
        return np.sqrt(path) / self.unit

    def rescaled(
        self, shapes: FloatArray, sources: NDArray[np.int64], volatility: FloatArray, drift: float
    ) -> FloatArray:
        """Shapes (n, T, 4) of real bars at the volatility that is theirs in a universe.

        Args:
            shapes: (M, 4) of the history.
            sources: (n, T) which of them follow one another.
            volatility: (n, T) conditional deviation of each bar.
            drift: mean log return of a bar.
        """
        scale = (volatility / self.volatility[sources])[:, :, None]
        centre = (drift - volatility * self.residuals.mean())[:, :, None]
        return np.asarray(centre + scale * (shapes[sources] - self.mean))

    def describe(self) -> dict[str, Any]:
        """The fit as plain JSON.

        "persistence" is the mean factor by which the drawn residuals carry variance on: from 1 on, the variance of the
        universes grows with the horizon. "log_growth" is the mean of its logarithm: below 0, volatility settles down.
        """
        growth = self.growth
        about = {"persistence": float(growth.mean()), "log_growth": _log_mean(growth), "unit": self.unit}
        return asdict(self.parameters) | about


def _model(returns: FloatArray) -> Any:
    from arch import arch_model

    return arch_model(returns, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)


def fit(returns: FloatArray) -> Filter:
    """Fit a GJR-GARCH(1,1) with constant mean and t innovations to log returns (M,); volatility is of all of them.

    Of more than `FITTED` returns the last ones decide the parameters.

    Raises:
        DataError: no maximum of the likelihood was found, or the fitted volatility explodes.
    """
    unit = 1 / float(returns.std())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what they warn of is checked below
        try:
            fitted = _model(unit * returns[-FITTED:]).fit(disp="off", show_warning=False)
            filtered = fitted if len(returns) <= FITTED else _model(unit * returns).fix(fitted.params)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise DataError(f"GARCH cannot be fitted to {len(returns)} returns ({error}); {_REMEDY}") from None
    estimates = fitted.params
    parameters = Parameters(*(float(estimates[k]) for k in ("mu", "omega", "alpha[1]", "gamma[1]", "beta[1]", "nu")))
    volatility = np.asarray(filtered.conditional_volatility, dtype=np.float64) / unit
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


def _sources(seed: int, ids: NDArray[np.int64], horizon: int, count: int) -> NDArray[np.int64]:
    """Which of `count` real bars each bar of the universes `ids` takes (n, T)."""
    u = uniforms(seed, ids, horizon, 1)[:, :, 0]
    return np.minimum((u * count).astype(np.int64), count - 1)


def _log_mean(growth: FloatArray) -> float:
    """Mean logarithm of positive factors; a factor of 0 counts as the smallest float."""
    return float(np.log(np.maximum(growth, math.ulp(0.0))).mean())
