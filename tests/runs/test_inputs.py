"""What a run was given is kept in its folder, and is what runs again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.core.errors import InputError
from stresslab.runs.inputs import absolute_places, changed_since, keep_inputs, portable
from stresslab.runs.rerun import rerun
from stresslab.runs.settings import StressConfig
from tests.make.bars import make_bars
from tests.make.runs import SETTINGS, edited
from tests.make.strategies import ABOVE_MEAN


def test_no_output_names_an_absolute_path(original: Path) -> None:
    """The folders of whoever ran it stay private; relative names are as they were given."""
    for path in original.rglob("*"):
        if path.is_file():
            assert str(original.parents[1]).encode() not in path.read_bytes(), path
    config = json.loads((original / "manifest.json").read_text())["config"]
    assert (config["strategies"], config["data"], config["out"]) == (["above.py"], "bars.csv", "runs")
    assert config["command"].startswith("stresslab run above.py --data bars.csv ")


@pytest.mark.parametrize("name", ["strategies/1/above.py", "bars.parquet", "inputs.json"])
def test_a_changed_copy_is_refused_before_it_is_run(run: Path, name: str) -> None:
    """A file that would fail loudly is never loaded."""
    (run / "inputs" / name).write_text("raise SystemError('this was run')\n")
    with pytest.raises(InputError, match=f"{name} is not what the run wrote"):
        rerun(run)
    (run / "inputs" / name).unlink()
    with pytest.raises(InputError, match=name.rpartition("/")[2]):
        rerun(run)


def test_code_that_the_manifest_has_no_hash_of_is_not_run(run: Path) -> None:
    """Settings that name another file than the one whose hash is recorded."""
    other = run.parent.parent / "other.py"
    other.write_text("raise SystemError('this was run')\n")
    edited(run, lambda manifest: manifest["config"].update(strategies=[str(other)]))
    with pytest.raises(InputError, match="no code of it"):
        rerun(run)


def test_a_changed_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that the strategy imports is kept and hashed as the strategy is; the run's own copy is what runs."""
    monkeypatch.chdir(tmp_path)
    make_bars(400).frame.to_csv("bars.csv", index_label="date")
    Path("rules").mkdir()
    Path("rules/__init__.py").write_text("from .means import above\n")
    Path("rules/means.py").write_text("def above(close):\n    return close > close.rolling(20).mean()\n")
    Path("mine.py").write_text("import rules\n\n\ndef weights(bars):\n    return rules.above(bars.close) * 1.0\n")
    words = ["run", "mine.py", "--data", "bars.csv", "--generator", "bootstrap", "--jobs", "1", *SETTINGS]
    assert main(words) == 0
    (run,) = Path("reports").glob("2*/")
    assert (run / "inputs" / "strategies" / "1" / "rules" / "means.py").is_file()
    Path("rules/means.py").write_text("def above(close):\n    return close < close.rolling(20).mean()\n")
    found = rerun(run, jobs=1)
    assert found.same
    assert found.differences == ("rules/means.py has changed; the run's own copy was used",)


def test_paths_are_replaced_wherever_they_stand() -> None:
    """In keys, values and within texts, the longest first, so that no path is left half replaced."""
    places = {"/home/me": "me", "/home/me/bars.csv": "bars.csv"}
    text = {"/home/me/bars.csv": ["read /home/me/bars.csv twice", 3, ("/home/me",)], "other": None}
    assert portable(text, places) == {"bars.csv": ["read bars.csv twice", 3, ("me",)], "other": None}


def test_absolute_paths_are_those_of_the_settings() -> None:
    """Data, model, folder and strategies, with the name of one of several in a file; relative ones stay."""
    settings = {
        "data": "/d/bars.csv", "model": "nano", "out": "/o/runs", "strategies": ["/s/mine.py:fast", "other.py"],
    }  # fmt: skip
    assert absolute_places(settings) == {
        "/d/bars.csv": "bars.csv",
        "/o/runs": "runs",
        "/s/mine.py:fast": "mine.py:fast",
        "/s/mine.py": "mine.py",
    }
    assert absolute_places({"data": None}) == {}


def test_a_strategy_that_changes_or_goes_is_named(tmp_path: Path) -> None:
    """By its place; as long as it is as it was, nothing is."""
    path = tmp_path / "above.py"
    path.write_text(ABOVE_MEAN)
    settings = StressConfig.of({"data": "bars.csv", "strategies": [str(path)]})
    keep_inputs(tmp_path / "run", settings, make_bars(50))
    assert (tmp_path / "run" / "inputs" / "strategies" / "1" / "above.py").read_text() == ABOVE_MEAN
    assert changed_since(tmp_path / "run", settings) == ()
    path.write_text(ABOVE_MEAN.replace("20", "21"))
    assert changed_since(tmp_path / "run", settings) == (f"{path} has changed",)
    path.unlink()
    assert changed_since(tmp_path / "run", settings) == (f"{path} is not there",)
