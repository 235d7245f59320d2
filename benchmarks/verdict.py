"""How often are verdict and edge wrong? Rates with their 95% intervals, on cases whose answer is known.

    python -u benchmarks/verdict.py --out verdict.json   # 25 minutes on one core
    python -u benchmarks/verdict.py --quick              # the same cases, a tenth of the repetitions, a few minutes
    python -u benchmarks/verdict.py --data sample:nasdaq prices.parquet#SPY --cases zero-edge,best-of-50

What is printed is Markdown. With `--out` every part is stored when it is finished; the same command goes on from there
as long as data, settings and code are the same.

Strategies without an edge meet real bars, or real bars in random order; universes come from the generators that are
fast enough for thousands of tests, block bootstrap and GARCH. Every test runs the whole way: strategy, engine, timing
in the universes, permutation of the real bars, labels. Only `size` works on arrays.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.edge import EdgeCriteria, judge_edge, standing_in_universes, standing_of_real_bars
from stresslab.analysis.permutation_test import permutation_test, timing_in_universes
from stresslab.analysis.verdict import judge
from stresslab.backtest import Terms, backtest, buy_and_hold
from stresslab.core.errors import InputError
from stresslab.core.randomness import uniforms
from stresslab.data import load_bars
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator, universe_ids
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.garch import Garch
from stresslab.generators.matched import repeats_history
from stresslab.generators.permutation import permuted_bars
from stresslab.metrics.distribution import Interval, wilson
from stresslab.metrics.error_budget import more_universes
from stresslab.metrics.market_timing import origin_timing, series_timing, timing
from stresslab.metrics.multiple_testing import effective_trials, sharpe_of
from stresslab.strategy import Strategy, load_strategies

YEAR = 252.0
HORIZON, UNIVERSES = 120, 1000
PIECE = 25
"""Repetitions that are stored together."""
SHORT = 750
"""Bars of a history so short that a bootstrap of it repeats its luck."""
GENERATORS: tuple[Generator, ...] = (Garch(), StationaryBootstrap())  # type: ignore[assignment]
SHARPES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)


@dataclass
class Rates:
    """Counts of one case."""

    case: str
    must: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    of: int = 0
    told: str = ""

    def add(self, **found: bool) -> None:
        """One more test."""
        self.of += 1
        for name, yes in found.items():
            self.counts[name] = self.counts.get(name, 0) + int(yes)

    def rate(self, name: str) -> Interval:
        """A share with Wilson's interval."""
        return wilson(self.counts.get(name, 0), self.of)

    def merge(self, other: Rates) -> None:
        """The tests of another part of the same case."""
        self.of += other.of
        for name, count in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count

    def row(self, names: Sequence[str]) -> str:
        """A line of a Markdown table."""
        cells = [show(self.rate(name)) if name in self.counts else "" for name in names]
        return f"| {' | '.join([self.case + self.told, f'{self.of:,}', *cells, self.must])} |"

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON, with the rates for people."""
        rates = {name: self.rate(name).to_dict() for name in self.counts}
        return vars(self) | {"counts": dict(self.counts), "rates": rates}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Rates:
        """The rates that `to_dict` wrote."""
        return cls(stored["case"], stored["must"], dict(stored["counts"]), stored["of"], stored["told"])


class Store:
    """Parts of the benchmark that are finished, in a file where one is given.

    Attributes:
        path: of the file; None keeps nothing.
        identity: what decides the rates; parts of another identity are not used.
    """

    def __init__(self, path: Path | None = None, identity: str = "") -> None:
        self.path, self.identity, self.parts = path, identity, dict[str, list[dict[str, Any]]]()
        if path is not None and path.exists():
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["identity"] == identity:
                self.parts = stored["parts"]
            else:
                sys.stderr.write(f"{path} is of other code, data or settings: begun anew\n")

    def rates(self, part: str, make: Callable[[], list[Rates]]) -> list[Rates]:
        """The rates of a part, which is made where it is not stored."""
        if part not in self.parts:
            self.parts[part] = [one.to_dict() for one in make()]
            if self.path is not None:
                content = {"identity": self.identity, "parts": self.parts}
                aside = self.path.with_suffix(".partial")
                aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
                aside.replace(self.path)
        return [Rates.from_dict(one) for one in self.parts[part]]

    def pieces(self, part: str, count: int, make: Callable[[Sequence[int]], list[Rates]]) -> list[Rates]:
        """The rates of repetitions 0 to count - 1, in pieces of `PIECE`."""
        whole: dict[str, Rates] = {}
        for start in range(0, count, PIECE):
            numbers = range(start, min(start + PIECE, count))
            for one in self.rates(f"{part} {numbers.start}-{numbers.stop}", partial(make, numbers)):
                if one.case in whole:
                    whole[one.case].merge(one)
                else:
                    whole[one.case] = one
        return list(whole.values())


def show(share: Interval) -> str:
    """12.3% [10.1, 14.6]."""
    return f"{100 * share.value:.1f}% [{100 * share.low:.1f}, {100 * share.high:.1f}]"


# -------------------------------------------------------------------------------------------------------- strategies


def noise(close: pd.DataFrame, key: int) -> pd.DataFrame:
    """Numbers in [0, 1) that look random and depend on each close alone: no edge, no look-ahead, another per path."""
    phase = np.log(close.to_numpy()) * 1e5 * (1 + 0.6180339887 * (key % 97)) + 0.754877666 * key
    mixed = np.sin(phase) * 43758.5453
    return pd.DataFrame(mixed - np.floor(mixed), index=close.index, columns=close.columns)


def random_entries(enter: float, leave: float, key: int) -> Callable[..., Any]:
    """Enter and leave at random: exposure about enter / (enter + leave), 1 / leave bars a trade."""

    def signals(bars: Any) -> Any:
        return noise(bars.close, 2 * key) < enter, noise(bars.close, 2 * key + 1) < leave

    return signals


def random_calendar(enter: float, leave: float, key: int) -> Callable[..., Any]:
    """The same on random days, which are the same days in every universe."""

    def signals(bars: Any) -> Any:
        days = bars.close.index.asi8 // 86_400_000_000_000 % 2**32
        u = uniforms(key, days, 1, 2)[:, 0]
        one = np.ones((1, bars.close.shape[1]), dtype=bool)
        return (u[:, :1] < enter) & one, (u[:, 1:] < leave) & one

    return signals


def moving_averages(fast: int, slow: int, sign: int) -> Callable[..., Any]:
    """Long while the fast average is above the slow one, or below it for sign -1."""

    def signals(bars: Any) -> Any:
        above = sign * (bars.close.rolling(fast).mean() - bars.close.rolling(slow).mean())
        return above > 0, above < 0

    return signals


def channel(window: int, sign: int) -> Callable[..., Any]:
    """Long above the middle of the last closes' range, or below it for sign -1."""

    def weights(bars: Any) -> Any:
        low, high = bars.close.rolling(window).min(), bars.close.rolling(window).max()
        return (sign * (2 * bars.close - low - high) > 0).astype(float)

    return weights


def last_body(sign: int) -> Callable[..., Any]:
    """Long after a bar that rose, short after one that fell, or the other way round for sign -1."""

    def weights(bars: Any) -> Any:
        return sign * np.sign(bars.close - bars.open)

    return weights


def strategy_of(function: Callable[..., Any]) -> Strategy:
    """A function as a strategy."""
    return load_strategies(function, {})[0]


def random_strategy(number: int) -> Strategy:
    """One of assorted exposure (10 to 90%) and turnover (trades of 2 to 40 bars)."""
    u = uniforms(11, [number], 1, 3)[0, 0]
    leave = 1 / (2 * 20 ** u[1])
    exposure = 0.1 + 0.8 * u[0]
    enter = min(1.0, leave * exposure / (1 - exposure))
    return strategy_of((random_entries if u[2] < 2 / 3 else random_calendar)(enter, leave, number))


def random_rule(number: int) -> Strategy:
    """A moving-average rule, of random lengths and direction."""
    u = uniforms(12, [number], 1, 4)[0, 0]
    fast, sign = int(2 * 15 ** u[0]), 1 if u[2] < 0.5 else -1
    if u[3] < 0.5:
        return strategy_of(moving_averages(fast, int(fast * (1.5 + 6 * u[1])) + 1, sign))
    return strategy_of(channel(4 + fast, sign))


# --------------------------------------------------------------------------------------------------------- processes


@dataclass(frozen=True)
class Process:
    """Bars of a known process: the body of a bar leans to the side of the last one's, or away, by a known edge.

    Volatility follows a GJR-GARCH with Student-t shocks; prices are martingales but for the edge, in simple returns.

    Attributes:
        edge: mean of a body over the root mean square of what a position earns a bar: the Sharpe ratio of one bar.
        sign: 1 for momentum, -1 for reversion.
        clustering: whether volatility moves.
    """

    edge: float = 0.0
    sign: int = 1
    clustering: bool = True
    name: str = "process"

    def paths(self, count: int, steps: int, seed: int, ids: Sequence[int] | None = None) -> np.ndarray:
        """Log open and close (count, steps, 2)."""
        rng = np.random.default_rng([seed, *(ids if ids is not None and len(ids) == 1 else ())])
        body, gap, base = 0.9, math.sqrt(1 - 0.81), 0.012
        z = np.clip(rng.standard_t(5, (count, steps + 100, 2)) / math.sqrt(5 / 3), -8, 8)
        variance, side = np.full(count, base**2), np.ones(count)
        price, logs = np.zeros(count), np.empty((count, steps + 100, 2))
        for step in range(steps + 100):
            sigma = np.sqrt(variance)
            jump = np.maximum(gap * sigma * z[:, step, 0], -0.9)
            move = np.maximum(self.edge * base * self.sign * side + body * sigma * z[:, step, 1], -0.9)
            logs[:, step, 0] = price + np.log1p(jump)
            price = logs[:, step, 0] + np.log1p(move)
            logs[:, step, 1] = price
            side = np.where(move >= 0, 1.0, -1.0)
            if self.clustering:
                shock = jump + move
                variance = 0.02 * base**2 + (0.93 + (0.02 + 0.06 * (shock < 0)) * shock**2 / variance) * variance
        return logs[:, 100:] - logs[:, 99:100, 1:]

    def values(self, count: int, steps: int, seed: int, ids: Sequence[int] | None = None) -> np.ndarray:
        """Bars (count, steps, 6) about a price of 100."""
        logs = self.paths(count, steps, seed, ids)
        prices = 100 * np.exp(logs)
        high, low = prices.max(axis=2) * 1.002, prices.min(axis=2) * 0.998
        volume = np.full_like(high, 1e6)
        return np.stack([prices[..., 0], high, low, prices[..., 1], volume, volume * 100], axis=2)

    def history(self, steps: int, seed: int) -> Bars:
        """One real series."""
        stamps = pd.bdate_range("2000-01-03", periods=steps)
        return Bars(stamps, self.values(1, steps, seed)[0], symbol="PROCESS", source="simulated")

    def sample(self, bars: Bars, horizon: int, universes: int, seed: int = 0) -> Universes:
        """Universes of the process, from the last close on."""
        ids = universe_ids(universes, None)
        values = self.values(universes, horizon, seed)
        values[:, :, :4] *= bars.values[-1, 3] / 100
        return Universes(values, bars.calendar.future(bars.timestamps, horizon), bars, ids)


def shuffled(bars: Bars, number: int, seed: int) -> Bars:
    """Real bars in random order, as one series."""
    values = permuted_bars(bars, 1, [number], seed).values[0]
    return Bars(bars.timestamps[1:], values, symbol=f"{bars.symbol} shuffled", source=bars.source)


# ------------------------------------------------------------------------------------------------------------- cases


@dataclass(frozen=True)
class Scale:
    """How much of everything; `quick` is a tenth."""

    quick: bool
    permutations: int
    seed: int
    sources: tuple[Bars, ...]
    store: Store = field(default_factory=Store)

    def of(self, full: int, least: int = 1) -> int:
        """A number of repetitions."""
        return max(least, full // 10) if self.quick else full

    def universes(self, history: Bars, number: int) -> Universes:
        """Of one of the generators by turns."""
        return GENERATORS[number % 2].sample(history, HORIZON, UNIVERSES, self.seed + number)


def labels(strategy: Strategy, history: Bars, sampled: Universes, scale: Scale, trials: float = 1.0) -> dict[str, bool]:
    """Edge and verdict of one strategy as a run gives them; it begins after half a year of warm-up."""
    terms = Terms(warmup=125)
    account = backtest(strategy, sampled, terms)
    found = timing_in_universes(account, sampled)
    real = permutation_test(strategy, history, terms, permutations=scale.permutations, seed=scale.seed)
    edge = judge_edge(found, real, trials=trials, independent=not repeats_history(sampled))
    total = account.equity[-1] / account.equity[0] - 1
    known = backtest(strategy, Universes.from_bars(history[125:], history[:125]), terms)
    verdict = judge(
        losses=int((total < 0).sum()),
        exposed=int((np.abs(account.position).max(axis=0) > 0).sum()),
        universes=len(total),
        horizon=HORIZON,
        periods_per_year=history.periods_per_year,
        realised_return=None,
        backtest_return=float(known.equity[-1, 0] / known.equity[0, 0] - 1),
    )
    criteria = EdgeCriteria()
    return {
        "yes": edge.label == "yes",
        "unclear": edge.label == "unclear",
        "universes": standing_in_universes(found, criteria) == "supports",
        "bars": standing_of_real_bars(real, trials, criteria) == "supports",
        "robust": verdict.label == "robust",
        "inconclusive": verdict.label == "inconclusive",
    }


def zero_edge(scale: Scale) -> Iterator[Rates]:
    """300 strategies without an edge."""
    yield from scale.store.pieces("zero-edge", scale.of(300), partial(_zero_edge, scale))


def _zero_edge(scale: Scale, numbers: Sequence[int]) -> list[Rates]:
    every = Rates("zero edge: all", "yes at most 5%")
    parts = {name: Rates(f"zero edge: {name}") for name in ("random entries, real bars", "averages, shuffled bars")}
    by_generator = {generator.name: Rates(f"zero edge: universes of {generator.name}") for generator in GENERATORS}
    for number in numbers:
        bars = scale.sources[number // 4 % len(scale.sources)]
        if number % 2:
            part, history, strategy = "averages, shuffled bars", shuffled(bars, number, scale.seed), random_rule(number)
        else:
            part, history, strategy = "random entries, real bars", bars, random_strategy(number)
        found = labels(strategy, history, scale.universes(history, number // 2), scale)
        for rates in (every, parts[part], by_generator[GENERATORS[number // 2 % 2].name]):
            rates.add(**found)
    return [every, *parts.values(), *by_generator.values()]


def best_of_50(scale: Scale) -> Iterator[Rates]:
    """The best of 50 on the real history, told or not told how many were tried."""
    kinds = (
        ("random entries", random_strategy, False, None),
        ("averages, shuffled", random_rule, True, None),
        ("averages, 3 years shuffled", random_rule, True, SHORT),
    )
    for name, make, on_shuffled, last in kinds:
        yield from scale.store.pieces(
            f"best-of-50 {name}",
            scale.of(40),
            partial(_best_of_50, scale, name=name, make=make, on_shuffled=on_shuffled, last=last),
        )


def _best_of_50(
    scale: Scale,
    numbers: Sequence[int],
    name: str,
    make: Callable[[int], Strategy],
    on_shuffled: bool,
    last: int | None,
) -> list[Rates]:
    must = "yes at most 5%, robust at most 10%"
    silent, told = Rates(f"best of 50 {name}: not told", must), Rates(f"best of 50 {name}: told", must)
    told_by = {one.name: Rates(f"best of 50 {name}: not told, {one.name}") for one in GENERATORS}
    for number in numbers:
        bars = scale.sources[number // 2 % len(scale.sources)]
        bars = bars if last is None else bars[-last:]
        history = shuffled(bars, 1000 + number, scale.seed) if on_shuffled else bars
        candidates = [make(1000 + 50 * number + one) for one in range(50)]
        real = Universes.from_bars(history[125:], history[:125])
        curves = np.column_stack([backtest(one, real, Terms(warmup=125)).equity[:, 0] for one in candidates])
        held = buy_and_hold(real, Terms(warmup=125)).equity[:, 0]
        returns, market = curves[1:] / curves[:-1] - 1, held[1:] / held[:-1] - 1
        best = int(np.nanargmax(sharpe_of(returns)))
        sampled = scale.universes(history, number)
        found = labels(candidates[best], history, sampled, scale)
        silent.add(**found)
        told_by[GENERATORS[number % 2].name].add(**found)
        told.add(**labels(candidates[best], history, sampled, scale, trials=effective_trials(returns, market)))
    return [silent, told, *told_by.values()]


def buy_and_hold_case(scale: Scale) -> Iterator[Rates]:
    """Buy and hold in decades that rose."""
    yield from scale.store.rates("buy-and-hold", lambda: _buy_and_hold(scale))


def _buy_and_hold(scale: Scale) -> list[Rates]:
    rates = Rates("buy and hold in rising decades", "never yes")

    def signals(bars: Any) -> Any:
        true = pd.DataFrame(True, index=bars.close.index, columns=bars.close.columns)
        return true, ~true

    strategy, number = strategy_of(signals), 0
    for bars in scale.sources:
        decade = round(10 * bars.periods_per_year)
        for start in range(0, len(bars) - decade, round(bars.periods_per_year / (1 if scale.quick else 4))):
            part = bars[start : start + decade]
            if part.values[-1, 3] > part.values[0, 3]:
                rates.add(**labels(strategy, part, scale.universes(part, number), scale))
                number += 1
    return [rates]


def planted(scale: Scale) -> Iterator[Rates]:
    """A known edge and the matching rule: power of the universes' part, of the real bars and of the label."""
    for years in (1, 10):
        for sharpe in SHARPES:
            yield from scale.store.pieces(
                f"planted {sharpe} {years}",
                scale.of(200 if years == 1 else 60, 10),
                partial(_planted, scale, years=years, sharpe=sharpe),
            )


def _planted(scale: Scale, numbers: Sequence[int], years: int, sharpe: float) -> list[Rates]:
    criteria, terms = EdgeCriteria(), Terms(warmup=125)
    at_stake = sharpe == 2.5 and years == 1
    rates = Rates(f"planted Sharpe {sharpe:.1f}, 250 bars, {years} year(s) real", "universes at least 80%" * at_stake)
    for number in numbers:
        sign = 1 if number % 2 else -1
        process = Process(sharpe / math.sqrt(YEAR), sign)
        strategy = strategy_of(last_body(sign))
        history = process.history(125 + 250 * years, scale.seed + 7 * number + 1)
        sampled = process.sample(history, 250, UNIVERSES, scale.seed + 7 * number + 2)
        found = timing_in_universes(backtest(strategy, sampled, terms), sampled, YEAR)
        real = permutation_test(strategy, history, terms, permutations=scale.permutations, seed=scale.seed + number)
        edge = judge_edge(found, real)
        rates.add(
            yes=edge.label == "yes",
            unclear=edge.label == "unclear",
            no=edge.label == "no",
            universes=standing_in_universes(found, criteria) == "supports",
            bars=standing_of_real_bars(real, 1.0, criteria) == "supports",
        )
    return [rates]


def coverage(scale: Scale) -> Iterator[Rates]:
    """The interval of P(loss) from the true process, and what stopping at a precision does to it."""
    yield from scale.store.rates("coverage", lambda: _coverage(scale))


def _coverage(scale: Scale) -> list[Rates]:
    strategy, terms = strategy_of(moving_averages(10, 30, 1)), Terms(warmup=125)
    history = Process().history(625, scale.seed)
    losses = []
    for number in range(scale.of(500, 20)):
        sampled = Process().sample(history, HORIZON, 1000, scale.seed + 1 + number)
        losses.append(backtest(strategy, sampled, terms).equity[-1] < terms.init_cash)
    pool = np.array(losses)
    true = float(pool.mean())
    rates = Rates("Wilson's 95% interval of P(loss), 1,000 true universes", "covers 93 to 97%", told=f" ({true:.4f})")
    every = [rates]
    for one in pool:
        interval = wilson(int(one.sum()), len(one))
        rates.add(covers=interval.low <= true <= interval.high)
    rng = np.random.default_rng(scale.seed)
    for share in (0.02, 0.1, true, 0.9):
        rates = Rates(f"stopped at precision 0.01, P(loss) {share:.3f}", "covers 93 to 97%")
        estimates, sizes = [], []
        for _ in range(scale.of(4000)):
            count = lost = 0
            while more := more_universes(lost, count, 0.01, 100_000):
                lost += int(rng.binomial(more, share))
                count += more
            interval = wilson(lost, count)
            rates.add(covers=interval.low <= share <= interval.high)
            estimates.append(lost / count)
            sizes.append(count)
        rates.told = f" (bias {np.mean(estimates) - share:+.5f}, {np.mean(sizes):,.0f} universes)"
        every.append(rates)
    return every


def size(scale: Scale) -> Iterator[Rates]:
    """Error rates of tests of timing on martingales, nominal 5%: universes, permutation, origins, circular shifts.

    For the origins the universes are shared out among twelve, the first of each being what really followed.
    """
    for name, sign in (("momentum", 1), ("reversion", -1)):
        yield from scale.store.pieces(
            f"size {name}",
            scale.of(1000),
            partial(_size, scale, name=name, sign=sign),
        )


def _size(scale: Scale, numbers: Sequence[int], name: str, sign: int) -> list[Rates]:
    bars, back, universes, shifts, origins = 250, 20, 203, 199, 12
    process = Process(clustering=True)
    rates = Rates(f"size on martingales: {name}", "all but shift at most 5%")
    for number in numbers:
        logs = process.paths(universes + 1, bars + back + 2, scale.seed + 10_000 + number)
        held, earned = _rule(logs, back, sign)
        order = np.random.default_rng([scale.seed, number])
        rates.add(
            universes=timing(held[:, 1:], earned[:, 1:], YEAR).p_value <= 0.05,
            permutation=_permuted_p(logs[0], back, sign, order, shifts) <= 0.05,
            origins=_origins_p(held, earned, origins) <= 0.05,
            shift=_shifted_p(held[:, 0], earned[:, 0], order, shifts) <= 0.05,
        )
    return [rates]


def _rule(logs: np.ndarray, back: int, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and returns (T, N) of a rule on the distance of the close from its mean over `back` bars."""
    closes = pd.DataFrame(logs[:, :, 1].T)
    distance = ((closes - closes.rolling(back).mean()) / closes.diff().rolling(back).std()).to_numpy()
    held = np.clip(sign * distance, -3, 3)[back:-2]
    opens = np.exp(logs[:, :, 0].T)
    return held, (opens[2:] / opens[1:-1] - 1)[back:]


def _permuted_p(logs: np.ndarray, back: int, sign: int, rng: np.random.Generator, count: int) -> float:
    """p-value of `series_timing` under permutation of gaps and bodies, as `permuted_bars` does it."""
    gaps, bodies = np.diff(logs.reshape(-1), prepend=0.0).reshape(-1, 2).T
    drawn = np.empty((count + 1, *logs.shape))
    drawn[0] = logs
    for one in drawn[1:]:
        moves = np.column_stack([rng.permutation(gaps), rng.permutation(bodies)])
        one[:] = np.cumsum(moves.reshape(-1)).reshape(logs.shape)
    found = series_timing(*_rule(drawn, back, sign))
    return (1 + float((found[1:] >= found[0]).sum())) / (count + 1)


def _origins_p(held: np.ndarray, earned: np.ndarray, origins: int) -> float:
    """p-value of `origin_timing` with paths (T, N) shared out among origins."""
    positions, returns = (one.reshape(len(one), origins, -1) for one in (held, earned))  # (T, K, n)
    expected = [one[:, :, 1:].mean(axis=2) for one in (positions, returns)]
    return origin_timing(positions[:, :, 0], returns[:, :, 0], *expected, YEAR).p_value


def _shifted_p(held: np.ndarray, earned: np.ndarray, rng: np.random.Generator, count: int) -> float:
    """p-value of the timing sum under circular shifts of the positions: the test that is refuted here."""
    centred = earned - earned.mean()
    shifts = rng.integers(1, len(held), count)
    found = np.array([np.roll(held, shift) @ centred for shift in shifts])
    return (1 + float((found >= held @ centred).sum())) / (count + 1)


CASES: dict[str, Callable[[Scale], Iterator[Rates]]] = {
    "size": size,
    "zero-edge": zero_edge,
    "best-of-50": best_of_50,
    "buy-and-hold": buy_and_hold_case,
    "planted": planted,
    "coverage": coverage,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", nargs="+", default=["sample:nasdaq", "sample:sp500"], help="real series, taken by turns"
    )
    parser.add_argument("--cases", default=",".join(CASES), help="names, separated by commas")
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions, 199 permutations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file to write, and to go on from")
    given = parser.parse_args(arguments)
    names = given.cases.split(",")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        parser.error(f"--cases {unknown[0]} is not known; choose among {', '.join(CASES)}")
    try:
        sources = tuple(load_bars(source, repair=True) for source in given.data)
    except InputError as error:
        parser.error(str(error))
    permutations = 199 if given.quick else 999
    settings = [given.quick, permutations, given.seed, UNIVERSES, HORIZON, [bars.digest for bars in sources], _code()]
    store = Store(given.out, hashlib.sha256(json.dumps(settings).encode()).hexdigest())
    scale = Scale(given.quick, permutations, given.seed, sources, store)
    for name in names:
        started, head = time.perf_counter(), None
        for rates in CASES[name](scale):
            if list(rates.counts) != head:
                head = list(rates.counts)
                rule = "|".join(["---", *("---:" for _ in ("n", *head)), "---"])
                sys.stdout.write(f"\n| {' | '.join(['case', 'n', *head, 'must'])} |\n|{rule}|\n")
            sys.stdout.write(rates.row(head) + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.perf_counter() - started:.0f} s\n")
    return 0


def _code() -> str:
    """SHA-256 over this file and every module of the package that it uses."""
    used = {one.__file__ for name, one in sys.modules.items() if name.partition(".")[0] == "stresslab"}
    digest = hashlib.sha256()
    for file in sorted({__file__, *(file for file in used if file is not None)}):
        digest.update(Path(file).read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
