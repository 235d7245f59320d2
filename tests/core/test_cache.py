from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from stresslab.core.cache import FOLDER, PARTIAL, SIZE, SUFFIX, Cache, user_folder
from stresslab.core.errors import InputError

ARRAYS = {"values": np.arange(6, dtype=np.float32).reshape(2, 3), "facts": np.array([np.nan, 1.0])}
FACTS = {"none": None, "share": 0.1, "nested": {"list": [1, 2]}}


def one_file(cache: Cache) -> Path:
    """The path of its only entry."""
    (path,) = cache.folder.glob(f"*{SUFFIX}")
    return path


def test_what_is_kept_is_found_as_it_was(tmp_path: Path) -> None:
    """Arrays keep their bits, their shape and type, and plain JSON its values; another process finds them too."""
    Cache(tmp_path / "new").put("kind", {"a": 1}, ARRAYS, FACTS)
    found = Cache(tmp_path / "new").get("kind", {"a": 1})
    assert found is not None
    assert found.facts == FACTS
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].tobytes() == array.tobytes()
        assert found.arrays[name].shape == array.shape


def test_another_key_or_kind_finds_nothing(tmp_path: Path) -> None:
    """Whatever differs in a key, it is another entry; the order of its names is no difference."""
    cache = Cache(tmp_path)
    cache.put("kind", {"a": 1, "b": {"c": None}}, ARRAYS)
    assert cache.get("kind", {"b": {"c": None}, "a": 1}) is not None
    for other in ({"a": 2, "b": {"c": None}}, {"a": 1, "b": {"c": 0}}, {"a": 1}, {"a": "1", "b": {"c": None}}):
        assert cache.get("kind", other) is None
    assert cache.get("other", {"a": 1, "b": {"c": None}}) is None
    assert (cache.hits, cache.misses) == (1, 5)


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:5], lambda c: b"", lambda c: c[:-9] + b"!" + c[-8:]])
def test_a_damaged_entry_is_dropped_with_a_warning(
    damage: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Torn off, empty or with one byte changed: the entry is removed, the log says so, and nothing is found."""
    cache = Cache(tmp_path)
    cache.put("kind", {"a": 1}, ARRAYS)
    path = one_file(cache)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with caplog.at_level(logging.WARNING, "stresslab"):
        assert cache.get("kind", {"a": 1}) is None
    assert "is damaged" in caplog.text
    assert not path.exists()


def test_the_entries_not_used_for_longest_go_first(tmp_path: Path) -> None:
    """Beyond the limit the oldest use decides, and reading is a use."""
    cache = Cache(tmp_path, limit=10**9)
    for number in range(4):
        cache.put("kind", {"number": number}, ARRAYS)
        (new,) = [path for path in tmp_path.iterdir() if path.stat().st_mtime > 10_000]
        os.utime(new, (1000 + number, 1000 + number))
    assert cache.get("kind", {"number": 0}) is not None
    size = sum(path.stat().st_size for path in tmp_path.iterdir()) // 4
    Cache(tmp_path, limit=3 * size + size // 2).shrink()
    assert [cache.get("kind", {"number": number}) is not None for number in range(4)] == [True, False, True, True]


def test_an_entry_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    """It would only push out all others."""
    cache = Cache(tmp_path, limit=10**6)
    cache.put("kind", {"small": 1}, ARRAYS)
    cache.put("kind", {"large": 1}, {"values": np.zeros(10**6)})
    assert cache.get("kind", {"small": 1}) is not None
    assert cache.get("kind", {"large": 1}) is None


def test_many_writers_of_one_key_leave_one_whole_entry(tmp_path: Path) -> None:
    """Runs at the same time keep the same entry: whoever reads meanwhile reads it whole or not at all."""
    values = np.random.default_rng(1).random(50_000)

    def work(_: int) -> bool:
        cache = Cache(tmp_path)
        cache.put("kind", {"a": 1}, {"values": values})
        found = cache.get("kind", {"a": 1})
        return found is not None and bool((found.arrays["values"] == values).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))
    assert [path.suffix for path in tmp_path.iterdir()] == [SUFFIX]


def test_what_a_killed_process_left_goes_after_a_while(tmp_path: Path) -> None:
    """A file that is being written is left alone, one from hours ago is not; neither is ever read."""
    cache = Cache(tmp_path)
    fresh, old = tmp_path / f"1{PARTIAL}", tmp_path / f"2{PARTIAL}"
    fresh.write_bytes(b"half")
    old.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    cache.put("kind", {"a": 1}, ARRAYS)
    assert fresh.exists()
    assert not old.exists()


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is kept, and a warning says why."""
    place = tmp_path / "file"
    place.write_text("no folder")
    cache = Cache(place / "cache")
    with caplog.at_level(logging.WARNING, "stresslab"):
        cache.put("kind", {"a": 1}, ARRAYS)
    assert cache.get("kind", {"a": 1}) is None
    assert "keeps nothing" in caplog.text


def test_entries_are_counted_by_kind_and_cleared(tmp_path: Path) -> None:
    """Counts and bytes are those of the files; clearing leaves none, and says how many there were."""
    cache = Cache(tmp_path)
    for number in range(3):
        cache.put("universes", {"a": number}, ARRAYS)
    cache.put("realism", {"a": 1}, {}, FACTS)
    entries = cache.entries()
    assert {kind: count for kind, (count, _) in entries.items()} == {"realism": 1, "universes": 3}
    assert sum(size for _, size in entries.values()) == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert cache.clear() == 4
    assert not list(tmp_path.iterdir())
    assert Cache(tmp_path / "none").clear() == 0


def test_the_environment_says_where_and_how_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """$STRESSLAB_CACHE is the folder; without it, it lies where the system keeps caches. A wrong size is refused."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv(SIZE, "5MB")
    cache = Cache.of_user()
    assert (cache.folder, cache.limit) == (tmp_path, 5_000_000)
    monkeypatch.delenv(FOLDER)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert user_folder() == tmp_path / "xdg" / "stresslab"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert user_folder() == tmp_path / "local" / "stresslab"
    monkeypatch.setattr("sys.platform", "darwin")
    assert user_folder().parts[-3:] == ("Library", "Caches", "stresslab")
    monkeypatch.setenv(SIZE, "large")
    with pytest.raises(InputError, match="STRESSLAB_CACHE_SIZE='large' is not a size"):
        Cache.of_user()
