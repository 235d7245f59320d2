"""A run folder against its manifest, its own table of measures and the ledger."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stresslab.runs.verify import verify
from tests.make.runs import stored_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A stored run that may be changed."""
    return stored_run(tmp_path, "--generator", "bootstrap", "--permutations", "9", "--jobs", "1")


def forged(run: Path, edit: Callable[[dict[str, Any]], None], ledger: bool) -> str:
    """Change result.json with its hash in the manifest, and the manifest's in the ledger too; its new hash."""
    document = json.loads((run / "result.json").read_text())
    edit(document)
    (run / "result.json").write_text(json.dumps(document))
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"]["result.json"] = hashlib.sha256((run / "result.json").read_bytes()).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest))
    digest = hashlib.sha256((run / "manifest.json").read_bytes()).hexdigest()
    if ledger:
        book = run.parent / "ledger.jsonl"
        book.write_text(json.dumps({**json.loads(book.read_text()), "manifest": digest}) + "\n")
    return digest


def test_a_forged_headline_is_named_although_the_hashes_agree(run: Path) -> None:
    """P(loss) and a quantile that the table of measures does not give; as it was written, all agree."""
    found = verify(run)
    assert found.whole
    assert "metrics.parquet gives the figures of result.json" in str(found)
    line = json.loads((run.parent / "ledger.jsonl").read_text())
    assert line["manifest"] == found.manifest == hashlib.sha256((run / "manifest.json").read_bytes()).hexdigest()

    def better(document: dict[str, Any]) -> None:
        universes = document["strategies"][0]["universes"]
        universes["probability_of_loss"]["value"] = 0.01
        universes["measures"]["total_return"]["quantiles"]["0.05"] = 0.5

    forged(run, better, ledger=True)
    found = verify(run)
    assert not found.whole
    assert found.changed == ("manifest.json",)  # its seal is that of other files
    assert [one.partition(" is ")[0] for one in found.contradictions] == [
        "above: universes.probability_of_loss.value",
        "above: universes.measures.total_return.quantiles.0.05",
    ]
    assert "is 0.01, and metrics.parquet gives 0." in found.contradictions[0]


def test_links_and_another_manifest_are_named(run: Path, tmp_path: Path) -> None:
    """The ledger beside the run knows the manifest's hash; `report/` may hold later pages, and no links elsewhere."""
    (run / "report").mkdir()
    (run / "report" / "report.html").write_text("later")
    assert verify(run).whole
    os.symlink(tmp_path / "bars.csv", run / "report" / "summary.md")
    assert verify(run).additional == ("report/summary.md",)
    digest = forged(run, lambda document: document["run"]["notices"].append("All is well."), ledger=False)
    (told,) = verify(run).contradictions
    assert told.startswith(f"manifest.json has sha256 {digest}, and ledger.jsonl beside the run names ")
