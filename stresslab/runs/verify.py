"""A run folder compared with its manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from stresslab.core.errors import InputError
from stresslab.core.safe_files import MAX_JSON, _files, digest_of, is_inside, read_bounded

MANIFEST = "manifest.json"


RENDERED = "report"
"""Folder in a run's own to which a stored run is rendered again."""


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
    content = read_bounded(folder / MANIFEST, MAX_JSON)
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
