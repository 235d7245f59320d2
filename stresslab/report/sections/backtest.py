"""The backtest on the real bars before the origin, as tables: by month, by year, and its worst drawdowns."""

from __future__ import annotations

from stresslab.analysis.result import StrategyResult
from stresslab.analysis.result_backtest import DrawdownSpell, TearSheet
from stresslab.report.charts import track_record
from stresslab.report.sections.provenance import day
from stresslab.report.sections.table import Table
from stresslab.report.wording import UNDEFINED, percent

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tables(strategy: StrategyResult, key: str) -> tuple[Table, ...]:
    """Monthly returns, worst drawdowns, and periods beside buy and hold, as far as the run kept them.

    Args:
        strategy: whose.
        key: of its page, which the anchors begin with.
    """
    made = []
    sheet = strategy.studies.tear_sheet
    if sheet is not None and sheet.years:
        made.append(_months(sheet, key))
    if sheet is not None and sheet.drawdowns:
        made.append(_drawdowns(sheet.drawdowns, key))
    if rows := track_record.period_rows(strategy):
        sentence = "Beside buy and hold on the same bars; a drawdown counts from the highest value in the period."
        made.append(Table(f"{key}-periods", "The backtest by period", sentence, track_record.HEADINGS, tuple(rows)))
    return tuple(made)


def _months(sheet: TearSheet, key: str) -> Table:
    rows = tuple(
        (str(row.year), *("" if month is None else percent(month, signed=True) for month in row.months),
         percent(row.total_return, signed=True))
        for row in sheet.years
    )  # fmt: skip
    known = [month for row in sheet.years for month in row.months if month is not None]
    gains = sum(month > 0 for month in known)
    sentence = "Returns of the strategy on the real bars, net of costs"
    if known:
        best, worst = percent(max(known), signed=True), percent(min(known), signed=True)
        sentence += f": {gains} of {len(known)} months brought a gain, the best {best}, the worst {worst}"
    return Table(f"{key}-months", "Monthly returns", f"{sentence}.", ("", *MONTHS, "Year"), rows, dense=True)


def _drawdowns(found: tuple[DrawdownSpell, ...], key: str) -> Table:
    rows = tuple(
        (
            percent(None if row.depth is None else -row.depth),
            day(row.start),
            day(row.low),
            "not yet" if row.end is None else day(row.end),
            _days(row.days),
            f"{row.bars:,}",
        )
        for row in found
    )
    lasting = sum(row.end is None for row in found)
    sentence = (
        "The deepest falls of the account below its highest value so far, from the high to the day it was reached again"
        f"{'; one of them goes on at the end' if lasting else ''}."
    )
    headings = ("Depth", "High", "Low", "Back at the high", "Days", "Bars")
    return Table(f"{key}-drawdowns", "Worst drawdowns", sentence, headings, rows)


def _days(days: float) -> str:
    return f"{days:,.0f}" if days >= 10 else f"{days:.1f}" if days > 0 else UNDEFINED
