"""Files inside gz, bz2, xz, zst and zip: which one holds the bars, and its content, unpacked within bounds.

Whether the content is text, JSON or something else is for `files` to find out.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from stresslab.core.errors import DataError
from stresslab.core.text import did_you_mean, one_line
from stresslab.data.sources.bounds import check_unpacked, read_unpacked
from stresslab.data.sources.parts import TABLES, are_parts

ZIP = b"PK\x03\x04", b"PK\x05\x06"
"""How zip archives begin, and those without a file."""
_OTHER_ZIPS = (
    ("xl/workbook.bin", "is a binary Excel workbook; save it as .xlsx or CSV"),
    ("content.xml", "is an OpenDocument sheet; save it as .xlsx or CSV"),
    ("word/document.xml", "is a Word document; give a CSV, parquet or feather file"),
)
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError)
MAX_MEMBERS = 10_000
"""Files in a zip archive, of which the list is read."""


class Member(NamedTuple):
    """A file that came out of an archive.

    Attributes:
        name: as the archive calls it, with its suffix; empty where it has no name.
        data: its content.
    """

    name: str
    data: bytes


def _zstd(stream: BinaryIO) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(stream, "zstd")


_STREAMS: tuple[tuple[bytes, Callable[[BinaryIO], Any]], ...] = (
    (b"\x1f\x8b", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", _zstd),
)


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is packed; a workbook is, too."""
    return head.startswith((*ZIP, *(magic for magic, _ in _STREAMS)))


def is_workbook(file: Path | BinaryIO) -> bool:
    """Whether a zip archive is a workbook of Excel."""
    return "xl/workbook.xml" in _names(file)


def unpack(file: Path | BinaryIO, size: int, names: Sequence[str] = ()) -> tuple[list[Member], list[str]]:
    """The content of an archive: one table, or the parts of one series, cut by dates.

    Args:
        file: the archive, at its beginning.
        size: its bytes.
        names: what was asked for; the first may be a file in it.

    Returns:
        The tables, in the order of their names, and the names that are left.

    Raises:
        DataError: it is damaged, encrypted or too large when unpacked, or holds several tables.
    """
    try:
        with open(file, "rb") if isinstance(file, Path) else file as stream:
            head = stream.read(8)
            stream.seek(0)
            for magic, opened in _STREAMS:
                if head.startswith(magic):
                    data = read_unpacked(opened(stream), size)
                    if data[257:262] == b"ustar":
                        raise DataError("is a packed tar archive; unpack it and give the file inside")
                    return [Member("", data)], list(names)
            return _of_zip(zipfile.ZipFile(stream), names)
    except DataError:
        raise
    except RuntimeError:  # zipfile's for a missing password
        raise DataError("is encrypted; unpack it and give the file inside") from None
    except _DAMAGE as error:
        reason = one_line(str(error) or type(error).__name__)
        raise DataError(f"cannot be unpacked ({reason:.80}); download it again, or unpack it yourself") from error


def _names(file: Path | BinaryIO) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except _DAMAGE:
        return []


def _of_zip(archive: zipfile.ZipFile, names: Sequence[str]) -> tuple[list[Member], list[str]]:
    entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
    for known, refusal in _OTHER_ZIPS:
        if known in entries:
            raise DataError(refusal)
    if len(entries) > MAX_MEMBERS:
        raise DataError(f"holds {len(entries):,} files, more than {MAX_MEMBERS:,}; unpack it and give a folder")
    chosen, left = _chosen(list(entries), names)
    packed = sum(entries[one].compress_size for one in chosen)
    check_unpacked(sum(entries[one].file_size for one in chosen), packed)
    found, total = [], 0
    for one in chosen:
        if entries[one].flag_bits & 1:
            raise RuntimeError
        with archive.open(entries[one]) as stream:
            data = read_unpacked(stream, entries[one].compress_size)  # type: ignore[arg-type] # reads bytes
        total += len(data)
        check_unpacked(total, packed)
        found.append(Member(one, data))
    return found, left


def _tables_of(names: Sequence[str]) -> list[str]:
    """Those files of an archive that may be tables: by their suffix, else all but what systems add."""
    own = [one for one in names if not one.endswith("/") and not _added(one)]
    tables = [one for one in own if PurePosixPath(one).suffix.lower() in TABLES]
    return tables or [one for one in own if PurePosixPath(one).suffix.lower() in ("", ".txt", ".dat", ".prn")]


def _added(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith(".")


def _chosen(entries: Sequence[str], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The one table asked for, the only one, or all of them where they are parts of one series; and names left."""
    tables = _tables_of(entries)
    if not tables:
        raise DataError(f"is a zip archive without a table ({_listed(entries)}); give one with a CSV or JSON file")
    known = {PurePosixPath(one).name: one for one in tables} | {one: one for one in tables}
    if names and names[0] in known:
        return [known[names[0]]], list(names[1:])
    if len(tables) == 1 or are_parts(tables):
        return sorted(tables), list(names)
    if names:
        raise DataError(
            f"no table {names[0]!r:.40} in the archive{did_you_mean(names[0], list(known), _listed(tables))}"
        )
    raise DataError(f"holds {len(tables)} tables ({_listed(tables)}); choose one: append #NAME, such as #{tables[0]}")


def _listed(names: Sequence[str]) -> str:
    return f"it holds {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}" if names else "it is empty"
