"""The evidence beside the gate: calibration of several quantities, scores, and stylised facts side by side.

Everything comes as plain JSON, with None where the data cannot say. `gate` draws the conclusions.
K is origins, N universes, H bars of horizon.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.core.randomness import Stream, numpy_generator
from stresslab.metrics import forecast_scores, stylized_facts
from stresslab.metrics.distribution import Interval
from stresslab.realism.rolling_origins import Origin

LEADS = (1, 5, 20, 60, 120)
"""Bars after the origin at which the cumulative return is compared, beside the horizon itself."""
LEVELS = (0.5, 0.8, 0.9, 0.98)
TAILS = (0.05, 0.01)
"""Probabilities of the values at risk whose exceedances are tested."""
LONGEST_LAG = 50
FAR = 1.0
"""Standard deviations from the past's mean log-price from which a price is called high or low."""


def leads(horizon: int) -> list[int]:
    """Bars after the origin at which returns are compared, the horizon last."""
    return sorted({lead for lead in LEADS if lead < horizon} | {horizon})


def quantities(origin: Origin) -> dict[str, tuple[FloatArray, float]]:
    """What is ranked at one origin, by name: (N,) in the universes, and what followed."""
    found = {
        f"return_{lead}": (origin.paths[:, lead - 1], float(origin.real[lead - 1])) for lead in leads(len(origin.real))
    }
    found["volatility"] = (np.sqrt((origin.returns**2).mean(axis=1)), stylized_facts.volatility(origin.real_returns))
    found["max_drawdown"] = (maximum_drawdown(origin.paths), float(maximum_drawdown(origin.real[None])[0]))
    return found


def calibration(origins: Sequence[Origin]) -> dict[str, Any]:
    """Ranks, coverage and scores of every quantity, coverage for calm and turbulent origins apart, and path scores."""
    turbulent = _turbulent(origins)
    tables = [quantities(origin) for origin in origins]
    result: dict[str, Any] = {}
    for name in tables[0]:
        ranks = np.array([forecast_scores.pit(*table[name]) for table in tables])
        size = len(tables[0][name][0])
        exceeded = {str(p): forecast_scores.value_at_risk_exceedances(ranks, p, size) for p in TAILS}
        result[name] = {
            "ranks": [round(float(rank), 4) for rank in ranks],
            "coverage": {str(level): _coverage(ranks, level, size) for level in LEVELS},
            "coverage_calm": _coverage(ranks[~turbulent], 0.9, size),
            "coverage_turbulent": _coverage(ranks[turbulent], 0.9, size),
            "crps": plain(float(np.mean([forecast_scores.crps(*table[name]) for table in tables]))),
            "tail_crps": plain(float(np.mean([forecast_scores.tail_crps(*table[name]) for table in tables]))),
            "value_at_risk": {p: None if found is None else found.to_dict() for p, found in exceeded.items()},
        }
    result["energy_score"] = plain(float(np.mean([_energy(origin) for origin in origins])))
    return result


def stylised_facts(origins: Sequence[Origin], seed: int = 0, draws: int = 200) -> dict[str, Any]:
    """Every fact over all universes of all origins, and over what followed with an interval from resampling origins.

    Args:
        origins: at least one.
        seed: of the bootstrap.
        draws: its repetitions.
    """
    sampled = np.concatenate([origin.returns for origin in origins])
    real = np.concatenate([origin.real_returns for origin in origins])
    drawn = numpy_generator(seed, Stream.FACTS).integers(len(real), size=(draws, len(real)))
    found: dict[str, Any] = {}
    for name, fact in stylized_facts.FACTS.items():
        found[name] = {"universes": plain(fact(sampled)), **_resampled(fact, real, drawn)}
    pairs = np.array([origin.volume_volatility for origin in origins])
    known = pairs[np.isfinite(pairs).all(axis=1)]
    mean = forecast_scores.mean_interval(known[:, 1])
    found["volume_volatility"] = {"universes": plain(float(known[:, 0].mean()) if len(known) else math.nan)} | _of(mean)
    lags = [lag for lag in range(1, LONGEST_LAG + 1) if lag < real.shape[1]]
    sizes, real_sizes = np.abs(sampled), np.abs(real)
    found["autocorrelation_of_absolute_returns"] = {
        "lags": lags,
        "universes": [plain(stylized_facts.autocorrelation(sizes, lag)) for lag in lags],
        "real": [plain(stylized_facts.autocorrelation(real_sizes, lag)) for lag in lags],
    }
    return found


def growth_by_displacement(origins: Sequence[Origin]) -> list[dict[str, Any]]:
    """E[S_H] / S_0 where the last price lay low, near or high by the past's deviations: a reversion shows at the ends.

    Reality's mean has Student's interval; None where no origin lay there.
    """
    away = np.array([origin.displacement / origin.spread if origin.spread > 0 else 0.0 for origin in origins])
    rows: list[dict[str, Any]] = []
    for name, chosen in (("low", away < -FAR), ("near", np.abs(away) <= FAR), ("high", away > FAR)):
        here = [origin for origin, wanted in zip(origins, chosen, strict=True) if wanted]
        sampled = [float(np.exp(origin.paths[:, -1]).mean()) for origin in here]
        real = forecast_scores.mean_interval([math.exp(float(origin.real[-1])) for origin in here])
        universes = plain(float(np.mean(sampled)) if here else math.nan)
        rows.append({"last_price": name, "origins": len(here), "universes": universes} | _of(real))
    return rows


def score_ratios(ours: Sequence[Origin], others: Sequence[Origin], seed: int = 0) -> dict[str, dict[str, float | None]]:
    """CRPS over that of another generator, by quantity, at the origins that both have; below 1 ours is better.

    Args:
        ours: origins of the generator judged.
        others: of the one compared with, which may lack some.
        seed: of the intervals' bootstrap.
    """
    tables = {origin.at: quantities(origin) for origin in others}
    pairs = [(quantities(origin), tables[origin.at]) for origin in ours if origin.at in tables]
    ratios: dict[str, dict[str, float | None]] = {}
    for name in pairs[0][0] if pairs else ():
        above, below = (np.array([forecast_scores.crps(*pair[side][name]) for pair in pairs]) for side in (0, 1))
        ratios[name] = forecast_scores.clustered_ratio(above, below, np.arange(len(pairs)), seed=seed).to_dict()
    return ratios


def _of(found: Interval) -> dict[str, float | None]:
    """Reality's side of a row."""
    return {"real": plain(found.value), "real_low": plain(found.low), "real_high": plain(found.high)}


def _resampled(fact: Callable[[FloatArray], float], real: FloatArray, drawn: NDArray[np.int64]) -> Mapping[str, Any]:
    """A fact of what followed, with the percentile interval of its draws; no bounds from fewer than two origins."""
    values = np.array([fact(real[rows]) for rows in drawn]) if len(real) > 1 else np.empty(0)
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [0.025, 0.975]) if len(finite) else (math.nan, math.nan)
    return _of(Interval(fact(real), float(low), float(high)))


def _turbulent(origins: Sequence[Origin]) -> NDArray[np.bool_]:
    recent = np.array([origin.recent_volatility for origin in origins])
    return np.asarray(recent > np.median(recent))


def _coverage(ranks: FloatArray, level: float, universes: int) -> dict[str, float | None] | None:
    """Share inside with its interval; None (not assessable) without ranks, or where the universes are too few."""
    if not len(ranks) or (1 - level) / 2 * (universes + 1) < 1 - 1e-9:
        return None
    return forecast_scores.coverage(ranks, level, universes).to_dict()


def _energy(origin: Origin) -> float:
    """Energy score at the leads, each in units that no generator has a say in: recent volatility times root of bars."""
    ends = np.array(leads(len(origin.real)))
    unit = (origin.recent_volatility or 1.0) * np.sqrt(ends)
    return forecast_scores.energy_score(origin.paths[:, ends - 1] / unit, origin.real[ends - 1] / unit)


def maximum_drawdown(paths: FloatArray) -> FloatArray:
    """Maximum drawdown (N,) of log-price paths (N, H) from 0, a fraction not above 0."""
    whole = np.pad(paths, ((0, 0), (1, 0)))
    deepest: FloatArray = np.expm1((whole - np.maximum.accumulate(whole, axis=1)).min(axis=1))
    return deepest
