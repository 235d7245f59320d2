"""`stresslab limits`, `stresslab run --limits` and `--fail-on limits`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stresslab.cli import main
from tests.make.decided import decided_run

BROKEN = "limits:\n  - P(loss) <= 1%\n  - P(drawdown > 90%) <= 50%\naccount: challenge-static\n"


def test_limits_are_on_the_first_page_and_fail_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken limit: exit code 4 with `--fail-on limits`, 0 without; the same answers from the folder alone."""
    (tmp_path / "limits.yaml").write_text(BROKEN)
    run = decided_run(tmp_path, "--limits", str(tmp_path / "limits.yaml"), "--fail-on", "limits")
    told = capsys.readouterr().out
    assert "Limits: 1 of 2 limits kept; broken: P(loss) <= 1%." in told
    page = (run / "report.html").read_text()
    assert page.index("limits: 1 of 2 kept") < page.index('id="verdicts"')
    stored = json.loads((run / "result.json").read_text())["strategies"][0]["studies"]["limits"]
    assert main(["limits", str(run), str(tmp_path / "limits.yaml")]) == 0
    assert json.loads((run / "report" / "limits.json").read_text())["both_ways"] == stored
    assert main(["limits", str(run), str(tmp_path / "limits.yaml"), "--fail-on", "limits"]) == 4
    assert main(["rerun", str(run)]) == 0


def test_exit_codes_follow_the_limits(tmp_path: Path) -> None:
    """4 where a limit is broken, 0 where all are kept."""
    decided_run(tmp_path)
    words = [
        "run", str(tmp_path / "both_ways.py"), "--data", str(tmp_path / "bars.csv"), "--out", str(tmp_path / "others"),
        "--universes", "60", "--horizon", "20", "--realism-origins", "0", "--permutations", "0", "--generator",
        "bootstrap", "--jobs", "1", "--fail-on", "limits", "--limits",
    ]  # fmt: skip
    (tmp_path / "broken.yaml").write_text(BROKEN)
    (tmp_path / "kept.yaml").write_text("limits: [P(drawdown > 90%) <= 50%]\n")
    assert main([*words, str(tmp_path / "broken.yaml")]) == 4
    assert main([*words, str(tmp_path / "kept.yaml")]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--limits", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["--fail-on", "limits"], "--limits"),
        (["--limits", "mandate", "--limits", "mandate"], "one file"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    """Exit code 2 and a line that says what is wrong."""
    (tmp_path / "one.py").write_text("def weights(bars):\n    return bars.close * 0 + 1.0\n")
    assert main(["run", str(tmp_path / "one.py"), "--data", "sample:nasdaq", "--out", str(tmp_path), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
