"""What the realism of universes does to a run: its section, its notices, and the verdict's check."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

import stresslab as sl
from stresslab.report.formats import text
from stresslab.report.sections import strategy
from tests.make.arguments import arguments
from tests.realism.cases import Walk, calibrated, normal_bars

BARS = normal_bars(1000, seed=3)


def hold(bars: Any) -> pd.DataFrame:
    """Always fully long."""
    return bars.close * 0 + 1.0


hold.__name__ = "weights"


def run(generator: Any, **settings: Any) -> sl.StressResult:
    """A small run of a strategy that holds."""
    small = {"universes": 60, "horizon": 20, "warmup": 50, "jobs": 1}
    return sl.stress_test(hold, BARS, generator, **arguments(**small | settings))


def trust(result: sl.StressResult) -> tuple[bool | None, str, str]:
    """The verdict's check of the universes: passed, its note, and its answer on the pages."""
    verdict = result.strategies[0].verdict
    (check,) = (check for check in verdict.checks if check.name == "trusted_universes")
    (row,) = (row for row in strategy.checks(verdict) if row.note == check.note)
    return check.passed, check.note, row.answer


def test_trusted_universes() -> None:
    """The section is in the result, made of bars before the origin alone, and the check is passed."""
    result = run(Walk(calibration=calibrated()))
    assert result.realism.label == "trusted"
    assert "After 402 held-out origins of other series (1 day, weekdays)" in result.realism.reasons[0]
    assert pd.Timestamp(result.realism.end) < result.origin
    assert trust(result) == (True, "the universes behave like this market", "passed")
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("accepted", [False, True])
def test_caution_leaves_the_check_open(accepted: bool) -> None:
    """With few origins the check is open, neither passed nor unassessed, and says why, accepted or not."""
    result = run(Walk(), realism_origins=4, accept_untrusted=accepted)
    passed, note, answer = trust(result)
    assert (passed, answer) == (None, "open")
    assert note.startswith("open: Whether these universes behave like the market is open. Only 4 independent origins")
    assert "is open. Only 4 independent origins" in " ".join(text.render(result).split())


def test_untrusted_universes_make_a_verdict_inconclusive() -> None:
    """Unless they are accepted: then the check is open, with what speaks against them, and a notice says so."""
    result = run(Walk(temperature=0.4))
    assert result.strategies[0].verdict.label == "inconclusive"
    assert trust(result)[0] is False
    accepted = run(Walk(temperature=0.4), accept_untrusted=True)
    passed, note, answer = trust(accepted)
    assert (passed, answer) == (None, "open")
    assert note.startswith("open: These universes are not trusted, and `accept_untrusted` was given. Universes are 0.")
    assert any("are not trusted on this market" in notice for notice in accepted.notices)
    assert any(notice.startswith("temperature=0.4: bars are 0.40 times as volatile") for notice in accepted.notices)


def test_pooled_evidence_against_the_model_takes_trust_away() -> None:
    """Where held-out intervals of such bars held too few outcomes, the universes are not trusted on this series."""
    result = run(Walk(calibration=calibrated(0.7)))
    assert result.realism.label == "not trusted"
    assert "held 70.0% [67.0%, 73.0%]" in result.realism.reasons[0]


def test_not_assessed() -> None:
    """Without origins nothing is assessed and the check says so."""
    result = run(Walk(), realism_origins=0)
    assert result.realism is None
    assert trust(result)[::2] == (None, "not assessed")
