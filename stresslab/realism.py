"""Realism: do a generator's universes behave like this market? Evidence from rolling origins, and the gate.

At each origin the generator sees the bars up to it, and what it samples is compared with what really followed. The
formulas are `statistics.scores`'s and `statistics.stylised`'s; what an untrusted generator does to a verdict is
`verdict`'s business. K is origins, N universes, H bars of horizon; returns are logarithmic.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.data.bars import FIELDS, Bars
from stresslab.errors import InputError
from stresslab.execution import chunks, map_chunks
from stresslab.generators.base import Generator, check_horizon
from stresslab.statistics import scores, stylised
from stresslab.statistics.distribution import Interval, plain, wilson
from stresslab.universes import Universes

FloatArray = NDArray[np.float64]
Label = Literal["trusted", "caution", "not trusted"]
Outcome = Literal["passed", "caution", "failed", "not assessable"]

ORIGINS = 24
UNIVERSES = 64
"""Universes at each origin, by default: enough to rank an outcome among them."""
ENOUGH_ORIGINS = 12
"""Fewer independent origins than this cannot establish trust."""
LEAST_HISTORY = 120
"""Bars before the first origin, at least."""
CONTEXT = 400
"""Bars whose mean log-price a reversion would lead back to."""
REVERSION = 0.2
"""Share of the way back to the past's mean price that a generator may lead by the horizon without support."""
LEADS = (1, 5, 20, 60, 120)
LEVELS = (0.5, 0.8, 0.9, 0.98)
CLOSE, VOLUME = FIELDS.index("close"), FIELDS.index("volume")


@dataclass(frozen=True)
class Origin:
    """What was sampled at one origin, and what followed.

    Attributes:
        at: time stamp of the last bar seen.
        paths: (N, H) log of the sampled closes over the last real one.
        real: (H,) the same of the real closes.
        displacement: log of the last close over the geometric mean of the closes before it.
        recent_volatility: root mean square of the last 20 real returns.
        volume_volatility: correlation of volume and absolute return in the universes and in what followed.
        repaired: share of sampled bars that had to be repaired.
        support: share of universes that touch the end of what the model can represent; None where there is no end.
    """

    at: pd.Timestamp
    paths: FloatArray
    real: FloatArray
    displacement: float
    recent_volatility: float
    volume_volatility: tuple[float, float] = (math.nan, math.nan)
    repaired: float = 0.0
    support: float | None = None

    @property
    def returns(self) -> FloatArray:
        """Bar returns of the universes (N, H)."""
        return np.diff(self.paths, axis=1, prepend=0.0)

    @property
    def real_returns(self) -> FloatArray:
        """Bar returns of what followed (1, H)."""
        return np.diff(self.real, prepend=0.0)[None]


@dataclass(frozen=True)
class Check:
    """One question that the gate asks.

    Attributes:
        name: of the check.
        value: what was found.
        low: lower end of its interval.
        high: upper end of its interval.
        least: lower end of what is acceptable.
        most: upper end of what is acceptable.
        outcome: failed when the whole interval lies outside the acceptable range, caution when the value alone does.
        reason: in words.
    """

    name: str
    value: float
    low: float
    high: float
    least: float
    most: float
    outcome: Outcome
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {key: plain(value) if isinstance(value, float) else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Realism:
    """The evidence and what the gate makes of it.

    Attributes:
        label: "trusted", "caution" or "not trusted".
        reasons: in words, the gravest first.
        checks: every question of the gate.
        origins: number of independent origins K.
        horizon: bars compared after each.
        universes: sampled at each.
        start: first origin.
        end: last origin.
        calibration: by quantity, the coverage of each interval, the ranks, and the scores.
        facts: stylised facts of the universes and of reality, by name.
    """

    label: Label
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    origins: int
    horizon: int
    universes: int
    start: str | None
    end: str | None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trusted(self) -> bool:
        """Whether a verdict may rest on these universes."""
        return self.label != "not trusted"

    def to_dict(self) -> dict[str, Any]:
        """The "realism" section of `result.json`."""
        return asdict(self) | {
            "assessed": True,
            "reasons": list(self.reasons),
            "checks": [check.to_dict() for check in self.checks],
        }

    def __str__(self) -> str:
        """The label first, the checks below."""
        lines = [f"{self.label.upper()} on {self.origins} origins", *(f"  {reason}" for reason in self.reasons)]
        return "\n".join([*lines, *(f"  {check.outcome:<15}{check.reason}" for check in self.checks)])


def realism(
    bars: Bars,
    generator: Generator,
    horizon: int = 120,
    *,
    origins: int = ORIGINS,
    universes: int = UNIVERSES,
    seed: int = 0,
    jobs: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Realism:
    """Compare what a generator samples with what really followed, at rolling origins within `bars`.

    Args:
        bars: real bars; only what lies before a run's origin, when this judges a run.
        generator: what is judged.
        horizon: bars to compare after each origin; origins are at least as far apart.
        origins: most origins to take, spread over the bars.
        universes: to sample at each origin.
        seed: whole number; each origin draws from its own.
        jobs: workers; 0 means one per processor.
        progress: called with 1 after each origin.
    """
    horizon = check_horizon(horizon)
    if origins < 1 or universes < 2:
        raise InputError(f"origins={origins}, universes={universes} is too few; give at least 1 origin, 2 universes")
    ends = positions(len(bars), horizon, origins)

    def observed(numbers: NDArray[np.int64]) -> Origin:
        number = int(numbers[0])
        at = ends[number]
        sampled = generator.sample(bars[:at], horizon, universes, (seed + 1 + number) % 2**64)
        return observe(sampled, bars[at : at + horizon])

    found: dict[int, Origin] = {}
    pieces = chunks(np.arange(len(ends)), 1)
    for number, origin in map_chunks(observed, pieces, jobs=jobs or os.cpu_count() or 1, threads=True):
        found[number] = origin
        if progress is not None:
            progress(1)
    return assess([found[number] for number in range(len(ends))], horizon, universes)


def positions(count: int, horizon: int, most: int) -> list[int]:
    """Numbers of bars seen at each origin: at least a horizon apart, each followed by a horizon, the last at the end."""
    possible = list(range(count - horizon, LEAST_HISTORY - 1, -horizon))[::-1]
    if len(possible) <= most:
        return possible
    chosen = np.unique(np.linspace(0, len(possible) - 1, most).round().astype(int))
    return [possible[position] for position in chosen]


def observe(sampled: Universes, followed: Bars) -> Origin:
    """One origin's universes beside what followed."""
    history = sampled.history
    logs = np.log(history.values[-CONTEXT - 1 :, CLOSE])
    last = logs[-1]
    paths = np.log(sampled.values[:, :, CLOSE].astype(np.float64)) - last
    real = np.log(followed.values[:, CLOSE]) - last
    volumes, real_volumes = sampled.values[:, :, VOLUME].astype(np.float64), followed.values[None, :, VOLUME]
    count = max(1, paths.size)
    return Origin(
        at=history.timestamps[-1],
        paths=paths,
        real=real,
        displacement=float(last - logs[:-1].mean()),
        recent_volatility=math.sqrt(float((np.diff(logs)[-20:] ** 2).mean())),
        volume_volatility=(
            stylised.volume_volatility(np.diff(paths, axis=1, prepend=0.0), volumes),
            stylised.volume_volatility(np.diff(real, prepend=0.0)[None], real_volumes),
        ),
        repaired=float(sampled.facts.get("repaired_bars", 0)) / count,
        support=sampled.facts.get("support_share"),
    )


def assess(origins: Sequence[Origin], horizon: int, universes: int) -> Realism:
    """What the origins say together, and the gate's label."""
    if not origins:
        reason = f"No origin has {LEAST_HISTORY} bars before it and {horizon} after it: more history is needed."
        return Realism("caution", (reason,), (), 0, horizon, universes, None, None)
    checks = tuple(check(origins) for check in _CHECKS)
    label, reasons = _gate(checks, len(origins))
    return Realism(
        label=label,
        reasons=reasons,
        checks=checks,
        origins=len(origins),
        horizon=horizon,
        universes=universes,
        start=str(origins[0].at),
        end=str(origins[-1].at),
        calibration=calibration(origins),
        facts=stylised_facts(origins),
    )


def _gate(checks: Sequence[Check], count: int) -> tuple[Label, tuple[str, ...]]:
    failed = [check.reason for check in checks if check.outcome == "failed"]
    doubtful = [check.reason for check in checks if check.outcome == "caution"]
    if count < ENOUGH_ORIGINS:
        doubtful.append(f"Only {count} independent origins were to be had, and {ENOUGH_ORIGINS} are needed for trust.")
    if failed:
        return "not trusted", (*failed, *doubtful)
    if doubtful:
        return "caution", tuple(doubtful)
    return "trusted", ("Nothing that was tested speaks against these universes.",)


# ------------------------------------------------------------------------------------------------------ the gate


def _judged(name: str, found: Interval, least: float, most: float, neutral: float, words: str) -> Check:
    """Failed when the interval lies outside [least, most]; caution when the value does and `neutral` is excluded."""
    if not math.isfinite(found.value):
        outcome: Outcome = "not assessable"
    elif found.low > most or found.high < least:
        outcome = "failed"
    elif least <= found.value <= most or found.low <= neutral <= found.high:
        outcome = "passed"
    else:
        outcome = "caution"
    return Check(name, found.value, found.low, found.high, least, most, outcome, words)


def _volatility_check(origins: Sequence[Origin]) -> Check:
    """Volatility of the universes over that of what followed, both over the horizon: mean difference of logs."""
    differences = []
    for origin in origins:
        real = stylised.volatility(origin.real_returns)
        sampled = np.sqrt((origin.returns**2).mean(axis=1))
        if real > 0 and (sampled > 0).all():
            differences.append(float(np.log(sampled).mean()) - math.log(real))
    found = _exponential(scores.mean_interval(differences))
    words = f"Universes are {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] times as volatile as what followed."
    return _judged("volatility", found, 0.8, 1.25, 1.0, words)


def _coverage_check(origins: Sequence[Origin]) -> Check:
    """Share of outcomes at the horizon inside the 90% interval; a 99% interval, since few origins say little."""
    inside = sum(abs(scores.pit(origin.paths[:, -1], float(origin.real[-1])) - 0.5) <= 0.45 for origin in origins)
    found = wilson(inside, len(origins), level=0.99)
    words = f"{inside} of {len(origins)} outcomes lie in the universes' 90% intervals of the return at the horizon."
    return _judged("coverage_90", found, 0.75, 0.98, 0.9, words)


def _reversion_check(origins: Sequence[Origin]) -> Check:
    """How far the mean universe returns to the past's mean price by the horizon, as a share of the way.

    The slope of the mean sampled log-return on the displacement at the origin. Prices hardly ever return so, so it is
    for reality's own slope to support a generator that says they do.
    """
    away = -np.array([origin.displacement for origin in origins])
    found = _slope(away, np.array([float(origin.paths[:, -1].mean()) for origin in origins]))
    real = _slope(away, np.array([float(origin.real[-1]) for origin in origins]))
    words = (
        f"Universes lead {found.value:.0%} of the way back to the past's mean price; "
        f"what followed went {real.value:.0%} [{real.low:.0%}, {real.high:.0%}] of it."
    )
    supported = real.low > 0.0 and real.low <= found.value <= real.high
    most = max(REVERSION, real.high) if supported else REVERSION
    return _judged("reversion", found, -most, most, 0.0, words)


def _jump_check(origins: Sequence[Origin]) -> Check:
    """A first bar that all universes of an origin share, in bar sigmas: root mean square less the sampling error."""
    jumps = []
    for origin in origins:
        sigma = stylised.volatility(origin.returns[:, 1:]) if origin.paths.shape[1] > 1 else math.nan
        jumps.append(
            float(origin.returns[:, 0].mean()) ** 2 / sigma**2 - 1.0 / len(origin.paths) if sigma else math.nan
        )
    mean = scores.mean_interval([jump for jump in jumps if math.isfinite(jump)])
    found = Interval(*(math.copysign(math.sqrt(abs(end)), end) for end in (mean.value, mean.low, mean.high)))
    words = f"The first bar moves all universes of an origin together by {max(0.0, found.value):.2f} bar sigmas."
    return _judged("first_bar_jump", found, -1.0, 0.3, 0.0, words)


def _first_bar_check(origins: Sequence[Origin]) -> Check:
    """Volatility of the first bar over that of the next three, so that a change of regime hardly matters."""
    ratios = []
    for origin in origins:
        first, later = origin.returns[:, 0], origin.returns[:, 1:4]
        if later.size and later.std() > 0 and first.std() > 0:
            ratios.append(math.log(float(first.std()) / float(later.std())))
    found = _exponential(scores.mean_interval(ratios))
    words = f"The first bar is {found.value:.2f} times as volatile as the next three."
    return _judged("first_bar_volatility", found, 0.8, 1.25, 1.0, words)


def _lag_one_check(origins: Sequence[Origin]) -> Check:
    """Autocorrelation of returns at lag 1: universes less reality."""
    found = _difference(origins, stylised.lag_one)
    words = f"Lag-1 autocorrelation of returns differs from reality's by {found.value:+.3f}."
    return _judged("lag_one", found, -0.1, 0.1, 0.0, words)


def _clustering_check(origins: Sequence[Origin]) -> Check:
    """Mean autocorrelation of absolute returns: universes less reality."""
    found = _difference(origins, stylised.clustering)
    words = f"Clustering of volatility (autocorrelation of |returns|) differs from reality's by {found.value:+.3f}."
    return _judged("clustering", found, -0.15, 0.15, 0.0, words)


def _repair_check(origins: Sequence[Origin]) -> Check:
    """Share of sampled bars that were impossible."""
    found = scores.mean_interval([origin.repaired for origin in origins])
    words = f"{found.value:.2%} of the bars were impossible and had to be repaired."
    return _judged("repaired_bars", Interval(found.value, found.value, found.value), 0.0, 0.05, 0.0, words)


def _support_check(origins: Sequence[Origin]) -> Check:
    """Share of universes that touch the end of what the model can represent."""
    shares = [origin.support for origin in origins if origin.support is not None]
    share = float(np.mean(shares)) if shares else math.nan
    words = (
        "The model's prices have no end." if not shares else f"{share:.1%} of universes touch the model's last price."
    )
    return _judged("support", Interval(share, share, share), 0.0, 0.05, 0.0, words)


_CHECKS = (
    _volatility_check,
    _coverage_check,
    _reversion_check,
    _jump_check,
    _first_bar_check,
    _lag_one_check,
    _clustering_check,
    _repair_check,
    _support_check,
)


def _exponential(found: Interval) -> Interval:
    return Interval(*(math.exp(end) if end < 700 else math.inf for end in (found.value, found.low, found.high)))


def _difference(origins: Sequence[Origin], fact: Callable[[FloatArray], float], draws: int = 200) -> Interval:
    """A fact of the universes less that of reality, with a percentile interval from resampling origins."""
    sampled = np.array([fact(origin.returns) for origin in origins])
    real = np.concatenate([origin.real_returns for origin in origins])
    rng, differences = np.random.default_rng(0), []
    for _ in range(draws):
        drawn = rng.integers(len(origins), size=len(origins))
        differences.append(float(np.nanmean(sampled[drawn])) - fact(real[drawn]) if len(origins) > 1 else math.nan)
    value = float(np.nanmean(sampled)) - fact(real)
    low, high = np.nanquantile(differences, [0.025, 0.975]) if len(origins) > 1 else (-math.inf, math.inf)
    return Interval(value, float(low), float(high))


def _slope(x: FloatArray, y: FloatArray) -> Interval:
    """Least-squares slope with Student's 95% interval."""
    from scipy import stats

    if len(x) < 4 or np.ptp(x) == 0:
        return Interval(math.nan, -math.inf, math.inf)
    fit = stats.linregress(x, y)
    half = float(stats.t.ppf(0.975, len(x) - 2)) * float(fit.stderr)
    return Interval(float(fit.slope), float(fit.slope) - half, float(fit.slope) + half)


# -------------------------------------------------------------------------------------------------- the evidence


def quantities(origin: Origin) -> dict[str, tuple[FloatArray, float]]:
    """What is ranked at one origin, by name: (N,) in the universes, and what followed."""
    horizon = origin.paths.shape[1]
    leads = sorted({lead for lead in LEADS if lead < horizon} | {horizon})
    found = {f"return_{lead}": (origin.paths[:, lead - 1], float(origin.real[lead - 1])) for lead in leads}
    found["volatility"] = (np.sqrt((origin.returns**2).mean(axis=1)), stylised.volatility(origin.real_returns))
    found["max_drawdown"] = (_drawdown(origin.paths), float(_drawdown(origin.real[None])[0]))
    return found


def calibration(origins: Sequence[Origin]) -> dict[str, Any]:
    """Ranks, coverage and scores of every quantity, and the ranks of calm and turbulent origins apart."""
    turbulent = _turbulent(origins)
    tables = [quantities(origin) for origin in origins]
    result: dict[str, Any] = {}
    for name in tables[0]:
        ranks = np.array([scores.pit(*table[name]) for table in tables])
        size = len(tables[0][name][0])
        result[name] = {
            "ranks": [round(float(rank), 4) for rank in ranks],
            "coverage": {str(level): _coverage(ranks, level, size) for level in LEVELS},
            "coverage_calm": _coverage(ranks[~turbulent], 0.9, size),
            "coverage_turbulent": _coverage(ranks[turbulent], 0.9, size),
            "crps": plain(float(np.mean([scores.crps(*table[name]) for table in tables]))),
            "tail_crps": plain(float(np.mean([scores.tail_crps(*table[name]) for table in tables]))),
            "value_at_risk": {str(p): _exceedances(ranks, p) for p in (0.05, 0.01)},
        }
    result["energy_score"] = plain(float(np.mean([_energy(origin) for origin in origins])))
    return result


def stylised_facts(origins: Sequence[Origin]) -> dict[str, Any]:
    """Every fact in the universes and in reality, pooled over origins."""
    real = np.concatenate([origin.real_returns for origin in origins])
    found: dict[str, Any] = {}
    for name, fact in stylised.FACTS.items():
        sampled = [fact(origin.returns) for origin in origins]
        finite = [value for value in sampled if math.isfinite(value)]
        found[name] = {"universes": plain(float(np.mean(finite)) if finite else math.nan), "real": plain(fact(real))}
    pairs = np.array([origin.volume_volatility for origin in origins])
    known = pairs[np.isfinite(pairs).all(axis=1)]
    sides = known.mean(axis=0) if len(known) else (math.nan, math.nan)
    found["volume_volatility"] = {"universes": plain(float(sides[0])), "real": plain(float(sides[1]))}
    lags = [lag for lag in range(1, 51) if lag < real.shape[1]]
    found["autocorrelation_of_absolute_returns"] = {
        "lags": lags,
        "universes": [
            plain(float(np.mean([stylised.autocorrelation(np.abs(origin.returns), lag) for origin in origins])))
            for lag in lags
        ],
        "real": [plain(stylised.autocorrelation(np.abs(real), lag)) for lag in lags],
    }
    return found


def _turbulent(origins: Sequence[Origin]) -> NDArray[np.bool_]:
    recent = np.array([origin.recent_volatility for origin in origins])
    return np.asarray(recent > np.median(recent))


def _coverage(ranks: FloatArray, level: float, universes: int) -> dict[str, float | None] | None:
    """Share inside with its interval; None (not assessable) without ranks, or where the universes are too few."""
    if not len(ranks) or (1 - level) / 2 * (universes + 1) < 1:
        return None
    return scores.coverage(ranks, level).to_dict()


def _exceedances(ranks: FloatArray, probability: float) -> dict[str, float | None]:
    found = scores.exceedances(ranks < probability, probability)
    return {name: None if value is None else plain(value) for name, value in asdict(found).items()}


def _energy(origin: Origin) -> float:
    """Energy score at the leads, each in units of the universes' spread there."""
    leads = [lead - 1 for lead in LEADS if lead <= origin.paths.shape[1]]
    spread = origin.paths[:, leads].std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return scores.energy_score(origin.paths[:, leads] / spread, origin.real[leads] / spread)


def _drawdown(paths: FloatArray) -> FloatArray:
    """Maximum drawdown (N,) of log-price paths (N, H) from 0, a fraction not above 0."""
    whole = np.pad(paths, ((0, 0), (1, 0)))
    deepest: FloatArray = np.expm1((whole - np.maximum.accumulate(whole, axis=1)).min(axis=1))
    return deepest
