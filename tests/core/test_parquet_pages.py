"""What parquet pages say of their sizes, against what pyarrow wrote, and bytes that are no pages."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.parquet_pages import decoded_bytes

TABLE = pa.table(
    {
        "number": np.random.default_rng(0).normal(size=20_000),
        "text": [f"name {at % 50}" for at in range(20_000)],
        "flag": np.arange(20_000) % 3 == 0,
        "time": pd.date_range("2020-01-01", periods=20_000),
        "missing": [None, 1] * 10_000,
    }
)


def columns_of(content: bytes) -> list[tuple[Any, int]]:
    """What the footer says of each column of each group of rows, and where its first page begins."""
    about = pq.ParquetFile(io.BytesIO(content)).metadata
    found = [about.row_group(row).column(at) for row in range(about.num_row_groups) for at in range(about.num_columns)]
    return [(one, min(filter(None, (one.data_page_offset, one.dictionary_page_offset)))) for one in found]


@pytest.mark.parametrize("how", [
    {}, {"compression": "none"}, {"compression": "zstd", "data_page_version": "2.0"}, {"use_dictionary": False},
    {"row_group_size": 3000, "data_page_size": 500}, {"write_page_index": True, "write_page_checksum": True},
])  # fmt: skip
def test_pages_of_real_files_add_up(how: dict[str, Any]) -> None:
    """Their sizes and those of their headers are what the footer of an honest file says."""
    written = io.BytesIO()
    pq.write_table(TABLE, written, **how)
    content = written.getvalue()
    for one, start in columns_of(content):
        total, encodings = decoded_bytes(content, start, one.total_compressed_size)
        assert 0.8 * one.total_uncompressed_size - 200 < total < one.total_uncompressed_size
        assert encodings <= {0, 2, 3, 8}
        for length in (one.total_compressed_size - 1, len(content)):
            with pytest.raises(ValueError, match=r"page|column"):
                decoded_bytes(content, start, length)


def test_a_list_that_claims_more_than_there_is_ends() -> None:
    """A header of a few bytes that claims a list of 2^60 numbers is refused at once."""
    with pytest.raises(ValueError, match="beyond its column"):
        decoded_bytes(bytes([0x19, 0xF7, *[0xFF] * 8, 0x0F]), 0, 11)


@given(content=st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_in_an_answer_or_a_refusal(content: bytes) -> None:
    """Nothing else is raised, and nothing runs on."""
    try:
        total, _ = decoded_bytes(content, 0, len(content))
    except ValueError:
        return
    assert total >= 0
