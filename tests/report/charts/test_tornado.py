"""What moves P(loss): bars from P(loss) as it is."""

from __future__ import annotations

import re

import pytest

from stresslab.analysis.result_models import RiskFigures
from stresslab.report.charts.images import picture
from stresslab.report.charts.tornado import MOST, Change, points, tornado_chart
from tests.make.figures import row
from tests.make.gridded import share

BASE = share(0.4, 0.35, 0.45)


def change(label: str, value: float, low: float, high: float, kind: str = "shock") -> Change:
    """A change with such a P(loss)."""
    found = RiskFigures.of(row(value, 0.0) | {"probability_of_loss": share(value, low, high)})
    return Change(kind, label, found)


def test_the_largest_change_stands_on_top() -> None:
    """Bars start at P(loss) as it is and end at each change's, worse and better in hues of their own."""
    changes = [
        change("a little", 0.42, 0.3, 0.5), change("better", 0.3, 0.2, 0.4), change("much", 0.7, 0.6, 0.8),
        change("nothing", 0.4, 0.3, 0.5),
    ]  # fmt: skip
    chart = tornado_chart(BASE, changes, "strategy-1-tornado")
    assert [tick.label for tick in chart.y_ticks] == ["much", "better", "a little", "nothing"]
    assert [note.text for note in chart.notes] == ["+30", "-10", "+2", "no change"]
    (mark,) = chart.marks
    ends = {
        shape.style: [
            [float(x) / 10 for x in re.findall(r"(?:M|H)([\d.]+)", one)] for one in shape.path.split("Z")[:-1]
        ]
        for shape in chart.shapes
        if shape.style != "whisker"
    }
    assert set(ends) == {"loss", "gain"}
    assert all(min(one) == pytest.approx(mark.at, abs=0.02) for one in ends["loss"])
    assert all(max(one) == pytest.approx(mark.at, abs=0.02) for one in ends["gain"])
    dots = {tick.label: point.at for tick, point in zip(chart.y_ticks, chart.points, strict=True)}
    assert max(ends["loss"][0]) == pytest.approx(dots["much"], abs=0.02)
    assert dots["better"] < mark.at < dots["a little"] < dots["much"]
    assert chart.sentence == "As it is, P(loss) is 40%; much makes it 70% (+30 points), better 30% (-10 points)."
    assert picture(chart, "svg").startswith(b"<?xml")


def test_few_of_many_are_drawn() -> None:
    """Those that move it most, however they come."""
    changes = [change(f"c{at}", 0.4 + 0.01 * at, 0.3, 0.6) for at in range(20)]
    chart = tornado_chart(BASE, changes, "k")
    assert [tick.label for tick in chart.y_ticks] == [f"c{at}" for at in range(19, 19 - MOST, -1)]
    assert chart.rows == MOST


def test_where_nothing_makes_it_worse_it_is_said() -> None:
    """All bars to the left, and no legend for what is not drawn."""
    chart = tornado_chart(BASE, [change("b", 0.3, 0.2, 0.4)], "k")
    assert "nothing that was tried makes it worse" in chart.sentence
    assert [style for style, _ in chart.legend] == ["gain", "whisker"]


@pytest.mark.parametrize(("value", "told"), [(0.41, "+1 point"), (0.395, "-0.5 points"), (0.4, "no change")])
def test_differences_are_in_points(value: float, told: str) -> None:
    """Of percent, with a sign."""
    assert points(share(value, value, value), BASE) == told
