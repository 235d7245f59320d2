"""A folder to try command lines in."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.runs.trial_ledger import LEDGER
from tests.end_to_end.contract import BARS, SMALL
from tests.generators.kronos.cases import save_tiny

STRATEGY = """
def signals(bars, window=5):
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with whole bars, a strategy, a tiny checkpoint and a stored run."""
    folder = tmp_path_factory.mktemp("fuzz")
    BARS.to_csv(folder / "bars.csv", index=False)
    (folder / "strategy.py").write_text(STRATEGY)
    save_tiny(folder / "tiny")
    words = (
        "run",
        "strategy.py",
        "--data",
        "bars.csv",
        *SMALL[:-2],
        "--realism-origins",
        "0",
        "--permutations",
        "9",
        "--out",
        "runs",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(list(words)) == 0
    (run,) = (folder / "runs").glob("*/")
    run.rename(folder / "run")
    (folder / "runs" / LEDGER).unlink()
    (folder / "runs").rmdir()
    return folder


@pytest.fixture
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given in that folder."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
