"""What if in one figure: the same rows in three panels."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stresslab.analysis.result_studies import WhatIfRow
from stresslab.report.charts.images import picture
from stresslab.report.charts.what_if import MOST, PANELS, what_if_chart


def row(kind: str, loss: float, shortfall: float | None, drawdown: float) -> WhatIfRow:
    """A row with these figures and intervals of 0.05 on both sides."""

    def around(value: float | None) -> dict[str, float | None]:
        return {"value": value} | {
            name: None if value is None else min(max(value + side, 0.0), 1.0)
            for name, side in (("low", -0.05), ("high", 0.05))
        }

    figures: dict[str, Any] = {
        "universes": 300, "probability_of_loss": around(loss), "median_return": 0.0,
        "probability_of_drawdown": {"0.2": around(drawdown)}, "expected_shortfall_97_5": around(shortfall),
    }  # fmt: skip
    return WhatIfRow.of({"kind": kind, "name": kind, "label": f"a {kind}"} | figures)


BASE = row("base", 0.4, 0.1, 0.05)


def test_rows_are_the_same_in_every_panel() -> None:
    """The highest P(loss) on top; bars begin at the base case of their panel, in its third of the width."""
    rows = [row("condition", 0.3, 0.2, 0.1), row("shock", 0.7, 0.3, 0.4), row("crisis", 0.5, 0.05, 0.02)]
    chart = what_if_chart(BASE, list(zip(["given", "gap", "crash"], rows, strict=True)), "k")
    assert [tick.label for tick in chart.y_ticks] == ["gap", "crash", "given"]
    assert [mark.label for mark in chart.marks] == ["P(loss) 40%", "shortfall 10%", "P(drawdown > 20%) 5%"]
    assert [note.text for note in chart.notes] == ["70%", "50%", "30%", "30%", "5%", "20%", "40%", "2%", "10%"]
    assert len(chart.points) == 9
    assert chart.sentence == (
        "P(loss) is 40% as generated and 70% at worst (gap); shortfall is 10% as generated and 30% at worst (gap); "
        "P(drawdown > 20%) is 5% as generated and 40% at worst (gap)."
    )
    assert (
        "shortfall is 10% as generated and no worse anywhere"
        in what_if_chart(BASE, [("calm", row("condition", 0.3, 0.05, 0.02))], "k").sentence
    )
    for at in range(len(PANELS)):
        left, right = 100 * at / 3, 100 * (at + 1) / 3
        assert left < chart.marks[at].at < right
        assert all(left < point.at < right for point in chart.points[3 * at : 3 * at + 3])
    bars = {shape.style: shape.path.split("Z")[:-1] for shape in chart.shapes if shape.style != "whisker"}
    assert (len(bars["loss"]), len(bars["gain"])) == (6, 3)
    for style, end in (("loss", min), ("gain", max)):
        for path in bars[style]:
            begin = end(float(x) / 10 for x in re.findall(r"(?:M|H)([\d.]+)", path))
            assert min(abs(begin - mark.at) for mark in chart.marks) == pytest.approx(0, abs=0.02)
    assert picture(chart, "svg").startswith(b"<?xml")


def test_many_rows_are_cut_and_a_missing_figure_is_drawn_as_none() -> None:
    """The most harmful are drawn; a shortfall that is not known leaves its row at zero, without a word of it."""
    rows = [row("shock", 0.2 + 0.02 * at, None if at == 29 else 0.2, 0.1) for at in range(30)]
    chart = what_if_chart(BASE, [(f"s{at}", one) for at, one in enumerate(rows)], "k")
    assert [tick.label for tick in chart.y_ticks] == [f"s{at}" for at in range(29, 29 - MOST, -1)]
    assert chart.rows == MOST
    assert len(chart.points) == 3 * MOST - 1
