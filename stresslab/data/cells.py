"""Reads the numbers in a column's cells: plain, with a currency sign, with thousands or decimal commas, with K, M or B.

Which field the column is, and whether its values make sense, are not known here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.errors import DataError

_EMPTY = ("", "-", "--", "none", "null", "nan", "na", "n/a", "<na>")
_SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def parse_numbers(column: pd.Series, name: str, decimal: str = ".") -> NDArray[np.float64]:
    """Numbers of a column.

    Args:
        column: (T,) numbers or texts; its index numbers the rows.
        name: the column's name, for the error.
        decimal: the decimal sign in texts; the other of `.` and `,` separates thousands.

    Returns:
        (T,) float64, NaN where a cell is empty, `None`, `-` and the like.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    text = column.astype("string").str.strip()
    text = text.str.replace("," if decimal == "." else ".", "", regex=False).str.replace(decimal, ".", regex=False)
    text = text.str.lstrip("$€£¥'")
    empty = (text.isna() | text.str.casefold().isin(_EMPTY)).to_numpy(dtype=bool)
    suffix = text.str[-1:].str.upper().map(_SUFFIXES).fillna(1.0).to_numpy(dtype=np.float64)
    text = text.where(pd.Series(suffix == 1.0, index=text.index), text.str[:-1])
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan) * suffix
    wrong = np.isnan(numbers) & ~empty
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"row {column.index[row]}: {name}={column.iloc[row]!s:.40} is not a number; correct the cell")
    return np.asarray(numbers, dtype=np.float64)
