"""Yardsticks of universes that the gate does not use: an independent score, a classifier, and copies of training data.

    python benchmarks/yardsticks.py --data bars/ --plan benchmarks/held_out.json --universes 64
    python benchmarks/yardsticks.py --data bars/ --plan benchmarks/held_out.json --trained bars/us_1d.parquet
    python benchmarks/yardsticks.py --simulated 40

* finval 0.6.1 (`pip install finval`), `validate_full` on return and range of each bar in units of the year's
  volatility: one universe of each origin against what followed, all of them as forecasts. "Real halves" is reality
  against itself.
* C2ST (Lopez-Paz & Oquab 2017): a classifier learns on some dates to tell what followed from universes, and is tried
  on others. Its figure is the share of universes that it holds for less real than what followed at the same origin: one
  half for universes of the true process, whatever the classifier.
* Memorisation: the share of universes that lie nearer to a window of the training data than what followed does; one
  half where nothing is copied.

Intervals are 95% and resample dates. `--simulated` gives size and power of the last two on GARCH markets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import origins
import pandas as pd
from rates import show

from stresslab.core.arrays import FloatArray
from stresslab.metrics import forecast_scores
from stresslab.metrics.distribution import Interval, wilson
from stresslab.realism.calibration import maximum_drawdown
from stresslab.realism.pooled import Sample
from tests.realism.cases import garch, simulate

HORIZON, FOLDS, LEARNED, WINDOW = 60, 5, 8, 20
"""Bars after an origin; parts that dates fall into; universes of an origin to learn from; bars of a training window."""
RIDGE = 10.0


@dataclass(frozen=True)
class Paths:
    """Paths at K origins in units of the usual volatility there: what followed first, then N universes.

    Attributes:
        returns: (K, 1 + N, H).
        ranges: (K, 1 + N, H), or None.
        state: (K,) recent over usual volatility.
        dates: (K,) clusters.
    """

    returns: FloatArray
    ranges: FloatArray | None
    state: FloatArray
    dates: FloatArray

    @classmethod
    def of(cls, samples: Sequence[Sample], ranges: origins.Ranges | None = None, name: str = "") -> Paths:
        """From samples of one generator; ranges as the benchmarks keep them."""
        every = [one.origin for one in samples]
        units = np.array([one.usual_volatility for one in every])[:, None, None]
        returns = np.stack([np.concatenate([one.real_returns, one.returns]) for one in every]) / units
        spans = None
        if ranges is not None:
            keys = [(one.series, one.origin.at) for one in samples]
            spans = np.stack([np.concatenate([ranges["real"][key][None], ranges[name][key]]) for key in keys]) / units
        state = np.array([one.recent_volatility / one.usual_volatility for one in every])
        return cls(returns, spans, state, np.array([one.date for one in samples]))


# ----------------------------------------------------------------------------------------------------------- finval


def finval_scores(paths: Paths, universe: int = 1) -> dict[str, float]:
    """Finval's scores of the universes, overall and by lens."""
    from finval import validate_full

    both = np.stack([paths.returns, paths.ranges], axis=-1)  # (K, 1 + N, H, 2)
    cuts = np.quantile(paths.state, [1 / 3, 2 / 3])
    ends = paths.returns.sum(axis=2)  # (K, 1 + N)
    found = validate_full(
        both[:, universe], both[:, 0], forecast_samples=ends[:, 1:, None], actuals=ends[:, :1],
        regime_labels=np.digitize(paths.state, cuts),
    )  # fmt: skip
    sensitivity = found.metrics.get("conditional_sensitivity")
    off = {} if sensitivity is None else {"sensitivity off by": float(sensitivity.value)}
    return {"overall": found.overall_score} | found.per_lens | off


def real_halves(paths: Paths) -> dict[str, float]:
    """Finval's scores of every other real path against the rest: what is to be had."""
    from finval import validate_full

    real = np.stack([paths.returns[:, 0], paths.ranges[:, 0]], axis=-1)
    order = np.random.default_rng(0).permutation(len(real))
    found = validate_full(real[order[::2]], real[order[1::2]], feature_names=["return", "range"])
    return {"overall": found.overall_score} | found.per_lens


# ------------------------------------------------------------------------------------------------------- classifier


def features(paths: Paths) -> FloatArray:
    """What the classifier sees of each path (K, 1 + N, P): sizes, order, tails, ranges, and the state before it."""
    returns = paths.returns
    sizes = np.abs(returns)
    late = returns.shape[2] // 2
    rms = np.sqrt((returns**2).mean(axis=2)) + 1e-9
    cumulated = returns.cumsum(axis=2)
    flat = cumulated.reshape(-1, cumulated.shape[2])
    shape = returns / rms[..., None]
    columns = [
        np.log(rms),
        np.log((np.sqrt((returns[..., late:] ** 2).mean(axis=2)) + 1e-9) / rms),
        np.log(np.sqrt((returns[..., :5] ** 2).mean(axis=2)) + 1e-2),
        (shape[..., 1:] * shape[..., :-1]).mean(axis=2),
        _correlation(sizes[..., 1:], sizes[..., :-1]),
        _correlation(returns[..., :-1], sizes[..., 1:]),
        (shape**3).mean(axis=2) / 10,
        np.log((shape**4).mean(axis=2)),
        cumulated[..., -1] / np.sqrt(returns.shape[2]),
        maximum_drawdown(flat).reshape(cumulated.shape[:2]) / np.sqrt(returns.shape[2]),
    ]
    if paths.ranges is not None:
        columns += [np.log(paths.ranges.mean(axis=2) + 1e-9), _correlation(sizes, paths.ranges),
                    _correlation(paths.ranges[..., 1:], paths.ranges[..., :-1])]  # fmt: skip
    found = np.stack(columns, axis=-1)
    state = np.broadcast_to(np.log(paths.state + 1e-9)[:, None, None], (*found.shape[:2], 1))
    return np.concatenate([found, found**2, found * state], axis=-1)


def classified(paths: Paths) -> Interval:
    """Share of universes held for less real than what followed, by a ridge classifier that saw other dates."""
    seen = features(paths)
    _, dates = np.unique(paths.dates, return_inverse=True)
    folds = np.random.default_rng(0).permutation(int(dates.max()) + 1)[dates] % FOLDS
    shares = np.full(len(seen), np.nan)
    for fold in range(FOLDS):
        learned, tried = seen[folds != fold], seen[folds == fold]
        if not len(tried):
            continue
        chosen = learned[:, : 1 + LEARNED].reshape(-1, seen.shape[-1])
        middle, scale = np.median(chosen, axis=0), chosen.std(axis=0) + 1e-9
        x = np.clip((chosen - middle) / scale, -5, 5)
        target = np.tile([1.0, *[-1 / LEARNED] * LEARNED], len(learned))
        weight = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ target)
        scores = np.clip((tried - middle) / scale, -5, 5) @ weight  # (K', 1 + N)
        less, same = scores[:, 1:] < scores[:, :1], scores[:, 1:] == scores[:, :1]
        shares[folds == fold] = (less + 0.5 * same).mean(axis=1)
    return forecast_scores.clustered_mean(shares, paths.dates)


def _correlation(one: FloatArray, other: FloatArray) -> FloatArray:
    """Correlation along the last axis; 0 where one of both is constant."""
    one, other = (side - side.mean(axis=-1, keepdims=True) for side in (one, other))
    scale = np.sqrt((one**2).sum(axis=-1) * (other**2).sum(axis=-1))
    return np.divide((one * other).sum(axis=-1), scale, out=np.zeros(scale.shape), where=scale > 0)


# ----------------------------------------------------------------------------------------------------- memorisation


def nearer(paths: Paths, windows: FloatArray, universes: int = 4) -> Interval:
    """Share of universes whose first `WINDOW` bars lie nearer to a training window (W, WINDOW) than what followed does.

    Every path is in units of its own volatility, so that a copy at another scale counts.
    """
    returns = paths.returns[:, : 1 + universes, :WINDOW]
    shaped = returns / (np.sqrt((returns**2).mean(axis=2, keepdims=True)) + 1e-12)
    flat = shaped.reshape(-1, WINDOW)
    known = (windows**2).sum(axis=1)
    best = np.full(len(flat), np.inf)
    for start in range(0, len(windows), 8192):
        part = windows[start : start + 8192]
        best = np.minimum(best, (known[start : start + 8192] - 2 * flat @ part.T).min(axis=1))
    distance = (best + (flat**2).sum(axis=1)).reshape(shaped.shape[:2])
    shares = (distance[:, 1:] < distance[:, :1]).mean(axis=1)
    return forecast_scores.clustered_mean(shares, paths.dates)


def training_windows(path: Path, until: str, stride: int = 10) -> FloatArray:
    """Windows (W, WINDOW) of returns that were trained, in units of their own volatility."""
    frame = pd.read_parquet(path, columns=["symbol", "timestamp", "close"])
    frame = frame[(frame["timestamp"] < pd.Timestamp(until)) & (frame["close"] > 0)]
    found = []
    for place, (_, own) in enumerate(frame.groupby("symbol")):
        if place % origins.EVERY != origins.EVERY - 1:
            found.append(windows_of(np.diff(np.log(own["close"].to_numpy())), stride))
    return np.concatenate(found)


def windows_of(returns: FloatArray, stride: int) -> FloatArray:
    """Windows of a series, every `stride` bars, in units of their own volatility; those without a move are left out."""
    windows = np.lib.stride_tricks.sliding_window_view(returns, WINDOW)[::stride]
    scale = np.sqrt((windows**2).mean(axis=1, keepdims=True))
    moved = scale[:, 0] > 0
    return np.asarray(windows[moved] / scale[moved])


# -------------------------------------------------------------------------------------------------------- simulated


def simulated(cases: int) -> None:
    """Size and power: how often the interval leaves out one half, on 10 markets of 24 origins each."""
    sys.stdout.write("| universes | told by the classifier | share, mean |\n|---|---|---|\n")
    for fault in (None, "volatility x 0.9", "volatility x 0.8", "bars in random order", "normal shocks"):
        values = []
        for case in range(cases):
            rng = np.random.default_rng(case)
            samples = []
            for series in range(10):
                known = fault if fault is not None and fault.startswith("volatility") else None
                for number, origin in enumerate(simulate(known, 1_000_000 + 100 * case + series, HORIZON, 24, 16)):
                    samples.append(Sample(str(series), 100 * series + number, origin))
            paths = Paths.of(samples)
            if fault == "bars in random order":
                paths.returns[:, 1:] = rng.permuted(paths.returns[:, 1:], axis=2)
            elif fault == "normal shocks":
                own = paths.returns[:, 1:]
                paths.returns[:, 1:] = rng.normal(size=own.shape) * np.sqrt((own**2).mean(axis=2, keepdims=True))
            values.append(classified(paths))
        _row(fault or "true process", values)
    sys.stdout.write("\n| universes | told by nearest windows | share, mean |\n|---|---|---|\n")
    for copied in (0.0, 0.05, 0.1, 0.2):
        values = []
        for case in range(cases):
            rng = np.random.default_rng(10_000 + case)
            learned, _ = garch(rng, 20, 2000, 2.5)
            windows = np.concatenate([windows_of(one, 5) for one in learned])
            followed, _ = garch(rng, 480 * 5, HORIZON, 2.5)
            returns = followed.reshape(480, 5, HORIZON)
            swapped = rng.random((480, 4)) < copied
            copies = windows[rng.integers(len(windows), size=int(swapped.sum()))]
            returns[:, 1:, :WINDOW][swapped] = copies + 0.1 * rng.normal(size=copies.shape)
            values.append(nearer(Paths(returns, None, np.ones(480), np.arange(480)), windows))
        _row(f"{copied:.0%} copied with 10% noise" if copied else "nothing copied", values)


def _row(name: str, values: Sequence[Interval]) -> None:
    told = sum(not one.low <= 0.5 <= one.high for one in values)
    mean = float(np.mean([one.value for one in values]))
    sys.stdout.write(f"| {name} | {show(wilson(told, len(values)))} | {mean:.3f} |\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    origins.arguments(parser)
    parser.add_argument("--kind", default="1 day, weekdays", help="of bars")
    parser.add_argument("--trained", type=Path, help="training file, for memorisation")
    parser.add_argument("--until", default="2023-01-01", help="end of the training on it")
    parser.add_argument("--simulated", type=int, default=0, help="size and power on so many cases of each kind, alone")
    for action in parser._actions:
        if "--data" in action.option_strings:
            action.required = False
    given = parser.parse_args(arguments)
    if given.simulated:
        simulated(given.simulated)
        return 0
    found = origins.sample_all(origins.generators_of(given), HORIZON, given)
    rows: dict[str, dict[str, Any]] = {}
    windows = None if given.trained is None else training_windows(given.trained, given.until)
    for name, samples in found.samples[given.kind].items():
        paths = Paths.of(samples, found.ranges, name)
        rows[name] = {key: f"{value:.3f}" for key, value in finval_scores(paths).items()}
        rows[name]["classifier"] = _text(classified(paths))
        if windows is not None:
            rows[name]["nearer to training data"] = _text(nearer(paths, windows))
        rows.setdefault("real halves", {key: f"{value:.3f}" for key, value in real_halves(paths).items()})
    first = next(iter(found.samples[given.kind].values()))
    sys.stdout.write(f"{given.kind}: {len(first)} origins, {len({one.date for one in first})} dates\n\n")
    columns = list(next(iter(rows.values())))
    sys.stdout.write(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}\n")
    for name, row in rows.items():
        sys.stdout.write(f"| {name} | {' | '.join(row.get(column, '') for column in columns)} |\n")
    return 0


def _text(found: Interval) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
