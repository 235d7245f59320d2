"""The backtest as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_backtest import TearSheet
from stresslab.report.formats.html import render
from stresslab.report.sections import backtest
from tests.make.pages import Page

SHEET = TearSheet.of(
    {
        "rolling_sharpe": None,
        "years": [
            {"year": 2019, "months": [None] * 10 + [0.02, -0.015], "total_return": 0.0047},
            {"year": 2020, "months": [0.1] + [None] * 11, "total_return": 0.1},
        ],
        "drawdowns": [
            {"depth": -0.25, "start": "2019-11-04 00:00:00", "low": "2019-12-02 00:00:00", "end": None, "bars": 40,
             "days": 58.0},
            {"depth": -0.1, "start": "2019-10-01 09:00:00", "low": "2019-10-01 15:00:00", "end": "2019-10-03 10:00:00",
             "bars": 9, "days": 2.04},
        ],
    }
)  # fmt: skip


def test_months_and_drawdowns_are_told(single: StressResult) -> None:
    """A row a year with empty cells where no bar lies, and dated drawdowns, of which one may go on."""
    strategy = single.strategies[0]
    told = replace(strategy, studies=strategy.studies.model_copy(update={"tear_sheet": SHEET}))
    months, falls, _ = backtest.tables(told, "strategy-1")
    assert months.headings == ("", *backtest.MONTHS, "Year")
    assert months.rows[0] == ("2019", *[""] * 10, "+2.0%", "-1.5%", "+0.5%")
    assert "2 of 3 months brought a gain, the best +10.0%, the worst -1.5%" in months.sentence
    assert falls.rows == (
        ("25.0%", "2019-11-04", "2019-12-02", "not yet", "58", "40"),
        ("10.0%", "2019-10-01 09:00:00", "2019-10-01 15:00:00", "2019-10-03 10:00:00", "2.0", "9"),
    )
    assert falls.sentence.endswith("; one of them goes on at the end.")


def test_they_stand_folded_on_the_page(single: StressResult) -> None:
    """Under the strategy, with the run's own figures."""
    page = Page(render(single))
    sheet = single.strategies[0].studies.tear_sheet
    assert sheet is not None
    text = page.text[page.text.index("Backtest by month and year") :]
    assert text.index("Monthly returns") < text.index("Worst drawdowns") < text.index("The backtest by period")
    assert f"{-100 * sheet.drawdowns[0].depth:.1f}%" in text
    deepest = single.strategies[0].backtest["max_drawdown"]
    assert sheet.drawdowns[0].depth == pytest.approx(deepest)


def test_without_a_tear_sheet_there_are_periods_alone(single: StressResult) -> None:
    """A run of an earlier version has no tear sheet."""
    strategy = single.strategies[0]
    bare = replace(strategy, studies=strategy.studies.model_copy(update={"tear_sheet": None}))
    assert [table.title for table in backtest.tables(bare, "k")] == ["The backtest by period"]
