"""What a folder may be trusted with: files by their hashes, names that stay inside, sizes that fit memory."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stresslab.core import safe_files as integrity
from stresslab.core.errors import InputError
from stresslab.core.safe_files import check_no_links, digest_of, digests, is_inside, read_bounded, read_table
from stresslab.runs.verify import verify


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files and a manifest of their hashes."""
    run = tmp_path / "run"
    (run / "figures").mkdir(parents=True)
    (run / "a.json").write_text("1")
    (run / "figures" / "b.png").write_bytes(b"2")
    (run / "manifest.json").write_text(json.dumps({"files": digests(run)}))
    return run


def test_an_unchanged_folder_is_whole(folder: Path) -> None:
    """Every file counts, and the manifest's own hash is told."""
    found = verify(folder)
    assert found.whole
    assert found.files == 2
    assert found.manifest == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert found.manifest in str(found)


@pytest.mark.parametrize(
    ("change", "kind", "name"),
    [
        (lambda run: (run / "a.json").write_text("9"), "changed", "a.json"),
        (lambda run: (run / "figures" / "b.png").unlink(), "missing", "figures/b.png"),
        (lambda run: (run / "c.txt").touch(), "additional", "c.txt"),
        (lambda run: (run / "figures" / "c").symlink_to(run / "a.json"), "additional", "figures/c"),
    ],
)
def test_what_is_not_as_it_was_is_named(folder: Path, change: Callable[[Path], object], kind: str, name: str) -> None:
    """A changed, a missing and an additional file, each by its name in the folder."""
    change(folder)
    found = verify(folder)
    assert not found.whole
    assert getattr(found, kind) == (name,)
    assert str(found).splitlines()[0] == f"{kind}: {name}"


def test_a_file_replaced_by_a_link_to_its_copy_is_changed(folder: Path) -> None:
    """A link is not the file that was written, whatever it leads to."""
    copy = folder.parent / "copy"
    (folder / "a.json").rename(copy)
    (folder / "a.json").symlink_to(copy)
    assert verify(folder).changed == ("a.json",)


def test_what_was_rendered_later_is_counted_but_not_held_against_the_run(folder: Path) -> None:
    """`stresslab report` adds files to a folder of its own."""
    (folder / "report").mkdir()
    (folder / "report" / "page.html").touch()
    found = verify(folder)
    assert found.whole
    assert found.rendered == ("report/page.html",)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"files": 3}', '{"files": {}}', '{"files": {"../a": "0"}}', "[" * 100_000]
)
def test_a_manifest_that_is_none_is_refused(folder: Path, content: str) -> None:
    """In one line that names the folder."""
    (folder / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="run") as caught:
        verify(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "a/b.png", "a..b", "..a/b", "a/.b"])
def test_names_inside(name: str) -> None:
    """Files of the folder and of folders in it."""
    assert is_inside(name)


@pytest.mark.parametrize(
    "name", ["", "..", "../a", "a/../../b", "/etc/passwd", "C:\\a", "\\\\host\\a", "a\\..\\b", "a\0"]
)
def test_names_outside(name: str) -> None:
    """Whatever leaves the folder on any system."""
    assert not is_inside(name)


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    """No link, no device, no folder, nothing missing, nothing too large."""
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_bounded(file, 5) == b"12345"
    (tmp_path / "link").symlink_to("/dev/zero")
    for path, most in ((file, 4), (tmp_path / "link", 10), (tmp_path, 10), (tmp_path / "none", 10)):
        with pytest.raises(InputError):
            read_bounded(path, most)


def test_links_anywhere_in_a_folder_are_refused(folder: Path) -> None:
    """Files and folders alike."""
    check_no_links(folder)
    (folder / "figures" / "out").symlink_to(folder.parent, target_is_directory=True)
    with pytest.raises(InputError, match="'out'"):
        check_no_links(folder)


def test_a_small_table_of_many_numbers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of some kilobytes may claim millions of equal numbers; it is refused by its claim."""
    written = io.BytesIO()
    pq.write_table(pa.table({"a": np.zeros(100_000)}), written)
    assert len(written.getvalue()) < 10_000
    read_table(written.getvalue(), "table")
    monkeypatch.setattr(integrity, "MAX_CELLS", 99_999)
    with pytest.raises(InputError, match="table claims 100,000 rows of 1"):
        read_table(written.getvalue(), "table")


def test_hashes_are_sha256_of_the_content(tmp_path: Path) -> None:
    """Also of a file larger than a block; None of what is no file."""
    content = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(content)
    assert digest_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()
    assert digest_of(tmp_path) is None
    assert digest_of(tmp_path / "none") is None


def test_tables_that_grow_when_they_are_read_are_refused() -> None:
    """Lists in cells, and texts of a dictionary that would be written out millions of times."""
    lists = pa.table({"x": pa.array([[1.0] * 1000])})
    long = pa.DictionaryArray.from_arrays(np.zeros(20_000, dtype=np.int32), ["x" * 100_000])
    empty = pa.table({"x": pa.array(np.zeros(40_000_000))})
    for table, words in (
        (lists, "lists in its cells|numbers nor text"),
        (pa.table({"x": long}), "text"),
        (empty, "take"),
    ):
        written = io.BytesIO()
        pq.write_table(table, written, compression="zstd", use_dictionary=True)
        assert len(written.getvalue()) < 300_000
        with pytest.raises(InputError, match=rf"^bomb.parquet .*({words}).*; do not trust this run$"):
            read_table(written.getvalue(), "bomb.parquet")


def forged(content: bytes, old: int, new: int) -> bytes:
    """A parquet file whose footer says another number; as long as before, since a number may be written longer."""
    found, value = bytearray(), 2 * old
    while value:
        found.append(value & 127 | (128 if value >> 7 else 0))
        value >>= 7
    other = bytearray((2 * new >> 7 * at & 127) | 128 for at in range(len(found)))
    other[-1] &= 127
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    assert content.count(bytes(found), end) > 0
    return content[:end] + content[end:].replace(bytes(found), bytes(other))


def test_a_footer_that_lies_about_its_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages say themselves how much memory they ask for, and nothing is decoded before that is known."""
    written = io.BytesIO()
    pq.write_table(pa.table({"x": ["y" * 200_000_000] * 2}), written, compression="zstd", use_dictionary=False,
                   write_statistics=False, store_schema=False)  # fmt: skip
    content = written.getvalue()
    group = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0)
    lying = forged(content, group.column(0).total_uncompressed_size, 1000)
    if group.total_byte_size != group.column(0).total_uncompressed_size:
        lying = forged(lying, group.total_byte_size, 1000)
    claimed = pq.ParquetFile(io.BytesIO(lying)).metadata.row_group(0)
    assert (claimed.total_byte_size, claimed.column(0).total_uncompressed_size) == (1000, 1000)
    monkeypatch.setattr(pq, "read_table", lambda *args, **kwargs: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match=r"^t has [\d,]+ bytes and would take 400,000,\d+; do not trust this run$"):
        read_table(lying, "t")


def test_groups_of_rows_that_the_footer_does_not_count_are_refused() -> None:
    """The rows of a file are those of its groups, and each of its columns has as many."""
    written = io.BytesIO()
    pq.write_table(pa.table({"x": np.arange(700.0)}), written, row_group_size=350)
    content = written.getvalue()
    assert len(read_table(content, "t")) == 700
    for old, new in ((700, 3), (350, 5)):
        with pytest.raises(InputError, match=r"t contradicts itself|t is damaged"):
            read_table(forged(content, old, new), "t")


def test_texts_written_as_differences_are_refused() -> None:
    """A page of a few bytes can hold one long text a million times in this encoding, which no run uses."""
    written = io.BytesIO()
    pq.write_table(pa.table({"x": ["y" * 1000] * 50}), written, use_dictionary=False,
                   column_encoding={"x": "DELTA_BYTE_ARRAY"})  # fmt: skip
    with pytest.raises(InputError, match="texts written as differences"):
        read_table(written.getvalue(), "t")


def test_tables_of_a_run_are_read_as_they_were() -> None:
    """Numbers, texts, missing ones and time stamps keep their values and types."""
    frame = pd.DataFrame(
        {
            "strategy": ["a", "b", None], "universe": [1, 2, 3], "x": [0.5, float("nan"), -1.0],
            "t": pd.date_range("2020-01-01", periods=3), "flag": [True, False, True],
        }
    )  # fmt: skip
    written = io.BytesIO()
    frame.to_parquet(written, index=False)
    pd.testing.assert_frame_equal(
        read_table(written.getvalue(), "table"), pd.read_parquet(io.BytesIO(written.getvalue()))
    )
