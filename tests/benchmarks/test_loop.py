from __future__ import annotations

import pytest

from tests.make.benchmarks import load


@pytest.mark.slow
def test_the_table_of_the_loop(capsys: pytest.CaptureFixture[str]) -> None:
    """Every row that is asked for is measured in a process of its own or in this one, beside its limit."""
    flags = "--generator bootstrap --realism-origins 0 --permutations 9 --jobs 1"
    words = ["--rounds", "1", "--rows", "again,watch,import,help", "--universes", "20", "--horizon", "10"]
    assert load("loop").main([*words, f"--flags={flags}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("20 universes of 10 bars")
    assert [line.split()[-1] for line in lines[2:]] == ["5", "3", "0.4", "0.4"]
    assert all(float(line.split()[-3]) > 0 for line in lines[2:])
