"""How real do the universes of each generator look? One table per bar length, over all series of a folder.

    python benchmarks/realism.py --data my_bars/ --generators kronos,bootstrap,garch

    python benchmarks/realism.py --data held_out/ --plan benchmarks/held_out.json --horizon 60 --universes 64 \
        --calibration stresslab/generators/kronos/nano/calibration.json --about "Stocks that no training saw."

Every generator meets the same origins (`origins.py`). Intervals are 95% and resample dates, not origins: what happens
to many series at one time is one piece of evidence. Scores and formulas are the package's; only the pooling over series
is done here. `--calibration` writes the evidence that the gate of every run with this model rests on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import origins
from numpy.typing import NDArray

from stresslab.core.errors import InputError
from stresslab.metrics import forecast_scores, stylized_facts
from stresslab.metrics.distribution import Interval
from stresslab.realism import pooled
from stresslab.realism.pooled import Sample
from stresslab.realism.rolling_origins import Origin

LEADS, SCORED = (20, 60, 120), 20
BASELINES = ("bootstrap", "garch")
LAGS = 20


# ---------------------------------------------------------------------------------------------------------- figures


def figures(samples: Sequence[Sample], baseline: Sequence[Sample] | None) -> dict[str, Interval]:
    """Every row of the table for one generator; `baseline` is the better one, at the same origins."""
    dates = np.array([sample.date for sample in samples])
    every = [sample.origin for sample in samples]
    found: dict[str, Interval] = {}
    for lead in (one for one in LEADS if one <= len(every[0].real)):
        ranks = [forecast_scores.pit(one.paths[:, lead - 1], float(one.real[lead - 1])) for one in every]
        for level in (0.9, 0.5):
            held = forecast_scores.inside(ranks, level, len(every[0].paths))
            found[f"{level:.0%} interval of the {lead}-bar return covers"] = forecast_scores.clustered_share(
                held, dates
            )
    if baseline is not None:
        found[f"CRPS of the {SCORED}-bar return over the better baseline's"] = forecast_scores.clustered_ratio(
            losses(samples), losses(baseline), dates
        )
    found["volatility of a bar over what followed, median of series"] = volatility_ratio(samples)
    found["lag-1 autocorrelation of returns less reality's"] = _mean_of(
        every, dates, lambda one: stylized_facts.lag_one(one.returns) - stylized_facts.lag_one(one.real_returns)
    )
    found[f"autocorrelation of |returns|, lags 1 to {LAGS}, over reality's"] = forecast_scores.clustered_ratio(
        *clustering(samples), dates
    )
    found["first bar's jump, bar sigmas: mean"] = _mean_of(every, dates, lambda one: jump(one)[0])
    squares = _mean_of(every, dates, lambda one: jump(one)[1])
    found["first bar's jump, bar sigmas: root mean square"] = Interval(
        *(float(np.sqrt(max(0.0, end))) for end in (squares.value, squares.low, squares.high))
    )
    logs = _mean_of(every, dates, lambda one: float(np.log(one.returns[:, 0].std() / one.returns[:, 1:4].std())))
    found["first bar's volatility over the next three's"] = Interval(*np.exp([logs.value, logs.low, logs.high]))
    found["repaired bars"] = _mean_of(every, dates, lambda one: one.repaired)
    last = SCORED - 1
    found[f"drift: mean {SCORED}-bar log return of universes"] = _mean_of(
        every, dates, lambda one: float(one.paths[:, last].mean())
    )
    found[f"drift: mean {SCORED}-bar log return that followed"] = _mean_of(
        every, dates, lambda one: float(one.real[last])
    )
    return found


def losses(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """CRPS (K,) in units of the volatility before each origin, so that calm and wild series count alike."""
    return np.array(
        [
            forecast_scores.crps(one.paths[:, SCORED - 1], float(one.real[SCORED - 1])) / (one.recent_volatility or 1.0)
            for one in (sample.origin for sample in samples)
        ]
    )


def jump(origin: Origin) -> tuple[float, float]:
    """Mean first return in sigmas of the later bars, and its square less what N universes give by chance."""
    first, sigma = origin.returns[:, 0], stylized_facts.volatility(origin.returns[:, 1:])
    mean = float(first.mean()) / sigma if sigma > 0 else 0.0
    return mean, mean**2 - 1 / len(first)


def volatility_ratio(samples: Sequence[Sample], draws: int = 1000) -> Interval:
    """Root mean square of sampled returns over that of the real ones by series, the median; dates are resampled."""
    _, series = np.unique([sample.series for sample in samples], return_inverse=True)
    _, dates = np.unique([sample.date for sample in samples], return_inverse=True)
    squares = np.array([[(side**2).mean() for side in _sides(sample.origin)] for sample in samples])  # (K, 2)

    def median(weights: NDArray[np.float64]) -> float:
        sums = [np.bincount(series, weights * squares[:, side]) for side in (0, 1)]
        known = sums[1] > 0
        return float(np.median(np.sqrt(sums[0][known] / sums[1][known]))) if known.any() else float("nan")

    count = int(dates.max()) + 1
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=draws)
    low, high = np.nanquantile([median(row[dates]) for row in drawn], [0.025, 0.975])
    return Interval(median(np.ones(len(samples))), float(low), float(high))


def clustering(samples: Sequence[Sample]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Autocorrelation of |returns| at each origin (K,), of universes and reality, mean of lags 1 to `LAGS`.

    About mean and variance over all windows of the series, so that calm and wild windows count as clusters, which the
    mean of each window by itself would hide. One universe of each window makes up a series as reality does; what few
    windows do to an estimate (a mean that follows the data takes autocorrelation away) is then the same on both sides.
    """
    by_series = defaultdict(list)
    for place, sample in enumerate(samples):
        by_series[sample.series].append(place)
    found = np.zeros((2, len(samples)))
    for places in by_series.values():
        for side in (0, 1):
            sizes = np.abs([_sides(samples[place].origin)[side] for place in places])  # (windows, N or 1, T)
            centred = sizes - sizes.mean(axis=(0, 2), keepdims=True)
            variance = (centred**2).mean(axis=(0, 2))  # (N or 1,)
            products = [(centred[..., lag:] * centred[..., :-lag]).mean(axis=2) for lag in range(1, LAGS + 1)]
            ratios = np.divide(np.mean(products, axis=0), variance, out=np.zeros(sizes.shape[:2]), where=variance > 0)
            found[side, places] = ratios.mean(axis=1)
    return found[0], found[1]


def _sides(origin: Origin) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return origin.returns, origin.real_returns


def _mean_of(every: Sequence[Origin], dates: NDArray[np.int64], figure: Callable[[Origin], float]) -> Interval:
    values = np.array([figure(origin) for origin in every])
    known = np.isfinite(values)
    return forecast_scores.clustered_mean(values[known], dates[known])


def better_baseline(found: dict[str, list[Sample]]) -> str | None:
    """The baseline with the lower CRPS, of those that ran."""
    ran = [name for name in BASELINES if name in found]
    return min(ran, key=lambda name: float(losses(found[name]).mean())) if ran else None


# ------------------------------------------------------------------------------------------------------------ output


def table(frequency: str, found: dict[str, list[Sample]]) -> tuple[str, dict[str, Any]]:
    """The table of one bar length as text and as JSON."""
    best = better_baseline(found)
    columns = {name: figures(samples, found[best] if best else None) for name, samples in found.items()}
    first = next(iter(found.values()))
    dates, series = ({getattr(sample, kind) for sample in first} for kind in ("date", "series"))
    lines = [
        f"bars of {frequency}: {len(first)} origins, {len(series)} series, {len(dates)} dates; better baseline: {best}"
    ]
    width = max(len(row) for row in next(iter(columns.values())))
    lines.append(" " * width + "".join(f"  {name:>24}" for name in columns))
    for row in next(iter(columns.values())):
        cells = (column[row] for column in columns.values())
        lines.append(row.ljust(width) + "".join(f"  {f'{x.value:.3f} [{x.low:.3f}, {x.high:.3f}]':>24}" for x in cells))
    drifts = {
        name: {key: _drift([sample.origin for sample in samples if sample.series == key]) for key in sorted(series)}
        for name, samples in found.items()
    }
    content = {name: {row: interval.to_dict() for row, interval in column.items()} for name, column in columns.items()}
    sizes = {"origins": len(first), "series": len(series), "dates": len(dates), "better_baseline": best}
    return "\n".join(lines), sizes | {"figures": content, "drift_by_series": drifts}


def _drift(every: Sequence[Origin]) -> dict[str, float]:
    return {
        "universes": float(np.mean([one.paths[:, SCORED - 1].mean() for one in every])),
        "real": float(np.mean([one.real[SCORED - 1] for one in every])),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    origins.arguments(parser)
    parser.add_argument("--horizon", type=int, default=max(LEADS), help="bars from origin to origin, at least 20")
    parser.add_argument("--calibration", type=Path, help="calibration.json to write, for the folder of the model")
    parser.add_argument("--about", default="", help="sentence in it on what these series are")
    parser.add_argument("--out", type=Path, help="JSON file to write, with the drift of every series")
    given = parser.parse_args(arguments)
    try:
        generators = origins.generators_of(given)
        found = origins.sample_all(generators, given.horizon, given).samples
    except InputError as error:
        parser.error(str(error))
    tables = {frequency: table(frequency, pools) for frequency, pools in sorted(found.items())}
    sys.stdout.write("\n\n".join(text for text, _ in tables.values()) + "\n")
    if given.calibration is not None:
        weights = dict(generators["kronos"].describe()["hashes"])
        content = pooled.calibration(found, "kronos", weights, given.about)
        given.calibration.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if given.out is not None:
        content = {frequency: numbers for frequency, (_, numbers) in tables.items()}
        given.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
