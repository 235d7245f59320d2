"""`stresslab report`: stored runs rendered again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_a_run_is_rendered_from_its_files(runs: tuple[Path, ...], command: Command, tmp_path: Path) -> None:
    """The page is byte for byte the one that the run wrote; each path is printed."""
    outcome = command("report", runs[0], "--format", "html,md", "--format", "csv", "--out", tmp_path / "new")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.split() == [str(tmp_path / "new" / name) for name in ("report.html", "summary.md", "tables")]
    for name in ("report.html", "summary.md"):
        assert (tmp_path / "new" / name).read_bytes() == (runs[0] / name).read_bytes()


def test_the_run_itself_stays_whole(runs: tuple[Path, ...], command: Command) -> None:
    """Without --out a folder of its own gets the files, and the run is verified as before."""
    assert command("report", runs[1]).code == 0
    assert (runs[1] / "report" / "report.html").is_file()
    assert command("verify", runs[1]).code == 0


def test_a_link_in_the_run_s_report_leaves_other_files_alone(
    runs: tuple[Path, ...], command: Command, tmp_path: Path
) -> None:
    """A hard link to a file elsewhere is replaced, and a symbolic one refused, as is a folder that is one."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    shutil.copytree(runs[1], tmp_path / "run")
    page = tmp_path / "run" / "report" / "report.html"
    page.parent.mkdir(exist_ok=True)
    page.unlink(missing_ok=True)
    os.link(secret, page)
    assert command("report", tmp_path / "run").code == 0
    assert secret.read_text() == "mine"
    assert page.stat().st_size > 1000
    for link, target in ((page, secret), (page.parent, tmp_path)):
        shutil.rmtree(page.parent)
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
        outcome = command("report", tmp_path / "run")
        assert outcome.code == 2
        assert "holds a link" in outcome.err
        assert secret.read_text() == "mine"
        link.unlink()
        page.parent.mkdir(exist_ok=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "htlm"), "--format 'htlm' is not a format; did you mean 'html'?"),
        (("--format", ","), "--format names nothing to write"),
    ],
)
def test_wrong_formats_are_refused(
    runs: tuple[Path, ...], command: Command, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """One line says what is wrong, and nothing is written."""
    outcome = command("report", runs[0], *arguments, "--out", tmp_path / "new")
    assert outcome.code == 2
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_what_is_no_run_is_refused(command: Command, tmp_path: Path) -> None:
    """A folder that is no run is named, and left as it was."""
    for name in ("report", "compare"):
        outcome = command(name, tmp_path, *([tmp_path] if name == "compare" else []))
        assert outcome.code == 2
        assert "is not a run" in outcome.err
    assert list(tmp_path.iterdir()) == []
