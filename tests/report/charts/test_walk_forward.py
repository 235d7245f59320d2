"""Origins over time, and chained paths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.result import StressResult
from stresslab.report.charts import walk_forward
from tests.make.figures import origin, walk


def test_origins_stand_where_they_are_in_time() -> None:
    """Hollow signs where the generator had seen the bars, shades where it was turbulent, heights in order."""
    rows = [
        origin(2000, 0.2, 0.05, in_sample=True, volatility="turbulent"),
        origin(2002, 0.6, -0.2, in_sample=True, trend="down"),
        origin(2010, 0.4, 0.02),
    ]
    losses, returns = walk_forward.origins_charts(walk(rows), 0.3, "strategy-1")
    drawn = [point for point in losses.points if point.style in ("dot", "ring")]
    assert [point.style for point in drawn] == ["ring", "ring", "dot"]
    gaps = np.diff([point.at for point in drawn])
    assert gaps[1] / gaps[0] == pytest.approx(4.0, rel=0.01)  # eight years against two
    assert drawn[1].height > drawn[2].height > drawn[0].height
    assert [point.style for point in losses.points if point.style in ("rise", "fall")] == ["rise", "fall", "rise"]
    assert "lies between 20% and 60%, and at half or more at 1 of them; the run's own is 30%" in losses.sentence
    assert "30% in rising and 60% in falling markets" in losses.sentence
    assert {"wild", "ring", "dot", "fall"} <= {style for style, _ in losses.legend}
    assert "a loss after 1 of 3 dates" in returns.sentence
    assert "outside nine tenths of the universes (the lines) at 1" in returns.sentence
    assert returns.points[1].height < returns.points[2].height < returns.points[0].height
    for tick in losses.x_ticks:
        along = (int(tick.label) - 2000.495) / 10  # of the way from the first origin to the last
        assert tick.at == pytest.approx(drawn[0].at + along * (drawn[2].at - drawn[0].at), abs=0.3)


def test_one_origin_is_no_timeline() -> None:
    """A single date is a row of the table."""
    assert walk_forward.origins_charts(walk([origin(2000, 0.2, 0.0)]), 0.3, "key") == []


def test_dates_are_labelled_at_any_distance() -> None:
    """Years where there are enough of them, days otherwise; no label stands on another."""
    for stamps in (
        ["2001-01-02", "2001-01-20"],
        ["1990-05-01", "2018-07-01"],
        ["2001-01-01 09:30", "2001-01-01 16:00"],
    ):
        rows = [origin(2000, 0.2, 0.0, origin=stamp) for stamp in stamps]
        chart = walk_forward.origins_charts(walk(rows), 0.3, "key")[0]
        places = [tick.at for tick in chart.x_ticks]
        assert len(places) >= 2
        assert min(np.diff(places)) > 10
        assert all(0 <= place <= 100 for place in places)


def test_lives_have_what_happened_in_them(studied: StressResult) -> None:
    """The histogram holds every life, and the mark stands at the real one."""
    found = studied.strategies[0].studies.walk_forward.chained_paths
    gains, falls = walk_forward.chained_charts(found, "strategy-1")
    values = np.array(found.total_return.values)
    assert len(values) == found.paths
    assert np.mean(values < 0) == pytest.approx(found.probability_of_loss.value)
    assert float(np.median(values)) == pytest.approx(found.total_return.quantile(0.5), abs=1e-6)
    assert [mark.style for mark in gains.marks] == ["middle", "outcome"]
    assert gains.marks[1].label.startswith("what happened")
    assert falls.x_name.endswith("over all windows")
    shares = [float(text.split("(")[1].rstrip("%)")) for text in gains.hover["series"][0]["text"]]
    assert sum(shares) == pytest.approx(100, abs=1)


def test_facts_of_a_timeline_are_in_the_result(studied: StressResult) -> None:
    """What the pictures need is plain JSON of the result, and agrees with itself."""
    for origin_row in studied.strategies[0].studies.walk_forward.origins:
        assert origin_row.quantile(0.5) == pytest.approx(origin_row.median_return)
        low, high = origin_row.median_interval
        assert low <= origin_row.median_return <= high
        assert pd.Timestamp(origin_row.origin) < studied.origin
