"""How often tracking raises a false alarm over a horizon, and how soon it sees an edge vanish or volatility double.

Lives are universes of the run's own generator that the monitors have not seen, so that what is said of them is known:
nothing changes; the edge vanishes after `CHANGE` bars; the market's moves become twice, or half, as large from then on.
Prints one table.

    python benchmarks/track.py [--lives N] [--case NAME]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from known_edges import Market

from stresslab.analysis.permutation_test import positions_and_returns
from stresslab.analysis.tracking import ABOUT, Live, Reference, Watch
from stresslab.backtest import Terms, backtest
from stresslab.core.arrays import FloatArray
from stresslab.data import Bars, load_bars
from stresslab.data.bars import CLOSE
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.generators.registry import make_generator
from stresslab.metrics.distribution import wilson
from stresslab.metrics.planted_edge import planted_equity, timing_risk
from stresslab.strategy import load_strategies

HORIZON, KNOWN, CHANGE = 250, 1000, 60
EDGES = (1.0, 2.0, 4.0)
"""Annual Sharpe ratios of timing that a run claims."""
SPREAD = 0.4
"""Standard deviation of what the run supports around its claim: that of six years of bars."""


def weights(bars: pd.DataFrame) -> pd.DataFrame:
    """Long above the mean of twenty closes, short below."""
    return 2.0 * (bars.close > bars.close.rolling(20).mean()) - 1.0


def calm_market() -> Bars:
    """Ten years of a market of constant volatility, with fat tails."""
    return Market("calendar", clustering=False).history(10, 5)


CASES: dict[str, tuple[Callable[[], Bars], str]] = {
    "sp500, bootstrap": (lambda: load_bars("sample:sp500", until="2012-12-31"), "bootstrap"),
    "sp500, garch": (lambda: load_bars("sample:sp500", until="2012-12-31"), "garch"),
    "bitcoin, bootstrap": (lambda: load_bars("sample:bitcoin"), "bootstrap"),
    "bitcoin, kronos": (lambda: load_bars("sample:bitcoin"), "kronos"),
    "constant volatility, bootstrap": (calm_market, "bootstrap"),
}


@dataclass(frozen=True, eq=False)
class Lives:
    """What followed in M universes: closes (T, M) over the last real one, equity (T, M)."""

    closes: FloatArray
    equity: FloatArray


@dataclass(frozen=True, eq=False)
class Case:
    """A history, and the universes of a generator after it."""

    bars: Bars
    universes: Universes
    periods: float

    def accounts(self, universes: Universes, edge: float | FloatArray) -> FloatArray:
        """(T, N) equity with the edge planted, in units of the initial capital."""
        (strategy,) = load_strategies(weights, {})
        account = backtest(strategy, universes, Terms(), periods_per_year=self.periods)
        risk = timing_risk(*positions_and_returns(account, universes), self.periods)
        assert risk is not None
        edges = np.broadcast_to(np.asarray(edge, dtype=np.float64), (len(universes),))
        return planted_equity(account.equity, risk, edges, self.periods)[1:] / account.init_cash


def closes_of(universes: Universes, start: float) -> FloatArray:
    """(T, N) over the last real close."""
    return universes.values[:, :, CLOSE].T.astype(np.float64) / start


def wilder(universes: Universes, start: float, factor: float) -> Universes:
    """The same universes with every log move from `CHANGE` on so many times as large."""
    values = universes.values.astype(np.float64)
    logs = np.log(values[:, :, :4] / start)
    base = logs[:, CHANGE - 1 : CHANGE, CLOSE : CLOSE + 1]
    logs[:, CHANGE:] = base + factor * (logs[:, CHANGE:] - base)
    values[:, :, :4] = start * np.exp(logs)
    return Universes(values.astype(universes.values.dtype), universes.timestamps, universes.history, universes.ids)


def alarms(watch: Watch, lives: Lives) -> list[tuple[int, str] | None]:
    """First alarm of each life: its bar, and what it is about."""
    found: list[tuple[int, str] | None] = []
    for one in range(lives.closes.shape[1]):
        seen = watch.look(Live(lives.closes[:, one], lives.equity[:, one]))
        hits = sorted((look.alarm, ABOUT[look.name]) for look in seen if look.alarm is not None)
        found.append(hits[0] if hits else None)
    return found


def row(name: str, found: Sequence[tuple[int, str] | None], start: int | None) -> str:
    """Share of lives with an alarm (after the change), its interval, median delay, and what alarms were about."""
    hits = [one for one in found if one is not None and (start is None or one[0] >= start)]
    share = wilson(len(hits), len(found))
    delay = "" if start is None or not hits else f"{np.median([bar - start for bar, _ in hits]):.0f}"
    about = ", ".join(f"{kind} {count}" for kind, count in Counter(kind for _, kind in hits).most_common())
    return f"| {name} | {share.value:.1%} | {share.low:.1%} to {share.high:.1%} | {delay} | {about} |"


def measure(name: str, lives: int) -> None:
    """Print the rows of one case."""
    load, kind = CASES[name]
    bars, generator = load(), make_generator(kind)
    periods = bars.periods_per_year
    case = Case(bars, sampled(generator, bars, KNOWN + lives), periods)
    start = float(bars.values[-1, CLOSE])
    past = np.diff(np.log(bars.values[-501:, CLOSE]))
    known, others = case.universes.take(slice(0, KNOWN)), case.universes.take(slice(KNOWN, KNOWN + lives))
    draws = SPREAD * np.random.default_rng(11).standard_normal(KNOWN + lives)
    for edge in EDGES:
        reference = Reference(
            closes_of(known, start), case.accounts(known, edge + draws[:KNOWN]), case.accounts(known, edge), past
        )
        watch = Watch(reference)
        closes, own, none = closes_of(others, start), case.accounts(others, edge), case.accounts(others, 0.0)
        head = f"{name}, edge {edge:g}"
        print(row(f"{head}: as claimed", alarms(watch, Lives(closes, own)), None), flush=True)
        supported = case.accounts(others, edge + draws[KNOWN:])
        print(row(f"{head}: as supported", alarms(watch, Lives(closes, supported)), None), flush=True)
        gone = own.copy()
        gone[CHANGE:] = own[CHANGE - 1] * none[CHANGE:] / none[CHANGE - 1]
        print(row(f"{head}: vanishes", alarms(watch, Lives(closes, gone)), CHANGE), flush=True)
        if edge == EDGES[1]:
            for factor, word in ((2.0, "doubles"), (0.5, "halves")):
                moved = wilder(others, start, factor)
                changed = Lives(closes_of(moved, start), case.accounts(moved, edge))
                print(row(f"{head}: volatility {word}", alarms(watch, changed), CHANGE), flush=True)


def sampled(generator: Generator, bars: Bars, count: int) -> Universes:
    """Universes after the last bar."""
    return generator.sample(bars, HORIZON, count, 7, jobs=1)


def main() -> None:
    """All cases, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lives", type=int, default=1000, help="of each row")
    parser.add_argument("--case", choices=list(CASES), help="only this one")
    given = parser.parse_args()
    print("| lives | alarm | 95% interval | median delay, bars | about |\n|---|---|---|---|---|")
    for name in [given.case] if given.case else CASES:
        measure(name, given.lives)


if __name__ == "__main__":
    main()
