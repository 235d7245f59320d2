"""Equity from a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.runs.account_file import equity_at

STAMPS = pd.date_range("2024-01-02", periods=4, freq="D")
START = pd.Timestamp("2024-01-01")


def test_each_bar_has_the_last_equity_of_its_day(tmp_path: Path) -> None:
    """In units of that at the last bar before; a day without one keeps what was."""
    path = tmp_path / "account.csv"
    path.write_text(
        "time,note,equity\n2024-01-01 18:00,a,1000\n2024-01-02 09:00,b,900\n2024-01-02 20:00,c,1100\n"
        "2024-01-04 12:00,d,1200\n2024-01-05 12:00,e,1250\n"
    )
    assert equity_at(path, START, STAMPS) == pytest.approx([1.1, 1.1, 1.2, 1.25])
    assert len(equity_at(path, START, STAMPS[:0])) == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("time\n2024-01-01\n", "cannot be read as an account"),
        ("time,equity\n2024-01-01,x\n", "cannot be read as an account"),
        ("time,equity\n2024-01-01,-5\n2024-01-05,5\n", "no equity above 0"),
        ("time,equity\n2020-01-01,5\n2020-01-05,5\n", "the same time"),
    ],
)
def test_what_is_no_account_is_refused(tmp_path: Path, content: str, told: str) -> None:
    """One line says why."""
    path = tmp_path / "account.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=told) as refused:
        equity_at(path, START, STAMPS)
    assert "\n" not in str(refused.value)
    assert "`" not in str(refused.value)  # the command line would write a flag for it, and this is a column
