"""`stresslab size` and `stresslab run --sizes`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stresslab.cli import main
from tests.make.decided import decided_run


def test_size_says_and_writes_what_the_run_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command finds in the folder alone what the run found with `--sizes`, and writes its page there."""
    run = decided_run(tmp_path, "--sizes", "P(drawdown > 4%) <= 20%")
    stored = json.loads((run / "result.json").read_text())["strategies"][0]["studies"]["sizes"]
    assert "How large to trade" in (run / "report.html").read_text()
    capsys.readouterr()
    assert main(["size", str(run), "--limit", "P(drawdown > 4%) <= 20%"]) == 0
    told = capsys.readouterr().out
    assert f"{int(100 * stored['sides']['supported']['largest']['size']) / 100:.2f}x" in told
    assert json.loads((run / "report" / "size.json").read_text())["both_ways"] == stored
    assert main(["verify", str(run)]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--limit", "P(loss) <= 5%"], "drawdown"),
        (["--limit", "nonsense"], "limit 'nonsense'"),
        (["--strategy", "other"], "both_ways"),
        (["--borrow-rate", "40"], "--borrow-rate"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    """Exit code 2 and a line that names what is wrong."""
    run = decided_run(tmp_path)
    capsys.readouterr()
    assert main(["size", str(run), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
