"""What if, in one figure: P(loss), shortfall and drawdown side by side, a row for each condition, shock and crisis.

Every bar begins at the base case and ends at the figure under the row's condition, so that rows and figures compare.
The figures are those of `result.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stresslab.analysis.result_models import Estimate, RiskFigures
from stresslab.analysis.result_studies import WhatIfRow
from stresslab.report.charts.chart import Axis, Chart, Mark, Note, Point, Shape, Tick, across, box, percent_tick
from stresslab.report.wording import interval, share

MOST = 24
"""Rows that are drawn, at most: those with the highest P(loss)."""
EDGE, NOTE = 0.05, 0.3
"""Parts of a panel's width left free on the left, and on the right for the figures beside the bars."""
THICK = 0.56
"""How much of a row a bar fills."""


@dataclass(frozen=True)
class Panel:
    """One of the figures that are compared: its name, its short name, and where it stands."""

    name: str
    short: str
    of: Callable[[RiskFigures], Estimate]


PANELS = (
    Panel("P(loss)", "P(loss)", lambda row: row.probability_of_loss),
    Panel("expected shortfall 97.5%", "shortfall", lambda row: row.expected_shortfall_97_5),
    Panel("P(drawdown > 20%)", "P(drawdown > 20%)", lambda row: row.drawdown_beyond(0.2)),
)


def what_if_chart(base: WhatIfRow, others: Sequence[tuple[str, WhatIfRow]], key: str) -> Chart:
    """The figure: three panels of the same rows, the highest P(loss) on top.

    Args:
        base: the base case, where every bar begins.
        others: short names and rows to compare with it, at least one.
        key: of the chart.
    """
    ordered = sorted(others, key=lambda one: -one[1].probability_of_loss.value)[:MOST]
    names, rows = [name for name, _ in ordered], [row for _, row in ordered]
    drawn = [_Drawn(panel, at, base, rows) for at, panel in enumerate(PANELS)]
    heights = [100 * _middle(at, len(rows)) for at in range(len(rows))]
    paths = {style: "".join(one.paths[style] for one in drawn) for style in ("loss", "gain", "whisker")}
    meanings = (("loss", "worse than as generated"), ("gain", "better"), ("whisker", "95% interval of chance"))
    return Chart(
        key=key,
        title="What if: P(loss), shortfall and drawdown",
        sentence=_sentence(base, others),
        x_ticks=[tick for one in drawn for tick in one.ticks],
        y_ticks=[Tick(height, name) for height, name in zip(heights, names, strict=True)],
        x_name="from the base case to each figure",
        y_name="",
        shapes=[Shape(style, path) for style, path in paths.items() if path],
        marks=[one.mark for one in drawn],
        points=[point for one in drawn for point in one.points],
        notes=[note for one in drawn for note in one.notes],
        legend=[(style, meaning) for style, meaning in meanings if paths[style]],
        hover={
            "unit": "text",
            "x": [round(point.at / 100, 4) for one in drawn for point in one.points],
            "y": [round(point.height / 100, 4) for one in drawn for point in one.points],
            "titles": [label for one in drawn for label, _, _ in one.told],
            "series": [
                {"name": "figure", "text": [figure for one in drawn for _, figure, _ in one.told]},
                {"name": "95% interval", "text": [ends for one in drawn for _, _, ends in one.told]},
            ],
        },
        named=True,
        rows=len(rows),
    )


def _sentence(base: WhatIfRow, others: Sequence[tuple[str, WhatIfRow]]) -> str:
    """Where each figure is worst, beside the base case."""
    told = []
    for panel in PANELS:
        name, value = max(((name, panel.of(row).value or 0.0) for name, row in others), key=lambda one: one[1])
        own = panel.of(base).value or 0.0
        worse = f"{share(value)} at worst ({name})" if value > own else "no worse anywhere"
        told.append(f"{panel.short} is {share(own)} as generated and {worse}")
    return f"{'; '.join(told)}."


def _middle(at: int, rows: int) -> float:
    return 1 - (at + 0.5) / rows


class _Drawn:
    """What is drawn of one panel, in its third of the width."""

    def __init__(self, panel: Panel, at: int, base: WhatIfRow, rows: Sequence[WhatIfRow]) -> None:
        self._at = at
        found, own = [panel.of(row) for row in rows], panel.of(base).value or 0.0
        known = [(row, one, one.value) for row, one in enumerate(found) if one.value is not None]
        ends = [own, *(end for _, one, value in known for end in (value, one.low, one.high) if end is not None)]
        self._axis = Axis(min(ends), max(*ends, min(ends) + 1e-4))
        self.mark = Mark(100 * self._place(own), f"{panel.short} {share(own)}", "outcome")
        self.ticks = [
            Tick(100 * self._place(float(tick)), percent_tick(float(tick)), bool(i % 2))
            for i, tick in enumerate(self._axis.ticks(3))
        ]
        self.paths, self.points, self.notes = {"loss": "", "gain": "", "whisker": ""}, list[Point](), list[Note]()
        self.told = [(rows[row].label, f"{panel.name} {share(value)}", interval(one.low, one.high))
                     for row, one, value in known]  # fmt: skip
        for row, one, value in known:
            self._row(_middle(row, len(rows)), THICK / 2 / len(rows), one, (own, value))

    def _row(self, middle: float, half: float, one: Estimate, ends: tuple[float, float]) -> None:
        own, value = ends
        begin, end = sorted((self._place(own), self._place(value)))
        if own != value:
            self.paths["loss" if value > own else "gain"] += box(begin, end, middle - half, middle + half)
        low, high = (self._place(value if side is None else side) for side in (one.low, one.high))
        self.paths["whisker"] += across(middle, low, high)
        self.points.append(Point(100 * self._place(value), 100 * middle, "dot"))
        self.notes.append(Note(100 * (max(high, end) + 0.008), 100 * middle, share(value), "left"))

    def _place(self, value: float) -> float:
        """A position in the whole width."""
        return (self._at + EDGE + (1 - EDGE - NOTE) * float(self._axis.at(value))) / len(PANELS)
