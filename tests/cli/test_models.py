"""`stresslab models`: what `--model` can name."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.generators.kronos import checkpoint
from tests.cli.conftest import Command
from tests.generators.kronos.cases import save_tiny
from tests.make.refused import assert_refused


def test_models_are_listed(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled model with its window and the end of its training, the published ones, and a folder of one's own."""
    folder = save_tiny(tmp_path)
    monkeypatch.setattr(checkpoint, "nano_folder", lambda: folder)
    outcome = command("models")
    assert outcome.code == 0
    head, *rows = (line.split() for line in outcome.out.splitlines())
    assert head == ["model", "window", "trained", "until", "where"]
    assert [row[0] for row in rows] == ["nano", *checkpoint.PUBLISHED, "FOLDER"]
    assert rows[0][1:3] == ["32", "2020-12-31"]
    assert rows[1][1:3] == ["2048", "2024-06-30"]


def test_columns_line_up(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last column begins in the same place in every line."""
    monkeypatch.setattr(checkpoint, "nano_folder", lambda: save_tiny(tmp_path))
    lines = command("models").out.splitlines()
    starts = {line.find(word) for line, word in zip(lines, ["where", "bundled", *["Hugging"] * 3, "your"], strict=True)}
    assert len(starts) == 1


def test_a_damaged_installation_is_one_line(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundled model whose files are gone is named."""
    monkeypatch.setattr(checkpoint, "nano_folder", lambda: tmp_path)
    assert_refused(command("models"), "model=nano", "model/")
