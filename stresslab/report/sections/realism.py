"""Whether the universes behave like this market, from the result: a label, a sentence and the gate's checks.

Nothing is assessed here; without an assessment the pages say so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import Estimate
from stresslab.analysis.result_realism import Calibration, GateCheck, RealismSection
from stresslab.realism.assess import TIMING
from stresslab.report.wording import UNDEFINED, defined, number, percent

NAMES: Mapping[str, str] = {
    "volatility": "Volatility, as a multiple of reality's",
    "pooled_coverage_90": "Held out: inside 90% intervals",
    "pooled_drawdown_coverage_90": "Held out: drawdowns inside 90% intervals",
    "pooled_coverage_turbulent": "Held out: inside, turbulent times",
    "pooled_volatility": "Held out: volatility over reality's",
    "coverage_90": "Outcomes inside the 90% intervals",
    "spread": "Scatter of outcomes over that promised",
    "spread_horizon": "Distance of last outcomes over promised",
    "drawdown": "Rank of drawdowns, less one half",
    "coverage_turbulent": "Inside 90% intervals, turbulent times",
    "sensitivity": "Answer to volatility, less reality's",
    "reversion": "Way back to the past's mean price",
    "first_bar_jump": "Common move of the first bar, in sigmas",
    "first_bar_volatility": "Volatility of first bar over later ones",
    "lag_one": "Autocorrelation of returns, difference",
    "clustering": "Clustering of volatility, difference",
    "repaired_bars": "Repaired bars",
    "support": "Universes at the model's last price",
}
"""What each check measures; others are shown under their own names."""
SHARES = (
    "pooled_coverage_90", "pooled_drawdown_coverage_90", "pooled_coverage_turbulent", "coverage_90",
    "coverage_turbulent", "reversion", "repaired_bars", "support",
)  # fmt: skip
FACTS: Mapping[str, str] = {
    "volatility": "Volatility of a bar",
    "lag_one": "Autocorrelation of returns, lag 1",
    "clustering": "Autocorrelation of absolute returns",
    "leverage": "Leverage: return with later absolute ones",
    "kurtosis": "Kurtosis",
    "left_tail_index": "Tail index of losses",
    "right_tail_index": "Tail index of gains",
    "variance_ratio": "Variance ratio, 5 bars",
    "volume_volatility": "Volume with absolute return",
}
"""What each stylised fact is called."""
COVERAGES = ("0.5", "0.8", "0.9", "0.98")
ROUND_TRIP = "The tokenizer's round trip"


@dataclass(frozen=True)
class Row:
    """One check as people read it: its outcome with the style of that, value, interval and what is acceptable."""

    name: str
    outcome: str
    style: str
    value: str
    interval: str
    acceptable: str
    reason: str


@dataclass(frozen=True)
class Evidence:
    """What is known about the universes' realism: a label, whether it warns, a sentence, reasons and checks."""

    label: str
    warning: bool
    sentence: str
    reasons: list[str]
    rows: list[Row]


def evidence(result: StressResult) -> Evidence:
    """The realism section of a result, in words."""
    return evidence_of(result.realism)


def evidence_of(found: RealismSection | None) -> Evidence:
    """A realism section in words."""
    if found is None:
        sentence = (
            "The universes' realism was not assessed: nothing here says whether they behave like this market, "
            "and no figure should be trusted further than the generator is."
        )
        return Evidence("not assessed", True, sentence, [], [])
    label, count = found.label, found.origins
    at = f"at {count:,} past origins" if count != 1 else "at one past origin"
    held = ", and on series that the model's training left out," if _is_held_out(found) else ""
    sentence = {
        "trusted": f"The universes behaved like what followed {at}{held} as far as is acceptable; every figure stands "
        "in the section on realism.",
        "no fault found": f"No check fails {at}; no fault found is not trust.",
    }.get(label, f"Compared with what followed {at}, the universes do not behave like this market.")
    reasons = [defined(str(reason)) for reason in found.reasons]
    failed = {check.name for check in found.checks if check.outcome == "failed"}
    timing = ["What they lack is timing, which P(loss) has from the real bars; a verdict may rest on them."]
    sentence = " ".join([sentence, *(timing if failed and failed <= set(TIMING) else []), *_held_out(found)])
    return Evidence(label, label != "trusted", sentence, reasons, [_row(check) for check in found.checks])


def _is_held_out(found: RealismSection) -> bool:
    """Whether held-out series are among the evidence."""
    return any(check.name.startswith("pooled_") for check in found.checks)


def _held_out(found: RealismSection) -> list[str]:
    """What the model's intervals held on held-out series, beside what they hold on this one so far."""
    pooled = next((check for check in found.checks if check.name == "pooled_coverage_90"), None)
    own = found.calibration.get(f"return_{found.horizon}")
    if pooled is None or pooled.value is None or not isinstance(own, Calibration):
        return []
    held = own.coverage.get("0.9")
    if held is None or held.value is None:
        return []
    return [
        f"On held-out series of this kind the model's 90% intervals held {percent(pooled.value)} of later outcomes; on "
        f"this series so far {round(held.value * found.origins)} of {found.origins} at bar {found.horizon}."
    ]


def quantity(name: str, *, sentence: bool = False) -> str:
    """What a ranked quantity is called: return, bar 20; max drawdown."""
    text = name.replace("return_", "return, bar ").replace("_", " ")
    return text[0].upper() + text[1:] if sentence else text


def fact(name: str, value: float | None) -> str:
    """A stylised fact: volatility in percent, everything else plain."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    return f"{100 * value:.3f}%" if name == "volatility" else plain(value, 3)


def plain(value: float | None, digits: int = 2) -> str:
    """A number of the evidence, with so many decimals."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    return number(value) if digits == 2 else f"{round(value, digits) + 0.0:.{digits}f}"


def span(low: str, high: str) -> str:
    """Two numbers as a range; undefined where either is."""
    return UNDEFINED if UNDEFINED in (low, high) else f"{low} to {high}"


def ratio(found: Estimate | None) -> str:
    """A ratio of scores with its interval."""
    if found is None:
        return UNDEFINED
    value, low, high = (plain(end, 3) for end in (found.value, found.low, found.high))
    return value if UNDEFINED in (low, high) else f"{value} [{low}, {high}]"


def _row(check: GateCheck) -> Row:
    name, outcome = check.name, check.outcome
    low, high = check.low, check.high
    exact = low is None or high is None or low == high
    ends = check.least, check.value, check.most
    doubtful = outcome == "open" and None not in ends and sorted(ends, key=lambda end: end or 0.0) != list(ends)
    return Row(
        name=NAMES.get(name, name.replace("_", " ")),
        outcome=outcome,
        style="caution" if doubtful else "open" if outcome == "not assessable" else outcome,
        value=_read(name, check.value),
        interval=UNDEFINED if exact else f"{_read(name, low)} to {_read(name, high)}",
        acceptable=f"{_read(name, check.least)} to {_read(name, check.most)}",
        reason=defined(str(check.reason)),
    )


def _read(name: str, value: float | None) -> str:
    """A number of a check: a share in percent, everything else plain."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    return percent(value) if name in SHARES else number(value)
