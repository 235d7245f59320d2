"""Pictures of what followed."""

from __future__ import annotations

from stresslab.report.charts.images import picture
from stresslab.report.charts.tracking import evidence_chart, live_fan
from tests.make.tracked import BARS, live, watch

STAMPS = [f"2024-01-{1 + at:02d}" for at in range(BARS + 1)]


def test_the_fan_has_the_band_and_the_life() -> None:
    """Three bands, the median and what followed, which ends where it ends."""
    seen = watch()
    account = seen.look(live(50))[0]
    chart = live_fan(account, seen.paths["account"], STAMPS, "account", "What to see.")
    assert [shape.style for shape in chart.shapes] == ["b98", "b90", "b50", "median", "real after"]
    assert [tick.label for tick in chart.x_ticks] == [STAMPS[0], STAMPS[BARS // 2], STAMPS[-1]]
    assert picture(chart, "png").startswith(b"\x89PNG")


def test_evidence_is_drawn_over_its_threshold() -> None:
    """A line for each claim, and the height from which it is an alarm; nothing before the first bar."""
    looked = [one for one in watch().look(live(50)) if one.low is None]
    chart = evidence_chart(looked, STAMPS, "evidence", "What to see.")
    assert chart is not None
    assert {tick.label for tick in chart.y_ticks} == {"none", "alarm"}
    assert len(chart.shapes) == 1 + len(looked)
    assert evidence_chart([], STAMPS, "evidence", "") is None
