"""Which charts of the page a PDF leaves out, and why: paper has no pointer, no folds, and a reader with ten minutes."""

from __future__ import annotations

import re
from collections.abc import Mapping

LEFT_OUT: Mapping[str, str] = {
    r"strategy-\d+-equity": "the histogram of profit and loss says where the account ends",
    r"strategy-\d+-falls": "the table of measures has the deepest drawdown",
    r"strategy-\d+-underwater": "the table of measures has its quantiles",
    r"strategy-\d+-followed": "its bars are read one by one under a pointer",
    r"strategy-\d+-(worst|typical)-\d+": "its bars are read one by one under a pointer",
    r"strategy-\d+-rolling-sharpe": "detail of the backtest, which is not what the verdict rests on",
    r"strategy-\d+-budget": "the decision box has the ranges by chance and by generator",
    r"strategy-\d+-horizon": "detail that the verdict does not rest on",
    r"strategy-\d+-(worlds|knobs|origins|relived|symbols)-.+": "detail of a study; the page and its tables have it",
}
"""Why a chart is left out, by a pattern of its key."""


def left_out(key: str) -> str:
    """Why paper leaves out the chart with a key; empty for one that it shows."""
    return next((why for pattern, why in LEFT_OUT.items() if re.fullmatch(pattern, key)), "")
