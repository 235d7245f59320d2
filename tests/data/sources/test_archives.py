"""Archives: the table inside loads as if it were unpacked, and what would fill the memory is refused before it does."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from stresslab.core.errors import DataError
from stresslab.data.sources import bounds
from stresslab.data.sources.files import load_file
from tests.data.tables import same, table, text
from tests.make.bars import make_bars

BARS = make_bars(60)
CSV = text(table(BARS)).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive of files by their names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def write(folder: Path, data: bytes, name: str = "KO.csv.zip") -> str:
    """A file of bytes."""
    (folder / name).write_bytes(data)
    return str(folder / name)


def refused(path: str) -> str:
    """The one line that says why a file cannot be used."""
    with pytest.raises(DataError) as caught:
        load_file(path)
    line = str(caught.value)
    assert line.isprintable()
    assert line.startswith(path)
    return line.removeprefix(path).lstrip(": ")


def _zst(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", _zst),
     ("zip", lambda data: zipped({"KO.csv": data}))],
)  # fmt: skip
def test_packed_text(tmp_path: Path, suffix: str, pack: object) -> None:
    """A packed CSV loads equal, and is called by its name without the endings."""
    bars = load_file(write(tmp_path, pack(CSV), f"KO.csv.{suffix}"))  # type: ignore[operator]
    assert same(bars, BARS)
    assert bars.symbol == "KO"
    assert bars.source.endswith(suffix)


def test_packed_in_members(tmp_path: Path) -> None:
    """Two packed pieces one behind the other, as parallel packers write them, are one text."""
    assert same(load_file(write(tmp_path, gzip.compress(CSV[:900]) + gzip.compress(CSV[900:]), "a.gz")), BARS)


def test_parquet_and_json_in_a_zip(tmp_path: Path) -> None:
    """What lies in an archive is recognised by its content."""
    stream = io.BytesIO()
    BARS.frame.rename_axis("timestamp").to_parquet(stream)
    assert same(load_file(write(tmp_path, zipped({"a.parquet": stream.getvalue()}))), BARS)
    frame = BARS.frame.rename_axis("timestamp").reset_index()
    rows = frame.assign(timestamp=frame["timestamp"].astype(str)).to_json(orient="records", double_precision=15)
    loaded = load_file(write(tmp_path, gzip.compress(rows.encode()), "a.json.gz"))
    assert loaded.timestamps.equals(BARS.timestamps)


def test_one_of_several(tmp_path: Path) -> None:
    """A status report, folders and what systems add are no tables; of several tables one is named."""
    report = {"KO.txt": b"File Status Report", "__MACOSX/._KO.csv": b"x", ".DS_Store": b"x", "KO.csv": CSV}
    assert same(load_file(write(tmp_path, zipped(report))), BARS)
    other = make_bars(60, seed=1)
    path = write(tmp_path, zipped({"in/KO.csv": CSV, "in/PEP.csv": text(table(other)).encode()}))
    assert "holds 2 tables (it holds in/KO.csv, in/PEP.csv); choose one: append #NAME, such as #in/KO.csv" in refused(
        path
    )
    assert same(load_file(f"{path}#PEP.csv"), other)
    assert same(load_file(f"{path}#in/PEP.csv"), other)
    assert load_file(f"{path}#PEP.csv").symbol == "PEP"
    assert "no table 'PEQ.csv' in the archive; did you mean 'PEP.csv'" in refused(f"{path}#PEQ.csv")


def test_a_symbol_in_an_archive(tmp_path: Path) -> None:
    """Behind `#` stands a file where one is called so, else a symbol, or first the one and then the other."""
    both = table(BARS).assign(symbol="KO")
    other = make_bars(60, seed=1)
    rows = text(both).encode() + b"".join(text(table(other).assign(symbol="PEP")).encode().splitlines(True)[1:])
    path = write(tmp_path, zipped({"day.csv": rows}))
    assert same(load_file(f"{path}#PEP"), other)
    assert same(load_file(f"{path}#day.csv#PEP"), other)
    assert "nothing in it is called 'x'" in refused(f"{path}#x#PEP")


def test_months_are_one_series(tmp_path: Path) -> None:
    """Tables that are alike but for the date at the end of their names are joined, whatever their units of time."""
    bars = make_bars(90, freq="D", start="2024-12-01")
    months = {}
    for month, unit in (("2024-12", "ms"), ("2025-01", "us"), ("2025-02", "us")):  # as Binance changed its stamps
        rows = table(bars[bars.timestamps.slice_indexer(month, month)], form=unit).drop(columns="amount")
        months[f"KO-1d-{month}.csv"] = rows.to_csv(index=False, header=False).encode()
    loaded = load_file(write(tmp_path, zipped(months)))
    assert loaded.symbol == "KO-1d"
    assert loaded.timestamps.equals(bars.timestamps)
    assert loaded.values[:, :5].tolist() == bars.values[:, :5].tolist()
    assert loaded.notices[0] == "3 files joined, KO-1d-2024-12.csv to KO-1d-2025-02.csv"


def test_shares_of_lean(tmp_path: Path) -> None:
    """QuantConnect Lean's prices of shares, ten thousand times as large, are divided, and that is said."""
    rows = [
        f"{stamp:%Y%m%d %H:%M},{','.join(str(round(price * 10_000)) for price in prices)},{round(volume)}"
        for stamp, prices, volume in zip(BARS.timestamps, BARS.values[:, :4], BARS.volume, strict=True)
    ]
    loaded = load_file(write(tmp_path, zipped({"spy.csv": "\n".join(rows).encode()}), "spy.zip"))
    assert abs(loaded.values[:, :4] / BARS.values[:, :4] - 1).max() < 1e-6
    assert loaded.symbol == "spy"
    assert any("divided by 10,000" in notice for notice in loaded.notices)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zipped({}), "is a zip archive without a table (it is empty); give one"),
        (zipped({"photo.png": b"x"}), "is a zip archive without a table (it holds photo.png)"),
        (zipped({"a.csv": b""}), "the file inside is empty; give"),
        (zipped({"a.csv.zip": zipped({"a.csv": CSV}), "a.csv": gzip.compress(CSV)}), "holds an archive in an archive"),
        (zipped({"content.xml": b"x"}), "is an OpenDocument sheet; save it as .xlsx or CSV"),
        (zipped({"xl/workbook.bin": b"x"}), "is a binary Excel workbook; save it as .xlsx or CSV"),
        (zipped({"a.csv": CSV})[:-30], "cannot be unpacked (File is not a zip file); download it again"),
        (gzip.compress(CSV)[:-50], "cannot be unpacked (Compressed file ended"),
        (b"\x1f\x8b" + bytes(50), "cannot be unpacked ("),
        (lzma.compress(CSV)[:-50], "cannot be unpacked ("),
        (b"\x28\xb5\x2f\xfd" + bytes(range(50)), "cannot be unpacked ("),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    """Damaged archives and those that hold no table are refused in one line with the remedy."""
    assert refused(write(tmp_path, data)).startswith(words)


def test_encrypted_and_tar(tmp_path: Path) -> None:
    """Archives with a password, and packed tar archives, are named as such."""
    data = bytearray(zipped({"a.csv": CSV}))
    for place in (6, data.index(b"PK\x01\x02") + 8):  # the flag of encryption, in both headers
        data[place] |= 1
    assert refused(write(tmp_path, bytes(data))).startswith("is encrypted; unpack it")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        entry = tarfile.TarInfo("a.csv")
        entry.size = len(CSV)
        archive.addfile(entry, io.BytesIO(CSV))
    assert refused(write(tmp_path, stream.getvalue())).startswith("is a packed tar archive; unpack it")


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, lambda data: zipped({"a.csv": data})])
def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object) -> None:
    """What unpacks to more than it may is refused, and no more than that is unpacked before."""
    monkeypatch.setattr(bounds, "TRUSTED", 2**20)
    path = write(tmp_path, pack(bytes(2**24)))  # type: ignore[operator] # 16 MiB from some 16 KiB
    assert refused(path).startswith(("unpacks to more than 1.0 MB, from 2.", "unpacks to more than 1.6 MB, from 16 kB"))


def test_a_zip_that_lies_about_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that declares to be small no more than that is unpacked, and it is refused."""
    monkeypatch.setattr(bounds, "TRUSTED", 2**20)
    data = bytearray(zipped({"a.csv": bytes(2**24)}))
    for place in (22, data.index(b"PK\x01\x02") + 24):
        data[place : place + 4] = (1000).to_bytes(4, "little")
    assert refused(write(tmp_path, bytes(data))).startswith("cannot be unpacked (Bad CRC-32")
