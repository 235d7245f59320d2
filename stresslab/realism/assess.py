"""assess_realism(): rolling origins, the gate and the evidence put together into the realism section of a result."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import numpy as np
import pandas as pd

from stresslab.core.display import Displayed
from stresslab.core.errors import InputError
from stresslab.core.randomness import check_seed
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars
from stresslab.generators.base import Generator, JointGenerator, check_horizon, universe_ids
from stresslab.realism.calibration import calibration, growth_by_displacement, score_ratios, stylised_facts
from stresslab.realism.checks import Check
from stresslab.realism.diagnostics import Adjustable, altered, diagnose
from stresslab.realism.gate import Label, gate
from stresslab.realism.joint_origins import joint_checks, roll_market
from stresslab.realism.overlap import design_effect
from stresslab.realism.pooled import kind_of, pooled_checks
from stresslab.realism.rolling_origins import (
    MIN_HISTORY,
    ORIGINS,
    UNIVERSES,
    Origin,
    between,
    origin_positions,
    roll,
)

TIMING = ("lag_one",)
"""Checks of what moves the mean from bar to bar. A rule can live on that by its timing alone, and P(loss) takes timing
from the real bars, whatever the universes hold of it."""


@dataclass(frozen=True)
class Trust:
    """What a verdict needs to know of the universes.

    Attributes:
        behave: whether they behave like the market; None where that is open, or was not assessed.
        caution: why it is open, in sentences; None where it is not.
        lacks_timing: where they do not, and all that fails is among `TIMING`, why a verdict may rest on them once
            P(loss) has its timing from the real bars; None elsewhere.
    """

    behave: bool | None = None
    caution: str | None = None
    lacks_timing: str | None = None


@dataclass(frozen=True)
class Realism(Displayed):
    """The evidence and what the gate makes of it.

    Attributes:
        label: "trusted", "no fault found" or "not trusted".
        reasons: in words, the gravest first.
        checks: every question of the gate.
        origins: number of independent origins K.
        horizon: bars compared after each.
        universes: sampled at each.
        start: first origin.
        end: last origin.
        calibration: by quantity, the coverage of each interval, the ranks, and the scores.
        facts: stylised facts of the universes and of reality, by name.
        notes: what is worth knowing but decides nothing, in words.
        growth: E[S_H] / S_0 of universes and reality by where the last price lay.
        diagnostics: what the generator shows about itself: "round_trip" and "cuts", where there are any.
        baselines: CRPS over that of other generators at the same origins, by their names and by quantity.
        sampled: the origins themselves, with the universes that were sampled there; not recorded.
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
    notes: tuple[str, ...] = ()
    growth: Sequence[Mapping[str, Any]] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Any] = field(default_factory=dict)
    sampled: tuple[Origin, ...] = field(default=(), repr=False, compare=False)

    @property
    def trusted(self) -> bool | None:
        """Whether the universes behave like this market; None where no fault was found, which leaves it open."""
        return {"trusted": True, "not trusted": False}.get(self.label)

    def trust(self, accept_untrusted: bool = False) -> Trust:
        """What a verdict needs: whether it may rest on these universes, and where that is open, why.

        Accepted universes are not thereby like the market: it stays open whether they are.
        """
        if self.label == "no fault found":
            return Trust(None, f"Whether these universes behave like the market is open. {self.reasons[0]}")
        if self.label == "trusted":
            return Trust(True)
        if accept_untrusted:
            return Trust(None, f"These universes are not trusted, and `accept_untrusted` was given. {self.reasons[0]}")
        if all(check.name in TIMING for check in self.checks if check.outcome == "failed"):
            why = "What these universes lack is timing, which P(loss) has from the real bars instead."
            return Trust(False, None, f"{why} {self.reasons[0]}")
        return Trust(False)

    def to_dict(self) -> dict[str, Any]:
        """The "realism" section of `result.json`."""
        recorded = asdict(replace(self, sampled=()))
        del recorded["sampled"]
        return recorded | {
            "assessed": True,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "growth": [dict(row) for row in self.growth],
            "checks": [check.to_dict() for check in self.checks],
        }

    def __str__(self) -> str:
        """The label first, then the reasons, the checks and the notes."""
        where = f"{self.origins} origin{'' if self.origins == 1 else 's'}"
        lines = [f"{self.label.upper()} on {where}", *(f"  {reason}" for reason in self.reasons)]
        lines += [f"  {check.outcome:<15}{check.reason}" for check in self.checks]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def assess_realism(
    bars: Bars | Market,
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

    Example:
        >>> bars = sl.load_bars("sample:nasdaq")
        >>> print(sl.assess_realism(bars, sl.StationaryBootstrap(), horizon=60))

    Args:
        bars: real bars; only what lies before a run's origin, when this judges a run. Of a market the equal-weight
            portfolio is judged, and whether its symbols move together and fall together as they did.
        generator: what is judged.
        horizon: bars to compare after each origin; origins are at least as far apart.
        origins: most origins to take, spread over the bars.
        universes: to sample at each origin.
        seed: whole number; each origin draws from its own.
        jobs: workers; 0 means one per processor.
        progress: called with 1 after each origin.

    Returns:
        The label with its reasons, every check, and the evidence.

    Raises:
        InputError: a setting is out of range, or the generator refuses it.
    """
    horizon, seed, jobs = check_horizon(horizon), check_seed(seed), jobs or os.cpu_count() or 1
    universe_ids(universes, None)
    if origins < 1 or universes < 2:
        raise InputError(f"origins={origins}, universes={universes} is too few; give at least 1 origin, 2 universes")
    ends = origin_positions(len(bars), horizon, origins)
    if isinstance(bars, IndexBars):
        bars = bars.market
    if isinstance(bars, Market):
        return _of_market(
            bars, cast(JointGenerator, generator), ends, horizon, universes, seed=seed, jobs=jobs, progress=progress
        )
    further = between(ends, horizon, origins)
    rolled = roll(bars, generator, ends + further, horizon, universes, seed=seed, jobs=jobs, progress=progress)
    overlapping = tuple(origin for origin in rolled.origins if origin.end in further)
    own = tuple(origin for origin in rolled.origins if origin.end not in further)
    trained_until = generator.describe().get("trained_until")
    pooled = pooled_checks(_calibration_of(generator), kind_of(bars)) if len(bars) > 1 else ()
    evidence = Evidence(pooled, _in_sample(own, trained_until), overlapping=overlapping)
    found = assess(own, horizon, universes, rolled.refusals[: len(ends) - len(own)], evidence, seed)
    diagnostics = diagnose(bars, generator, ends, horizon, seed=seed, jobs=jobs)
    notes = [*found.notes, *_training_notes(own, trained_until), *_diagnostic_notes(diagnostics)]
    return replace(found, notes=tuple(notes), diagnostics=diagnostics, sampled=own)


def _of_market(
    market: Market,
    generator: JointGenerator,
    ends: Sequence[int],
    horizon: int,
    universes: int,
    *,
    seed: int,
    jobs: int,
    progress: Callable[[int], None] | None,
) -> Realism:
    """The assessment of several symbols: their portfolio, and whether they move together as they did."""
    seen, refusals = roll_market(market, generator, ends, horizon, universes, seed=seed, jobs=jobs, progress=progress)
    portfolio, trained_until = [one.portfolio for one in seen], generator.describe().get("trained_until")
    evidence = Evidence((), _in_sample(portfolio, trained_until), joint_checks(seen))
    found = assess(portfolio, horizon, universes, refusals, evidence, seed)
    notes = (*found.notes, *_training_notes(portfolio, trained_until))
    return replace(found, notes=notes, sampled=tuple(portfolio))


def with_baselines(
    found: Realism,
    bars: Bars,
    baselines: Mapping[str, Generator],
    *,
    universes: int = UNIVERSES,
    seed: int = 0,
    jobs: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Realism:
    """An assessment with the CRPS of other generators at the same origins.

    Args:
        found: what `assess_realism` gave for these bars.
        bars: real bars of one series.
        baselines: other generators by name.
        universes: to sample at each origin.
        seed: whole number.
        jobs: workers; 0 means one per processor.
        progress: called with 1 after each origin of each baseline.
    """
    jobs, compared = jobs or os.cpu_count() or 1, {}
    ends = (np.flatnonzero(bars.timestamps.isin([one.at for one in found.sampled])) + 1).tolist()
    for name, other in baselines.items():
        against = roll(bars, other, ends, found.horizon, universes, seed=seed, jobs=jobs, progress=progress).origins
        shared = {origin.at for origin in found.sampled} & {origin.at for origin in against}
        compared[name] = {"origins": len(shared), "crps_ratio": score_ratios(found.sampled, against, seed)}
    return replace(found, baselines=compared)


@dataclass(frozen=True)
class Evidence:
    """What is known about a generator beside the origins of one series.

    Attributes:
        pooled: checks of its calibration on held-out series of this kind.
        in_sample: origins that lie before the end of its training data.
        further: checks of several symbols together.
        overlapping: origins between those a horizon apart; only the gate looks at them, which knows how they overlap.
    """

    pooled: tuple[Check, ...] = ()
    in_sample: int = 0
    further: tuple[Check, ...] = ()
    overlapping: tuple[Origin, ...] = ()


def assess(
    origins: Sequence[Origin],
    horizon: int,
    universes: int,
    refusals: Sequence[str] = (),
    evidence: Evidence = Evidence(),
    seed: int = 0,
) -> Realism:
    """What the origins say together, and the gate's label.

    Args:
        origins: in the order of time.
        horizon: bars compared after each.
        universes: sampled at each.
        refusals: why the generator could not sample at others.
        evidence: what is known beside them.
        seed: of the intervals that are bootstrapped.
    """
    notes = (
        (f"At {len(refusals)} of {len(refusals) + len(origins)} origins nothing could be sampled: {refusals[0]}",)
        if refusals
        else ()
    )
    if not origins:
        reason = f"No origin has {MIN_HISTORY} bars before it and {horizon} after it: more history is needed."
        return Realism("no fault found", notes or (reason,), (), 0, horizon, universes, None, None)
    every = sorted((*origins, *evidence.overlapping), key=lambda origin: origin.at)
    label, reasons, checks = gate(every, evidence.pooled, evidence.in_sample, evidence.further)
    if evidence.overlapping:
        worth = len(every) / design_effect(every, squares=True)
        notes = (
            *notes,
            f"The gate saw {len(evidence.overlapping)} more origins between these {len(origins)}, which overlap: "
            f"for the spread of outcomes all together count as {worth:.0f} that do not.",
        )
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
        facts=stylised_facts(origins, seed),
        notes=notes,
        growth=growth_by_displacement(origins),
    )


def _calibration_of(generator: Generator) -> Mapping[str, Any] | None:
    """What was measured of a checkpoint; it holds for universes as the model learned them, not for other settings."""
    if isinstance(generator, Adjustable) and altered(generator):
        return None
    found = getattr(generator, "calibration", None)
    return found if isinstance(found, Mapping) else None


def _in_sample(origins: Sequence[Origin], trained_until: str | None) -> int:
    """Origins before the end of the training data."""
    return 0 if trained_until is None else sum(origin.at < pd.Timestamp(trained_until) for origin in origins)


def _training_notes(origins: Sequence[Origin], trained_until: str | None) -> list[str]:
    """That the evidence is in-sample for the generator, where it is."""
    seen = _in_sample(origins, trained_until)
    if not seen:
        return []
    return [
        f"{seen} of {len(origins)} origins lie before {trained_until}, up to when the generator was trained: it may "
        "know what followed, and look better than it is."
    ]


def _diagnostic_notes(found: Mapping[str, Any]) -> list[str]:
    """What settings cut from the tails, in words."""
    cut = found.get("cuts")
    if not cut:
        return []
    settings = ", ".join(f"{name}={value:g}" for name, value in cut["settings"].items())
    volatility, tail = (cut[name]["value"] for name in ("volatility_ratio", "tail_ratio"))
    if volatility is None or tail is None:
        return []
    return [
        f"{settings}: bars are {volatility:.2f} times as volatile, and the 1% quantile of the return at the horizon is "
        f"{tail:.2f} times as far from the mean, as in universes drawn from what the model learned with the same "
        f"random numbers ({cut['origins']} origins)."
    ]
