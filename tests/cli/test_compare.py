"""`stresslab compare`: stored runs held against each other."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command


def test_runs_of_the_same_universes_are_paired(runs: tuple[Path, ...], command: Command, tmp_path: Path) -> None:
    """Text on the terminal, a page where --out says so."""
    outcome = command("compare", runs[0], runs[1], "--paired", "--out", tmp_path / "new")
    assert outcome.code == 0
    assert "A, B share their universes" in outcome.out
    assert "fees" in outcome.out
    assert (tmp_path / "new" / "comparison.html").is_file()


def test_other_universes_are_refused_or_shown_beside(runs: tuple[Path, ...], command: Command) -> None:
    """--paired refuses them with the reason; without it they stand side by side with the same reason."""
    refused = command("compare", runs[0], runs[2], "--paired")
    assert refused.code == 2
    assert "cannot be paired" in refused.err
    assert "seed 0 against 4" in refused.err
    shown = command("compare", runs[0], runs[2])
    assert shown.code == 0
    assert "seed 0 against 4" in " ".join(shown.out.split())


def test_one_run_is_no_comparison(runs: tuple[Path, ...], command: Command) -> None:
    """Two are needed."""
    outcome = command("compare", runs[0])
    assert outcome.code == 2
    assert "1 run cannot be compared" in outcome.err
