"""The five calendar stamps that Kronos reads beside a bar: minute, hour, weekday, day and month of its time stamp."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def stamps(timestamps: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Stamps of bars.

    Args:
        timestamps: (T,) time stamps.

    Returns:
        (T, 5) int64: minute, hour, weekday (Monday 0), day of the month, month.
    """
    parts = (timestamps.minute, timestamps.hour, timestamps.day_of_week, timestamps.day, timestamps.month)
    return np.stack([np.asarray(part) for part in parts], axis=-1).astype(np.int64)
