"""`stresslab replay`: one universe of a stored run on the terminal and in files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.cli import main
from stresslab.data.bars import FIELDS
from stresslab.runs.replay import replay


def test_what_is_written_is_what_was_found(stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bars that can be loaded again, accounts, and a picture of each; the terminal names them all."""
    assert main(["replay", str(stored), "33", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "Universe 33 of bars: 12 bars from" in printed
    assert "the same measures as in the run" in printed
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "universe-33.csv",
        *(f"universe-33-{at}-above-window-{w}.{kind}" for at, w in ((1, 10), (2, 20)) for kind in ("csv", "png")),
    }
    assert all(str(tmp_path / "out" / name) in printed for name in names)
    bars, found = pd.read_csv(tmp_path / "out" / "universe-33.csv"), replay(stored, 33)
    np.testing.assert_allclose(bars[list(FIELDS)], found.universe.values[0], rtol=1e-6)
    account = pd.read_csv(tmp_path / "out" / "universe-33-1-above-window-10.csv")
    np.testing.assert_allclose(account["equity"], found.accounts["above[window=10]"]["equity"])
    assert (tmp_path / "out" / "universe-33-1-above-window-10.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("70",), "universe=70 is none of"),
        (("-1",), "universe=-1 is none of"),
        (("3", "--strategy", "below"), "strategy 'below' is none of"),
        (("3", "--tear-sheet"), "add --out"),
        (("many",), "is not a whole number"),
    ],
)
def test_what_is_not_there_is_named(
    stored: Path, words: tuple[str, ...], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with exit code 2."""
    assert main(["replay", str(stored), *(("--", *words) if words[0] == "-1" else words)]) == 2
    assert printed in capsys.readouterr().err.splitlines()[-1]


def test_without_quantstats_nothing_is_begun(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says how to get it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["replay", str(stored), "3", "--out", str(tmp_path / "out"), "--tear-sheet"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("pip install quantstats")
    assert not (tmp_path / "out").exists()
