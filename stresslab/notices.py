"""What a reader must know before relying on a run: one sentence each, from what was set and what was found.

How they are shown is the report's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stresslab.assessment import Realism
from stresslab.data.bars import Bars
from stresslab.lookahead import LookAheadReport
from stresslab.strategy import Strategy


def of_generator(generator: Mapping[str, Any], in_sample: bool | None) -> list[str]:
    """What the generator's settings and training mean for the figures."""
    notices = []
    if in_sample:
        notices.append(
            f"In-sample for the generator: it was trained on bars up to {generator['trained_until']}, after the "
            "origin, so it may know what followed."
        )
    if generator.get("top_p", 1.0) < 1.0 or generator.get("top_k", 0) > 0:
        notices.append(
            f"top_p={generator.get('top_p')}, top_k={generator.get('top_k')} cut the tails of every bar, so risk is "
            "understated; risk figures are meant for top_p=1 and top_k=0."
        )
    if generator.get("temperature", 1.0) != 1.0:
        notices.append(
            f"temperature={generator['temperature']} is not the distribution that the model learned: below 1 it "
            "narrows the universes, above 1 it widens them."
        )
    return notices


def of_future(future: Bars | None, horizon: int) -> list[str]:
    """Why there is no realised outcome where one might be expected."""
    if future is None or len(future) == horizon:
        return []
    return [
        f"Only {len(future)} of {horizon} real bars follow the origin: they are drawn but not compared, since risk "
        "grows with the horizon."
    ]


def of_realism(found: Realism | None, accepted: bool) -> list[str]:
    """That a verdict rests on universes which the gate does not trust."""
    if found is None or found.label != "not trusted" or not accepted:
        return []
    return [
        "The universes are not trusted on this market; the verdict rests on them because --accept-untrusted was given."
    ]


def of_lookahead(strategies: Sequence[Strategy], reports: Sequence[LookAheadReport]) -> list[str]:
    """Strategies that look ahead although that was allowed, and those that could not be checked."""
    notices = []
    for strategy, report in zip(strategies, reports, strict=True):
        if report.found:
            notices.append(f"{strategy.name} LOOKS AHEAD ({report.found[0]}): its figures are no evidence.")
        elif report.inconclusive:
            notices.append(f"{strategy.name}: whether it looks ahead is open, since nothing fired in the history.")
    return notices
