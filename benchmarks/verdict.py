"""How often are verdict and edge wrong? Rates with their 95% intervals, on cases whose answer is known.

    python -u benchmarks/verdict.py --out verdict.json   # hours on one core; goes on from the file
    python -u benchmarks/verdict.py --quick              # the same cases, a tenth of the repetitions
    python -u benchmarks/verdict.py --cases recent --recent prices.parquet   # real series after 2024-07

What is printed is Markdown. Strategies without an edge meet real bars, real bars in random order and markets without
one; strategies with a known edge meet the market that they live on (`known_edges`). Universes come from the generators
as they ship: bootstrap and GARCH, and the bundled Kronos in the cases named after it. Every test runs the whole way:
strategy, engine, permutation of the real bars, posterior, the gate of realism, universes with and without the edge,
labels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import timing_tests
from coverage_of_edges import covered
from known_edges import (
    HORIZON,
    KEPT,
    KINDS,
    TERMS,
    WARMUP,
    YEAR,
    Market,
    follow_trend,
    future_returns,
    market_of,
    reversed_rule_of,
    rule_of,
    timing_by_strength,
    true_loss,
    weights_of,
)
from null_rules import channel, moving_averages, random_rule, random_strategy, shuffled, strategy_of
from rates import Rates, Store

from stresslab.analysis.case import Case
from stresslab.analysis.edge import JudgedEdge, Trials, judge_edge
from stresslab.analysis.permutation_test import Permutations, permutation_test
from stresslab.analysis.planted_losses import planted_losses
from stresslab.analysis.reoptimisation import procedure
from stresslab.analysis.result_models import Edge
from stresslab.analysis.summarise import record_of
from stresslab.analysis.verdict import Criteria, Findings, judge
from stresslab.backtest import Terms, backtest, buy_and_hold
from stresslab.backtest.evaluate import evaluate
from stresslab.core.errors import InputError
from stresslab.data import load_bars
from stresslab.data.bars import Bars
from stresslab.data.sources.collections import load_series
from stresslab.data.universes import Universes
from stresslab.generators.registry import make_generator
from stresslab.metrics.distribution import wilson
from stresslab.metrics.edge_posterior import ASSUMED_TRIALS, PRIOR_SD
from stresslab.metrics.multiple_testing import effective_trials, sharpe_of
from stresslab.realism import ASSESSED, assess_realism
from stresslab.strategy import Strategy

UNIVERSES = 400
A_RUN = 1000
"""Universes where P(loss) is held against the truth, as many as a run has; nano gets `UNIVERSES`."""
PERMUTATIONS = 199
"""Enough for mean and spread of the statistic, on which the posterior rests; a run makes 999."""
BARS = WARMUP + round(10 * YEAR)
"""Last real bars of each source."""
STEPS, AFTER = 60, pd.Timestamp("2024-07-01")
"""Bars ahead on real series, and where these begin: after the data that the bundled model was trained on."""
LIMIT = Criteria().robust
ONE, UNTOLD = Trials(1.0), Trials.of(1.0, None)


@dataclass(frozen=True)
class Scale:
    """How much of everything; `quick` is a tenth."""

    quick: bool
    seed: int
    sources: tuple[Bars, ...]
    recent: tuple[str, ...] = ()
    store: Store = field(default_factory=Store)

    def of(self, full: int, least: int = 1) -> int:
        """A number of repetitions."""
        return max(least, full // 10) if self.quick else full


def edge_of(strategy: Strategy, bars: Bars, trials: Trials, seed: int, terms: Terms = TERMS) -> JudgedEdge:
    """The edge as a run judges it."""
    how = Permutations(PERMUTATIONS, stop=PERMUTATIONS, trials=trials.count, seed=seed)
    return judge_edge(permutation_test(strategy, bars, terms, how), trials=trials)


@dataclass(frozen=True)
class Judged:
    """What a run says: label, P(loss) without and with the supported edge, whether the gate refuses the universes."""

    label: str
    without: float
    supported: float
    refused: bool

    def enter(self, true: float, rows: Sequence[Rates], kept: Rates) -> None:
        """Errors of P(loss), and once more where the universes are not refused."""
        if not self.refused:
            kept.of += 1
        for row in [*rows] if self.refused else [*rows, kept]:
            for name, value in (("without - true", self.without - true), ("with - true", self.supported - true)):
                row.values.setdefault(name, []).append(round(value, 5))


def judged(
    strategy: Strategy, bars: Bars, edge: JudgedEdge, generator: str, seed: int, count: int = UNIVERSES
) -> Judged:
    """The verdict as a run gives it, the gate of realism asked as in a run."""
    terms, made = TERMS, make_generator(generator)
    trust = assess_realism(bars, made, ASSESSED, seed=seed, jobs=1).trust()
    universes = made.sample(bars, HORIZON, count, seed)
    case = Case(strategy, universes, bars, terms, seed)
    losses = planted_losses(case, edge)
    warm = min(terms.warmup, len(bars) // 2)
    real = Universes.from_bars(bars[warm:], bars[:warm])
    (past,) = evaluate([strategy], real, terms, periods_per_year=bars.periods_per_year, keep_equity=True)
    total = case.account.equity[-1] / case.account.equity[0] - 1
    found = Findings(
        exposed=wilson(int((np.abs(case.account.position).max(axis=0) > 0).sum()), count),
        without=wilson(int((total < 0).sum()), count),
        supported=None,
        edge=None,
        record=record_of(past, bars.periods_per_year),
        trusted=trust.behave,
        caution=trust.caution,
        lacks_timing=trust.lacks_timing,
        attainable=count,
        horizon=HORIZON,
        periods_per_year=bars.periods_per_year,
    ).with_edge(Edge.of(edge.to_dict() | {"losses": losses}), count)
    with_edge = found.without if found.supported is None else found.supported
    return Judged(judge(found).label, found.without.value, with_edge.value, found.trusted is False)


def _kept(rates: Rates) -> Rates:
    """Errors of P(loss) of universes that the gate does not refuse."""
    return Rates(f"{rates.case}: where universes are not refused")


# ------------------------------------------------------------------------------------------------------ without an edge


def zero_edge(scale: Scale) -> Iterator[Rates]:
    """300 strategies without an edge, one trial reported."""
    yield from scale.store.pieces("zero-edge", scale.of(300), partial(_zero_edge, scale))


def _zero_edge(scale: Scale, numbers: Sequence[int]) -> list[Rates]:
    every = Rates("zero edge, one trial reported: all", "yes <= 5%")
    names = ("coins on real bars", "averages, shuffled", "no edge planted")
    parts = {name: Rates(f"zero edge: {name}") for name in names}
    for number in numbers:
        bars = scale.sources[number // 3 % len(scale.sources)]
        name = list(parts)[number % 3]
        if number % 3 == 0:
            history, strategy = bars, random_strategy(number)
        elif number % 3 == 1:
            history, strategy = shuffled(bars, number, scale.seed), random_rule(number)
        else:
            kind = KINDS[number // 3 % len(KINDS)]
            history, strategy = Market(kind).history(10, [scale.seed, 100, number]), rule_of(kind)
        edge = edge_of(strategy, history, ONE, scale.seed + number)
        for rates in (every, parts[name]):
            rates.add(yes=edge.label == "yes", no=edge.label == "no")
    return [every, *parts.values()]


def best_of_50(scale: Scale) -> Iterator[Rates]:
    """The best of 50 on the real history: all trials reported, and none."""
    yield from scale.store.pieces("best-of-50", scale.of(200), partial(_best_of_50, scale))


def _best_of_50(scale: Scale, numbers: Sequence[int]) -> list[Rates]:
    reported = Rates("best of 50, trials reported", "yes <= 5%, robust <= 5%")
    silent = Rates("best of 50, none reported (20 assumed)", "yes <= 15%")
    for number in numbers:
        bars = scale.sources[number // 2 % len(scale.sources)]
        coins = number % 2 == 0
        history = bars if coins else shuffled(bars, 1000 + number, scale.seed)
        candidates = [(random_strategy if coins else random_rule)(1000 + 50 * number + one) for one in range(50)]
        real = Universes.from_bars(history[WARMUP:], history[:WARMUP])
        curves = np.column_stack([backtest(one, real, TERMS).equity[:, 0] for one in candidates])
        held = buy_and_hold(real, TERMS).equity[:, 0]
        returns, market = curves[1:] / curves[:-1] - 1, held[1:] / held[:-1] - 1
        best = candidates[int(np.nanargmax(sharpe_of(returns)))]
        for rates, trials in ((reported, Trials(effective_trials(returns, market))), (silent, UNTOLD)):
            edge = edge_of(best, history, trials, scale.seed + number)
            yes = edge.label == "yes"
            robust = yes and judged(best, history, edge, "bootstrap", scale.seed + number).label == "robust"
            rates.add(yes=yes, robust=robust)
    return [reported, silent]


def best_of_50_symbols(scale: Scale) -> Iterator[Rates]:
    """One rule on 50 markets without an edge, the best market chosen, the ledger knowing the others."""
    yield from scale.store.pieces("symbols", scale.of(200), partial(_symbols, scale))


def _symbols(scale: Scale, numbers: Sequence[int]) -> list[Rates]:
    rates = Rates("best of 50 symbols, the ledger knowing", "yes <= 5%")
    for number in numbers:
        rule = random_rule(5000 + number)
        market = Market("slow trend")
        values = market.values(50, WARMUP + 1260, [scale.seed, 200, number])
        first = market.history(5, 0)
        real = Universes(values[:, WARMUP:], first.timestamps[WARMUP:], first[:WARMUP], np.arange(50))
        curves = backtest(rule, real, TERMS, periods_per_year=YEAR).equity
        best = int(np.nanargmax(sharpe_of(curves[1:] / curves[:-1] - 1)))
        history = Bars(first.timestamps, values[best], symbol=f"S{best}", source="simulated")
        rates.add(yes=edge_of(rule, history, Trials(50.0), scale.seed + number).label == "yes")
    return [rates]


# --------------------------------------------------------------------------------------------------- with a known edge


def known_edge(scale: Scale) -> Iterator[Rates]:
    """A net Sharpe ratio of about 1.2, one trial reported, in four kinds of markets: labels and P(loss)."""
    for years in (10, 5):
        make = partial(_known, scale, years=years, generators=("bootstrap", "garch"))
        yield from scale.store.pieces(f"known {years}", scale.of(80, 4), make)


def nano(scale: Scale) -> Iterator[Rates]:
    """The same with the bundled Kronos, on fewer histories."""
    make = partial(_known, scale, years=10, generators=("kronos",))
    yield from scale.store.pieces("nano known 10", scale.of(48, 4), make, 2)


def nano_losses(scale: Scale) -> Iterator[Rates]:
    """P(loss) with the bundled Kronos at the other ratios."""
    for sharpe in (0.0, 0.5, 2.0):
        losses_of = partial(_losses, scale, sharpe=sharpe, generators=("kronos",))
        yield from scale.store.pieces(f"nano losses {sharpe}", scale.of(24, 4), losses_of, 2)


def nano_robust(scale: Scale) -> Iterator[Rates]:
    """A net Sharpe ratio of 2 with the bundled Kronos."""
    yield from scale.store.pieces("nano robust", scale.of(24, 4), partial(_robust, scale, ("kronos",)), 2)


def _known(scale: Scale, numbers: Sequence[int], years: int, generators: Sequence[str]) -> list[Rates]:
    sharpe = 1.2
    must = "yes >= 75%, lucky or losing <= 10%" if years == 10 else "yes >= 60%"
    name = f"net Sharpe {sharpe}, {years} years, one trial"
    every = {one: Rates(f"{name}, {one}", must) for one in generators}
    kept = {one: _kept(rates) for one, rates in every.items()}
    by_kind = {one: Rates(f"{name}: {one}") for one in KINDS}
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        market = market_of(kind, sharpe)
        drawn = [scale.seed, 300 + years, number]
        history, strategy, true = market.history(years, drawn), rule_of(kind), true_loss(market, years, drawn)
        edge = edge_of(strategy, history, ONE, scale.seed + number)
        by_kind[kind].add(yes=edge.label == "yes")
        for generator, rates in every.items():
            found = judged(strategy, history, edge, generator, scale.seed + number, _count(generator))
            rates.add(
                yes=edge.label == "yes", lucky_or_losing=found.label in ("lucky", "losing"),
                robust=found.label == "robust", inconclusive=found.label == "inconclusive", refused=found.refused,
            )  # fmt: skip
            found.enter(true, [rates], kept[generator])
    return [*every.values(), *(one for one in kept.values() if one.of), *by_kind.values()]


def _count(generator: str) -> int:
    """Universes of a generator where P(loss) is held against the truth."""
    return UNIVERSES if generator == "kronos" else A_RUN


def power(scale: Scale) -> Iterator[Rates]:
    """What is said of a known edge where one trial is reported, and where none is, as in a run without `--trials`."""
    for sharpe in (0.5, 1.2):
        for years in (10, 5):
            make = partial(_power, scale, sharpe=sharpe, years=years)
            yield from scale.store.pieces(f"power {sharpe} {years}", scale.of(80, 4), make)


def _power(scale: Scale, numbers: Sequence[int], sharpe: float, years: int) -> list[Rates]:
    name = f"net Sharpe {sharpe}, {years} years"
    found = {
        how: Rates(f"{name}, {how}") for how in ("one trial reported", f"none reported ({ASSUMED_TRIALS} assumed)")
    }
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        history = market_of(kind, sharpe).history(years, [scale.seed, 800 + years, number])
        for rates, trials in zip(found.values(), (ONE, UNTOLD), strict=True):
            edge = edge_of(rule_of(kind), history, trials, scale.seed + number)
            rates.add(yes=edge.label == "yes", no=edge.label == "no")
    return [*found.values()]


def robust(scale: Scale) -> Iterator[Rates]:
    """A net Sharpe ratio of 2 with returns near normal: is it called robust. As many universes as a run has."""
    yield from scale.store.pieces("robust", scale.of(60, 4), partial(_robust, scale, ("bootstrap", "garch")))


def _robust(scale: Scale, generators: Sequence[str], numbers: Sequence[int]) -> list[Rates]:
    found = {one: Rates(f"Sharpe 2, near normal, 10 years, {one}", "robust >= 50%") for one in generators}
    kept = {one: _kept(rates) for one, rates in found.items()}
    truly = {
        (one, below): Rates(f"Sharpe 2, {one}, where P(loss) is truly {'at most' if below else 'above'} {LIMIT:.0%}")
        for one in generators
        for below in (True, False)
    }
    by_kind: dict[tuple[str, str], Rates] = {}
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        market = market_of(kind, 2.0, 60.0, kind == "volatility timing")  # which has nothing to time where it stays
        usual, drawn = float((future_returns(market)[0] < 0).mean()), [scale.seed, 400, number]
        history, strategy, true = market.history(10, drawn), rule_of(kind), true_loss(market, 10, drawn)
        edge = edge_of(strategy, history, ONE, scale.seed + number)
        for generator, rates in found.items():
            one = judged(strategy, history, edge, generator, scale.seed + number, _count(generator))
            name = f"Sharpe 2, {generator}: {kind}, whose P(loss) is {usual:.1%} in general"
            part = by_kind.setdefault((generator, kind), Rates(name))
            for row in (rates, truly[generator, true <= LIMIT], part):
                row.add(
                    yes=edge.label == "yes", robust=one.label == "robust", inconclusive=one.label == "inconclusive",
                    refused=one.refused,
                )  # fmt: skip
            one.enter(true, [rates, truly[generator, true <= LIMIT], part], kept[generator])
    return [*found.values(), *(row for row in (*truly.values(), *kept.values()) if row.of), *by_kind.values()]


def losses(scale: Scale) -> Iterator[Rates]:
    """P(loss) over 250 bars against the truth, without and with the supported edge; 10 real years."""
    for sharpe in (0.0, 0.5, 1.2, 2.0):
        yield from scale.store.pieces(f"losses {sharpe}", scale.of(96, 4), partial(_losses, scale, sharpe=sharpe))


def _losses(
    scale: Scale, numbers: Sequence[int], sharpe: float, generators: Sequence[str] = ("bootstrap", "garch")
) -> list[Rates]:
    must, name = "with: mean within 0.04, size <= 0.10", f"P(loss), net Sharpe {sharpe}"
    every = {one: Rates(f"{name}, {one}", must) for one in generators}
    kept = {one: _kept(rates) for one, rates in every.items()}
    by_kind: dict[tuple[str, str], Rates] = {}
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        market = market_of(kind, sharpe)
        drawn = [scale.seed, 500, number]
        history, strategy, true = market.history(10, drawn), rule_of(kind), true_loss(market, 10, drawn)
        edge = edge_of(strategy, history, ONE, scale.seed + number)
        for generator, rates in every.items():
            part = by_kind.setdefault((generator, kind), Rates(f"{name}, {generator}: {kind}"))
            one = judged(strategy, history, edge, generator, scale.seed + number, _count(generator))
            for row in (rates, part):
                row.add(refused=one.refused)
            one.enter(true, [rates, part], kept[generator])
    return [*every.values(), *(row for row in kept.values() if row.of), *by_kind.values()]


def coverage(scale: Scale) -> Iterator[Rates]:
    """The posterior's 90% interval over edges from the prior, in four kinds of markets; below 0 it is reversed."""
    yield from scale.store.pieces("coverage", scale.of(400), partial(_coverage, scale))


def _coverage(scale: Scale, numbers: Sequence[int]) -> list[Rates]:
    every = Rates("posterior 90% interval, edges from the prior", "covers 85 to 95%")
    parts = {kind: Rates(f"posterior 90% interval: {kind}") for kind in KINDS}
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        rng = np.random.default_rng([scale.seed, 600, number])
        strengths, ratios = timing_by_strength(kind)
        edge = float(rng.normal(0.0, PRIOR_SD))
        while abs(edge) > ratios.max():
            edge = float(rng.normal(0.0, PRIOR_SD))  # as large as no strength here gives
        market = Market(kind, float(np.interp(abs(edge), ratios, strengths)))
        strategy = rule_of(kind) if edge > 0 else reversed_rule_of(kind)
        history = market.history(10, [scale.seed, 601, number])
        posterior = edge_of(strategy, history, ONE, scale.seed + number, KEPT).posterior
        if posterior is not None:
            interval = posterior.interval()
            for rates in (every, parts[kind]):
                rates.add(covers=interval.low <= edge <= interval.high)
    return [every, *parts.values()]


def coverage_many(scale: Scale) -> Iterator[Rates]:
    """The same on many more histories: what random orders would show is taken from histories without an edge."""
    yield from scale.store.pieces("coverage many", 4, partial(_coverage_many, scale, count=scale.of(250)), 1)


def _coverage_many(scale: Scale, numbers: Sequence[int], count: int) -> list[Rates]:
    every, parts = Rates("posterior 90% interval, without permutations", "covers 85 to 95%"), []
    for kind in [KINDS[number] for number in numbers]:
        parts.append(Rates(f"posterior 90% interval, without permutations: {kind}"))
        for inside in covered(kind, count, scale.seed):
            for rates in (every, parts[-1]):
                rates.add(covers=inside)
    return [every, *parts]


def walk_forward(scale: Scale) -> Iterator[Rates]:
    """Parameters chosen before each window: a grid that holds the planted edge, and one on a market without any."""
    yield from scale.store.pieces("walk-forward", scale.of(40), partial(_walk_forward, scale))


def _walk_forward(scale: Scale, numbers: Sequence[int]) -> list[Rates]:
    grid = [weights_of(follow_trend, span=span) for span in (10, 20, 30, 45, 60, 90, 120, 180)]
    found = []
    for name, market in (("Sharpe 1.2 in its grid", market_of("slow trend", 1.2)), ("no edge", Market("slow trend"))):
        rates = Rates(f"walk-forward procedure, 10 years, {name}", "reported" if found == [] else "yes <= 5%")
        for number in numbers:
            made = procedure(grid, market.history(10, [scale.seed, 700, number]), TERMS)
            rates.add(yes=made is not None and made[1].label == "yes")
        found.append(rates)
    return found


# ---------------------------------------------------------------------------------------------------------- real series


def recent(scale: Scale) -> Iterator[Rates]:
    """Real series after 2024-07: Brier score of P(loss) with the edge less without, each series counting once."""
    together: dict[str, Rates] = {}
    for file in scale.recent:
        series = list(load_series(file, repair=True))
        make = partial(_recent, scale, series=series, name=Path(file).stem)
        for rates in scale.store.pieces(f"recent {Path(file).stem}", len(series), make):
            name = f"Brier with less without, all, {rates.case.rpartition(', ')[2]}"
            together.setdefault(name, Rates(name, rates.must)).merge(rates)
            yield rates
    yield from together.values()


def _recent(scale: Scale, numbers: Sequence[int], series: Sequence[Bars], name: str) -> list[Rates]:
    rules = [
        *(strategy_of(moving_averages(*lengths)) for lengths in ((10, 40, 1), (5, 20, -1), (20, 100, 1))),
        *(strategy_of(channel(*lengths)) for lengths in ((20, 1), (10, -1))),
        *(rule_of(kind) for kind in ("slow trend", "short reversion", "volatility timing")),
    ]
    generators = ("bootstrap", "garch", "kronos")
    found = {one: Rates(f"Brier with less without, {name}, {one}", "not above 0") for one in generators}
    for number in numbers:
        bars, scores = series[number], {one: list[float]() for one in generators}
        for end in (len(bars), len(bars) - 2 * STEPS):
            if end >= 500 + STEPS and bars.timestamps[end - STEPS] >= AFTER:
                for generator, score in _brier(rules, bars[:end], generators, scale.seed + number):
                    scores[generator].append(score)
        for generator, values in scores.items():
            if values:
                found[generator].measure(difference=float(np.mean(values)))
    return [*found.values()]


def _brier(rules: Sequence[Strategy], bars: Bars, generators: Sequence[str], seed: int) -> Iterator[tuple[str, float]]:
    """Brier score of P(loss) over the last bars with the edge less without, of each rule that times anything."""
    history, after = bars[:-STEPS], Universes.from_bars(bars[-STEPS:], bars[:-STEPS])
    edges = [edge_of(rule, history, UNTOLD, seed) for rule in rules]
    for generator in generators:
        universes = make_generator(generator).sample(history, STEPS, UNIVERSES, seed)
        for at, (rule, edge) in enumerate(zip(rules, edges, strict=True)):
            found = planted_losses(Case(rule, universes, history, TERMS, seed + at), edge)
            if found is not None:
                equity = backtest(rule, after, TERMS).equity[:, 0]
                lost = float(equity[-1] < equity[0])
                supported, without = (found[name]["probability_of_loss"]["value"] for name in ("supported", "without"))
                yield generator, float((supported - lost) ** 2 - (without - lost) ** 2)


CASES: dict[str, Callable[[Scale], Iterator[Rates]]] = {
    "zero-edge": zero_edge,
    "best-of-50": best_of_50,
    "symbols": best_of_50_symbols,
    "known-edge": known_edge,
    "power": power,
    "robust": robust,
    "losses": losses,
    "coverage": coverage,
    "coverage-many": coverage_many,
    "walk-forward": walk_forward,
    "recent": recent,
    "nano": nano,
    "nano-losses": nano_losses,
    "nano-robust": nano_robust,
    "size": lambda scale: timing_tests.size(scale.store, scale.seed, scale.quick),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", nargs="+", default=["sample:nasdaq", "sample:sp500"], help="real series, taken by turns"
    )
    parser.add_argument("--recent", nargs="+", default=[], help="collections of real series for the case of that name")
    parser.add_argument("--cases", default=",".join(CASES), help="names, separated by commas")
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file to write, and to go on from")
    given = parser.parse_args(arguments)
    names = given.cases.split(",")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        parser.error(f"--cases {unknown[0]} is not known; choose among {', '.join(CASES)}")
    try:
        sources = tuple(load_bars(source, repair=True)[-BARS:] for source in given.data)
    except InputError as error:
        parser.error(str(error))
    settings = [given.quick, PERMUTATIONS, given.seed, UNIVERSES, HORIZON, [bars.digest for bars in sources], _code()]
    store = Store(given.out, hashlib.sha256(json.dumps(settings).encode()).hexdigest())
    scale = Scale(given.quick, given.seed, sources, tuple(given.recent), store)
    for name in names:
        started, head = time.perf_counter(), None
        for rates in CASES[name](scale):
            columns = [*rates.counts, *rates.values]
            if columns != head:
                head = columns
                rule = "|".join(["---", *("---:" for _ in ("n", *head)), "---"])
                sys.stdout.write(f"\n| {' | '.join(['case', 'n', *head, 'must'])} |\n|{rule}|\n")
            sys.stdout.write(rates.row(head) + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.perf_counter() - started:.0f} s\n")
    return 0


def _code() -> str:
    """SHA-256 over the benchmark's files and every module of the package that it uses."""
    used = {one.__file__ for name, one in sys.modules.items() if name.partition(".")[0] == "stresslab"}
    mine = Path(__file__).parent
    names = ("verdict", "rates", "known_edges", "coverage_of_edges", "null_rules", "timing_tests")
    digest = hashlib.sha256()
    for file in sorted({*(str(mine / f"{name}.py") for name in names), *(file for file in used if file is not None)}):
        digest.update(Path(file).read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
