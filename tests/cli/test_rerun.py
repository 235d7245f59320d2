"""`stresslab rerun`: the same numbers, or what differs and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command


def test_the_same_numbers_again(stored: Path, command: Command, tmp_path: Path) -> None:
    """Exit code 0 and what was compared; the new run is stored where that is wanted."""
    done = command("rerun", stored, "--jobs", "1", "--out", tmp_path / "again")
    assert done.code == 0, done.err
    assert "equal byte for byte" in done.out
    (again,) = (tmp_path / "again").iterdir()
    assert done.out.splitlines()[-1] == f"report: {again / 'report.html'}"
    assert (again / "metrics.parquet").read_bytes() == (stored / "metrics.parquet").read_bytes()


def test_other_numbers_end_with_2(copied: Path, command: Command) -> None:
    """A run that is done with another seed than it was is not reproduced: the line names it, after what differs."""
    path = copied / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["config"]["seed"] += 1
    path.write_text(json.dumps(manifest))
    done = command("rerun", copied, "--jobs", "1")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"error: {copied} cannot be reproduced here")
    assert "140 of 140 rows" in done.out
