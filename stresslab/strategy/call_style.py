"""The form in which a strategy takes its bars: all universes at once, one column at a time, or one series at a time.

Code that was written for one price series runs too, universe by universe. `stresslab.strategy.detect_style` detects
which form a strategy needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from stresslab.data.bars import FIELDS
from stresslab.strategy.panel import Panel


@dataclass(frozen=True)
class Form:
    """How a strategy is called.

    Attributes:
        shape: "wide", all universes in one call; "column", frames of one column; "series", a data frame of one series
            with the columns open, high, low, close, volume and amount, whose columns are series.
        seconds: that one universe took when that was found out; 0 for "wide".
        rows: bars that it had then.
    """

    shape: Literal["wide", "column", "series"] = "wide"
    seconds: float = 0.0
    rows: int = 0

    @property
    def one_by_one(self) -> bool:
        """Whether each universe is a call of its own."""
        return self.shape != "wide"

    def of(self, panel: Panel) -> Any:
        """What the code is given for a panel; of one universe unless the form is wide."""
        if self.shape != "series":
            return panel
        frame = pd.DataFrame({name: panel.array(name)[:, 0].copy() for name in FIELDS}, index=panel.timestamps)
        frame.attrs["symbol"] = panel.symbol
        return frame


WIDE = Form()
