"""Tables for spreadsheets."""

from __future__ import annotations

import pandas as pd

from stresslab.report.formats.tables import without_formulas


def test_no_cell_is_a_formula() -> None:
    """Texts that a spreadsheet would run get an apostrophe; numbers, also negative ones, stay numbers."""
    table = pd.DataFrame({"strategy": ["=cmd()", "@x", "+1", "a=b"], "x": [-1.0, 2.0, 3.0, 4.0]})
    safe = without_formulas(table)
    assert list(safe["strategy"]) == ["'=cmd()", "'@x", "'+1", "a=b"]
    assert list(safe["x"]) == [-1.0, 2.0, 3.0, 4.0]
