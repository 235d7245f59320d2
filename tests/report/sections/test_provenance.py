"""Where a run's figures come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from stresslab.analysis.result import StressResult
from stresslab.report.formats.html import render
from stresslab.report.sections import provenance
from stresslab.runs.folder import load_run
from tests.make.pages import Page


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("1D", "60 bars (60 days)"), ("1h", "60 bars (2.5 days)"), ("15min", "60 bars (15 hours)"),
        ("24min", "60 bars (1 day)"), ("7D", "60 bars (420 days)"), ("1min", "60 bars (1 hour)"),
    ],
)  # fmt: skip
def test_the_horizon_is_told_in_days(single: StressResult, step: str, told: str) -> None:
    """Whatever the length of a bar, on the page too."""
    fan = single.fan.set_axis(pd.date_range(single.origin, periods=61, freq=step)[1:])
    found = replace(single, fan=fan)
    assert provenance.horizon(found) == told
    assert f"{told} after" in Page(render(found)).text


def test_everything_that_decided_the_run_is_listed(single: StressResult) -> None:
    """Settings, data, generator and machine, each with its values; the way of storing it is left out."""
    found = provenance.run(single)
    cards = {title: dict(rows) for title, rows in found.cards}
    assert list(cards) == ["Settings", "Data", "Generator", "Environment"]
    assert cards["Settings"]["seed"] == "0"
    assert cards["Generator"]["model"] == "nano"
    assert any(value.endswith(" s") for name, value in cards["Environment"].items() if name.startswith("time for "))
    assert found.command == ""


def test_a_stored_run_is_stamped(single: StressResult, tmp_path: Path) -> None:
    """Its folder and the seal of its manifest; one that is not stored has no stamp."""
    assert provenance.stamp(single) == ""
    saved = single.save(tmp_path)
    stamp = provenance.stamp(load_run(saved))
    assert stamp.startswith(saved.name)
    assert "seal of the manifest " in stamp


def test_a_generator_has_a_name_of_a_word_or_two(single: StressResult) -> None:
    """Kronos with its model; midnight is no time of day."""
    assert provenance.generator_name(single) == "kronos nano"
    assert provenance.generator_name(replace(single, generator={"name": "bootstrap"})) == "bootstrap"
    assert provenance.day("2020-01-02 00:00:00") == "2020-01-02"
    assert provenance.day("2020-01-02 09:30:00") == "2020-01-02 09:30:00"
