"""`stresslab freeze`: a line in the ledger, and fresh evidence in the runs after it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.runs.trial_ledger import LEDGER
from tests.make.bars import make_bars

RULE = "def signals(bars, window=20):\n    up = bars.close > bars.close.rolling(window).mean()\n    return up, ~up\n"


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """What the commands have in common: a strategy, bars and a folder."""
    make_bars(700).frame.to_csv(tmp_path / "bars.csv", index_label="date")
    (tmp_path / "above.py").write_text(RULE)
    return [str(tmp_path / "above.py"), "--data", str(tmp_path / "bars.csv"), "--out", str(tmp_path / "runs")]


QUICK = "--generator bootstrap --universes 20 --horizon 12 --realism-origins 0 --warmup 50 --permutations 19".split()


def edges(folder: Path) -> list[dict[str, object]]:
    """The edge of each stored run, in the order of the ledger."""
    names = [json.loads(line).get("run") for line in (folder / LEDGER).read_text().splitlines()]
    return [json.loads((folder / name / "result.json").read_text())["strategies"][0]["edge"] for name in names if name]


def test_bars_after_a_freeze_are_fresh_evidence(words: list[str], tmp_path: Path) -> None:
    """Held out, frozen, then looked at twice: the runs say since when, and the second that it is the second look."""
    assert main(["run", *words, *QUICK, "--holdout", "200"]) == 0
    assert main(["freeze", *words, "--holdout", "200"]) == 0
    assert main(["run", *words, *QUICK]) == 0
    assert main(["run", *words, *QUICK, "--seed", "2"]) == 0
    before, first, second = edges(tmp_path / "runs")
    assert before["fresh"] is None
    assert first["fresh"]["looks"] == 1  # type: ignore[index]
    assert second["fresh"]["looks"] == 2  # type: ignore[index]
    assert first["fresh"]["timing"]["bars"] == 200  # type: ignore[index]
    assert second["required"] == pytest.approx(0.975)


def test_another_parameter_is_not_frozen(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The freeze holds for code and parameters as they were, and says what it wrote down."""
    assert main(["freeze", *words, "--until", "2016-06-01"]) == 0
    assert "is frozen" in capsys.readouterr().out
    assert main(["run", *words, *QUICK, "--param", "window=21"]) == 0
    assert edges(tmp_path / "runs")[0]["fresh"] is None


def test_what_cannot_be_frozen_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No bars are left, or there is no such file: one line, exit code 2."""
    assert main(["freeze", *words, "--holdout", "690"]) == 2
    assert "fewer than 60" in capsys.readouterr().err
    assert main(["freeze", "none.py", *words[1:]]) == 2


def test_freezing_again_says_that_the_first_time_counts(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a later nor an earlier date moves what was seen; nothing is added to the ledger."""
    assert main(["freeze", *words, "--until", "2016-06-01"]) == 0
    capsys.readouterr()
    before = (Path(words[-1]) / LEDGER).read_text()
    for until in ("2016-03-01", "2016-09-01"):
        assert main(["freeze", *words, "--until", until]) == 0
        said = capsys.readouterr().out
        assert "was frozen before" in said
        assert "after 2016-06-01 00:00:00" in said
    assert (Path(words[-1]) / LEDGER).read_text() == before


def test_a_file_is_no_folder_to_freeze_into(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--out` that names a file is refused as that of a run is."""
    assert main(["freeze", *words[:-1], words[0]]) == 2
    assert "cannot be written" in capsys.readouterr().err
