"""The gate: which label the answers to its questions give.

`trusted` says that the evidence lies inside what is acceptable, `no fault found` that it decides neither way, and
`not trusted` that it contradicts the universes. A few origins of one series can take trust away and hardly ever
establish it; what hundreds of outcomes on held-out series said of the same weights can. K is origins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stresslab.realism.checks import Check
from stresslab.realism.overlap import apart
from stresslab.realism.questions import CHECKS, DECIDING
from stresslab.realism.rolling_origins import Origin

Label = Literal["trusted", "no fault found", "not trusted"]

ENOUGH_ORIGINS = 12
"""Fewer independent origins than this cannot establish trust."""


def gate(
    origins: Sequence[Origin], pooled: Sequence[Check] = (), in_sample: int = 0, further: Sequence[Check] = ()
) -> tuple[Label, tuple[str, ...], tuple[Check, ...]]:
    """The label of the origins, its reasons in words, and every check that led to it.

    Args:
        origins: of the series in the order of time; those nearer than a horizon know their `end`.
        pooled: checks of the checkpoint's own calibration on held-out series like this one; none without one.
        in_sample: origins up to which the generator was trained. Such origins can take trust away, never give it.
        further: checks of several symbols together, which count as those of the series do.
    """
    own = (*(check(origins) for check in CHECKS), *further)
    checks = (*pooled, *own)
    failed = [check.reason for check in checks if check.outcome == "failed"]
    independent = apart(origins)
    few = _few(independent)
    if failed:
        return "not trusted", (*failed, *few), checks
    held_out = len(pooled) > 0 and all(check.outcome == "passed" for check in pooled)
    established = all(check.outcome == "passed" for check in own if check.name in DECIDING)
    doubts = [
        check.reason
        for check in checks
        if check.doubtful or (check.outcome == "open" and check.name in DECIDING and check.off)
    ]
    if not few and not doubts and (held_out or (established and not in_sample)):
        return "trusted", (_why(pooled if held_out else [check for check in own if check.name in DECIDING]),), checks
    missing = few or [_missing(independent, pooled, held_out, established, in_sample)]
    return "no fault found", (*missing, *doubts), checks


def _why(checks: Sequence[Check]) -> str:
    """What trust rests on: the evidence that decides."""
    return "The evidence lies inside what is acceptable: " + " ".join(check.reason for check in checks)


def _few(count: int) -> list[str]:
    """That the origins are too few for trust, where they are."""
    if count >= ENOUGH_ORIGINS:
        return []
    were = "origin was" if count == 1 else "origins were"
    return [
        f"Only {count} independent {were} to be had, and trust takes {ENOUGH_ORIGINS}: more history or a "
        "shorter horizon is needed."
    ]


def _missing(count: int, pooled: Sequence[Check], held_out: bool, established: bool, in_sample: int) -> str:
    """What is missing for trust, in a sentence."""
    if established and in_sample and not pooled:
        return f"{in_sample} of {count} origins lie before the end of the training data, and those make no trust."
    if pooled and not held_out:
        return "Not all of the model's figures on held-out series of this kind lie inside what is acceptable."
    if held_out:
        return "Outcomes on held-out series of this kind lie inside what is acceptable, but not those of this series."
    return f"{count} origins are too few to show that the universes are right."
