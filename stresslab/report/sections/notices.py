"""What a reader must know before relying on a result: warnings, realism, training, and what the figures hide.

`provenance` says where a run came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.report.charts.chart import stamp_texts
from stresslab.report.sections.provenance import DOUBTFUL, sample_label
from stresslab.report.sections.realism import evidence
from stresslab.report.wording import clean, percent, share

WARNING = "warning:"
"""What the notices of the data begin with where something may be wrong."""
IN_SAMPLE = "In-sample"
SIGNS = (
    IN_SAMPLE, "LOOKS AHEAD", "DECIDES BY CHANCE", "understated", "is not the distribution", "not trusted",
    "decides otherwise", "identical ones count once", "contradicts itself", "nobody traded", "'s code warns: ",
)  # fmt: skip
"""What notices say that bear on what the figures are worth."""
MAX_NAMED = 6
"""Strategies named in one notice, at most."""
OUTSIDE = 0.975
"""Share of universes on one side of the real outcome beyond which it lies outside their 95% range."""
LONG = 0.5
"""Part of a backtest after its last high from which the backtest is called under water."""
UNSKILLED = 0.5
"""Probability of backtest overfitting of strategies without skill."""


@dataclass(frozen=True)
class Notice:
    """Something a reader must know: whether it is a warning, what it is about, and what it says."""

    warning: bool
    heading: str
    text: str


def notices(result: StressResult) -> list[Notice]:
    """What a reader must know, nothing twice: warnings first, then realism and training, then what was merely noted."""
    found = list(dict.fromkeys(clean(text) for text in result.notices))
    warnings = [text for text in found if _warns(text)]
    realism = evidence(result)
    label, training = sample_label(result)
    shown = [Notice(True, "Warning", _sentence(text.removeprefix(WARNING))) for text in warnings]
    shown += [
        *overfitting(result),
        *unusual_outcomes(result.strategies, realism.label),
        *under_water(result.strategies),
    ]
    shown.append(Notice(realism.warning, "Realism", " ".join([realism.sentence, *realism.reasons])))
    if not any(text.startswith(IN_SAMPLE) for text in warnings):
        shown.append(Notice(label in DOUBTFUL, label.capitalize(), training))
    return shown + [Notice(False, "Note", _sentence(text)) for text in found if text not in warnings]


def overfitting(result: StressResult) -> list[Notice]:
    """How often the best backtest of one half of the real bars is a poor one of the other half.

    It is said for a grid; of strategies that were named one by one only where choosing is no better than without skill.
    """
    fit = result.studies.selection.overfitting if result.studies.selection else None
    if fit is None or fit.probability is None or not (result.grid or fit.probability >= UNSKILLED):
        return []
    what = "set of parameters" if result.grid else "strategy"
    text = (
        f"The {what} with the best backtest on one half of the real bars is below the median on the other in "
        f"{share(fit.probability)} of {fit.halvings:,} ways to halve them (probability of backtest overfitting; "
        f"{share(UNSKILLED)} is what choosing without skill gives)."
    )
    return [Notice(fit.probability >= UNSKILLED, "Overfitting", text)]


def unusual_outcomes(strategies: Sequence[StrategyResult], realism: str) -> list[Notice]:
    """The strategies whose real outcome lies outside the 95% range of their universes.

    Args:
        strategies: of the run.
        realism: whether its universes are trusted: if they are, the past origins have nothing against them.
    """
    outside = []
    for one in strategies:
        better, worse = one.luck.better, one.luck.worse
        if one.realised is None or better is None or worse is None:
            continue
        if max(better.value, worse.value) > OUTSIDE:
            side = (
                f"better than {share(better.value)}" if better.value > OUTSIDE else f"worse than {share(worse.value)}"
            )
            outside.append(f"{clean(one.name)} {percent(one.realised_return, signed=True)} ({side} of them)")
    if not outside:
        return []
    text = (
        f"What really followed lies outside the 95% range of the universes for {_listed(outside)}: a rare draw, or "
        + ("a market that is no longer like its past." if realism == "trusted" else "universes unlike this market.")
    )
    return [Notice(True, "Unusual outcome", text)]


def under_water(strategies: Sequence[StrategyResult]) -> list[Notice]:
    """The strategies whose backtest spent its last half, or more, below an earlier high."""
    sunk = []
    for one in strategies:
        if one.track is None or len(one.track) < 2:
            continue
        equity = one.track["equity"].to_numpy(dtype=np.float64)
        times = pd.DatetimeIndex(one.track.index)
        high = len(equity) - 1 - int(np.argmax(equity[::-1]))  # the last time that the high was reached
        since = (times[-1] - times[high]) / (times[-1] - times[0])
        if since >= LONG and equity[-1] < equity[high]:
            below = percent(1 - equity[-1] / equity[high])
            sunk.append(f"{clean(one.name)} (since {stamp_texts(times)[high]}, {below} below that high at the end)")
    if not sunk:
        return []
    text = (
        f"On the real bars before the origin, {share(LONG)} of the time or more has passed without a new high for "
        f"{_listed(sunk)}."
    )
    return [Notice(True, "Backtest under water", text)]


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - MAX_NAMED
    return f"{', '.join(texts[:MAX_NAMED])}{f', and {more:,} more' if more > 0 else ''}"


def _warns(text: str) -> bool:
    """Whether a notice bears on what the figures are worth."""
    return text.startswith(WARNING) or any(sign in text for sign in SIGNS)


def _sentence(text: str) -> str:
    """A notice as a sentence; names of settings keep their spelling."""
    text = text.strip()
    begins = text[:1].upper() + text[1:] if text.split(" ", 1)[0].isalpha() else text
    return begins + ("" if begins.endswith((".", "!", "?")) else ".")
