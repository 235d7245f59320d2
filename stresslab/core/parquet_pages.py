"""What the pages of a parquet file say of their own sizes, read before any of them is decoded.

A reader takes as much memory as a page's header asks for, whatever the file's footer says. Headers are structs in the
compact protocol of Apache Thrift; the format is described in apache/parquet-format (parquet.thrift, PageHeader).
"""

from __future__ import annotations

from typing import Any

BYTE_ARRAYS_BY_DIFFERENCE = 7
"""The encoding DELTA_BYTE_ARRAY, in which a value may repeat another one's bytes without holding them."""
MAX_PAGES = 100_000
"""Pages of a column, at most: it has one for every megabyte or so."""
_MAX_DEPTH = 8
_BOOLEANS, _BYTE, _NUMBERS, _DOUBLE, _TEXT, _LIST, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 12


def decoded_bytes(content: bytes, start: int, length: int) -> tuple[int, set[int]]:
    """Bytes that the pages of a column ask for, and the encodings of their values.

    Args:
        content: of the file.
        start: where the column's first page begins, its dictionary included.
        length: bytes of all its pages.

    Raises:
        ValueError: what stands there is no sequence of pages that ends where it should.
    """
    if start < 0 or length < 0 or start + length > len(content):
        raise ValueError("a column lies outside the file")
    at, end, total, pages = start, start + length, 0, 0
    encodings: set[int] = set()
    while at < end:
        pages += 1
        if pages > MAX_PAGES:
            raise ValueError(f"a column has more than {MAX_PAGES:,} pages")
        header, at = _struct(content, at, end)
        unpacked, packed = header.get(2), header.get(3)
        if not (isinstance(unpacked, int) and isinstance(packed, int) and min(unpacked, packed) >= 0):
            raise ValueError("a page does not say how large it is")
        total += unpacked
        for number, encoding in ((5, 2), (7, 2), (8, 4)):  # a page of values, a dictionary, a page of version 2
            if isinstance(page := header.get(number), dict) and isinstance(page.get(encoding), int):
                encodings.add(page[encoding])
        at += packed
    if at != end:
        raise ValueError("a page ends beyond its column")
    return total, encodings


def _struct(content: bytes, at: int, end: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """The fields of a struct by their numbers, and where it ends."""
    if depth > _MAX_DEPTH:
        raise ValueError("a page's header is nested too deeply")
    fields: dict[int, Any] = {}
    number = 0
    while True:
        first, at = _byte(content, at, end)
        if first == 0:
            return fields, at
        if first >> 4:
            number += first >> 4
        else:
            number, at = _signed(content, at, end)
        fields[number], at = _value(content, at, end, first & 15, depth)


def _value(content: bytes, at: int, end: int, kind: int, depth: int, *, listed: bool = False) -> tuple[Any, int]:
    """One value of a kind, and where it ends; a boolean stands in its field's own byte, unless it is listed."""
    if kind in _BOOLEANS:
        return (kind == 1, at) if not listed else _byte(content, at, end)
    if kind == _BYTE:
        return _byte(content, at, end)
    if kind in _NUMBERS:
        return _signed(content, at, end)
    if kind in (_DOUBLE, _TEXT):
        size, at = (8, at) if kind == _DOUBLE else _unsigned(content, at, end)
        if at + size > end:
            raise ValueError("a value of a page's header ends beyond its column")
        return None, at + size
    if kind in _LIST:
        first, at = _byte(content, at, end)
        size = first >> 4
        if size == 15:
            size, at = _unsigned(content, at, end)
        for _ in range(size):
            _, at = _value(content, at, end, first & 15, depth + 1, listed=True)
        return None, at
    if kind == _STRUCT:
        return _struct(content, at, end, depth + 1)
    raise ValueError(f"a page's header has a field of the unknown kind {kind}")


def _signed(content: bytes, at: int, end: int) -> tuple[int, int]:
    value, at = _unsigned(content, at, end)
    return (value >> 1) ^ -(value & 1), at


def _unsigned(content: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        one, at = _byte(content, at, end)
        value |= (one & 127) << shift
        if one < 128:
            return value, at
    raise ValueError("a number of a page's header does not end")


def _byte(content: bytes, at: int, end: int) -> tuple[int, int]:
    if at >= end:
        raise ValueError("a page's header ends beyond its column")
    return content[at], at + 1
