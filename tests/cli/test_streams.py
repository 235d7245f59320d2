"""A command whose output nobody reads, or that has nowhere to write it, works all the same and says the truth."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.make.flags import SMALL

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections")


@pytest.mark.parametrize(
    ("redirected", "error"),
    [
        ("2>&1 | true", ""),
        (">&- 2>&-", ""),
        (">/dev/full", "error: the output cannot be written (No space left on device); the run is in "),
    ],
)
def test_a_run_is_stored_whoever_reads(redirected: str, error: str, strategy: Path, csv: Path, tmp_path: Path) -> None:
    """The run is stored whole, no work folder is left, and the exit code is that of the verdict."""
    labels = "robust,fragile,lucky,losing,inconclusive"
    words = ["run", strategy, "--data", csv, "--out", tmp_path / "out", "--fail-on", labels, *SMALL]
    line = shlex.join([sys.executable, "-m", "stresslab", *map(str, words)])
    pipe = "${PIPESTATUS[0]}" if "|" in redirected else "$?"
    done = subprocess.run(
        ["bash", "-c", f"{line} {redirected}; exit {pipe}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4, done.stderr
    (run,) = (tmp_path / "out").glob("[!.]*/")
    assert (run / "report.html").is_file()
    assert not list((tmp_path / "out").glob(".*"))
    assert error in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("redirected", "code"), [(">/dev/full", 2), (">&-", 0), ("2>&- | cat", 0), ("| true", 0)])
@pytest.mark.slow
def test_a_listing_that_cannot_be_written_is_an_error(redirected: str, code: int) -> None:
    """A command whose purpose is its output fails where that cannot be written, in one line."""
    line = f"{shlex.quote(sys.executable)} -m stresslab models {redirected}"
    done = subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert done.stderr == ("error: the output cannot be written (No space left on device)\n" if code else "")
