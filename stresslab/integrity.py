"""What a folder from somewhere else may be trusted with: which files are read, how large, and are they the same.

Hashes tell what changed since a manifest was written; who wrote it they do not tell. What files mean is not known here.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from stresslab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.json"
MOST_JSON = 64 * 2**20
"""Bytes of the largest JSON file that is read: a thousand strategies' results are a tenth of it."""
MOST_TABLE = 4 * 2**30
"""Bytes of the largest table that is read."""
MOST_CELLS = 2**28
"""Numbers in the largest table that is read, 2 GiB of them: a small file may claim any number."""
RENDERED = "report"
"""Folder in a run's own to which a stored run is rendered again."""
_BLOCK = 2**20


@dataclass(frozen=True)
class Verification:
    """A folder compared with its manifest.

    Attributes:
        run: the folder.
        files: how many files the manifest names.
        changed: files whose content is another.
        missing: files that are not there.
        additional: files that the manifest does not name.
        rendered: files that `stresslab report` may have added, which no hash protects.
        manifest: sha256 of the manifest itself, which no hash in the folder protects.
    """

    run: Path
    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    additional: tuple[str, ...]
    rendered: tuple[str, ...]
    manifest: str

    @property
    def whole(self) -> bool:
        """Whether every file is what was written, and nothing else is there."""
        return not (self.changed or self.missing or self.additional)

    def __str__(self) -> str:
        """One line for each file that is not as it was, or one that all are; then what cannot be told."""
        kinds = (("changed", self.changed), ("missing", self.missing), ("additional", self.additional))
        lines = [f"{kind}: {name}" for kind, names in kinds for name in names]
        lines = lines or [f"{self.files} files are what the run wrote"]
        if self.rendered:
            lines.append(f"{len(self.rendered)} in {RENDERED}/ were rendered later and have no hash")
        return "\n".join([*lines, f"manifest: sha256 {self.manifest}"])


def verify(folder: str | Path) -> Verification:
    """Compute the hash of every file that a run's manifest names anew.

    Raises:
        InputError: there is no manifest, or it names no files or files elsewhere.
    """
    folder = Path(folder)
    content = read_bounded(folder / MANIFEST, MOST_JSON)
    hashes = manifest_of(content, folder).get("files")
    if not isinstance(hashes, dict) or not hashes:
        raise InputError(f"{folder}/{MANIFEST} names no files; it was not written by stresslab, or is damaged")
    for name in hashes:
        if not is_inside(name):
            raise InputError(f"{folder}/{MANIFEST} names {name!r:.80}, outside the run's folder; do not trust this run")
    there = {str(PurePosixPath(path.relative_to(folder))) for path in _files(folder)} - {MANIFEST}
    strangers = sorted(there - set(hashes))
    changed = [name for name in sorted(there & set(hashes)) if digest_of(folder / name) != hashes[name]]
    return Verification(
        run=folder,
        files=len(hashes),
        changed=tuple(changed),
        missing=tuple(sorted(set(hashes) - there)),
        additional=tuple(name for name in strangers if not name.startswith(f"{RENDERED}/")),
        rendered=tuple(name for name in strangers if name.startswith(f"{RENDERED}/")),
        manifest=hashlib.sha256(content).hexdigest(),
    )


def manifest_of(content: bytes, folder: Path) -> dict[str, Any]:
    """The manifest in these bytes of a folder's file."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{folder}/{MANIFEST} is not JSON ({reason:.120}); the run is damaged, run it again") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{folder}/{MANIFEST} holds no manifest; name a folder such as reports/<run id>")
    return manifest


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
def foreign(folder: str | Path) -> Iterator[None]:
    """Whatever goes wrong while the content of a stored run is read or shown is told as the content's fault.

    Its hashes may be right and its content wrong all the same: whoever changes one can change the other.
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
    """A parquet table; one that claims more numbers than are read is refused before memory is taken for them."""
    import io

    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.ParquetFile(io.BytesIO(content)).metadata
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name} is damaged ({' '.join(str(error).split()):.80}); run it again") from None
    if about.num_rows * about.num_columns > MOST_CELLS:
        raise InputError(
            f"{name} claims {about.num_rows:,} rows of {about.num_columns}, more than the {MOST_CELLS:,} numbers that "
            "are read; do not trust this run"
        )
    try:
        return pd.read_parquet(io.BytesIO(content))
    except (pa.ArrowException, ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
        raise InputError(f"{name} is damaged ({' '.join(str(error).split()):.80}); run it again") from None


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


@lru_cache(maxsize=1)
def code() -> Mapping[str, str | None]:
    """Which code runs: `sha256` over the package's sources, and the `commit` of its tree, where it is in one."""
    root, digest = Path(__file__).resolve().parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return {"sha256": digest.hexdigest(), "commit": _commit(root.parent)}


def _commit(root: Path) -> str | None:
    if not (root / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
