"""Pooled evidence: figures by kind of bars, right about known faults, read back as checks."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.realism.pooled import (
    FEWEST,
    Layout,
    Sample,
    calibrate,
    calibration,
    figures,
    kind_of,
    pooled_checks,
    sample,
)
from tests.make.bars import make_bars
from tests.realism.cases import Walk, normal_bars, simulate


def samples(fault: str | None) -> list[Sample]:
    """Origins of six simulated markets; each origin is a date of its own."""
    markets = [simulate(fault, seed, 20) for seed in range(6)]
    return [
        Sample(str(seed), 100 * seed + number, origin)
        for seed, origins in enumerate(markets)
        for number, origin in enumerate(origins)
    ]


def test_figures_of_the_true_process_and_of_a_narrow_one() -> None:
    """True universes hold what they promise; narrow ones hold less, and their volatility says by how much."""
    true, narrow = samples(None), samples("volatility x 0.6")
    found = figures(true, {"other": narrow})
    assert (found["origins"], found["series"], found["dates"], found["horizon"]) == (144, 6, 144, 20)
    assert found["coverage_90"]["low"] < 0.9 < found["coverage_90"]["high"]
    assert found["volatility"]["low"] < 1.0 < found["volatility"]["high"]
    assert found["crps_ratio"]["high"] < 1.0
    assert figures(narrow, {})["volatility"]["value"] == pytest.approx(0.6 * found["volatility"]["value"], rel=0.05)
    assert "crps_ratio" not in figures(true, {})
    json.dumps(found, allow_nan=False)


def test_checks_are_read_back() -> None:
    """A calibration gives checks for its own kind of bars, and none for another."""
    content = calibration({"1 day, weekdays": {"walk": samples("volatility x 0.6")}}, "walk", {}, "Simulated.")
    checks = {check.name: check for check in pooled_checks(content, "1 day, weekdays")}
    assert checks["pooled_volatility"].outcome == checks["pooled_coverage_90"].outcome == "failed"
    assert checks["pooled_volatility"].reason.startswith(
        "After 144 held-out origins of other series (1 day, weekdays) "
    )
    assert pooled_checks(content, "1 hour, 24/7") == pooled_checks(None, "1 day, weekdays") == ()
    few = calibration({"1 day, weekdays": {"walk": samples(None)[: FEWEST - 1]}}, "walk", {}, "")
    assert few["kinds"] == {}


def test_every_generator_meets_the_same_origins() -> None:
    """Sampling keeps the origins that all generators accept, by the kind of bars."""
    found = sample(
        [normal_bars(900), make_bars(900, freq="1h")],
        {"walk": Walk(least=300), "bootstrap": StationaryBootstrap()},
        Layout(horizon=20, origins=30, universes=16),
    )  # fmt: skip
    assert set(found) == {"1 day, weekdays", kind_of(make_bars(900, freq="1h"))}
    at = [[one.origin.at for one in found["1 day, weekdays"][name]] for name in ("walk", "bootstrap")]
    assert at[0] == at[1]
    assert len(at[0]) > 10
    late = sample([normal_bars(900)], {"walk": Walk()}, Layout(horizon=20, since=pd.Timestamp("2003-01-01")))
    assert all(one.origin.at >= pd.Timestamp("2003-01-01") for one in late["1 day, weekdays"]["walk"])


def test_too_few_origins_are_not_sampled() -> None:
    """Without a hundred origins of a kind nothing is measured."""
    assert calibrate([normal_bars(900)], Walk(), {}, "")["kinds"] == {}
