"""`stresslab realism`: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import stresslab as sl
from tests.cli.conftest import Command
from tests.realism.cases import Walk, normal_bars

SMALL = ("--horizon", "10", "--universes", "16", "--jobs", "1")


@pytest.fixture(scope="module")
def long_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """900 daily bars of a random walk."""
    path = tmp_path_factory.mktemp("bars") / "long.csv"
    normal_bars(900).frame.to_csv(path, index_label="date")
    return path


def test_prints_label_reasons_and_tables(command: Command, long_csv: Path, tmp_path: Path) -> None:
    """Label first, then gate, calibration, facts and baselines; the file holds the same and more."""
    out = tmp_path / "realism.json"
    outcome = command("realism", "--data", long_csv, "--generator", "bootstrap", *SMALL, "--out", out)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0].startswith("Realism: ")
    assert lines[1].startswith("  24 origins, 16 universes of 10 bars, 20")
    assert lines[-1] == f"written: {out}"
    assert max(len(line) for line in lines if not line.startswith("written")) <= 100
    assert "nan" not in outcome.out
    for words in (
        "The gate", "Calibration: share of outcomes", "Stylised facts", "Mean price at the horizon",
        "value at risk 95%: not assessable with 16 universes", "random walk (24 origins)",
    ):  # fmt: skip
        assert words in outcome.out
    assert re.search(r"garch \(\d+ origins\)", outcome.out)
    assert "bootstrap (" not in outcome.out  # it is not compared with itself
    assert "realism: 72 origins" in outcome.err
    content = json.loads(out.read_text())
    assert content["format_version"] == 1
    assert content["settings"]["generator"] == "bootstrap"
    assert content["realism"]["label"] == lines[0].removeprefix("Realism: ").lower()
    found = sl.assess_realism(sl.load_bars(long_csv)[:-10], sl.StationaryBootstrap(), 10, universes=16, jobs=1)
    assert content["realism"]["calibration"] == json.loads(json.dumps(found.calibration))


def test_uses_only_bars_before_the_origin(command: Command, long_csv: Path, tmp_path: Path) -> None:
    """What lies after the run's origin changes nothing."""
    cut = tmp_path / "cut.csv"
    cut.write_text("\n".join(long_csv.read_text().splitlines()[:801]) + "\n")
    last = cut.read_text().splitlines()[-1].split(",")[0]
    small = ("--generator", "bootstrap", "--realism-origins", "4", *SMALL)
    whole = command("realism", "--data", long_csv, "--origin", last, *small)
    assert whole.code == 0, whole.err
    assert command("realism", "--data", cut, "--origin", "end", *small).out == whole.out


def test_a_short_history_is_no_error(command: Command, csv: Path) -> None:
    """With few origins, or none, no fault is found, the reason is said and the exit code is 0."""
    few = command("realism", "--data", csv, "--generator", "bootstrap", *SMALL, "--horizon", "60")
    assert few.code == 0, few.err
    assert "Only 3 independent origins were to be had" in " ".join(few.out.split())
    none = command("realism", "--data", csv, "--generator", "bootstrap", *SMALL, "--horizon", "200")
    assert none.code == 0, none.err
    assert none.out.startswith("Realism: NO FAULT FOUND\n  0 origins")
    assert "more history is needed" in none.out


def test_fits_the_temperature(
    command: Command, long_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--fit-temperature` prints the curve with the choice marked, and assesses the chosen one."""

    def make(name: str, **settings: Any) -> Any:
        return Walk() if name == "kronos" else sl.StationaryBootstrap(**settings)

    monkeypatch.setattr("stresslab.generators.registry.make_generator", make)
    out = tmp_path / "fit.json"
    arguments = ("realism", "--data", long_csv, "--fit-temperature", *SMALL, "--out", out)
    outcome = command(*arguments)
    assert outcome.code == 0, outcome.err
    fit = json.loads(out.read_text())["temperature_fit"]
    assert len(fit["trials"]) == 8
    assert f"Temperature: {fit['temperature']:g}, fitted at these 24 origins, which flatters" in outcome.out
    assert f"{fit['temperature']:g} *" in outcome.out
    assert "The tokenizer's round trip" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--generator", "bootstrap", "--fit-temperature"), "bootstrap has no temperature to fit"),
        (("--generator", "bootstrap", "--temperature", "0.9"), "temperature=0.9 is not a setting of bootstrap"),
        (("--generator", "magic"), "generator='magic' is not known"),
        (("--generator", "bootstrap", "--universes", "1"), "universes=1"),
        (("--generator", "bootstrap", "--realism-origins", "0"), "realism_origins=0"),
        (("--generator", "bootstrap", "--out", "no/such/folder/x.json"), "--out no/such/folder/x.json is not a file"),
        (("--generator", "bootstrap", "--horizon", "395"), "give more bars"),
    ],
)
def test_bad_input_is_refused(command: Command, csv: Path, arguments: tuple[str, ...], words: str) -> None:
    """In one line, with exit code 2, before any work."""
    outcome = command("realism", "--data", csv, *arguments)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""
