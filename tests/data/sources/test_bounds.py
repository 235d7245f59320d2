"""What decoding may take: small files freely, large ones in proportion, and never more than there is a bound for."""

from __future__ import annotations

import io

import pytest

from stresslab.core.errors import DataError
from stresslab.data.sources.bounds import (
    MAX_JSON,
    MAX_RATIO,
    MAX_UNPACKED,
    TRUSTED,
    check_json,
    check_shape,
    check_unpacked,
    read_unpacked,
)


def test_ratios() -> None:
    """A small file may unpack to a fixed size, a large one to a multiple of its own, none to more than the bound."""
    check_unpacked(TRUSTED, 1)
    check_unpacked(2 * TRUSTED, 2 * TRUSTED // MAX_RATIO + 1)
    check_unpacked(MAX_UNPACKED, MAX_UNPACKED)
    for size, packed in ((TRUSTED + 1, 1), (2 * TRUSTED, TRUSTED // MAX_RATIO), (MAX_UNPACKED + 1, MAX_UNPACKED)):
        with pytest.raises(DataError, match=r"^unpacks to more than .*; such archives may be made to fill the memory"):
            check_unpacked(size, packed)


def test_streams_are_left_when_they_are_too_long() -> None:
    """Of an endless stream no more is read than it may take."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return bytes(size)

    stream = Endless()
    with pytest.raises(DataError, match="unpacks to more than"):
        read_unpacked(stream, 1000)  # type: ignore[arg-type]
    assert stream.given <= TRUSTED + 2**20
    assert read_unpacked(io.BytesIO(b"abc"), 3) == b"abc"


def test_shapes_and_json() -> None:
    """Rows, columns and JSON have bounds of their own."""
    check_shape(20_000_000, 1000)
    check_json(MAX_JSON)
    with pytest.raises(DataError, match="holds 20,000,001 rows, more than the 20,000,000 that are read; cut it"):
        check_shape(20_000_001, 7)
    with pytest.raises(DataError, match="holds 1,001 columns, more than the 1,000 that are looked at; keep"):
        check_shape(1, 1001)
    with pytest.raises(DataError, match=r"is 268 MB of JSON, more than 268 MB; write the bars as CSV or parquet"):
        check_json(MAX_JSON + 1)
