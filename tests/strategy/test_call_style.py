"""What code is given for a panel, by the form in which it takes its bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.data.bars import FIELDS
from stresslab.strategy.call_style import WIDE, Form
from tests.strategy.cases import ONE, PANEL


@pytest.mark.parametrize(("shape", "alone"), [("wide", False), ("column", True), ("series", True)])
def test_all_but_wide_are_called_once_for_each_universe(shape: str, alone: bool) -> None:
    """Columns and series take one universe at a time."""
    assert Form(shape).one_by_one == alone


def test_frames_are_the_panel_itself() -> None:
    """Wide code and code of one column read the panel; nothing is copied."""
    assert WIDE.of(PANEL) is PANEL
    assert Form("column").of(ONE) is ONE


def test_one_series_is_a_table_of_its_own() -> None:
    """Six columns over the panel's rows, which the code may write into without changing the panel."""
    before = ONE.array("close").copy()
    table = Form("series").of(ONE)
    assert list(table.columns) == list(FIELDS)
    assert table.index.equals(ONE.timestamps)
    for name in FIELDS:
        np.testing.assert_array_equal(table[name], ONE.array(name)[:, 0])
    table["close"] = 0.0
    table.loc[table.index[0], "open"] = -1.0
    assert isinstance(table["high"], pd.Series)
    np.testing.assert_array_equal(ONE.array("close"), before)
    assert ONE.array("open")[0, 0] > 0
