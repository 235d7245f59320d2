"""Ctrl-C: one line, exit code 3, nothing half-written."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def as_by_hand() -> None:
    """Let Ctrl-C reach a process also where these tests run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT can be sent to a process there")
def test_interrupt_stops_cleanly(tmp_path: Path) -> None:
    """A run that is interrupted while threads sample says so in one line, exits with 3 and leaves no folder."""
    out = tmp_path / "runs"
    strategy = Path(__file__).parents[2] / "strategies" / "buy_and_hold.py"
    command = [sys.executable, "-m", "stresslab", "run", str(strategy), "--data", "sample:nasdaq", "--jobs", "2"]
    settings = ["--universes", "1000", "--horizon", "300", "--realism-origins", "0", "--out", str(out)]
    with subprocess.Popen(
        [*command, *settings], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=as_by_hand
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("look-ahead check: in"):
                break
        time.sleep(2)  # some way into the first universes
        run.send_signal(signal.SIGINT)
        _, rest = run.communicate(timeout=60)
    assert run.returncode == 3
    assert rest.splitlines()[-1].startswith("error: interrupted")
    assert "terminate" not in rest
    assert not out.exists()
