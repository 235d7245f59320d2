"""Values become plain JSON, and plain JSON stays as it is."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.plain_json import plain, recorded


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (True, True),
        (None, None),
        (float("inf"), "inf"),
        (np.float64("nan"), "nan"),
        ((1, [2.5, "x"]), [1, [2.5, "x"]]),
        ({1: {"a": (None,)}}, {"1": {"a": [None]}}),
        (pd.Timestamp("2020-01-02"), "2020-01-02 00:00:00"),
    ],
    ids=repr,
)
def test_settings_are_recorded_as_plain_json(value: Any, expected: Any) -> None:
    """Numbers of numpy become Python's, tuples lists, and what JSON cannot say becomes its text."""
    assert recorded(value) == expected
    assert type(recorded(value)) is type(expected)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_plain_json_is_recorded_as_it_is(value: Any) -> None:
    """What JSON can say is not touched."""
    assert recorded(value) == value


@pytest.mark.parametrize("name", [b"\xff.csv".decode("utf-8", "surrogateescape"), "\udce9t\udce9.py"], ids=ascii)
def test_a_name_that_is_no_unicode_can_be_written(name: str) -> None:
    """A file's name of other bytes is written as escapes: UTF-8 has no place for it."""
    with pytest.raises(UnicodeEncodeError):
        json.dumps({"path": name}, ensure_ascii=False).encode()
    written = json.dumps(recorded({"path": name}), ensure_ascii=False).encode()
    assert r"\udc" in json.loads(written)["path"]


@given(st.floats())
def test_a_number_or_nothing(value: float) -> None:
    """A finite number stays itself, also numpy's; NaN and infinities become null."""
    expected = value if np.isfinite(value) else None
    assert plain(value) == expected
    assert type(plain(np.float64(value))) is type(expected)
