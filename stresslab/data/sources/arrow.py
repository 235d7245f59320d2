"""Tables of parquet, feather and Arrow's streams: the columns that bars need, of a size that is known before.

A file's own figures are not believed: what its buffers unpack to, and how long its texts are, is added up before the
values are made.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from stresslab.core.errors import DataError
from stresslab.core.text import one_line
from stresslab.data.parsing.column_names import needed
from stresslab.data.sources.bounds import MAX_UNPACKED, check_shape, check_unpacked

PARQUET, IPC_FILE, STREAM, OLD_FEATHER = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
"""How files begin."""
_BATCH, _SMALL_BATCH = 1 << 16, 1 << 10
"""Rows decoded at a time; fewer where texts are written as differences, which may be far longer than the file."""
_DICTIONARY, _RECORDS = 2, 3
"""Kinds of messages in a stream that have buffers."""


def is_arrow(head: bytes) -> bool:
    """Whether a file that begins so is one of these."""
    return head.startswith((PARQUET, IPC_FILE, STREAM, OLD_FEATHER))


def read_arrow(file: Path | BinaryIO) -> pd.DataFrame:
    """The table of a parquet, feather or Arrow file; its first bytes decide which.

    Args:
        file: a path, or a file at its beginning.

    Returns:
        Those columns whose names are known here, and the index that pandas has stored.

    Raises:
        DataError: it is damaged, or decodes to more than it may.
    """
    import pyarrow as pa

    try:
        with pa.memory_map(str(file)) if isinstance(file, Path) else pa.PythonFile(file, "r") as source:
            head = bytes(source.read(4))
            source.seek(0)
            if head == PARQUET:
                return _parquet(source)
            if head == OLD_FEATHER:
                return pd.read_feather(source)
            return _ipc(source)
    except DataError:
        raise
    except (pa.ArrowException, ArithmeticError, LookupError, OSError, TypeError, ValueError, struct.error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(one_line(f"is damaged or not complete ({reason:.80}); write or download it again")) from error


def _columns_of(schema: Any, rows: int) -> list[str]:
    """The columns to read, whose cells must be numbers, times or texts."""
    import pyarrow as pa

    pandas = schema.pandas_metadata or {}
    index = [name for name in pandas.get("index_columns", []) if isinstance(name, str)]
    several = len(pandas.get("column_indexes", [])) > 1  # fields and tickers
    wanted = list(schema.names) if several else [*needed(schema.names), *index]
    columns = [name for name in dict.fromkeys(schema.names) if name in wanted]
    check_shape(rows, len(columns))
    plain = pa.types.is_primitive, pa.types.is_decimal, pa.types.is_null, _is_text
    for name in columns:
        kind = schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not any(test(kind) for test in plain):
            raise DataError(f"column {name!r:.40} holds {str(kind)!r:.40}, not numbers, times or texts; write those")
    return columns


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _parquet(source: Any) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source)
    about, schema = file.metadata, file.schema_arrow
    columns = _columns_of(schema, about.num_rows)
    groups = [about.row_group(at) for at in range(about.num_row_groups)]
    encodings = {
        code for one in groups for at in range(one.num_columns) for code in one.column(at).encodings
        if one.column(at).path_in_schema in columns
    }  # fmt: skip
    by_difference = "DELTA_BYTE_ARRAY" in encodings
    texts = [name for name in columns if _is_text(schema.field(name).type)]
    if texts and not by_difference:  # of long ones each is kept once, until it is known what they take
        file = pq.ParquetFile(source, read_dictionary=texts)
    batches, rows, taken = [], 0, 0
    for batch in file.iter_batches(_SMALL_BATCH if by_difference else _BATCH, columns=columns):
        rows, taken = rows + batch.num_rows, taken + batch.nbytes + _text_bytes(batch)
        check_shape(rows, len(columns))
        _check_taken(taken)
        batches.append(batch)
    if not batches:
        raise DataError("the file holds no rows; give a file with one row per bar")
    return _frame([pa.Table.from_batches([batches.pop(0) for _ in range(len(batches))])])


def _ipc(source: Any) -> pd.DataFrame:
    """The table of a stream, which a file holds behind its magic."""
    import pyarrow as pa

    start = 8 if bytes(source.read(6)) == IPC_FILE else 0
    size = source.size()
    source.seek(start)
    unpacked = rows = 0
    for message in pa.ipc.MessageReader.open_stream(source):
        count, length = _extent(bytes(message.metadata), message.body)
        unpacked, rows = unpacked + length, rows + count
        check_unpacked(unpacked, size)
    source.seek(start)
    schema = pa.ipc.open_stream(source).schema
    columns = _columns_of(schema, rows)
    source.seek(start)
    options = pa.ipc.IpcReadOptions(included_fields=[at for at, name in enumerate(schema.names) if name in columns])
    table = pa.ipc.open_stream(source, options=options).read_all()
    table.validate(full=True)
    _check_taken(sum(_text_bytes(batch) for batch in table.to_batches()))
    tables = [table]
    del table
    return _frame(tables)


def _frame(tables: list[Any]) -> pd.DataFrame:
    """The frame of the one table in a list, texts written out; it is taken out, so that its memory is given back."""
    import pyarrow as pa

    table = tables.pop()
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(field.type.value_type))
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame


def _check_taken(taken: int) -> None:
    if taken > MAX_UNPACKED:
        raise DataError(f"decodes to more than {MAX_UNPACKED // 2**30} GiB; keep fewer rows, or texts that are shorter")


def _text_bytes(batch: Any) -> int:
    """Bytes of a batch's texts when each is written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
            lengths = pc.binary_length(column.dictionary).fill_null(0)
            total += pc.sum(pc.take(lengths, column.indices)).as_py() or 0
        elif _is_text(column.type):
            total += pc.sum(pc.binary_length(column)).as_py() or 0
    return total


def _extent(metadata: bytes, body: Any) -> tuple[int, int]:
    """Rows of a message, and bytes that its buffers unpack to (Arrow's format in flatbuffers, Message.fbs)."""
    message = _table_at(metadata, 0)
    kind = _field(metadata, message, 1)
    header = _field(metadata, message, 2)
    if kind is None or header is None or metadata[kind] not in (_DICTIONARY, _RECORDS):
        return 0, 0
    records: int | None = _table_at(metadata, header)
    if metadata[kind] == _DICTIONARY:
        inner = _field(metadata, _table_at(metadata, header), 1)
        records = None if inner is None else _table_at(metadata, inner)
    if records is None:
        return 0, 0
    length, buffers = _field(metadata, records, 0), _field(metadata, records, 2)
    rows = struct.unpack_from("<q", metadata, length)[0] if length is not None else 0
    total = 0
    if buffers is not None:
        vector = buffers + struct.unpack_from("<I", metadata, buffers)[0]
        compressed = _field(metadata, records, 3) is not None
        for at in range(struct.unpack_from("<I", metadata, vector)[0]):
            offset, size = struct.unpack_from("<qq", metadata, vector + 4 + 16 * at)
            if compressed and size >= 8:
                unpacked = struct.unpack_from("<q", body, offset)[0]
                total += size if unpacked == -1 else max(unpacked, 0)
            else:
                total += max(size, 0)
    return (rows if metadata[kind] == _RECORDS else 0), total


def _table_at(data: bytes, place: int) -> int:
    """Where the table is that the offset at a place points to."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def _field(data: bytes, table: int, number: int) -> int | None:
    """Where the field of a table is; None where it has its default."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * number + 2 > struct.unpack_from("<H", data, vtable)[0]:
        return None
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * number)[0]
    return table + offset if offset else None
