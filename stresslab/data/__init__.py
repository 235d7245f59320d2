"""Real bars: where they come from, the rules they keep, and when the next ones are due."""

from stresslab.data.bars import Bars
from stresslab.data.calendar import Calendar
from stresslab.data.parsing.column_names import FIELDS
from stresslab.data.sources.collections import load_series
from stresslab.data.sources.load import load_bars

__all__ = ["FIELDS", "Bars", "Calendar", "load_bars", "load_series"]
