"""What hundreds of held-out outcomes say of one generator: figures by kind of bars, kept beside a checkpoint's weights.

A few origins of one series decide little. Those of many series do, for bars of the same frequency and trading pattern:
their coverage, volatility, drawdowns and scores are written to a checkpoint's `calibration.json` and read by the gate.
Intervals resample dates, since what happens to many series at one time is one piece of evidence. How a label follows is
not known here. K is origins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.data.bars import Bars
from stresslab.data.calendar import human
from stresslab.generators.base import Generator
from stresslab.generators.registry import make_generator
from stresslab.metrics import forecast_scores
from stresslab.metrics.distribution import Interval
from stresslab.realism.calibration import leads, maximum_drawdown
from stresslab.realism.checks import Check, judged
from stresslab.realism.questions import COVERAGE, TURBULENT, VOLATILITY
from stresslab.realism.rolling_origins import Origin, origin_positions, roll, spread

HORIZON, ORIGINS, UNIVERSES = 60, 8, 99
"""Bars after each origin, origins of a series, and universes at each, by default."""
FEWEST = 100
"""Origins of a kind of bars below which its figures say too little to be kept."""
FORMAT = 1
DECIDING: Mapping[str, tuple[tuple[float, float], float, str]] = {
    "coverage_90": (COVERAGE, 0.9, "this model's 90% intervals of returns held {value:.1%} [{low:.1%}, {high:.1%}]"),
    "drawdown_coverage_90": (COVERAGE, 0.9, "those of drawdowns {value:.1%} [{low:.1%}, {high:.1%}]"),
    "coverage_turbulent": (TURBULENT, 0.9, "those of returns in turbulent times {value:.1%} [{low:.1%}, {high:.1%}]"),
    "volatility": (VOLATILITY, 1.0, "its universes were {value:.2f} [{low:.2f}, {high:.2f}] times as volatile"),
}
"""Figures that decide: what is acceptable, what a perfect generator would have, and how they are said."""


@dataclass(frozen=True)
class Sample:
    """One origin of one series, sampled by one generator; `date` is the cluster that it belongs to."""

    series: str
    date: int
    origin: Origin


Samples = dict[str, dict[str, list[Sample]]]
"""By kind of bars and by generator, the same origins for all."""


def kind_of(bars: Bars) -> str:
    """Frequency and trading pattern, as outcomes are pooled by: "1 day, weekdays", "5 minute, 24/7"."""
    pattern = "24/7" if bars.calendar.pattern == "24/7" else "weekdays"
    return f"{human(bars.calendar.frequency.as_unit('ns').value)}, {pattern}"


@dataclass(frozen=True)
class Layout:
    """Where series are sampled, and how often.

    Attributes:
        horizon: bars from origin to origin, and bars compared after each.
        origins: of a series, at most.
        universes: at each origin.
        since: first date of an origin.
    """

    horizon: int = HORIZON
    origins: int = ORIGINS
    universes: int = UNIVERSES
    since: pd.Timestamp | None = None

    def ends(self, bars: Bars) -> list[int]:
        """Numbers of bars seen at each origin of a series."""
        if self.since is None:
            return origin_positions(len(bars), self.horizon, self.origins)
        possible = origin_positions(len(bars), self.horizon, len(bars))
        return spread([end for end in possible if bars.timestamps[end - 1] >= self.since], self.origins)


def sample(
    every: Iterable[Bars],
    generators: Mapping[str, Generator],
    layout: Layout = Layout(),
    *,
    seed: int = 0,
    jobs: int = 1,
    on_series: Callable[[Bars, int, int], None] = lambda bars, made, wanted: None,
) -> Samples:
    """Sample at origins of every series; only those that no generator refuses are kept.

    Args:
        every: the series.
        generators: by name.
        layout: the origins and universes of each series.
        seed: whole number.
        jobs: workers.
        on_series: called after each series with it, and how many origins were made and wanted.
    """
    found: Samples = defaultdict(lambda: defaultdict(list))
    for number, bars in enumerate(every):
        ends, rolled = layout.ends(bars), {}
        for name, made in generators.items():
            seen = roll(bars, made, ends, layout.horizon, layout.universes, seed=seed, jobs=jobs).origins
            rolled[name] = {one.at: one for one in seen}
        shared = sorted(set.intersection(*(set(origins) for origins in rolled.values())))
        elapsed = pd.Timedelta(days=365.25) / bars.periods_per_year  # from bar to bar, nights and weekends included
        for name, of_generator in rolled.items():
            for at in shared:
                date = int((at - pd.Timestamp(0)) // (layout.horizon * elapsed))
                found[kind_of(bars)][name].append(Sample(f"{number} {bars.symbol}", date, of_generator[at]))
        on_series(bars, len(shared), len(ends))
    return found


def calibrate(
    series: Sequence[Bars],
    generator: Generator,
    weights: Mapping[str, str],
    about: str,
    *,
    seed: int = 0,
    jobs: int = 1,
) -> dict[str, Any]:
    """The content of `calibration.json` measured on held-out series, beside the stationary bootstrap.

    Kinds of bars with fewer than `FEWEST` origins are left out before anything is sampled; with none left, "kinds" is
    empty.

    Args:
        series: which the generator never learned from.
        generator: what is measured.
        weights: its hashes.
        about: on which bars, in a sentence.
        seed: whole number.
        jobs: workers.
    """
    counts: dict[str, int] = defaultdict(int)
    for bars in series:
        counts[kind_of(bars)] += len(Layout().ends(bars))
    enough = [bars for bars in series if counts[kind_of(bars)] >= FEWEST]
    generators: dict[str, Generator] = {generator.name: generator, "bootstrap": make_generator("bootstrap")}
    return calibration(sample(enough, generators, seed=seed, jobs=jobs), generator.name, weights, about)


def figures(samples: Sequence[Sample], baselines: Mapping[str, Sequence[Sample]]) -> dict[str, Any]:
    """The figures of one kind of bars, as plain JSON, with 95% intervals.

    Args:
        samples: of the generator.
        baselines: other generators' samples by name, at the same origins.
    """
    dates = np.array([one.date for one in samples])
    origins = [one.origin for one in samples]
    size = len(origins[0].paths)
    held = np.array([_held(origin) for origin in origins])
    wild = _wild(samples)
    drawdowns = [
        forecast_scores.pit(maximum_drawdown(one.paths), float(maximum_drawdown(one.real[None])[0])) for one in origins
    ]
    found: dict[str, Interval] = {
        "coverage_90": forecast_scores.clustered_share(held, dates),
        "drawdown_coverage_90": forecast_scores.clustered_share(forecast_scores.inside(drawdowns, 0.9, size), dates),
        "coverage_turbulent": forecast_scores.clustered_share(held[wild], dates[wild]),
        "volatility": volatility(origins, dates),
    }
    for name, scored in (("crps_ratio", _return_crps), ("drawdown_crps_ratio", _drawdown_crps)):
        ours = np.array([scored(origin) for origin in origins])
        others = [np.array([scored(one.origin) for one in other]) for other in baselines.values()]
        if others:
            better = min(others, key=lambda losses: float(losses.mean()))
            found[name] = forecast_scores.clustered_ratio(ours, better, dates)
            found[f"{name}_turbulent"] = forecast_scores.clustered_ratio(ours[wild], better[wild], dates[wild])
    sizes = {"origins": len(samples), "series": len({one.series for one in samples}), "dates": len(set(dates.tolist()))}
    return sizes | {"horizon": len(origins[0].real)} | {name: interval.to_dict() for name, interval in found.items()}


def volatility(origins: Sequence[Origin], dates: NDArray[np.int64]) -> Interval:
    """Root mean square of the universes' returns over reality's, every origin in units of its usual volatility."""
    units = np.array([one.usual_volatility or 1.0 for one in origins])
    ours, real = (
        np.array([float((side**2).mean()) for side in sides]) / units**2
        for sides in ((one.returns for one in origins), (one.real_returns for one in origins))
    )
    ratio = forecast_scores.clustered_ratio(ours, real, dates)
    return Interval(*(float(np.sqrt(max(0.0, end))) for end in (ratio.value, ratio.low, ratio.high)))


def calibration(samples: Samples, name: str, weights: Mapping[str, str], about: str) -> dict[str, Any]:
    """The content of `calibration.json`: figures of every kind of bars with at least `FEWEST` origins.

    Args:
        samples: of the generator and its baselines.
        name: of the generator.
        weights: hashes of the weights that were measured; others are not described by these figures.
        about: on which bars, in a sentence.
    """
    kinds = {
        kind: figures(of_kind[name], {other: made for other, made in of_kind.items() if other != name})
        for kind, of_kind in sorted(samples.items())
        if len(of_kind[name]) >= FEWEST
    }
    return {"format": FORMAT, "weights": dict(weights), "about": about, "kinds": kinds}


def pooled_checks(found: Mapping[str, Any] | None, kind: str) -> tuple[Check, ...]:
    """The gate's checks of a calibration for one kind of bars; none where it was not measured for that kind."""
    row = (found or {}).get("kinds", {}).get(kind)
    if row is None:
        return ()
    checks = []
    for name, (acceptable, neutral, words) in DECIDING.items():
        interval = Interval(*(float(row[name][end]) for end in ("value", "low", "high")))
        said = words.format(**row[name])
        reason = f"After {row['origins']:,} held-out origins of other series ({kind}) {said}."
        checks.append(_known(f"pooled_{name}", interval, acceptable, neutral, reason))
    return tuple(checks)


def _known(name: str, found: Interval, acceptable: tuple[float, float], neutral: float, reason: str) -> Check:
    """The check of an interval that was measured before, the same at every confidence asked for."""
    return judged(name, lambda _: found, acceptable, neutral, lambda _: reason, "too few dates.")


def _held(origin: Origin) -> float:
    """Share of the leads at which the outcome lies inside the 90% interval."""
    ranks = [
        forecast_scores.pit(origin.paths[:, lead - 1], float(origin.real[lead - 1])) for lead in leads(len(origin.real))
    ]
    return float(forecast_scores.inside(ranks, 0.9, len(origin.paths)).mean())


def _wild(samples: Sequence[Sample]) -> NDArray[np.bool_]:
    """Which origins are turbulent: recent volatility over the usual one above the median of all."""
    states = np.array([one.origin.recent_volatility / (one.origin.usual_volatility or np.nan) for one in samples])
    return np.asarray(states > np.nanmedian(states))


def _return_crps(origin: Origin) -> float:
    """CRPS of the return at the horizon, in units of the volatility before the origin."""
    return forecast_scores.crps(origin.paths[:, -1], float(origin.real[-1])) / (origin.usual_volatility or 1.0)


def _drawdown_crps(origin: Origin) -> float:
    """CRPS of the maximum drawdown, in the same units."""
    real = float(maximum_drawdown(origin.real[None])[0])
    return forecast_scores.crps(maximum_drawdown(origin.paths), real) / (origin.usual_volatility or 1.0)
