"""Simulated markets for the gate: a GARCH whose universes are drawn from the true process, or with one fault."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from stresslab.core.errors import DataError
from stresslab.core.randomness import uniforms
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import Universes
from stresslab.realism.checks import Check
from stresslab.realism.gate import gate
from stresslab.realism.pooled import pooled_checks
from stresslab.realism.rolling_origins import CONTEXT, RECENT, USUAL, Origin

OMEGA, ALPHA, BETA, SCALE = 0.05, 0.08, 0.90, 0.01
FAULTS = {
    "volatility x 0.6": "volatility",
    "volatility x 1.6": "volatility",
    "all the way back to the mean": "reversion",
    "half the way back to the mean": "reversion",
    "first bar one sigma up": "first_bar_jump",
    "first bar one sigma up or down": "first_bar_jump",
    "first bar one sigma, each universe its own": "first_bar_volatility",
}
"""What is wrong with the universes, and the check that must find it."""
SMALL_FAULTS = (
    "volatility x 0.8",
    "volatility x 1.25",
    "off centre",
    "off centre after five bars",
    "off centre at the horizon",
)
"""Faults that the gate must not trust; off centre, 75% of outcomes lie in 90% intervals of the right width."""
HARD_FAULTS = ("too narrow at the horizon", "volatility misjudged at each origin")
"""Faults that few origins can hardly show: 75% at the horizon alone, 82% at all leads."""
OFF_CENTRE, MISJUDGED, NARROW = 1.05, 0.7, 0.66
"""Standard deviations by which universes that are off centre lie too high or too low; deviation of the log of the
factor by which an origin's volatility is misjudged; width at the horizon of universes that are drawn back on their way
to it, with bars as volatile as they should be."""


def garch(
    rng: np.random.Generator, count: int, bars: int, variance: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """(count, bars) returns with t(6) innovations, and the variances (count, bars) known before each bar and after."""
    returns, variances = np.empty((count, bars)), np.empty((count, bars + 1))
    variances[:, 0] = variance
    shocks = rng.standard_t(6, (count, bars)) / math.sqrt(1.5)
    for bar in range(bars):
        returns[:, bar] = np.sqrt(variances[:, bar]) * shocks[:, bar]
        variances[:, bar + 1] = OMEGA + ALPHA * returns[:, bar] ** 2 + BETA * variances[:, bar]
    return SCALE * returns, variances


def simulate(
    fault: str | None, seed: int, horizon: int, count: int = 24, universes: int = 64, step: int | None = None
) -> list[Origin]:
    """The origins of one market: a single series, a `step` or a horizon between, universes from the state at each."""
    step = step or horizon
    rng = np.random.default_rng(seed)
    series, variances = garch(rng, 1, 100 + CONTEXT + 1 + (count - 1) * step + horizon, OMEGA / (1 - ALPHA - BETA))
    logs = np.cumsum(series[0])
    found = []
    for number in range(count):
        at = 100 + CONTEXT + number * step  # the last bar seen
        returns, _ = garch(rng, universes, horizon, variances[0, at + 1])
        before = logs[at - CONTEXT : at]
        sigma = SCALE * math.sqrt(variances[0, at + 1])
        displacement = float(logs[at] - before.mean())
        found.append(
            Origin(
                at=pd.Timestamp("2000-01-03") + pd.offsets.BDay(at),
                paths=spoilt(fault, returns, displacement, sigma, rng),
                real=logs[at + 1 : at + 1 + horizon] - logs[at],
                displacement=displacement,
                recent_volatility=math.sqrt(float((series[0, at - RECENT + 1 : at + 1] ** 2).mean())),
                spread=float(before.std()),
                usual_volatility=math.sqrt(float((series[0, at - USUAL + 1 : at + 1] ** 2).mean())),
                end=at + 1,
            )
        )
    return found


def spoilt(
    fault: str | None, returns: np.ndarray, displacement: float, sigma: float, rng: np.random.Generator
) -> np.ndarray:
    """Paths (N, H) of returns (N, H) with a fault."""
    returns = returns.copy()
    if fault is not None and fault.startswith("volatility x "):
        returns *= float(fault.removeprefix("volatility x "))
    elif fault == "first bar one sigma up":
        returns[:, 0] += sigma
    elif fault == "first bar one sigma up or down":
        returns[:, 0] += sigma * rng.choice([-1, 1])
    elif fault == "first bar one sigma, each universe its own":
        returns[:, 0] += sigma * rng.choice([-1, 1], len(returns))
    paths = np.cumsum(returns, axis=1)
    steps = np.arange(1, paths.shape[1] + 1)
    if fault is not None and fault.startswith("off centre"):
        away = rng.choice([-1, 1]) * OFF_CENTRE * sigma * np.sqrt(steps)
        if fault == "off centre after five bars":
            away *= np.minimum(1.0, steps / 5)
        elif fault == "off centre at the horizon":
            away *= np.sqrt(steps / len(steps))
        paths = paths + away
    if fault == "too narrow at the horizon":
        paths = paths - (1 - NARROW) * (paths[:, -1:] - paths[:, -1].mean()) * steps / len(steps)
    if fault == "volatility misjudged at each origin":
        paths = paths * math.exp(MISJUDGED * rng.normal())
    if fault == "all the way back to the mean":
        paths -= displacement * (1 - np.exp(-3 * steps / len(steps)))
    elif fault == "half the way back to the mean":
        paths -= 0.5 * displacement * steps / len(steps)
    return paths


@dataclass(frozen=True)
class Walk:
    """A random walk as volatile as its history, times the temperature; top_p cuts the middle share of each draw out."""

    name = "walk"
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    context: int | None = None
    least: int = 0
    trained_until: str | None = None
    calibration: dict[str, Any] | None = None

    def sample(self, bars: Bars, horizon: int, universes: int, seed: int = 0, **_: Any) -> Universes:
        """Normal returns at the history's recent volatility."""
        if len(bars) < self.least:
            raise DataError(f"{len(bars)} bars are too few for the walk, which needs {self.least}; load more")
        u = uniforms(seed, np.arange(universes), horizon, 1)[:, :, 0]
        shocks = stats.norm.ppf(0.5 + self.top_p * (u - 0.5))
        sigma = float(np.diff(np.log(bars.values[-(self.context or 250) :, CLOSE])).std())
        closes = bars.values[-1, CLOSE] * np.exp(np.cumsum(self.temperature * sigma * shocks, axis=1))
        values = np.stack([closes] * 4 + [np.full_like(closes, 1e6), 1e6 * closes], axis=-1)
        timestamps = bars.calendar.future(bars.timestamps, horizon)
        return Universes(
            values, timestamps, bars, np.arange(universes), {"repaired_bars": 1, "context": self.context or 250}
        )

    def describe(self) -> dict[str, Any]:
        """Its settings."""
        return {"name": self.name, **vars(self)}

    def adjusted(self, **settings: Any) -> Walk:
        """The same with other settings."""
        return replace(self, **settings)

    def round_trip(self, bars: Bars) -> dict[str, float | None]:
        """Bars stay as they are."""
        return {"volatility_ratio": 1.0, "lag_one": 0.0, "lag_one_real": 0.0, "bars": float(len(bars))}


def calibrated(value: float = 0.9) -> dict[str, Any]:
    """A calibration of daily bars whose coverages all are `value`, known to within three percent."""
    of_coverage = {"value": value, "low": value - 0.03, "high": value + 0.03}
    volatility = {"value": 1.0, "low": 0.97, "high": 1.03}
    names = ("coverage_90", "drawdown_coverage_90", "coverage_turbulent")
    row = {"origins": 402} | dict.fromkeys(names, of_coverage) | {"volatility": volatility}
    return {"kinds": {"1 day, weekdays": row}}


def held_out_checks(value: float = 0.9) -> tuple[Check, ...]:
    """The gate's checks of such a calibration."""
    return pooled_checks(calibrated(value), "1 day, weekdays")


def normal_bars(count: int, seed: int = 0, sigma: float = 0.01, turning: float = 0.0) -> Bars:
    """Bars with normal returns: of a random walk, or with an autocorrelation of about -`turning`."""
    moves = sigma * np.random.default_rng(seed).normal(size=count)
    for at in range(1, count if turning else 0):
        moves[at] -= turning * moves[at - 1]
    closes = 100 * np.exp(np.cumsum(moves))
    frame = pd.DataFrame(
        {"open": closes, "high": closes, "low": closes, "close": closes, "volume": 1e6},
        index=pd.date_range("2000-01-03", periods=count, freq="B"),
    )
    return Bars.from_frame(frame, symbol="NORMAL")


def checks(origins: list[Origin]) -> dict[str, Check]:
    """The gate's checks by name."""
    return {check.name: check for check in gate(origins)[2]}


def flat(origin: Origin, *, universes: bool, real: bool) -> Origin:
    """The origin with prices that do not move."""
    paths = np.zeros_like(origin.paths) if universes else origin.paths
    return replace(origin, paths=paths, real=np.zeros_like(origin.real) if real else origin.real)
