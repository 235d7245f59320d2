"""Bars and universes as charts and tables of their own."""

from __future__ import annotations

from dataclasses import replace

from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.report.charts.bars_and_universes import PATHS, bars_chart, of_bars, of_universes, table, universes_chart
from stresslab.report.wording import price


def test_closes_from_first_to_last(bars: Bars) -> None:
    """The sentence holds the ends and the extremes, the line goes from the left edge to the right one."""
    chart, closes = bars_chart(bars), bars.values[:, 3]
    assert chart.sentence.startswith(f"From {price(closes[0])} to {price(closes[-1])} (")
    assert f"between {price(closes.min())} and {price(closes.max())}." in chart.sentence
    (shape,) = chart.shapes
    assert shape.path.startswith("M0 ")
    assert shape.path.split("L")[-1].startswith("1000 ")
    assert bars_chart(bars[:1]).title == "WALK, 1 bars"


def test_a_fan_with_some_of_its_paths(bars: Bars) -> None:
    """As many single universes as are drawn, over the bands; the count says one or several."""
    made = StationaryBootstrap().sample(bars, 10, 40, 1)
    chart = universes_chart(made)
    assert sum(shape.style == "path" for shape in chart.shapes) == PATHS
    assert chart.title.endswith("40 universes")
    assert universes_chart(made.take([0])).title.endswith("1 universe")
    assert "half of 40 universes end between" in chart.sentence


def test_tables_are_text(bars: Bars) -> None:
    """What a series is called is never markup; a long one shows its ends, an empty one itself."""
    evil = replace(bars, symbol="<b>evil</b>", source="<script>")
    html = of_bars(evil)
    assert "<b>evil" not in html
    assert "<script>" not in html
    assert html.count("<tr") < 30
    assert "<table>" in of_bars(bars[:0])
    assert "10" in of_universes(StationaryBootstrap().sample(bars, 10, 4, 1))
    assert table("a & b", [("x", "<y>")]) == (
        "<table><caption>a &amp; b</caption><tbody><tr><th>x</th><td>&lt;y&gt;</td></tr></tbody></table>"
    )
