"""`stresslab track`: exit codes, several runs, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stresslab.cli import main
from stresslab.data.sources.load import load_bars
from tests.make.decided import decided_run


def later_bars(folder: Path, factor: float) -> Path:
    """The last twenty bars once more after the run's, each move so many times as large."""
    frame = load_bars(str(folder / "bars.csv")).frame
    rows, prices = frame.tail(20).copy(), ["open", "high", "low", "close"]
    before = float(frame["close"].iloc[-21])
    rows[prices] = float(frame["close"].iloc[-1]) * (rows[prices] / before) ** factor
    rows.index = frame.index[-20:] + (frame.index[-1] - frame.index[-21])
    path = folder / f"later-{factor}.csv"
    pd.concat([frame, rows]).to_csv(path, index_label="date")
    return path


@pytest.mark.slow
def test_several_runs_in_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Inside is 0, outside 4; each run has its page, state and history; the same again adds a line."""
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(decided_run(tmp_path / name, "--origin", "end"))
    calm, wild = later_bars(tmp_path / "one", 1.0), later_bars(tmp_path / "two", 8.0)
    capsys.readouterr()
    assert main(["track", str(runs[0]), "--data", str(calm)]) == 0
    assert "INSIDE" in capsys.readouterr().out
    words = ["track", str(runs[0]), str(runs[1]), "--data", str(calm), str(wild)]
    assert main(words) == 4
    told = capsys.readouterr().out
    assert "OUTSIDE since" in told
    kept = runs[1].parent / "tracking" / runs[1].name
    assert json.loads((kept / "track.json").read_text())["strategies"]["both_ways"]["state"] == "outside"
    assert main(words) == 4
    assert len((kept / "history.jsonl").read_text().splitlines()) == 2
    assert "OUTSIDE since" in (kept / "track.html").read_text()
    assert main(["verify", str(runs[1])]) == 0


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Folders that are no runs, and more sources than runs."""
    assert main(["track", str(tmp_path / "nowhere"), "--data", "sample:nasdaq"]) == 2
    assert main(["track", str(tmp_path), "--data", "a.csv", "b.csv"]) == 2
    error = capsys.readouterr().err
    assert "2 sources, and there is 1 run;" in error
    assert "Traceback" not in error
