"""`stresslab models`: what `--model` can name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stresslab.generators.kronos import checkpoint_files
from tests.cli.conftest import Command
from tests.generators.kronos.cases import save_tiny
from tests.make.refused import assert_refused


def test_models_are_listed(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled model with its window and the end of its training, the published ones, and a folder of one's own."""
    folder = save_tiny(tmp_path)
    monkeypatch.setattr(checkpoint_files, "nano_folder", lambda: folder)
    outcome = command("models")
    assert outcome.code == 0
    head, *rows = (line.split() for line in outcome.out.split("\n\n")[0].splitlines())
    assert head == ["model", "window", "trained", "until", "where"]
    assert [row[0] for row in rows] == ["nano", *checkpoint_files.PUBLISHED, "FOLDER"]
    assert rows[0][1:3] == ["32", "2020-12-31"]
    assert rows[1][1:3] == ["2048", "2024-06-30"]


def test_columns_line_up(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last column begins in the same place in every line."""
    monkeypatch.setattr(checkpoint_files, "nano_folder", lambda: save_tiny(tmp_path))
    lines = command("models").out.split("\n\n")[0].splitlines()
    starts = {line.find(word) for line, word in zip(lines, ["where", "bundled", *["Hugging"] * 3, "your"], strict=True)}
    assert len(starts) == 1


def test_a_damaged_installation_is_one_line(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundled model whose files are gone is named."""
    monkeypatch.setattr(checkpoint_files, "nano_folder", lambda: tmp_path)
    assert_refused(command("models"), "model=nano", "model/")


def test_what_was_measured_is_shown(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A calibration beside the weights is one line for each kind of bars; one of other weights is refused."""
    folder = save_tiny(tmp_path)
    monkeypatch.setattr(checkpoint_files, "nano_folder", lambda: folder)
    weights = dict(checkpoint_files.find_checkpoint("nano").hashes)
    interval = {"value": 0.889, "low": 0.85, "high": 0.92}
    names = ("coverage_90", "drawdown_coverage_90", "volatility", "crps_ratio")
    row = {"origins": 402, "horizon": 60} | dict.fromkeys(names, interval)
    found = {"format": 1, "weights": weights, "about": "Held out.", "kinds": {"1 day, weekdays": row}}
    (folder / "calibration.json").write_text(json.dumps(found))
    *_, about, line = command("models").out.splitlines()
    assert about == "nano on held-out series: Held out."
    assert line.startswith(
        "  1 day, weekdays: 402 origins of 60 bars; 90% intervals held 88.9% [85.0%, 92.0%] of returns"
    )
    assert command("models", folder).out.splitlines()[-1] == line
    (folder / "calibration.json").write_text(json.dumps(found | {"weights": {}}))
    assert_refused(command("models"), "calibration.json", "other weights")


def test_one_model(command: Command, tmp_path: Path) -> None:
    """A name shows that model alone, and says where nothing was measured of it; a wrong one is named."""
    folder = save_tiny(tmp_path)
    lines = command("models", folder).out.splitlines()
    assert lines[1].split()[1:3] == ["32", "2020-12-31"]
    assert lines[-1].endswith("was not measured on held-out series")
    assert len(command("models", "NeoQuasar/Kronos-mini").out.splitlines()) == 4
    assert_refused(command("models", "nowhere"), "model='nowhere'")
