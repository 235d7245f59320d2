"""Ways to spoil what was whole: bytes, texts, cells, JSON, safetensors. Each takes a source of chance and returns anew.

What is spoilt, and which command then reads it, is the tests' business.
"""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

NUMBERS = (
    *("nan", "inf", "-inf", "-1", "0", "1e400", "1e-320", "-0.0", "9" * 400, "1.2.3", "1,5", "1 000", "0x10", "１２"),
    *("", " ", "None", "null", "true", "#REF!", "=1+1", "1e9999999999", "12abc", "−5", "١٢", "$5", "5%"),
)
"""Texts where a number is expected."""
DATES = (
    *("", "0000-00-00", "2020-13-45", "9999-12-31", "1600-01-01", "0", "-1", "1e18", "NaT", "yesterday", "2020-01-01"),
    *("99999999999999999999", "2020-01-01T25:00", "2020-01-01 00:00+99:00", "31/31/2020", "2262-04-12", "1677-09-20"),
)
"""Texts where a date is expected."""
VALUES = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**30), 0.5, -0.5, 1e308, float("inf"), float("nan")),
    *("", "a", "../../etc/passwd", "/etc/passwd", "\0", "\ud800", "{{7*7}}", "<script>alert(1)</script>", "é" * 5000),
    *([], {}, [[]], [1, "a", None], {"a": {"b": []}}, [0] * 2000),
)
"""What JSON and YAML may hold where something else is expected."""


def flipped(rnd: Random, content: bytes) -> bytes:
    """A few bits turned over."""
    spoilt = bytearray(content)
    for _ in range(rnd.choice((1, 1, 2, 8, 64))):
        if spoilt:
            spoilt[_somewhere(rnd, len(spoilt))] ^= 1 << rnd.randrange(8)
    return bytes(spoilt)


def cut(rnd: Random, content: bytes) -> bytes:
    """An end, a beginning or a middle is missing."""
    a, b = sorted((_somewhere(rnd, len(content) + 1), _somewhere(rnd, len(content) + 1)))
    return rnd.choice((content[:a], content[b:], content[:a] + content[b:]))


def stuffed(rnd: Random, content: bytes) -> bytes:
    """Bytes of its own or of none put in between."""
    at, start = _somewhere(rnd, len(content) + 1), _somewhere(rnd, len(content) + 1)
    more = rnd.choice(
        (b"\0", b"\xff" * 9, b"\n\n", b"\r", b'"', b"'", b",", b";", bytes(range(256)), content[start:][:200])
    )
    return content[:at] + more * rnd.choice((1, 1, 3)) + content[at:]


def _somewhere(rnd: Random, count: int) -> int:
    """A position, often near one of the ends, where formats keep what matters."""
    near = min(count, 200)
    return rnd.choice(
        (rnd.randrange(max(count, 1)), rnd.randrange(max(near, 1)), count - 1 - rnd.randrange(max(near, 1)))
    )


BYTES: tuple[Callable[[Random, bytes], bytes], ...] = (flipped, cut, stuffed)


def bytes_damaged(rnd: Random, content: bytes) -> bytes:
    """One or a few kinds of damage to bytes."""
    for _ in range(rnd.choice((1, 1, 2, 3))):
        content = rnd.choice(BYTES)(rnd, content)
    return content


def table_damaged(rnd: Random, text: str) -> bytes:
    """A CSV whose cells, rows, columns, signs or encoding are not as they should be."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(rnd.choice((1, 1, 2, 4))):
        row = rnd.randrange(len(rows))
        column = rnd.randrange(max(1, len(rows[row])))
        kind = rnd.randrange(9)
        if kind <= 2 and rows[row]:
            rows[row][column % len(rows[row])] = rnd.choice(NUMBERS if column else DATES)
        elif kind == 3:
            rows[row] = rows[row][: rnd.randrange(len(rows[row]) + 1)] + [""] * rnd.choice((0, 1, 40))
        elif kind == 4:
            rows.insert(rnd.randrange(len(rows) + 1), list(rows[row]))
        elif kind == 5:
            other = rnd.randrange(len(rows))
            rows[row], rows[other] = rows[other], rows[row]
        elif kind == 6 and len(rows) > 1:
            del rows[row : row + rnd.choice((1, 5, 500))]
            rows = rows or [[""]]
        elif kind == 7:
            for one in rows[1:]:
                if column < len(one):
                    one[column] = rnd.choice(NUMBERS) if rnd.random() < 0.5 else one[column]
        else:
            for one in rows:
                if column < len(one):
                    del one[column]
    mark = rnd.choice((",", ",", ",", ";", "\t", "|", " ", "§"))
    spoilt = rnd.choice(("\n", "\n", "\r\n", "\r", "\n\n")).join(mark.join(row) for row in rows)
    encoding = rnd.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig", "cp1252", "utf-32"))
    content = spoilt.encode(encoding, errors="replace")
    return bytes_damaged(rnd, content) if rnd.random() < 0.2 else content


def tree_damaged(rnd: Random, tree: Any) -> Any:
    """Plain data in which a few places hold something else, nothing, or are called otherwise."""
    tree = copy.deepcopy(tree)
    for _ in range(rnd.choice((1, 1, 1, 2, 3))):
        place, key = _place(rnd, tree)
        if key is None:
            return copy.deepcopy(rnd.choice(VALUES))
        kind = rnd.randrange(5)
        if kind == 0:
            del place[key]
        elif kind == 1 and isinstance(place, dict):
            place[rnd.choice(("", "..", "/etc", "format_version", f"{key}x", str(key).upper()))] = place.pop(key)
        elif kind == 2 and isinstance(place[key], str):
            place[key] = rnd.choice((place[key][:-1], place[key] * 50, place[key][::-1], "\n".join(place[key])))
        elif kind == 3 and isinstance(place[key], list):
            place[key] = place[key] * 2 or [None]
        else:
            place[key] = copy.deepcopy(rnd.choice(VALUES))
    return tree


def _place(rnd: Random, tree: Any) -> tuple[Any, Any]:
    """A container somewhere in a tree and a key of it; (None, None) in a tree that holds nothing."""
    place, key = None, None
    while isinstance(tree, dict | list) and tree:
        place, key = tree, rnd.choice(list(tree)) if isinstance(tree, dict) else rnd.randrange(len(tree))
        tree = place[key]
        if rnd.random() < 0.25:
            break
    return place, key


def json_text(tree: Any) -> bytes:
    """JSON with what it has no words for, as Python writes it."""
    return json.dumps(tree).encode("utf-8", errors="surrogatepass")


def weights_damaged(rnd: Random, content: bytes) -> bytes:
    """A safetensors file whose header claims something else, whose numbers are none, or whose bytes are spoilt."""
    length = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    kind = rnd.randrange(8)
    if kind == 0:
        return (
            struct.pack("<Q", rnd.choice((0, 1, 2**40, 10 * 2**30, 2**63, 2**64 - 1, length - 1, length + 1)))
            + content[8:]
        )
    names = [name for name in header if name != "__metadata__"]
    name = rnd.choice(names)
    if kind == 1:
        header[name]["shape"] = rnd.choice(
            ([2**31, 5], [0], [], [-1, 4], [1] * 300, [2**62, 2**62], header[name]["shape"][::-1])
        )
    elif kind == 2:
        header[name]["data_offsets"] = rnd.choice(([0, 10 * 2**30], [5, 4], [-8, 0], [0, 0], [2**63, 2**63 + 8]))
    elif kind == 3:
        header[name]["dtype"] = rnd.choice(("F64", "I8", "BF16", "BOOL", "F8_E4M3", "X9", "", 5))
    elif kind == 4:
        header[rnd.choice(("", "../x", "é", name + "x"))] = header.pop(name)
    elif kind == 5:
        start, end = header[name]["data_offsets"]
        if end - start >= 4:
            at = start + 4 * rnd.randrange((end - start) // 4)
            data[at : at + 4] = rnd.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\1\0\0\0"))
    elif kind == 6:
        return bytes_damaged(rnd, content)
    else:
        header = tree_damaged(rnd, header)
    text = json_text(header)
    return struct.pack("<Q", len(text)) + text + bytes(data)
