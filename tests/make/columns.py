"""Arrays of one universe."""

from __future__ import annotations

import numpy as np


def column(*numbers: float) -> np.ndarray:
    """One universe (T, 1)."""
    return np.array(numbers, dtype=float)[:, None]
