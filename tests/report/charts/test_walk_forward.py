"""Origins over time, and chained paths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.result import StressResult
from stresslab.metrics.forecast_scores import evenness
from stresslab.report.charts import walk_forward
from stresslab.report.charts.ranks import WIDTH, read_p
from tests.make.figures import origin, walk
from tests.make.gridded import share


def test_origins_stand_where_they_are_in_time() -> None:
    """Hollow signs where the generator had seen the bars, shades where it was turbulent, heights in order."""
    rows = [
        origin(2000, 0.2, 0.05, in_sample=True, volatility="turbulent"),
        origin(2002, 0.6, -0.2, in_sample=True, trend="down"),
        origin(2010, 0.4, 0.02),
    ]
    losses, followed = walk_forward.origins_charts(walk(rows), 0.3, "strategy-1")
    drawn = [point for point in losses.points if point.style in ("dot", "ring")]
    assert [point.style for point in drawn] == ["ring", "ring", "dot"]
    gaps = np.diff([point.at for point in drawn])
    assert gaps[1] / gaps[0] == pytest.approx(4.0, rel=0.01)  # eight years against two
    assert drawn[1].height > drawn[2].height > drawn[0].height
    assert [point.style for point in losses.points if point.style in ("rise", "fall")] == ["rise", "fall", "rise"]
    assert "lies between 20% and 60%, and at half or more at 1 of them; the run's own is 30%" in losses.sentence
    assert "30% in rising and 60% in falling markets" in losses.sentence
    assert {"wild", "ring", "dot", "fall"} <= {style for style, _ in losses.legend}
    assert "a loss after 1 of 3 dates; it lies outside nine tenths of the universes at 0" in followed.sentence
    assert "Fewer than 5 dates" in followed.sentence
    for tick in losses.x_ticks:
        along = (int(tick.label) - 2000.495) / 10  # of the way from the first origin to the last
        assert tick.at == pytest.approx(drawn[0].at + along * (drawn[2].at - drawn[0].at), abs=0.3)


def test_what_followed_is_ranked_with_a_p_value() -> None:
    """A sign at each rank, hollow where the generator knew it, in all, rising and falling markets."""
    ranks = [0.97, 0.99, 0.98, 0.93, 0.999, 0.5]
    rows = [
        origin(2000 + at, 0.2, 0.05, realised_percentile=share(rank, rank, rank), trend="down" if at < 2 else "up",
               in_sample=at == 0)
        for at, rank in enumerate(ranks)
    ]  # fmt: skip
    _, chart = walk_forward.origins_charts(walk(rows), 0.3, "strategy-1")
    assert chart.key == "strategy-1-origins-ranks"
    assert [tick.label for tick in chart.y_ticks] == ["all dates", "in rising markets", "in falling markets"]
    first = [point for point in chart.points if point.height == chart.points[0].height]
    assert [point.style for point in first] == ["ring", *["dot"] * 5]
    assert [point.at for point in first] == pytest.approx([100 * rank / WIDTH for rank in ranks])
    p_value = evenness(ranks)
    assert p_value < 0.01
    assert chart.notes[0].text == read_p(p_value)
    assert read_p(p_value) in chart.sentence
    assert "at 4, where 0.6 would be expected" in chart.sentence
    assert [note.text for note in chart.notes[1:]] == ["–", "–"]
    assert chart.hover["titles"][0] == "2000-06-30: +5.0%"


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
