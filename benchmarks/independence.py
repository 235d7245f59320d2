"""Are universes of one run independent? The variance of P(loss) over seeds, over that of independent universes.

    python benchmarks/independence.py --seeds 80 --tiles 16 --horizon 3

Independent universes lose binomially: with N of them the share that loses varies by p (1 - p) / N over seeds. A ratio
below 1 means that universes of one run are coupled and intervals are too wide, above 1 that they share chance. One
history's ratio over S seeds has an error of sqrt(2 / S), 0.07 with 400 of them, and no smaller deviation shows: so the
ratios of several histories are pooled, and so are those of the tiles of 64 universes that are sampled together, in
which universes were coupled once: 4 x 80 seeds x 16 tiles bring it to 0.02. Whole seeds are compared besides. Intervals
are those of a variance of normal variables (chi-squared), which shares of 64 universes are near enough.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from stresslab.core.arrays import FloatArray
from stresslab.core.limits import TILE
from stresslab.data.sources.load import load_bars
from stresslab.generators.registry import make_generator
from stresslab.metrics.distribution import Interval

HISTORIES = ("2002-06-28", "2005-06-30", "2008-06-30", "2011-06-30")
TREND = 10
"""Bars whose mean the trend rule compares the close with."""
APART = 1_000_000
"""Between the first seeds of two histories."""
KEPT = 5
"""Seeds after which what was sampled is stored."""


def buy_and_hold(closes: FloatArray, history: FloatArray) -> FloatArray:
    """Log return (N,) over the horizon; closes are (N, H)."""
    return np.asarray(np.log(closes[:, -1] / history[-1]))


def trend(closes: FloatArray, history: FloatArray) -> FloatArray:
    """Log return (N,) of holding each bar whose previous close lies above its mean of `TREND` bars."""
    past = np.broadcast_to(history[-TREND:], (len(closes), TREND))
    whole = np.concatenate([past, closes], axis=1)
    means = np.lib.stride_tricks.sliding_window_view(whole, TREND, axis=1).mean(axis=2)  # (N, H + 1)
    held = whole[:, TREND - 1 : -1] > means[:, :-1]
    returns = np.diff(np.log(whole[:, TREND - 1 :]), axis=1)
    return np.asarray((held * returns).sum(axis=1))


RULES: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {"buy and hold": buy_and_hold, "trend": trend}


def shares_of(given: argparse.Namespace) -> FloatArray:
    """Share of universes that lose, (histories, seeds, tiles, rules); what `--keep` holds is not sampled again."""
    generator = make_generator(given.generator)
    identity = f"{generator.describe()} {given.data} {given.tiles} {given.horizon} {HISTORIES} {APART}"
    shares = np.full((len(HISTORIES), given.seeds, given.tiles, len(RULES)), np.nan)
    if given.keep is not None and given.keep.exists():
        stored = np.load(given.keep)
        if str(stored["identity"]) != identity:
            raise SystemExit(f"{given.keep} is of other settings or weights; give another file")
        count = min(given.seeds, stored["shares"].shape[1])
        shares[:, :count] = stored["shares"][:, :count]
    histories = [load_bars(given.data, until=end) for end in HISTORIES]
    for seed in range(given.seeds):
        for number, bars in enumerate(histories):
            if np.isfinite(shares[number, seed]).all():
                continue
            own = number * APART + seed  # the same numbers in two histories would make their shares alike
            made = generator.sample(bars, given.horizon, TILE * given.tiles, own)
            closes = made.values[:, :, 3].astype(np.float64)
            lost = [rule(closes, bars.values[:, 3]) < 0 for rule in RULES.values()]
            shares[number, seed] = np.stack([one.reshape(given.tiles, TILE).mean(axis=1) for one in lost], axis=1)
        if given.keep is not None and (seed % KEPT == KEPT - 1 or seed == given.seeds - 1):
            aside = given.keep.with_suffix(".partial.npz")
            np.savez(aside, shares=shares, identity=identity)
            aside.replace(given.keep)
    return shares


def ratio(shares: FloatArray, universes: int) -> Interval:
    """Variance of shares (histories, seeds) over that of independent universes, pooled, with its 95% interval."""
    count, seeds = shares.shape
    p = shares.mean(axis=1)
    value = float((shares.var(axis=1, ddof=1) / (p * (1 - p) / universes)).mean())
    freedom = count * (seeds - 1)
    low, high = value * freedom / stats.chi2.ppf([0.975, 0.025], freedom)
    return Interval(value, float(low), float(high))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="kronos")
    parser.add_argument("--data", default="sample:nasdaq")
    parser.add_argument("--seeds", type=int, default=80, help="of each history")
    parser.add_argument("--tiles", type=int, default=16, help="of 64 universes, of each seed")
    parser.add_argument("--horizon", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="npz file of what was sampled, from which the benchmark goes on")
    given = parser.parse_args(arguments)
    shares = shares_of(given)
    for place, name in enumerate(RULES):
        by_tile = shares[..., place].reshape(len(HISTORIES), -1)
        groups = {f"{by_tile.shape[1]:,} tiles": (by_tile, TILE)}
        if given.tiles > 1:
            groups[f"{given.seeds:,} seeds"] = (shares[..., place].mean(axis=2), TILE * given.tiles)
        for what, (each, universes) in groups.items():
            found = ratio(each, universes)
            sys.stdout.write(
                f"{name}: variance over independent {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], {what} of "
                f"each of {len(HISTORIES)} histories\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
