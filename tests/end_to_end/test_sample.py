"""The committed sample is a whole run, and its page is what the current code makes of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.report.formats.registry import render_all
from stresslab.runs.folder import load_run
from stresslab.runs.verify import verify

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


def test_no_file_of_the_sample_was_changed() -> None:
    """Each has the hash that the run wrote down."""
    assert verify(SAMPLE).whole


@pytest.mark.parametrize(("name", "file"), [("html", "report.html"), ("md", "summary.md")])
def test_the_sample_is_what_the_current_code_makes(name: str, file: str, tmp_path: Path) -> None:
    """Rendered again from the run's files, byte for byte; where this fails, docs/extending.md has the commands."""
    render_all(load_run(SAMPLE), tmp_path, [name])
    assert (tmp_path / file).read_bytes() == (SAMPLE / file).read_bytes()
