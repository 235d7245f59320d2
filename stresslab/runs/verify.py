"""A run folder compared with its manifest."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from stresslab.analysis.result_models import UniverseSummary
from stresslab.core.errors import InputError
from stresslab.core.safe_files import (
    MAX_JSON,
    MAX_TABLE,
    _files,
    digest_of,
    is_inside,
    read_bounded,
    read_table,
    report_damage_of,
)
from stresslab.metrics.distribution import describe_universes
from stresslab.metrics.measures import later
from stresslab.runs.trial_ledger import LEDGER, manifests_in

MANIFEST, RESULT, METRICS = "manifest.json", "result.json", "metrics.parquet"
ROUNDING = 1e-9
MAX_NAMED = 20
"""Contradictions that are listed."""


PAGES = ("report.html", "summary.md")
"""Files of a run that show its seal, beside its figures."""
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
        contradictions: figures of result.json that metrics.parquet does not give, and a manifest that is not the one
            that the ledger beside the run names.
        rendered: files that `stresslab report` may have added, which no hash protects.
        manifest: sha256 of the manifest itself, which the ledger beside the run names.
        seal: of the manifest (`seal_of`), which stands on the run's pages and in the ledger.
    """

    run: Path
    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    additional: tuple[str, ...]
    contradictions: tuple[str, ...]
    rendered: tuple[str, ...]
    manifest: str
    seal: str

    @property
    def whole(self) -> bool:
        """Whether every file is what was written, and nothing else is there."""
        return not (self.changed or self.missing or self.additional or self.contradictions)

    def __str__(self) -> str:
        """One line for each file that is not as it was, or one that all are; then what cannot be known."""
        kinds = (("changed", self.changed), ("missing", self.missing), ("additional", self.additional))
        lines = [f"{kind}: {name}" for kind, names in kinds for name in names]
        lines += [f"contradiction: {one}" for one in self.contradictions]
        lines = lines or [f"{self.files} files are what the run wrote, and {METRICS} gives the figures of {RESULT}"]
        if self.rendered:
            lines.append(f"{len(self.rendered)} in {RENDERED}/ were rendered later and have no hash")
        return "\n".join([*lines, f"manifest: sha256 {self.manifest}", f"seal, as on its pages: {self.seal}"])


def verify(folder: str | Path) -> Verification:
    """Compute again the hash of every file that a run's manifest names.

    Raises:
        InputError: there is no manifest, or it names no files or files elsewhere.
    """
    folder = Path(folder)
    content = read_bounded(folder / MANIFEST, MAX_JSON)
    manifest = manifest_of(content, folder)
    hashes = manifest.get("files")
    if not isinstance(hashes, dict) or not hashes:
        raise InputError(f"{folder}/{MANIFEST} names no files; it was not written by stresslab, or is damaged")
    for name in hashes:
        if not is_inside(name):
            raise InputError(f"{folder}/{MANIFEST} names {name!r:.80}, outside the run's folder; do not trust this run")
    there = {str(PurePosixPath(path.relative_to(folder))) for path in _files(folder)} - {MANIFEST}
    strangers = sorted(there - set(hashes))
    seal = seal_of(manifest)
    changed = [] if manifest.get("seal", seal) == seal else [MANIFEST]
    changed += [name for name in sorted(there & set(hashes)) if digest_of(folder / name) != hashes[name]]
    return Verification(
        run=folder,
        files=len(hashes),
        changed=tuple(changed),
        missing=tuple(sorted(set(hashes) - there)),
        additional=tuple(name for name in strangers if not _is_rendered(folder, name)),
        contradictions=(*_against_metrics(folder), *_against_ledger(folder, hashlib.sha256(content).hexdigest())),
        rendered=tuple(name for name in strangers if _is_rendered(folder, name)),
        manifest=hashlib.sha256(content).hexdigest(),
        seal=seal,
    )


def _is_rendered(folder: Path, name: str) -> bool:
    """Whether a file may have been added by `stresslab report`, which writes no links."""
    return name.startswith(f"{RENDERED}/") and not (folder / name).is_symlink()


def _against_metrics(folder: Path) -> list[str]:
    """Figures of the strategies' universes that the table of measures does not give when they are computed again."""
    if not ((folder / RESULT).is_file() and (folder / METRICS).is_file()):
        return []
    try:
        with report_damage_of(folder):
            document = json.loads(read_bounded(folder / RESULT, MAX_JSON))
            table = read_table(read_bounded(folder / METRICS, MAX_TABLE), f"{folder}/{METRICS}")
            seed, found = int(document["run"]["config"]["seed"]), list[str]()
            for entry in document["strategies"]:
                rows = table[table["strategy"] == entry["name"]].drop(columns="strategy").set_index("universe")
                rows, stored = rows.assign(**later(rows)), UniverseSummary.of(entry["universes"]).to_dict()
                again = json.loads(json.dumps(UniverseSummary.of(describe_universes(rows, seed=seed)).to_dict()))
                found += [f"{entry['name']}: {one}" for one in _differences(stored, again, "universes")]
    except InputError as error:
        return [str(error)]
    return found[:MAX_NAMED]


def _differences(stored: Any, again: Any, where: str) -> list[str]:
    """Where plain data are not what was computed again, up to rounding."""
    if isinstance(stored, dict) and isinstance(again, dict):
        names = dict.fromkeys([*stored, *again])
        return [one for name in names for one in _differences(stored.get(name), again.get(name), f"{where}.{name}")]
    if isinstance(stored, list) and isinstance(again, list) and len(stored) == len(again):
        pairs = enumerate(zip(stored, again, strict=True))
        return [one for at, (old, new) in pairs for one in _differences(old, new, f"{where}.{at}")]
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (stored, again))
    if stored == again or (numbers and math.isclose(stored, again, rel_tol=ROUNDING, abs_tol=ROUNDING)):
        return []
    return [f"{where} is {stored!r:.40}, and {METRICS} gives {again!r:.40}"]


def _against_ledger(folder: Path, manifest: str) -> list[str]:
    """That the ledger beside the run names another manifest, if it does."""
    named = manifests_in(folder.resolve().parent).get(folder.resolve().name)
    if named is None or named == manifest:
        return []
    return [f"{MANIFEST} has sha256 {manifest}, and {LEDGER} beside the run names {named}"]


def seal_of(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of what a manifest says of settings, inputs and data files; pages, which show it, are left out.

    It stands in the manifest, in the ledger beside the runs, and on every page, so that a manifest that was changed
    together with a file no longer fits them.
    """
    files = manifest.get("files")
    kept = {} if not isinstance(files, Mapping) else {name: files[name] for name in files if not _is_page(str(name))}
    core = {name: value for name, value in manifest.items() if name not in ("files", "seal")} | {"files": kept}
    return hashlib.sha256(json.dumps(core, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _is_page(name: str) -> bool:
    return name in PAGES or name.startswith("figures/")


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
