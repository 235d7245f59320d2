"""The benchmark of tracking: its lives change where they are said to."""

from __future__ import annotations

import numpy as np

from tests.make.benchmarks import load

track = load("track")


def test_moves_change_after_the_change_only() -> None:
    """Log moves are twice as large from the change on, and the bars before stay as they are."""
    universes = track.make_generator("bootstrap").sample(track.calm_market(), track.CHANGE + 10, 3, 1)
    start = float(universes.history.values[-1, track.CLOSE])
    moved = track.wilder(universes, start, 2.0)
    before, after = (np.diff(np.log(track.closes_of(one, start)), axis=0) for one in (universes, moved))
    np.testing.assert_allclose(after[: track.CHANGE - 1], before[: track.CHANGE - 1], atol=1e-6)
    np.testing.assert_allclose(after[track.CHANGE - 1 :], 2 * before[track.CHANGE - 1 :], atol=1e-5)


def test_a_row_counts_alarms_after_the_change() -> None:
    """Share, delay and cause; an alarm before the change is none of it."""
    found = [(70, "edge"), (90, "market"), None, (10, "edge")]
    assert track.row("x", found, 60).startswith("| x | 50.0% |")
    assert "| 20 | edge 1, market 1 |" in track.row("x", found, 60)
    assert track.row("x", found, None).startswith("| x | 75.0% |")
