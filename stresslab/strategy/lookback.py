"""How much history a strategy needs: its decisions on the latest real bars, with less and with more history before.

What a need means for a run is for the run to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stresslab.core.errors import StrategyError
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.strategy.panel import Decisions
from stresslab.strategy.strategy import Strategy

LONGEST = 20_000
"""Bars of history that count as all there is."""
SOME = 0.01
"""Share of bars whose decisions may differ: an average that fades never has all its history."""
SAME_WEIGHT = 0.01
"""Weights nearer than this are the same decision."""
STEP = 25
"""Bars to which the need is found."""


@dataclass(frozen=True)
class Lookback:
    """What too little history changes.

    Attributes:
        warmup: bars of history that were given.
        bars: latest real bars whose decisions were compared.
        differing: share of them decided otherwise than with all history.
        needed: bars of history from which on decisions stay, to `STEP`; None where only all there is will do.
        available: bars of history.
    """

    warmup: int
    bars: int
    differing: float
    needed: int | None
    available: int

    @property
    def enough(self) -> bool:
        """Whether decisions stay the same."""
        return self.differing <= SOME

    def __str__(self) -> str:
        """What it needs, or what to do, in a clause."""
        if self.enough:
            few = "1 bar" if self.needed == 1 else f"about {self.needed:,} bars"
            return f"needs {few} of history to decide as with all {self.available:,}; it is shown {self.warmup:,}"
        basis = (
            f"with the {self.warmup:,} bars of history it is shown it decides otherwise in {self.differing:.0%} of the "
            f"last {self.bars:,} real bars than with all {self.available:,}"
        )
        if self.needed is None:
            return f"{basis}, and no shorter history will do; give warmup={self.available}"
        return f"{basis}; it needs about {self.needed:,}: give warmup={self.needed}"


def find_lookback(strategy: Strategy, bars: Bars, warmup: int, horizon: int, *, least: bool = False) -> Lookback | None:
    """Whether `warmup` bars of history are enough for a strategy, and how many are.

    Args:
        strategy: decides once on all bars, once on the shorter history, and a few times more where they differ.
        bars: real bars.
        warmup: bars of history that it is shown before a universe.
        horizon: bars of a universe.
        least: find how few are enough, too, where `warmup` is.

    Returns:
        None where there is no more history than it is shown (unless the least is asked for), or where the code fails on
        some of it.
    """
    bars = strategy.sees(bars)
    bars = bars[max(0, len(bars) - LONGEST - horizon) :]
    count = min(horizon, len(bars) // 3)
    available = len(bars) - count
    if count < 1 or (available <= warmup and not least):
        return None
    warmup = min(warmup, available)
    strategy = replace(strategy, excused=None)

    def differing(history: int) -> float:
        return _differing(whole, _latest(strategy, bars[available - history :], count))

    try:
        whole = _latest(strategy, bars, count)
        share = differing(warmup)
        if share <= SOME:
            fewest = _least(strategy, bars, whole, warmup) if least else warmup
            return Lookback(warmup, count, share, fewest, available)
        low, high = warmup, max(2 * warmup, STEP)
        while high < available and differing(high) > SOME:
            low, high = high, 2 * high
        high = min(high, available)
        while high - low > STEP:
            middle = (low + high) // 2
            low, high = (low, middle) if differing(middle) <= SOME else (middle, high)
    except StrategyError:
        return None
    needed = None if high >= available - STEP else -(-high // STEP) * STEP
    return Lookback(warmup, count, share, needed, available)


ANCHORS = 12
"""Decisions of the latest bars that are made again from few bars, those that fired first."""


def _least(strategy: Strategy, bars: Bars, whole: Decisions, enough: int) -> int:
    """How few bars of history are enough, to a twentieth, where so many are.

    Single decisions of the latest bars are made again with only so many bars before them; with code that fails on few
    bars, or that orders on an account whose past decides, as many as were given are enough.
    """
    if whole.on_account:
        return enough
    count = len(next(iter(whole.arrays().values())))
    fired = _changed(whole)
    spread = np.linspace(0, count - 1, ANCHORS).astype(int)
    chosen = fired[np.linspace(0, len(fired) - 1, min(ANCHORS, len(fired))).astype(int)]
    rows = list(dict.fromkeys([*chosen.tolist(), *spread.tolist()]))
    first = len(bars) - count

    def same(history: int) -> bool:
        for row in rows:
            end = first + row + 1
            try:
                alone = _latest(strategy, bars[max(0, end - 1 - history) : end], 1)
            except StrategyError:
                return False
            own = whole.with_arrays({name: array[row : row + 1] for name, array in whole.arrays().items()})
            if _differing(own, alone):
                return False
        return True

    low, high = 0, min(enough, 1)
    while high < enough and not same(high):
        low, high = high, min(2 * high, enough)
    while high - low > max(1, high // 20):
        middle = (low + high) // 2
        low, high = (low, middle) if same(middle) else (middle, high)
    return high


def _changed(decisions: Decisions) -> NDArray[np.intp]:
    """Rows whose decision is another than that of the row before."""
    apart = np.zeros(len(next(iter(decisions.arrays().values()))), dtype=np.bool_)
    for array in decisions.arrays().values():
        values = np.nan_to_num(array.astype(float), nan=-1.0)
        apart[1:] |= (np.abs(np.diff(values, axis=0)) > SAME_WEIGHT).any(axis=1)
    return np.flatnonzero(apart)


def _latest(strategy: Strategy, bars: Bars, count: int) -> Decisions:
    """What it decides on the last `count` of some bars."""
    first = len(bars) - count  # an account begins there, whatever the history
    panel = strategy.panel(Universes.from_bars(bars[first:], bars[:first]), first)
    decisions = strategy.decide(panel, allow_silence=True)
    return decisions.with_arrays({name: array[-count:] for name, array in decisions.arrays().items()})


def _differing(whole: Decisions, other: Decisions) -> float:
    """Share of bars with another decision."""
    one, two = whole.arrays(), other.arrays()
    if one.keys() != two.keys():
        return 1.0
    apart: NDArray[np.bool_] = np.zeros(len(next(iter(one.values()))), dtype=np.bool_)
    for name, array in one.items():
        mine, theirs = array.astype(float), two[name].astype(float)
        same = (np.abs(mine - theirs) <= SAME_WEIGHT) | (np.isnan(mine) & np.isnan(theirs))
        apart |= ~same.all(axis=1)
    return float(apart.mean())
