"""The gate: true universes are trusted, faults are found for the right reason, and nothing undefined is said."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from stresslab.metrics.distribution import Interval
from stresslab.realism import assess
from stresslab.realism.checks import Check, judged
from stresslab.realism.gate import ENOUGH_ORIGINS, gate
from tests.realism.cases import FAULTS, SMALL_FAULTS, checks, flat, held_out_checks, simulate


def answers(fault: str | None, cases: int, horizon: int = 60, pooled: Sequence[Check] = ()) -> tuple[Counter[str], int]:
    """How often each label is given in so many simulated markets, and how often for the right reason."""
    labels: Counter[str] = Counter()
    right = 0
    for seed in range(cases):
        label, _, found = gate(simulate(fault, seed, horizon), pooled)
        labels[label] += 1
        named = [check for check in found if fault in FAULTS and check.name == FAULTS[fault]]
        right += label == "not trusted" and named[0].outcome == "failed" if named else 0
    return labels, right


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_gate_errs_seldom(fault: str | None) -> None:
    """On 200 markets of 24 origins: the true process is rejected in at most 5%, a fault in 80%, for the right reason.

    Rejected for the right reason: the check that was made for this fault fails.
    """
    labels, right = answers(fault, 200)
    if fault is None:
        assert labels["not trusted"] <= 10
    else:
        assert right >= 160


@pytest.mark.slow
@pytest.mark.parametrize("held_out", [(), held_out_checks()], ids=["alone", "beside held-out evidence"])
@pytest.mark.parametrize("fault", SMALL_FAULTS)
def test_small_faults_are_not_trusted(fault: str, held_out: Sequence[Check]) -> None:
    """Volatility off by a quarter, or three quarters of outcomes in 90% intervals: mostly rejected, in 90% not trusted.

    Not even where the model's outcomes on held-out series are as they should be.
    """
    labels, _ = answers(fault, 200, 40, held_out)
    assert labels["trusted"] <= 20
    assert labels["not trusted"] >= 100


@pytest.mark.slow
def test_true_universes_are_trusted_beside_held_out_evidence() -> None:
    """Where held-out series speak for the model, half of true processes are trusted, 5% at most rejected."""
    labels, _ = answers(None, 200, 40, held_out_checks())
    assert labels["trusted"] >= 100
    assert labels["not trusted"] <= 10


@pytest.mark.slow
def test_intervals_too_narrow_at_the_horizon_alone() -> None:
    """Three quarters of outcomes in 90% intervals there, bars being right: rejected in half, trusted in a tenth."""
    labels, _ = answers("too narrow at the horizon", 200, 40, held_out_checks())
    assert labels["not trusted"] >= 90
    assert labels["trusted"] <= 20


@pytest.mark.slow
def test_overlapping_origins_have_the_right_error() -> None:
    """22 origins on 8 horizons of bars: the true process is rejected in at most 5%, though bars are counted thrice."""
    labels = Counter(gate(simulate(None, seed, 39, count=22, step=13), held_out_checks())[0] for seed in range(200))
    assert labels["not trusted"] <= 10
    assert labels["trusted"] == 0
    naive = [[replace(one, end=None) for one in simulate(None, seed, 39, count=22, step=13)] for seed in range(200)]
    assert sum(gate(origins)[0] == "not trusted" for origins in naive) > labels["not trusted"]


def test_a_sign_of_a_fault_keeps_trust_back() -> None:
    """A volatility that is acceptable, yet too high beyond chance, is doubt enough, whatever held-out series say."""
    markets = [simulate("volatility x 1.25", seed, 40) for seed in range(30)]
    near = [
        one for one in markets if checks(one)["volatility"].outcome == "open" and not checks(one)["volatility"].doubtful
    ]
    assert any(checks(one)["volatility"].off for one in near)
    for one in near:
        if checks(one)["volatility"].off:
            label, reasons, _ = gate(one, held_out_checks())
            assert label != "trusted"
            assert checks(one)["volatility"].reason in reasons


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_gate_on_a_few_markets(fault: str | None) -> None:
    """The same on ten markets of shorter horizons."""
    labels, right = answers(fault, 10, 20)
    if fault is None:
        assert labels["not trusted"] <= 1
    else:
        assert right >= 7


def test_trust_takes_evidence_inside_what_is_acceptable() -> None:
    """A hundred and twenty origins of the true process establish trust; in-sample ones never do."""
    origins = simulate(None, 8, 20, count=120)
    label, reasons, _ = gate(origins)
    assert label == "trusted"
    assert reasons[0].startswith("The evidence lies inside what is acceptable: Universes are ")
    label, reasons, _ = gate(origins, in_sample=120)
    assert label == "no fault found"
    assert "those make no trust" in reasons[0]
    assert gate(simulate("volatility x 0.6", 8, 20, count=120))[0] == "not trusted"


def known(value: float, half: float) -> Check:
    """A pooled check of coverage with a known interval."""
    interval = Interval(value, value - half, value + half)
    return judged("pooled_coverage_90", lambda _: interval, (0.84, 0.96), 0.9, lambda _: "It held.", "")


def test_pooled_evidence_makes_trust_and_takes_it() -> None:
    """Held-out outcomes inside the range make trust where the series does not object; outside they take it away."""
    origins = simulate(None, 3, 20)
    assert gate(origins, [known(0.9, 0.03)])[0] == "trusted"
    assert gate(origins, [known(0.9, 0.03)], in_sample=24)[0] == "trusted"
    assert gate(origins, [known(0.9, 0.08)])[0] == "no fault found"
    label, reasons, _ = gate(origins, [known(0.75, 0.04)])
    assert (label, reasons) == ("not trusted", ("It held.",))
    assert gate(simulate("volatility x 0.6", 3, 20), [known(0.9, 0.03)])[0] == "not trusted"


def test_a_failed_check_is_the_first_reason() -> None:
    """What failed decides the label and is said first, in a sentence with its interval."""
    label, reasons, _ = gate(simulate("volatility x 0.6", 0, 20))
    assert label == "not trusted"
    assert re.fullmatch(r"Universes are 0\.\d\d \[0\.\d\d, 0\.\d\d\] times as volatile as what followed\.", reasons[0])


def test_few_origins_are_never_trusted() -> None:
    """Below twelve independent origins there is no trust, and the reason says what is missing."""
    origins = simulate(None, 3, 20)
    label, reasons, _ = gate(origins[: ENOUGH_ORIGINS - 1], [known(0.9, 0.03)])
    assert label == "no fault found"
    assert reasons[0].startswith("Only 11 independent origins were to be had")
    assert not gate(origins[:ENOUGH_ORIGINS], [known(0.9, 0.03)])[1][0].startswith("Only")
    assert "Only 1 independent origin was" in gate(origins[:1])[1][0]


def test_no_origin_at_all() -> None:
    """Without an origin there is a label and a reason too."""
    found = assess([], 60, 64)
    assert (found.label, found.origins, found.trusted) == ("no fault found", 0, None)
    assert "more history is needed" in found.reasons[0]
    refused = assess([], 60, 64, ["80 bars are too few; give more"])
    assert refused.reasons == ("At 1 of 1 origins nothing could be sampled: 80 bars are too few; give more",)


@pytest.mark.parametrize("count", [1, 2, 24])
@pytest.mark.parametrize("horizon", [1, 2, 20])
@pytest.mark.parametrize("which", ["all", "universes flat", "real flat", "both flat", "same displacement"])
def test_nothing_undefined_is_said(count: int, horizon: int, which: str) -> None:
    """With one origin, one bar or flat prices no sentence holds nan or inf, and the section is plain JSON."""
    origins = simulate(None, 1, horizon, count=count, universes=16)
    if "flat" in which:
        both = which == "both flat"
        origins = [
            flat(one, universes=both or which == "universes flat", real=both or which == "real flat") for one in origins
        ]
    elif which == "same displacement":
        origins = [replace(one, displacement=0.1, spread=0.0, recent_volatility=0.0) for one in origins]
    found = assess(origins, horizon, 16)
    words = [*found.reasons, *(check.reason for check in found.checks), *found.notes]
    for word in words:
        assert "nan" not in word
        assert "inf" not in word
        assert word.endswith(".")
    json.dumps(found.to_dict(), allow_nan=False)
    for check in found.checks:
        finite = all(math.isfinite(number) for number in (check.value, check.low, check.high))
        assert (check.outcome == "not assessable") is not finite
