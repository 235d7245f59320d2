"""`stresslab check`: which strategies look ahead, as text and as an exit code."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.cli.conftest import Command


def test_check_finds_a_peek(command: Command, strategy: Path, csv: Path) -> None:
    """`check` exits with 0 for a strategy that decides from the past, and with 2 for one that peeks."""
    assert command("check", strategy, "--data", csv).code == 0
    peek = strategy.with_name("peek.py")
    peek.write_text("def signals(bars):\n    up = bars.close.shift(-1) > bars.close\n    return up, ~up\n")
    outcome = command("check", strategy, peek, "--data", csv)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "peek" in outcome.err
    assert "above_mean" in outcome.out


def test_check_tells_the_form_and_what_was_printed(command: Command, csv: Path, tmp_path: Path) -> None:
    """`check` says that a strategy takes one series, and keeps its printing to a line."""
    path = tmp_path / "chatty.py"
    path.write_text(
        "def weights(bars):\n    print('hello\\n' * 1000)\n"
        "    return [float(close > opened) for close, opened in zip(bars['close'], bars['open'])]\n"
    )
    done = command("check", path, "--data", csv)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("chatty: does not look ahead")
    assert "written for one series" in lines[1]
    assert "characters, which begin 'hello\\nhello" in lines[2]
    assert len(lines) == 4
    assert lines[3].startswith("  needs 1 bar of history")


def test_check_says_where_memory_is_longer_than_the_warmup(command: Command, csv: Path, tmp_path: Path) -> None:
    """A strategy that decides otherwise with more bars than it is shown has a line; with enough there is none."""
    path = tmp_path / "long.py"
    path.write_text("def weights(bars):\n    return (bars.close > bars.close.rolling(120).mean()).astype(float)\n")
    short = command("check", path, "--data", csv, "--warmup", "60").out.splitlines()
    assert len(short) == 2
    assert "with the 60 bars of history it is shown" in short[1]
    assert "needs about 120 bars of history" in command("check", path, "--data", csv, "--warmup", "200").out


def test_check_says_how_the_bars_were_read(command: Command, strategy: Path, csv: Path, tmp_path: Path) -> None:
    """Days of Excel are read, and said; what every file without an amount has is not worth a line."""
    plain = command("check", strategy, "--data", csv)
    assert "bars:" not in plain.out
    rows = pd.read_csv(csv)
    rows.iloc[:, 0] = [str(43831 + at) for at in range(len(rows))]
    rows.to_csv(tmp_path / "excel.csv", index=False)
    done = command("check", strategy, "--data", tmp_path / "excel.csv")
    assert done.code == 0
    assert "Excel" in next(line for line in done.out.splitlines() if line.startswith("bars: "))
