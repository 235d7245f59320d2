"""Whether the universes behave like this market, as the result tells it: a label, a sentence and the gate's checks.

Nothing is assessed here; without an assessment the pages say so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stresslab.report.wording import UNDEFINED, defined, number, percent
from stresslab.result import StressResult

NAMES: Mapping[str, str] = {
    "volatility": "Volatility, as a multiple of reality's",
    "coverage_90": "Outcomes inside the 90% intervals",
    "reversion": "Way back to the past's mean price",
    "first_bar_jump": "Common move of the first bar, in sigmas",
    "first_bar_volatility": "Volatility of the first bar over later ones",
    "lag_one": "Autocorrelation of returns, difference",
    "clustering": "Clustering of volatility, difference",
    "repaired_bars": "Repaired bars",
    "support": "Universes at the model's last price",
}
"""What each check measures; others are shown under their own names."""
SHARES = ("coverage_90", "reversion", "repaired_bars", "support")


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
    found = result.realism
    if not found["assessed"]:
        sentence = (
            "The universes' realism was not assessed: nothing here says whether they behave like this market, "
            "and no figure should be trusted further than the generator is."
        )
        return Evidence("not assessed", True, sentence, [], [])
    label, count = str(found["label"]), int(found["origins"])
    at = f"at {count:,} past origins" if count != 1 else "at one past origin"
    sentence = {
        "trusted": f"Compared with what followed {at}, the universes behave like this market as far as was tested.",
        "caution": f"Compared with what followed {at}, the universes raise doubts about how far they resemble this "
        "market; read the figures with caution.",
    }.get(label, f"Compared with what followed {at}, the universes do not behave like this market.")
    reasons = [defined(str(reason)) for reason in found["reasons"]]
    return Evidence(label, label != "trusted", sentence, reasons, [_row(check) for check in found["checks"]])


def _row(check: Mapping[str, Any]) -> Row:
    name, outcome = str(check["name"]), str(check["outcome"])
    low, high = check["low"], check["high"]
    exact = low is None or high is None or low == high
    return Row(
        name=NAMES.get(name, name.replace("_", " ")),
        outcome=outcome,
        style="open" if outcome == "not assessable" else outcome,
        value=_read(name, check["value"]),
        interval=UNDEFINED if exact else f"{_read(name, low)} to {_read(name, high)}",
        acceptable=f"{_read(name, check['least'])} to {_read(name, check['most'])}",
        reason=defined(str(check["reason"])),
    )


def _read(name: str, value: float | None) -> str:
    """A number of a check: a share in percent, everything else plain."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    return percent(value) if name in SHARES else number(value)
