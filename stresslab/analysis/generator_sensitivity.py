"""The generator's knobs: the same test over temperature, top-p and context, on common random numbers.

What each setting does to realism stands beside the strategy's figures, since a knob that makes a strategy look safe may
have done so by making universes that no market is like. K is origins.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from stresslab.analysis.case import Case, figures
from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.core.randomness import Stream, derive
from stresslab.data.market_index import IndexBars
from stresslab.data.universes import Universes
from stresslab.generators.base import Generator
from stresslab.metrics import stylized_facts
from stresslab.realism.diagnostics import Adjustable
from stresslab.realism.fit_temperature import compared
from stresslab.realism.rolling_origins import CONTEXT, Origin, origin_positions, roll

TEMPERATURES = (0.8, 0.9, 1.0, 1.1, 1.2)
"""Multiples of the run's temperature."""
HOTTEST = 100.0
TOP_P = (0.9, 0.95, 1.0)
"""Nuclei, beside the run's own."""
CONTEXTS = (0.25, 1.0)
"""Shares of the run's context."""
MIN_CONTEXT = 32


@dataclass(frozen=True)
class Effort:
    """What each setting is given, at most.

    Attributes:
        universes: the first of the run, and the same random numbers in every other setting.
        origins: past dates at which it is compared with what followed.
        at_origin: universes there.
        horizon: bars there.
    """

    universes: int
    origins: int
    at_origin: int
    horizon: int


SERIES = Effort(500, 12, 16, 60)
"""Of one series."""
MARKET = Effort(256, 12, 64, 20)
"""Of several symbols, each of which costs as much as a series: half the universes, and a third of the bars at the past
dates, of as many universes as Kronos computes at once anyway."""


@runtime_checkable
class Tunable(Adjustable, Protocol):
    """A generator that has all the knobs."""

    context: int | None


@dataclass(frozen=True)
class Setting:
    """One setting of the knobs; `own` is the run's."""

    temperature: float
    top_p: float
    context: int
    own: bool = False


def check_tunable(generator: Generator) -> Tunable:
    """The generator itself when it has the knobs.

    Raises:
        InputError: it has none.
    """
    if not isinstance(generator, Tunable):
        raise InputError(
            f"generator={generator.name} has no temperature, top-p and context to vary; use kronos, or leave out "
            "`generator_sweep`"
        )
    return generator


def settings(generator: Tunable, context: int) -> list[Setting]:
    """Every combination of the knobs' values, the run's own among them, the temperature changing fastest.

    Args:
        generator: the run's.
        context: bars that it sees in the run.
    """
    hot = generator.temperature
    temperatures = [hot if share == 1 else round(hot * share, 6) for share in TEMPERATURES if hot * share <= HOTTEST]
    cut = generator.top_k > 0  # which switches top-p off
    nuclei = [generator.top_p] if cut else sorted({*TOP_P, generator.top_p}, reverse=True)
    contexts = sorted({max(min(MIN_CONTEXT, context), round(context * share)) for share in CONTEXTS}, reverse=True)
    own = (hot, generator.top_p, context)
    return [
        Setting(temperature, top_p, bars, (temperature, top_p, bars) == own)
        for bars, top_p, temperature in itertools.product(contexts, nuclei, temperatures)
    ]


def sweep(
    cases: Sequence[Case],
    generator: Generator,
    horizon: int,
    chosen: Sequence[Setting],
    progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Every strategy under every setting, and what the setting does to realism.

    Args:
        cases: strategies with the run's universes.
        generator: the run's.
        horizon: bars.
        chosen: as `settings` gives them.
        progress: called with 1 after each setting.

    Returns:
        What the settings do to realism, and by strategy one row of figures per setting.
    """
    tunable, first = check_tunable(generator), cases[0]
    effort = MARKET if isinstance(first.history, IndexBars) else SERIES
    span, seed = min(horizon, effort.horizon), derive(first.seed, Stream.GENERATOR_SWEEP)
    ends = _ends(len(first.history), span, effort.origins, max(one.context for one in chosen))
    rows: dict[str, list[dict[str, Any]]] = {case.strategy.name: [] for case in cases}
    tried = []
    for one in chosen:
        adjusted = tunable.adjusted(temperature=one.temperature, top_p=one.top_p, context=one.context)
        sampled = None if one.own else _sampled(adjusted, first, horizon, effort.universes)
        for case in cases:
            metrics = case.metrics.iloc[: effort.universes] if sampled is None else case.measured(sampled)
            rows[case.strategy.name].append(asdict(one) | figures(metrics, case.seed))
        rolled = roll(first.history, adjusted, ends, span, effort.at_origin, seed=seed, jobs=first.jobs)
        tried.append(rolled.origins)
        if progress is not None:
            progress(1)
    about = {"origins": len(ends), "horizon": span, "universes": effort.at_origin}
    fits = _fits(chosen, tried, len(ends))
    return about | {"settings": [asdict(one) | fit for one, fit in zip(chosen, fits, strict=True)]}, rows


def _ends(count: int, span: int, most: int, longest: int) -> list[int]:
    """Bars seen at past dates, as `origin_positions` gives them, each with as many as the longest context takes."""
    later = max(0, longest - CONTEXT - 1)
    return [end + later for end in origin_positions(count - later, span, most) if end + later >= longest]


def _sampled(generator: Tunable, case: Case, horizon: int, most: int) -> Universes:
    count = min(most, int(case.universes.ids.max()) + 1)
    return generator.sample(case.history, horizon, count, case.seed, jobs=case.jobs)


def _fits(chosen: Sequence[Setting], tried: Sequence[Sequence[Origin]], count: int) -> list[dict[str, Any]]:
    """How each setting fits what followed, against the run's own; all None where origins are missing."""
    names = ("crps_over_own", "crps_error", "coverage_50", "coverage_90", "volatility_ratio")
    if count < 2 or any(len(origins) < count for origins in tried):
        return [dict.fromkeys(names)] * len(chosen)
    base = next(at for at, one in enumerate(chosen) if one.own)
    fits = compared(tried, base)
    unit = fits[base].crps
    return [
        dict(
            zip(
                names,
                map(plain, (1 + fit.worse / unit, fit.error / unit, fit.coverage_50, fit.coverage_90, ratio)),
                strict=True,
            )
        )
        for fit, ratio in zip(fits, map(_volatility_ratio, tried), strict=True)
    ]


def _volatility_ratio(origins: Sequence[Origin]) -> float:
    """Volatility of a bar in the universes over that of what followed."""
    real = stylized_facts.volatility(np.concatenate([origin.real_returns for origin in origins]))
    return (
        stylized_facts.volatility(np.concatenate([origin.returns for origin in origins])) / real if real else math.nan
    )
