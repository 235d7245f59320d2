"""Reads the numbers in a column's cells: plain, with a currency sign, with thousands or decimal commas, with K, M or B.

Which field the column is, and whether its values make sense, are not known here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError

_EMPTY = ("", "-", "--", "none", "null", "nan", "na", "n/a", "<na>")
_SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "万": 1e4, "亿": 1e8}
_CURRENCIES = "$€£¥"
_SPACES = r"\s'’"  # the Swiss and the French separate thousands by these
_OTHER = {".": ",", ",": "."}


def _number_form(decimal: str) -> re.Pattern[str]:
    """Numbers with that decimal sign; thousands (or Indian lakhs) in groups, or not."""
    group, point = f"[{re.escape(_OTHER[decimal])}{_SPACES}]", re.escape(decimal)
    whole = rf"\d{{1,3}}(?:{group}\d{{2,3}})*{group}\d{{3}}|\d+"
    return re.compile(rf"[+-]?(?:(?:{whole})(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?")


_FORMS = {decimal: _number_form(decimal) for decimal in _OTHER}
_WRITTEN = re.compile(rf"[+-]?[{_CURRENCIES}]?[+-]?\s*([\d.,{_SPACES}]*\d)\s*[A-Za-z%]?")


def parse_numbers(column: pd.Series, name: str, decimal: str = ".") -> NDArray[np.float64]:
    """Numbers of a column.

    Args:
        column: (T,) numbers or texts; its index numbers the rows.
        name: the column's name, for the error.
        decimal: the decimal sign in texts; the other of `.` and `,` separates thousands, as spaces and `'` do.

    Returns:
        (T,) float64, NaN where a cell is empty, `None`, `-` and the like.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.empty(len(column))
    for row, cell in enumerate(column.to_numpy(dtype=object)):
        number = _number(cell, decimal)
        if number is None:
            raise DataError(f"row {column.index[row]}: {name}={cell!s:.40} is not a number; correct the cell")
        numbers[row] = number
    return numbers


def decimal_sign(cells: Iterable[str], default: str) -> str:
    """The decimal sign that texts of numbers are written with.

    Args:
        cells: numbers, mixed with anything else.
        default: the sign that `1,234` alone, which can mean either, is not enough to overturn.

    Returns:
        `.` or `,`.
    """
    signs = Counter(sign for cell in cells if (sign := _evidence(cell.strip())))
    if signs["."] or signs[","]:
        return "." if signs["."] >= signs[","] else ","
    return "," if default == "," and signs["?,"] and not signs["?."] else "."


def _evidence(cell: str) -> str:
    """The decimal sign that a cell shows; with a question mark before it where it may separate thousands instead."""
    found = _WRITTEN.fullmatch(cell)
    sign = max(".", ",", key=cell.rfind)
    if not found or sign not in cell:
        return ""
    before, _, after = found[1].rpartition(sign)
    if _OTHER[sign] in before:
        return sign  # 1.015,15
    if sign in before:
        return _OTHER[sign] if _FORMS[_OTHER[sign]].fullmatch(found[1]) else ""  # 7.859.750, but not 02.01.2024
    return sign if len(after) != 3 or len(before) > 3 or before.startswith("0") else f"?{sign}"


def _number(cell: object, decimal: str) -> float | None:
    """The number of a cell, NaN where it is empty, None where it holds something else."""
    if not isinstance(cell, str):
        try:
            return np.nan if pd.isna(cell) else float(cell)  # type: ignore[arg-type, call-overload] # any cell
        except OverflowError:  # an integer of hundreds of digits
            return np.inf
    if decimal == "." and "_" not in cell:
        try:
            return float(cell)  # most cells
        except ValueError:
            pass
    text = cell.strip().lstrip("'").lstrip(_CURRENCIES).strip()
    if text.casefold() in _EMPTY:
        return np.nan
    scale = _SUFFIXES.get(text[-1].upper(), 1.0)
    text = text[:-1].rstrip() if scale != 1.0 else text
    if text.casefold().lstrip("+-") in ("inf", "infinity"):
        return float(text)
    if not _FORMS[decimal].fullmatch(text):
        return None
    return float(re.sub(f"[{re.escape(_OTHER[decimal])}{_SPACES}]", "", text).replace(decimal, ".")) * scale
