"""Arrays kept by what they were computed from, in a folder of limited size that processes share.

An entry is named by the hash of its key, so a key in which anything changed finds nothing. What belongs into a key, and
what the arrays mean, is for the caller to know. Losing the folder loses time and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stresslab.core.limits import parse_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOG = logging.getLogger(__name__)
FOLDER, SIZE = "STRESSLAB_CACHE", "STRESSLAB_CACHE_SIZE"
"""Environment variables: where the cache is, and how large it may become."""
LIMIT = "2GB"
"""How large the cache may become unless the environment says otherwise."""
SUFFIX, PARTIAL = ".entry", ".partial"
STALE = 3600.0
"""Seconds after which a file that is still being written belongs to a process that was killed."""
_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Found:
    """What an entry holds.

    Attributes:
        arrays: by name.
        facts: plain JSON.
    """

    arrays: Mapping[str, NDArray[Any]]
    facts: Any


@dataclass
class Cache:
    """A folder of entries; the ones that were not used for longest go when it becomes too large.

    Attributes:
        folder: is made when something is first kept.
        limit: bytes of all entries together.
        hits: entries that were found since this object was made.
        misses: entries that were not.
    """

    folder: Path
    limit: int = field(default_factory=lambda: parse_size(LIMIT))
    hits: int = 0
    misses: int = 0

    @classmethod
    def of_user(cls) -> Cache:
        """The cache of this user: $STRESSLAB_CACHE, or `stresslab` where the system keeps caches."""
        return cls(user_folder(), parse_size(os.environ.get(SIZE) or LIMIT, SIZE))

    def get(self, kind: str, key: Mapping[str, Any]) -> Found | None:
        """The entry of a key; None where there is none, or where it is damaged, in which case it is removed.

        Args:
            kind: of the entry; a word.
            key: plain JSON.
        """
        path = self._path(kind, key)
        try:
            content = path.read_bytes()
            found = _unpacked(content)
            os.utime(path)  # used now
        except FileNotFoundError:
            self.misses += 1
            return None
        except (OSError, ValueError, LookupError, zipfile.BadZipFile) as error:
            LOG.warning("%s is damaged (%s); it is computed again", path, " ".join(str(error).split())[:120])
            _remove(path)
            self.misses += 1
            return None
        self.hits += 1
        return found

    def put(self, kind: str, key: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], facts: Any = None) -> None:
        """Keep an entry, unless it alone is larger than the limit or the folder cannot be written.

        Args:
            kind: of the entry; a word.
            key: plain JSON.
            arrays: numbers by name.
            facts: plain JSON.
        """
        content = _packed(arrays, facts)
        if len(content) > self.limit:
            return
        path = self._path(kind, key)
        temporary = path.with_name(f"{uuid.uuid4().hex}{PARTIAL}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            os.replace(temporary, path)
        except OSError as error:  # a full disk, or another process reads what is to be replaced
            _remove(temporary)
            LOG.warning("%s keeps nothing (%s)", self.folder, error.strerror or error)
        self.shrink()

    def entries(self) -> dict[str, tuple[int, int]]:
        """Number and bytes of the entries, by kind."""
        found: dict[str, tuple[int, int]] = {}
        for path, size, _ in self._files():
            kind = path.name.partition("-")[0]
            count, total = found.get(kind, (0, 0))
            found[kind] = count + 1, total + size
        return dict(sorted(found.items()))

    def shrink(self, limit: int | None = None) -> None:
        """Remove what was not used for longest until the entries fit the limit, and what killed processes left."""
        limit = self.limit if limit is None else limit
        files = sorted(self._files(), key=lambda file: file[2], reverse=True)
        total = 0
        for path, size, _ in files:
            total += size
            if total > limit:
                _remove(path)
        for path, _, used in self._files(PARTIAL):
            if time.time() - used > STALE or limit == 0:
                _remove(path)

    def clear(self) -> int:
        """Remove everything; returns the number of entries that there were."""
        count = sum(count for count, _ in self.entries().values())
        self.shrink(0)
        return count

    def _path(self, kind: str, key: Mapping[str, Any]) -> Path:
        text = json.dumps(key, sort_keys=True, separators=(",", ":"))
        return self.folder / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()}{SUFFIX}"

    def _files(self, suffix: str = SUFFIX) -> Iterator[tuple[Path, int, float]]:
        """Path, bytes and time of the last use of each file; those that go meanwhile are left out."""
        for path in self.folder.glob(f"*{suffix}"):
            try:
                about = path.stat()
            except OSError:
                continue
            yield path, about.st_size, about.st_mtime


def user_folder() -> Path:
    """Where this user's cache is."""
    named = os.environ.get(FOLDER)
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "stresslab"


def _packed(arrays: Mapping[str, NDArray[Any]], facts: Any) -> bytes:
    """Arrays and plain JSON as bytes, after the digest of these; nothing in them is code."""
    import numpy as np

    stream = io.BytesIO()
    about = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    np.savez(stream, allow_pickle=False, facts=about, **{f"array {name}": array for name, array in arrays.items()})
    content = stream.getvalue()
    return hashlib.sha256(content).digest() + content


def _unpacked(content: bytes) -> Found:
    """What was packed.

    Raises:
        ValueError: the bytes are not those that were packed.
    """
    import numpy as np

    digest, packed = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(packed).digest() != digest:
        raise ValueError("its digest is another")
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        arrays = {name.removeprefix("array "): stored[name] for name in stored.files if name != "facts"}
        return Found(arrays, json.loads(stored["facts"].tobytes()))


def _remove(path: Path) -> None:
    """Remove a file where that is possible."""
    try:
        path.unlink(missing_ok=True)
    except OSError:  # on Windows, while another process reads it
        LOG.debug("%s cannot be removed", path)
