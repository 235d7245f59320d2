"""Parquet, feather and Arrow: the columns that bars need, and files that would decode to far more are refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stresslab.core.errors import DataError
from stresslab.data.sources import arrow, bounds
from stresslab.data.sources.arrow import read_arrow
from stresslab.data.sources.files import load_file
from tests.data.tables import same
from tests.make.bars import make_bars

BARS = make_bars(60)
FRAME = BARS.frame.rename_axis("timestamp").reset_index()
TABLE = pa.Table.from_pandas(FRAME, preserve_index=False)


def streamed(table: pa.Table, compression: str | None = None, kind: str = "stream", rows: int = 25) -> bytes:
    """A table in Arrow's own format, as a stream or a file."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    make = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
    with make(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue().to_pybytes()


def parquet(table: pa.Table, **options: object) -> bytes:
    """A table as parquet."""
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize("kind", ["stream", "file"])
def test_streams_and_files(tmp_path: Path, kind: str, compression: str | None) -> None:
    """Both of Arrow's formats load equal, packed or not, from a path and from memory."""
    data = streamed(TABLE, compression, kind)
    (tmp_path / "bars.arrow").write_bytes(data)
    assert same(load_file(str(tmp_path / "bars.arrow")), BARS)
    assert read_arrow(io.BytesIO(data)).equals(FRAME)


def test_other_columns_are_not_read() -> None:
    """What bars do not need is left out, of any kind; what they need must be numbers, times or texts."""
    heavy = TABLE.append_column("depth", pa.array([list(range(50))] * 60)).append_column("note", pa.array(["x"] * 60))
    for data in (parquet(heavy), streamed(heavy)):
        assert list(read_arrow(io.BytesIO(data))) == list(FRAME)
    nested = TABLE.set_column(1, "open", pa.array([[1.0]] * 60))
    for data in (parquet(nested), streamed(nested)):
        with pytest.raises(DataError, match=r"column 'open' holds '(large_)?list.*', not numbers, times or texts"):
            read_arrow(io.BytesIO(data))


def test_texts_and_dictionaries(tmp_path: Path) -> None:
    """Time stamps, prices and symbols as texts, or as a dictionary of them, load as they are."""
    frame = FRAME.astype({"timestamp": str}).assign(symbol=pd.Categorical(["KO", "PEP"] * 30))
    for number, data in enumerate((parquet(pa.Table.from_pandas(frame)), streamed(pa.Table.from_pandas(frame)))):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(data)
        assert same(load_file(f"{path}#PEP"), load_file(f"{path}#PEP"))
        assert load_file(f"{path}#PEP").timestamps.equals(BARS.timestamps[1::2])
    decimals = TABLE.set_column(4, "close", TABLE.column("close").cast(pa.decimal128(38, 12), safe=False))
    assert np.allclose(read_arrow(io.BytesIO(parquet(decimals)))["close"].astype(float), FRAME["close"])


def test_two_rows_of_names(tmp_path: Path) -> None:
    """A frame of yfinance, with fields and tickers, keeps its index and both rows of names."""
    frame = pd.concat({"KO": BARS.frame}, axis=1).swaplevel(axis=1)
    frame.to_parquet(tmp_path / "a.parquet")
    assert same(load_file(str(tmp_path / "a.parquet")), BARS)


def _refused(data: bytes) -> str:
    with pytest.raises(DataError) as caught:
        read_arrow(io.BytesIO(data))
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_packed_buffers_that_are_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stream's buffers unpack to is added up before any is unpacked."""
    monkeypatch.setattr(bounds, "TRUSTED", 2**20)
    zeros = pa.table({name: np.zeros(2**18) for name in ("timestamp", "open", "high", "low", "close")})
    monkeypatch.setattr(pa.ipc, "open_stream", lambda *_, **__: pytest.fail("decoded"))
    for kind in ("stream", "file"):
        assert _refused(streamed(zeros, "zstd", kind, len(zeros))).startswith("unpacks to more than")


def test_texts_that_are_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that stand in a dictionary once are counted as often as they are meant."""
    monkeypatch.setattr(arrow, "MAX_UNPACKED", 2**22)
    long = pa.DictionaryArray.from_arrays(np.zeros(60, dtype=np.int32), ["x" * 100_000])
    table = TABLE.append_column("symbol", long)
    for data in (parquet(table), streamed(table), parquet(table.cast(_as_text(table)), use_dictionary=False)):
        assert _refused(data).startswith("decodes to more than")
    delta = {"use_dictionary": False, "column_encoding": {"symbol": "DELTA_BYTE_ARRAY"}}
    assert _refused(parquet(table.cast(_as_text(table)), **delta)).startswith("decodes to more than")


def _as_text(table: pa.Table) -> pa.Schema:
    return pa.schema([pa.field("symbol", pa.string()) if one.name == "symbol" else one for one in table.schema])


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows or columns than are read are refused before they are."""
    monkeypatch.setattr(bounds, "MAX_ROWS", 59)
    for data in (parquet(TABLE), streamed(TABLE)):
        assert _refused(data) == "holds 60 rows, more than the 59 that are read; cut it into parts"
    monkeypatch.setattr(bounds, "MAX_COLUMNS", 6)
    monkeypatch.setattr(bounds, "MAX_ROWS", 60)
    assert _refused(parquet(TABLE)).startswith("holds 7 columns, more than the 6")


SOURCES = [parquet(TABLE), streamed(TABLE), streamed(TABLE, "zstd"), streamed(TABLE, "lz4", "file")]


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_never_crash(data: st.DataObject) -> None:
    """A file of which bytes were changed or cut off gives a table or one printable line."""
    content = bytearray(data.draw(st.sampled_from(SOURCES)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([None, data.draw(st.integers(4, len(content)))]))
    line = ""
    try:
        read_arrow(io.BytesIO(bytes(content[:cut])))
    except DataError as error:
        line = str(error)
    assert not line or line.isprintable()
