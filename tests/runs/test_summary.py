"""Everything that a run found, in one result."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stresslab.backtest import Costs
from tests.make.bars import make_bars
from tests.runs.cases import BARS, HORIZON, Changed, run


@pytest.mark.parametrize(("days", "expected"), [(-400, False), (0, False), (1, True), (400, True)])
def test_a_generator_trained_on_what_follows_is_in_sample(days: int, expected: bool) -> None:
    """In-sample is an origin after which the generator has seen bars; the origin's own day is not after it."""
    origin = next(stamp for stamp in BARS.timestamps[300:] if stamp.day_of_week == 0)
    until = str((origin + pd.Timedelta(days=days)).date())
    result = run(generator=Changed(described=(("trained_until", until),)), origin=origin)
    assert result.in_sample is expected
    assert any(f"it was trained on bars up to {until}" in notice for notice in result.notices) is expected


def test_the_rest_of_a_day_that_was_trained_on_is_in_sample() -> None:
    """Of intraday bars, an origin within the last day of the training has trained bars after it."""
    bars = make_bars(400, freq="h")
    generator = Changed(described=(("trained_until", str(bars.timestamps[300].date())),))
    last = bars.timestamps[bars.timestamps.normalize() == bars.timestamps[300].normalize()][-1]
    assert run(bars=bars, generator=generator, origin=last - pd.Timedelta(hours=1)).in_sample is True
    assert run(bars=bars, generator=generator, origin=last).in_sample is False


def test_a_generator_that_was_not_trained_is_neither() -> None:
    """The bootstrap knows no training."""
    assert run().in_sample is None


def test_a_result_says_what_it_was_made_with() -> None:
    """Settings, data and versions are recorded as plain JSON, and what a caller adds joins them."""
    result = run(origin=BARS.timestamps[-HORIZON - 1], config={"data": "walk.csv", "fail_on": ("lucky",)})
    assert result.config["data"] == "walk.csv"
    assert result.config["fail_on"] == ["lucky"]
    assert (result.config["seed"], result.config["horizon"], result.config["fees"]) == (3, HORIZON, Costs().fees)
    assert result.config["origin"] == str(result.origin)
    assert result.data.digest == BARS.digest
    assert result.data.bars == len(BARS)
    assert set(result.environment) == {"python", "platform", "machine", "processor", "processors", "versions"}
    json.dumps([result.config, result.data.to_dict(), result.environment], allow_nan=False)
