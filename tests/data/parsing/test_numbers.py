"""Numbers as people and vendors write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import DataError
from stresslab.data.parsing.numbers import decimal_sign, parse_numbers

GROUPS = {".": [",", " ", "'", "\u2019", "\u00a0", "\u202f", ""], ",": [".", " ", "'", "\u202f", ""]}


@given(
    numbers=st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=1, max_size=20),
    decimal=st.sampled_from([".", ","]),
    data=st.data(),
)
def test_written_numbers_are_read_exactly(numbers: list[float], decimal: str, data: st.DataObject) -> None:
    """A number written with any decimal sign and any grouping of thousands is read to the last bit."""
    group = data.draw(st.sampled_from(GROUPS[decimal]))
    rounded = [round(number, 4) for number in numbers]
    texts = [f"{number:,.4f}".replace(".", "#").replace(",", group).replace("#", decimal) for number in rounded]
    np.testing.assert_array_equal(parse_numbers(pd.Series(texts), "close", decimal), rounded)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_shortest_form_is_read_exactly(numbers: list[float]) -> None:
    """Python's own spelling of a float, with exponent where it has one, is read to the last bit."""
    np.testing.assert_array_equal(parse_numbers(pd.Series(list(map(repr, numbers))), "close"), numbers)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$1,234.50", 1234.5), ("€ 12", 12.0), ("1.5M", 1.5e6), ("2,5K", None), ("12,34,567.25", 1234567.25),
        ("'007", 7.0), ("1.2亿", 1.2e8), ("3 B", 3e9), ("inf", np.inf), ("-Infinity", -np.inf), (".5", 0.5),
        ("1,23", None), ("1_000", None), ("1 23", None), ("0x10", None), ("12:30", None), ("--1", None), ("M", None),
        ("1.234.567", None), ("１２", 12.0),
    ],
)  # fmt: skip
def test_forms(text: str, number: float | None) -> None:
    """Currency signs, lakhs and suffixes are read; what is not clearly a number is refused, not guessed."""
    if number is None:
        with pytest.raises(DataError, match=r"^row 0: close=.* is not a number; correct the cell"):
            parse_numbers(pd.Series([text]), "close")
    else:
        assert parse_numbers(pd.Series([text]), "close")[0] == number


@pytest.mark.parametrize("text", ["", " ", "-", "--", "null", "None", "NaN", "n/a", None, pd.NA, np.nan])
def test_empty_cells(text: object) -> None:
    """The ways in which vendors write nothing are all NaN."""
    assert np.isnan(parse_numbers(pd.Series([text], dtype=object), "close")).all()


@pytest.mark.parametrize(
    ("cells", "default", "sign"),
    [
        (["1.015,15"], ".", ","), (["1,015.15"], ",", "."), (["999,08"], ".", ","), (["999.08"], ",", "."),
        (["7.859.750", "12"], ".", ","), (["7,859,750", "12"], ",", "."), (["1,234"], ",", ","), (["1,234"], ".", "."),
        (["1,234", "1.234"], ",", "."), (["0,123"], ".", ","), (["1,2M"], ".", ","), (["12.01.2024", "5"], ",", "."),
        (["999,08", "859.750"], ",", ","), (["text", "", "12:30"], ",", "."), (["1'015,5"], ".", ","),
    ],
)  # fmt: skip
def test_decimal_sign(cells: list[str], default: str, sign: str) -> None:
    """The decimal sign is read off numbers that show it; what can mean either leaves it at what is usual there."""
    assert decimal_sign(cells, default) == sign


def test_rows_keep_their_numbers() -> None:
    """The error gives the row's number in the source, the column, the value (cut when long) and the remedy."""
    column = pd.Series(["1", "x" * 500], index=[7, 9])
    with pytest.raises(DataError, match=r"^row 9: Close=x{40} is not a number; correct the cell$"):
        parse_numbers(column, "Close")
