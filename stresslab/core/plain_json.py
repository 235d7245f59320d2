"""Values as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def recorded(value: Any) -> Any:
    """A setting as plain JSON: what JSON has no word for, such as infinity or a time span, as its text."""
    if isinstance(value, Mapping):
        return {str(key): recorded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [recorded(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()  # a file's name may not be Unicode
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def plain(number: float) -> float | None:
    """The number as JSON can hold it: None for NaN and infinities."""
    return float(number) if math.isfinite(number) else None
