"""Logs: lines of JSON with what was logged, at the level that was asked for, and nothing printed."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.core import logs
from stresslab.core.logs import recording
from tests.make.bars import make_bars

OWN = logging.getLogger("stresslab.test")


def test_records_become_lines_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Message, level, logger, time, what was given beside, and Python's warnings; other loggers are left alone."""
    with recording("info") as log:
        OWN.debug("unseen")
        OWN.info("two\nlines", extra={"stage": "sampling", "seconds": 1.5, "odd": object})
        logging.getLogger("other").error("theirs")
        warnings.warn("careful", stacklevel=1)
    OWN.error("after")
    first, second = (json.loads(line) for line in log.text().splitlines())
    assert (first["message"], first["level"], first["logger"]) == ("two lines", "info", "stresslab.test")
    assert (first["stage"], first["seconds"]) == ("sampling", 1.5)
    assert first["time"].endswith("+00:00")
    assert "careful" in second["message"]
    printed = capsys.readouterr()
    assert "two" not in printed.out + printed.err


def test_an_error_keeps_its_traceback() -> None:
    """As one line of JSON still."""
    with recording("error") as log:
        try:
            raise ValueError("no")
        except ValueError:
            OWN.exception("failed")
    (line,) = log.text().splitlines()
    assert "ValueError: no" in json.loads(line)["traceback"]


def test_a_flood_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded."""
    monkeypatch.setattr(logs, "MAX_LINES", 3)
    with recording("debug") as log:
        for number in range(10):
            OWN.debug("line %d", number)
    assert len(log.text().splitlines()) == 4
    assert "7 more lines" in log.text()


def test_loggers_are_as_before() -> None:
    """Whatever happens in between."""
    root = logging.getLogger("stresslab")
    before = (root.level, root.propagate, list(root.handlers))
    with pytest.raises(KeyError), recording("debug"):
        raise KeyError
    assert (root.level, root.propagate, list(root.handlers)) == before


@pytest.mark.parametrize("level", ["info", "error"])
def test_a_run_keeps_its_log(tmp_path: Path, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`log.jsonl` in the run's folder, among the hashed files, at the level asked for."""
    monkeypatch.setattr("stresslab.report.write_report", lambda *arguments, **more: None)
    make_bars(200).frame.to_csv(tmp_path / "bars.csv", index_label="date")
    (tmp_path / "s.py").write_text("def signals(bars):\n    return bars.close > 0, bars.close < 0\n")
    words = [
        "--log-level",
        level,
        "run",
        tmp_path / "s.py",
        "--data",
        tmp_path / "bars.csv",
        "--out",
        tmp_path / "runs",
    ]
    small = ["--generator", "bootstrap", "--universes", "5", "--horizon", "5", "--realism-origins", "0", "--jobs", "1"]
    assert main([str(word) for word in (*words, *small)]) == 0
    (run,) = (tmp_path / "runs").glob("*/")
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    stages = {line["stage"] for line in lines if "stage" in line}
    assert ({"loading", "sampling", "backtest"} <= stages) == (level == "info")
    assert "log.jsonl" in json.loads((run / "manifest.json").read_text())["files"]
    assert main(["verify", str(run)]) == 0


def test_an_unknown_level_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    assert main(["--log-level", "loud", "models"]) == 2
    assert "'loud'" in capsys.readouterr().err
