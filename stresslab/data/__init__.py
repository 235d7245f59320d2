"""Real bars: where they come from, the rules they keep, and when the next ones are due."""

from stresslab.data.bars import Bars
from stresslab.data.calendar import Calendar
from stresslab.data.columns import FIELDS
from stresslab.data.load import load_bars
from stresslab.data.series import load_series

__all__ = ["FIELDS", "Bars", "Calendar", "load_bars", "load_series"]
