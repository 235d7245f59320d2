"""What a folder from somewhere else may be trusted with: which files are read, how large, and are they the same.

Hashes show what changed since a manifest was written, not who wrote it. What the files mean is not known here.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from stresslab.core.errors import InputError
from stresslab.core.parquet_pages import BYTE_ARRAYS_BY_DIFFERENCE, decoded_bytes

if TYPE_CHECKING:
    import pandas as pd

MAX_JSON = 64 * 2**20
"""Bytes of the largest JSON file that is read: a thousand strategies' results are a tenth of it."""
MAX_TABLE = 4 * 2**30
"""Bytes of the largest table that is read."""
MAX_CELLS = 2**28
"""Numbers in the largest table that is read, 2 GiB of them: a small file may claim any number."""
MAX_UNPACKED, MAX_RATIO = 2**28, 1000
"""Bytes that a small table may take when it is read, and how many times its own size a large one."""
MAX_TEXT = 2**30
"""Bytes of the texts in one column of a table."""
_BLOCK = 2**20


def is_inside(name: str) -> bool:
    """Whether a name, joined to a folder, stays in it, on any system."""
    paths = PurePosixPath(name), PureWindowsPath(name)
    return bool(name) and "\0" not in name and not any(one.anchor or one.drive or ".." in one.parts for one in paths)


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a regular file that is no link and not larger than allowed.

    Raises:
        InputError: it is not there, is something else, or is larger.
    """
    try:
        about = os.lstat(path)
        if not stat.S_ISREG(about.st_mode):
            raise InputError(f"{path} is not a regular file; a run holds files and no links, do not trust this one")
        if about.st_size > most:
            raise InputError(f"{path} has {about.st_size:,} bytes, more than the {most:,} that are read; run it again")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path.parent} is not a run: it has no {path.name}; name a folder such as reports/<run id>"
        ) from None
    except NotADirectoryError:
        raise InputError(f"{path.parent} is not a run but a file; name a folder such as reports/<run id>") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(
            f"{path} cannot be read as a run's ({reason}); name a folder such as reports/<run id>"
        ) from None


def check_no_links(folder: Path) -> None:
    """Refuse a folder in which anything is a link, through which reading or writing would leave it."""
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if os.path.islink(os.path.join(root, name)):
                raise InputError(f"{folder} holds a link, {name!r}; a run holds files alone, do not trust this one")


@contextmanager
def report_damage_of(folder: str | Path) -> Iterator[None]:
    """Report whatever goes wrong while a stored run is read or shown as damage of that run.

    Its content may be wrong although its hashes are right: who changes one can change the other.
    """
    try:
        yield
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:
        text = " ".join(str(error).split())
        raise InputError(
            f"{folder} is incomplete or was changed ({type(error).__name__}: {text:.120}); run it again"
        ) from error


def read_table(content: bytes, name: str) -> pd.DataFrame:
    """A parquet table; one that would take more memory than it may is refused before it is taken.

    Neither the footer nor the headers of the pages are believed alone: both must stay within the bounds, and agree on
    how many rows there are.
    """
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        about, schema = file.metadata, file.schema_arrow
        if about.num_rows * about.num_columns > MAX_CELLS or about.num_columns != len(schema):
            raise InputError(
                f"{name} claims {about.num_rows:,} rows of {about.num_columns}, more than the {MAX_CELLS:,} numbers "
                "that are read, or lists in its cells; do not trust this run"
            )
        texts = [one.name for one in schema if pa.types.is_string(one.type) or pa.types.is_large_string(one.type)]
        known = pa.types.is_primitive, pa.types.is_boolean, pa.types.is_dictionary, pa.types.is_null
        if any(one.name not in texts and not any(test(one.type) for test in known) for one in schema):
            raise InputError(f"{name} has columns that are neither numbers nor text; do not trust this run")
        decoded = max(8 * about.num_rows * about.num_columns, _decoded_bytes(content, about, name))
        if decoded > max(MAX_UNPACKED, MAX_RATIO * len(content)):
            raise InputError(f"{name} has {len(content):,} bytes and would take {decoded:,}; do not trust this run")
        # texts stay numbers of a dictionary until it is known how long they are when written out
        table = pq.read_table(io.BytesIO(content), read_dictionary=texts, partitioning=None)
        for text in [one.name for one in table.schema if one.name in texts or pa.types.is_dictionary(one.type)]:
            length = sum(_text_bytes(chunk) for chunk in table.column(text).chunks)
            if length > MAX_TEXT:
                raise InputError(f"{name} holds {length:,} bytes of text in {text!r:.40}; do not trust this run")
        plain = pa.table([one.cast(pa.string()) if pa.types.is_dictionary(one.type) else one for one in table.columns],
                         names=table.column_names)  # fmt: skip
        frame: pd.DataFrame = plain.replace_schema_metadata(table.schema.metadata).to_pandas()
        return frame
    except InputError:
        raise
    except (pa.ArrowException, ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
        raise InputError(f"{name} is damaged ({' '.join(str(error).split()):.80}); run it again") from None


def _decoded_bytes(content: bytes, about: Any, name: str) -> int:
    """Bytes that all columns take when they are decoded, by the headers of their pages or by the footer."""
    groups = [about.row_group(at) for at in range(about.num_row_groups)]
    columns = [[group.column(at) for at in range(group.num_columns)] for group in groups]
    rows = [group.num_rows for group in groups]
    if sum(rows) != about.num_rows or any(
        one.num_values != count for count, of_group in zip(rows, columns, strict=True) for one in of_group
    ):
        raise InputError(f"{name} contradicts itself about its number of rows; do not trust this run")
    found = 0
    for group, of_group in zip(groups, columns, strict=True):
        total = 0
        for one in of_group:
            starts = [one.data_page_offset, *([one.dictionary_page_offset] if one.dictionary_page_offset else [])]
            size, encodings = decoded_bytes(content, min(starts), one.total_compressed_size)
            total += max(size, one.total_uncompressed_size)
            if BYTE_ARRAYS_BY_DIFFERENCE in encodings:
                raise InputError(f"{name} has texts written as differences, as no run writes them; do not trust it")
        found += max(total, group.total_byte_size)
    return found


def _text_bytes(chunk: Any) -> int:
    """Bytes of a column's texts when each is written out, from how often each of its dictionary stands there."""
    import numpy as np

    if not hasattr(chunk, "dictionary"):
        return int(chunk.nbytes)
    lengths = np.array([len(str(text)) for text in chunk.dictionary.to_pylist()], dtype=np.int64)
    numbers = chunk.indices.drop_null().to_numpy(zero_copy_only=False)
    return int((np.bincount(numbers, minlength=len(lengths)) * lengths).sum()) if len(lengths) else 0


def digest_of(path: Path) -> str | None:
    """SHA-256 of a regular file, read piece by piece; None where it is something else or cannot be read."""
    digest = hashlib.sha256()
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its name there."""
    return {str(PurePosixPath(path.relative_to(folder))): digest_of(path) or "" for path in sorted(_files(folder))}


def _files(folder: Path) -> list[Path]:
    """Whatever below a folder is no folder; links are not followed."""
    return [Path(root) / name for root, _, names in os.walk(folder) for name in names]
