"""How much a file from anywhere may take once it is decoded: known before, so that a small one cannot fill the memory.

What the files are is not known here.
"""

from __future__ import annotations

from typing import BinaryIO

from stresslab.core.errors import DataError
from stresslab.core.limits import readable

MAX_ROWS = 20_000_000
"""Rows of a table: minutes around the clock of 38 years."""
MAX_COLUMNS = 1_000
"""Columns of a table, among which those that are used are looked for."""
MAX_UNPACKED = 2 * 2**30
"""Bytes of a file once it is unpacked; a row of a minute takes about 70 as text."""
TRUSTED = 256 * 2**20
"""Bytes up to which a file may unpack whatever its ratio is."""
MAX_RATIO = 100
"""How many times its own size a file may take beyond that; bars as text shrink to a fifth or tenth."""
MAX_JSON = 256 * 2**20
"""Bytes of JSON; Python's own values take up to seven times as many."""
_BLOCK = 2**20


def check_unpacked(size: int, packed: int) -> None:
    """Refuse what unpacks to more than it may.

    Args:
        size: bytes when unpacked, as far as known.
        packed: bytes as they are stored.

    Raises:
        DataError: they are too many.
    """
    most = min(MAX_UNPACKED, max(TRUSTED, MAX_RATIO * packed))
    if size > most:
        raise DataError(
            f"unpacks to more than {readable(most)}, from {readable(packed)}; such archives may be made to fill the "
            "memory: if it is sound, unpack it yourself, or give the bars as parquet"
        )


def read_unpacked(stream: BinaryIO, packed: int) -> bytes:
    """The content of a stream that unpacks while it is read, never more of it than it may take.

    Args:
        stream: gives unpacked bytes.
        packed: bytes as they are stored.

    Raises:
        DataError: there are too many.
    """
    blocks, size = [], 0
    while block := stream.read(_BLOCK):
        blocks.append(block)
        size += len(block)
        check_unpacked(size, packed)
    return b"".join(blocks)


def check_shape(rows: int, columns: int) -> None:
    """Refuse a table of more rows or columns than are read, before its cells are."""
    if rows > MAX_ROWS:
        raise DataError(f"holds {rows:,} rows, more than the {MAX_ROWS:,} that are read; cut it into parts")
    if columns > MAX_COLUMNS:
        raise DataError(
            f"holds {columns:,} columns, more than the {MAX_COLUMNS:,} that are looked at; keep time stamps, prices "
            "and volume"
        )


def check_json(size: int) -> None:
    """Refuse JSON that is too large for Python's own values."""
    if size > MAX_JSON:
        raise DataError(
            f"is {readable(size)} of JSON, more than {readable(MAX_JSON)}; write the bars as CSV or parquet"
        )
