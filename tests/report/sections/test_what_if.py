"""The table of what if."""

from __future__ import annotations

from typing import Any

from stresslab.analysis.result_studies import WhatIf
from stresslab.report.sections.what_if import BRIEF_HEADINGS, HEADINGS, brief_rows, table
from stresslab.report.wording import UNDEFINED


def figures(loss: float) -> dict[str, Any]:
    """Figures with this P(loss)."""
    share = {"value": loss, "low": max(loss - 0.05, 0), "high": min(loss + 0.05, 1)}
    return {
        "universes": 300,
        "probability_of_loss": share,
        "probability_of_drawdown": {"0.1": share, "0.2": share},
        "expected_shortfall_97_5": {"value": loss / 2, "low": loss / 3, "high": loss},
        "median_return": 0.1 - loss / 3,
        "time_under_water": 0.5,
        "ruined": {"value": 0.0, "low": 0.0, "high": 0.01},
    }


def recovery(back: float, median: float | None) -> dict[str, Any]:
    """So many are back after so many bars."""
    return {"recovered": {"value": back, "low": back, "high": back}, "median_bars": median}


def found(**changes: Any) -> WhatIf:
    """Base, a condition and a shock."""
    share = {"value": 0.24, "low": 0.2, "high": 0.28}
    rows = [
        {"kind": "base", "name": "base", "label": "as generated", **figures(0.3)},
        {"kind": "condition", "name": "c", "label": "given volatility >= 1.2x", "probability": share, "sampled": 300}
        | figures(0.45),
        {"kind": "shock", "name": "s", "label": "a gap of -8% at bar 10", "first": 10, "last": 10} | figures(0.6)
        | {"recovery": recovery(0.4, None), "base_recovery": recovery(0.9, 1.0)},
    ]  # fmt: skip
    return WhatIf.of({"rows": rows} | changes)


def test_every_row_has_the_same_figures() -> None:
    """How probable a condition is, what is lost, and how long it takes to be back, in the base case too."""
    made = table(found(), "strategy-1")
    assert made is not None
    assert all(len(row) == len(HEADINGS) for row in made.rows)
    base, condition, shock = made.rows
    assert base[0] == "as generated"
    assert condition[1].startswith("24%\n")
    assert shock[2].startswith("60%\n")
    assert shock[6] == "40%\nmost are not"
    assert shock[7] == "90%\nmedian 1 bar after"
    assert "P(loss) is 30% as generated and 60% at worst: a gap of -8% at bar 10." in made.sentence


def test_a_condition_that_is_too_rare_stands_with_its_probability() -> None:
    """It has no figures, and the sentence says why."""
    share = {"value": 0.0, "low": 0.0, "high": 0.0016}
    rare = {"name": "drawdown >= 90%", "probability": share, "sampled": 2348, "met": 0}
    made = table(found(too_rare=[rare]), "strategy-1")
    assert made is not None
    assert made.rows[-1][:2] == ("given drawdown >= 90%", "0 of 2,348\n0% to 0.2%")
    assert "Too few universes meet drawdown >= 90%" in made.sentence


def test_nothing_beside_the_base_case_is_no_table() -> None:
    """A lone row compares nothing."""
    assert (
        table(WhatIf.of({"rows": [{"kind": "base", "name": "base", "label": "as generated"} | figures(0.3)]}), "k")
        is None
    )


def test_a_terminal_shows_a_line_for_each_row() -> None:
    """Short names, no intervals; what is too rare has its probability alone."""
    share = {"value": 0.0, "low": 0.0, "high": 0.0016}
    lines = brief_rows(found(too_rare=[{"name": "drawdown >= 90%", "probability": share, "sampled": 2348, "met": 0}]))
    assert all(len(line) == len(BRIEF_HEADINGS) for line in lines)
    assert lines[0][0] == "as generated"
    assert lines[1][:3] == ["given volatility >= 1.2x", "24%", "45%"]
    assert lines[2][6:] == ["40%", UNDEFINED]
    assert lines[3][:3] == ["given drawdown >= 90%", "< 0.2%", "too few: 0"]
