"""Several symbols on the command line: one value of --data, one run over all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stresslab.cli import main
from stresslab.cli.options import joined_sources
from stresslab.core.errors import DataError
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market_index import IndexBars
from stresslab.data.sources.load_market import load_data
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
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


@pytest.mark.slow
def test_costs_of_one_symbol(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A symbol that costs more brings less, the other the same; the command says so, and unknown ones are refused."""
    for seed, name in enumerate(("A", "B")):
        make_bars(400, seed=seed).frame.rename_axis("timestamp").to_csv(tmp_path / f"{name}.csv")
    asked = [
        "run", "strategies/sma_cross.py", "--data", str(tmp_path / "A.csv"), str(tmp_path / "B.csv"), "--generator",
        "bootstrap", "--universes", "20", "--horizon", "30", "--realism-origins", "0", "--permutations", "0", "--jobs",
        "1",
    ]  # fmt: skip
    means = {}
    for name, more in (("all", []), ("B", ["--symbol-costs", "B.fees=0.05"])):
        assert main([*asked, *more, "--out", str(tmp_path / name)]) == 0, capsys.readouterr().err
        (path,) = (tmp_path / name).glob("*/result.json")
        result = json.loads(path.read_text())
        means[name] = {row["symbol"]: row["mean"] for row in result["strategies"][0]["studies"]["symbols"]["symbols"]}
    assert means["B"]["A"] == means["all"]["A"]
    assert means["B"]["B"] < means["all"]["B"] - 0.01
    assert "--symbol-costs B.fees=0.05" in result["run"]["config"]["command"]
    page = (path.parent / "report.html").read_text()
    assert 'class="compared sortable"' in page
    assert f'data-order="{means["B"]["B"]}"' in page
    assert main([*asked, "--symbol-costs", "C.fees=0.05", "--out", str(tmp_path / "no")]) == 2
    assert "symbol_costs name 'C'" in capsys.readouterr().err
    assert main([*asked, "--symbol-costs", "B.fees", "--out", str(tmp_path / "no")]) == 2
    assert "--symbol-costs 'B.fees' is not of the form SYMBOL.COST=VALUE" in capsys.readouterr().err


def test_one_series_for_a_market_strategy_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A strategy over several symbols on one series is refused with the remedy."""
    make_bars(400).frame.rename_axis("timestamp").to_csv(tmp_path / "A.csv")
    code = main(["check", "strategies/pairs.py", "--data", str(tmp_path / "A.csv")])
    assert code == 2
    assert "trades several symbols, and the data are one series; give several" in capsys.readouterr().err


def test_shards_of_several_symbols(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Universes of a market are written with a column of symbols, in any pieces the same, and read back as sampled."""
    asked = ["sample", "--data", "sample:crypto5", "--generator", "bootstrap", "--universes", "130", "--horizon", "5"]
    assert main([*asked, "--jobs", "1", "--out", str(tmp_path / "one")]) == 0
    assert capsys.readouterr().out.startswith("130 universes of 5 symbols of 5 bars after ")
    assert main([*asked, "--memory", "525MB", "--out", str(tmp_path / "pieces")]) == 0
    one, pieces = (JointUniverses.load(tmp_path / name) for name in ("one", "pieces"))
    assert len(list((tmp_path / "pieces").glob("universes-*.parquet"))) > 1
    assert one.values.tobytes() == pieces.values.tobytes()
    market = load_data(["sample:crypto5"]).market
    sampled = StationaryBootstrap().sample(market[: len(one.history)], 5, 130)
    assert (one.values == sampled.values.astype("float32")).all()
    assert one.history.digest == sampled.history.digest
    assert one.timestamps.equals(sampled.timestamps)
    frame = pd.read_parquet(tmp_path / "one" / "universes-000000000.parquet")
    assert sorted(frame["symbol"].unique()) == sorted(market.symbols)
    with pytest.raises(DataError, match="several symbols; read them by JointUniverses"):
        Universes.load(tmp_path / "one")
