"""Several symbols on the command line: one value of --data, one run over all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.cli.options import joined_sources
from stresslab.data.market_index import IndexBars
from stresslab.data.sources.load_market import load_data
from stresslab.runs.settings import StressConfig
from tests.make.bars import make_bars


def test_sources_after_data_are_one_value() -> None:
    """Sources end at a flag or a strategy file, and a single one stays as it is."""
    assert joined_sources(["run", "p.py", "--data", "A.csv", "B.csv", "--seed", "3"]) == [
        "run", "p.py", "--data", "A.csv;B.csv", "--seed", "3",
    ]  # fmt: skip
    assert joined_sources(["run", "--data", "A.csv", "B.csv", "p.py:f"]) == ["run", "--data", "A.csv;B.csv", "p.py:f"]
    assert joined_sources(["run", "p.py", "--data", "A.csv"]) == ["run", "p.py", "--data", "A.csv"]
    assert joined_sources(["train", "model", "--data", "A", "B"]) == ["train", "model", "--data", "A", "B"]
    assert joined_sources(["run", "--data"]) == ["run", "--data"]


def test_a_settings_file_lists_them_and_the_command_spells_them() -> None:
    """A list in a file is the same setting, and the recorded command names each source."""
    settings = StressConfig.of({"data": ["A.csv", "B.csv"], "strategies": ("p.py",), "dependence": "student"})
    assert settings.data == "A.csv;B.csv"
    assert settings.command() == "stresslab run p.py --data A.csv B.csv --dependence student"


def test_one_symbol_stays_bars(tmp_path: Path) -> None:
    """A file of one symbol is bars as ever; a folder of two is an index that carries its market."""
    for seed, name in enumerate(("A", "B")):
        make_bars(150, seed=seed).frame.rename_axis("timestamp").to_csv(tmp_path / f"{name}.csv")
    assert not isinstance(load_data([str(tmp_path / "A.csv")]), IndexBars)
    both = load_data([str(tmp_path)])
    assert isinstance(both, IndexBars)
    assert both.market.symbols == ("A", "B")


def test_a_market_is_run_saved_and_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pairs trade on two files from flags to a stored result that can be shown and done again."""
    for seed, name in enumerate(("A", "B")):
        make_bars(400, seed=seed).frame.rename_axis("timestamp").to_csv(tmp_path / f"{name}.csv")
    data = ["--data", str(tmp_path / "A.csv"), str(tmp_path / "B.csv")]
    code = main([
        "run", "strategies/pairs.py", *data, "--generator", "bootstrap", "--universes", "60", "--horizon", "30",
        "--realism-origins", "0", "--permutations", "10", "--jobs", "1", "--out", str(tmp_path / "out"),
    ])  # fmt: skip
    assert code == 0, capsys.readouterr().err
    (folder,) = (tmp_path / "out").glob("*/result.json")
    result = json.loads(folder.read_text())
    assert result["strategies"][0]["universes"]["count"] == 60
    assert json.loads((folder.parent / "manifest.json").read_text())["data"]["symbol"] == "A B"
    assert main(["verify", str(folder.parent)]) == 0
    assert main(["show", str(folder.parent)]) == 0
    assert main(["rerun", str(folder.parent)]) == 0


def test_one_series_for_a_market_strategy_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A strategy over several symbols on one series is refused with the remedy."""
    make_bars(400).frame.rename_axis("timestamp").to_csv(tmp_path / "A.csv")
    code = main(["check", "strategies/pairs.py", "--data", str(tmp_path / "A.csv")])
    assert code == 2
    assert "trades several symbols, and the data are one series; give several" in capsys.readouterr().err


def test_shards_of_several_symbols_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Universes of a market are not written as if they were one series."""
    assert main(["sample", "--data", "sample:crypto5", "--generator", "bootstrap", "--universes", "5", "--horizon", "5",
                 "--out", str(tmp_path / "out")]) == 2  # fmt: skip
    assert "universes of several symbols are not written as shards" in capsys.readouterr().err
