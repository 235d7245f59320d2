"""What if: the base case, conditions, shocks and crises in one table of the same figures."""

from __future__ import annotations

from stresslab.analysis.result_studies import RareCondition, Recovery, WhatIf, WhatIfRow
from stresslab.report.charts.what_if import what_if_chart
from stresslab.report.sections.table import Table, chance, share
from stresslab.report.wording import UNDEFINED, clean, percent, probability, shares, shortened

HEADINGS = (
    "What if",
    "How probable",
    "P(loss)",
    "P(drawdown > 20%)",
    "Expected shortfall 97.5%",
    "Median return",
    "Back at its value before",
    "As generated",
)


LONGEST_NAME = 30
"""Signs of a name on a terminal."""


def table(found: WhatIf, key: str) -> Table | None:
    """The table; None where nothing stands beside the base case.

    Args:
        found: the study of one strategy.
        key: of the strategy's charts.
    """
    rows = tuple(_cells(row) for row in found.rows) + tuple(_rare_cells(row) for row in found.too_rare)
    if len(rows) < 2:
        return None
    base, *others = found.rows
    named = [(_short(row), row) for row in others]
    drawn = (what_if_chart(base, named, f"{key}-what-if"),) if named else ()
    return Table("what-if", "What if", sentence(found), HEADINGS, rows, drawn, pictured=bool(drawn))


def _short(row: WhatIfRow) -> str:
    """A row's name beside the picture; a crisis of the user's own without the path of its file."""
    return clean(row.label if row.kind == "condition" else row.name.removeprefix("bars=").rpartition(":")[2])


BRIEF_HEADINGS = ("What if", "Probability", "P(loss)", "P(dd > 20%)", "Shortfall", "Median", "Back", "After")
"""Of the rows on a terminal: the share that is back at its value before a shock, and the median number of bars."""


def brief_rows(found: WhatIf) -> list[list[str]]:
    """A line for each row, without intervals; conditions that are too rare with their probability alone."""
    lines = []
    for row in found.rows:
        back = row.recovery
        bars = None if back is None else back.median_bars
        lines.append(
            [
                shortened("as generated" if row.kind == "base" else _short(row), LONGEST_NAME),
                UNDEFINED if row.probability is None else probability(row.probability),
                probability(row.probability_of_loss),
                probability(row.drawdown_beyond(0.2)),
                share(row.expected_shortfall_97_5.value),
                percent(row.median_return, signed=True),
                UNDEFINED if back is None else share(back.recovered.value),
                UNDEFINED if bars is None else f"{bars:,.0f}",
            ]
        )
    for rare in found.too_rare:
        name = shortened(f"given {clean(rare.name)}", LONGEST_NAME)
        lines.append(
            [name, probability(rare.probability), f"too few: {rare.met:,}", *[UNDEFINED] * (len(BRIEF_HEADINGS) - 3)]
        )
    return lines


def sentence(found: WhatIf) -> str:
    """What is compared, which row is worst, and which conditions are too rare."""
    base, *others = found.rows
    text = "The same strategy where a condition holds, or where a shock happened and the market went on from there."
    if others:
        worst = max(others, key=lambda row: row.probability_of_loss.value)
        text += (
            f" P(loss) is {probability(base.probability_of_loss)} as generated and "
            f"{probability(worst.probability_of_loss)} at worst: {clean(worst.label)}."
        )
    if found.too_rare:
        rare = ", ".join(clean(row.name) for row in found.too_rare)
        text += f" Too few universes meet {rare} to judge a strategy there."
    return text


def _cells(row: WhatIfRow) -> tuple[str, ...]:
    return (
        clean(row.label) + (f"\n{_short(row)}" if row.kind == "crisis" else ""),
        UNDEFINED if row.probability is None else chance(row.probability),
        chance(row.probability_of_loss),
        probability(row.drawdown_beyond(0.2)),
        chance(row.expected_shortfall_97_5),
        percent(row.median_return, signed=True),
        _recovered(row.recovery),
        _recovered(row.base_recovery),
    )


def _rare_cells(row: RareCondition) -> tuple[str, ...]:
    looked_at = f"{row.met:,} of {row.sampled:,}"
    probable = f"{looked_at}\n{shares(row.probability)}"
    return (f"given {clean(row.name)}", probable, *(UNDEFINED,) * (len(HEADINGS) - 2))


def _recovered(found: Recovery | None) -> str:
    """The share that is back within the horizon, and the median number of bars after the shock."""
    if found is None:
        return UNDEFINED
    bars = found.median_bars
    after = "most are not" if bars is None else f"median {bars:,.0f} {'bar' if bars == 1 else 'bars'} after"
    return f"{share(found.recovered.value)}\n{after}"
