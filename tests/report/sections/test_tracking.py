"""Where a strategy stands, in words."""

from __future__ import annotations

from stresslab.analysis.tracking import Stamps, tracked, waiting
from stresslab.report.sections.tracking import headline, state, summary, tracking_tables
from tests.make.tracked import BARS, live, watch

TEXTS = [f"2024-{1 + at // 28:02d}-{1 + at % 28:02d}" for at in range(BARS + 1)]


def test_the_headline_has_state_date_and_advice() -> None:
    """What is outside says since when and why."""
    seen = watch()
    found = tracked("one", seen, live(3000, factor=4.0), Stamps(TEXTS[1:], 1.0))
    assert headline(found).startswith(f"OUTSIDE since {found.since}: the market is not this generator's any more.")
    assert f"{BARS} of {BARS} bars since the run, {TEXTS[1]} to {TEXTS[-1]}" in summary(found)
    assert "expects an edge of 1.00" in summary(found)
    nothing = waiting("one", BARS, 1.0, TEXTS[0])
    assert headline(nothing).startswith(f"No bars yet after {TEXTS[0]}, the last that the run knew")
    assert state(nothing) == "no bars yet"
    assert summary(nothing) == ""


def test_every_monitor_has_a_row() -> None:
    """With its band or its threshold, and since when it is outside."""
    seen, life = watch(), live(3000, factor=4.0)
    found = tracked("one", seen, life, Stamps(TEXTS[1:]))
    (table,) = tracking_tables(found, seen, seen.look(life), TEXTS, "track")
    assert [row[0].split()[0] for row in table.rows] == ["account", "price", "volatility", "evidence"] + [
        "evidence"
    ] * 2
    assert any(row[-1] == found.since for row in table.rows)
    assert len(table.charts) == 3
