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


def are_numbers(column: pd.Series, decimal: str = ".") -> NDArray[np.bool_]:
    """Which cells (T,) hold a number: not those that are empty, nor texts."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column.notna().to_numpy(), dtype=np.bool_)
    read = (_number(cell, decimal) for cell in column.to_numpy(dtype=object))
    return np.array([number is not None and not np.isnan(number) for number in read], dtype=np.bool_)


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


def undecided_sign(cells: Iterable[str]) -> str:
    """The sign of `18.003` where every cell that has one can be read both ways; empty where the cells decide."""
    signs = {sign for cell in cells if (sign := _evidence(cell.strip()))}
    return next(iter(signs))[1] if len(signs) == 1 and next(iter(signs)).startswith("?") else ""


def thousands_or_decimals(prices: list[str], counted: list[str], sign: str, european: bool) -> tuple[str, str]:
    """Whether `18.003` is eighteen or eighteen thousand, from the whole file.

    Args:
        prices: cells of all prices.
        counted: cells of the volume.
        sign: `.` or `,`, which stands before three digits wherever the first lines have it.
        european: whether the header is of a country that separates thousands by a point.

    Returns:
        The decimal sign, and why where a reader should know; empty where nothing else can be meant.
    """
    signs = Counter(found for cell in prices if (found := _evidence(cell.strip())))
    if signs[sign] or signs[_OTHER[sign]]:
        return (sign, "") if signs[sign] >= signs[_OTHER[sign]] else (_OTHER[sign], "")
    whole = next((cell for cell in prices if re.fullmatch(r"\s*\d{1,3}\s*", cell)), "")
    if whole:
        return _OTHER[sign], f"{sign!r} separates thousands, as prices below 1,000 such as {whole.strip()} have none"
    if any(re.fullmatch(r"\s*\d{4,}(\.0)?\s*", cell) for cell in counted):
        return sign, f"{sign!r} is the decimal sign, as the volume is written without separators"
    if (sign == ".") == european:
        return _OTHER[sign], (
            f"{sign!r} separates thousands, as the header's language writes numbers so, and every price has three "
            "digits after it; if it is the decimal sign, all prices are 1,000 times too large"
        )
    return sign, "" if sign == "." else f"{sign!r} is the decimal sign; every price has three digits after it"


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
