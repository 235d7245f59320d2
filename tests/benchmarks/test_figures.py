"""The tables of the documentation, and the one command that prints them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.make.benchmarks import FOLDER, load

figures = load("figures")
ROOT = FOLDER.parent
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / figures.CARD]


@pytest.mark.parametrize("figure", figures.FIGURES, ids=lambda one: one.name)
def test_every_table_has_its_place_and_its_script(figure) -> None:
    """Its page has both marks, its script exists, and where the bundled bars serve there is a quick form."""
    page = (ROOT / figure.page).read_text(encoding="utf-8")
    changed = figures.written(page, figure, "| new |")
    assert "| new |" in changed
    assert len(figures.written(changed, figure, "")) < len(page) + 10
    assert (FOLDER / figure.command.split()[0]).is_file()
    assert bool(figure.quick) is not bool(figure.before)


def test_every_mark_in_the_pages_is_known() -> None:
    """No table of a page is forgotten by the command."""
    found = {mark for page in PAGES for mark in re.findall(r"<!-- table: .* -->", page.read_text(encoding="utf-8"))}
    assert found == {one.mark for one in figures.FIGURES}


def test_a_table_is_printed_once_on_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was printed is found again on the same commit, and printed again on another; a quick one changes no page."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "counts.py").write_text(
        "from pathlib import Path\npath = Path('count')\ncount = int(path.read_text()) + 1 if path.exists() else 1\n"
        "path.write_text(str(count))\nprint(f'| run |\\n|---|\\n| {count} |')\n"
    )
    figure = figures.Figure("counts", "page.md", "counts.py", "counts.py --quick")
    text = f"Before.\n\n{figure.mark}\n\nold\n\n{figures.END}\nAfter.\n"
    page = tmp_path / "page.md"
    page.write_text(text)
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    for commit, quick, expected in (
        ("a", True, "old"),
        ("a", False, "| 2 |"),
        ("a", False, "| 2 |"),
        ("b", False, "| 3 |"),
    ):
        monkeypatch.setattr(figures, "commit", lambda commit=commit: commit)
        assert figures.made(figure, tmp_path / ("quick" if quick else "full"), None, quick)
        assert expected in page.read_text()
    assert page.read_text().startswith(f"Before.\n\n{figure.mark}\n\n`python benchmarks/counts.py`, commit b, ")
    assert page.read_text().endswith(f"{figures.END}\nAfter.\n")


def test_a_failure_is_named_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page without marks, a script that fails or prints nothing: one line, and the page stays."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "silent.py").write_text("")
    (tmp_path / "page.md").write_text("no marks")
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    figure = figures.Figure("silent", "page.md", "silent.py", "silent.py")
    assert not figures.made(figure, tmp_path, None, False)
    assert "page.md has no table between" in capsys.readouterr().out
    (tmp_path / "page.md").write_text(f"{figure.mark}\nold\n{figures.END}")
    assert not figures.made(figure, tmp_path, None, False)
    assert not figures.made(replace(figure, command="absent.py"), tmp_path, None, False)
    assert "old" in (tmp_path / "page.md").read_text()


def test_what_is_no_table_is_shown_as_text() -> None:
    """Markdown stands as it is, and columns of text in a block of their own."""
    assert figures.printed("| a |\n|---|\n| 1 |\n") == "| a |\n|---|\n| 1 |"
    assert figures.printed("a   1\n") == "```text\na   1\n```"
