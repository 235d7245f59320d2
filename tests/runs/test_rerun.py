"""A run again from its manifest: the same bytes, or a line that says what has changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.cli import main
from stresslab.core.errors import InputError
from stresslab.runs.plan import Compute, Studies
from stresslab.runs.replay import replay
from stresslab.runs.rerun import FLIPPED, TOLERANCE, compared, rerun
from stresslab.runs.stress_test import stress_test
from tests.make.bars import make_bars
from tests.make.runs import SETTINGS, stored_run


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the bootstrap with a parameter of the strategy; not to be changed."""
    return stored_run(
        tmp_path_factory.mktemp("rerun"), "--generator", "bootstrap", "--param", "window=15", "--jobs", "2"
    )


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """A copy of the run whose data and strategy may be changed."""
    shutil.copytree(original.parent.parent, tmp_path / "copy")
    copied = tmp_path / "copy" / "runs" / original.name
    return copied


def edited(run: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    edit(manifest)
    (run / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_bytes_from_the_manifest_alone(original: Path, jobs: int) -> None:
    """Whatever the number of workers."""
    found = rerun(original, jobs=jobs)
    assert found.same
    assert found.within
    assert (found.rows, found.beyond, found.largest) == (70, 0, 0.0)
    assert found.differences == ()
    assert found.result.strategies[0].parameters == {"window": 15}


def test_kronos_gives_the_same_bytes_too(tmp_path: Path) -> None:
    """Weights and sampling settings are in the manifest."""
    run = stored_run(tmp_path, "--generator", "kronos", "--temperature", "0.8", "--context", "40", "--jobs", "1")
    found = rerun(run, jobs=2)
    assert found.same
    assert found.differences == ()


def test_the_folder_alone_is_enough(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, where neither the bars nor the strategy are: the copies in the run's folder are used."""
    monkeypatch.chdir(tmp_path)
    elsewhere = shutil.copytree(original, tmp_path / "sent" / original.name)
    hidden = original.parents[1].rename(original.parents[1].with_name("hidden"))
    try:
        found, one = rerun(elsewhere, jobs=1), replay(elsewhere, 3)
        assert main(["verify", str(elsewhere)]) == 0
    finally:
        hidden.rename(original.parents[1])
    assert found.same
    assert one.same
    assert found.differences == one.differences == ()


def test_no_output_names_an_absolute_path(original: Path) -> None:
    """The folders of whoever ran it are nobody else's business; relative names are as they were given."""
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


def test_changed_weights_are_refused(run: Path) -> None:
    """By their hashes."""

    def other(manifest: dict[str, Any]) -> None:
        manifest["config"]["generator"] = "kronos"
        manifest["generator"] = {"name": "kronos", "model": "nano", "hashes": {"model": "0" * 64}}

    edited(run, other)
    with pytest.raises(InputError, match="weights have changed: model of nano"):
        rerun(run)


def test_other_versions_are_named_and_do_not_matter_while_the_bytes_agree(run: Path) -> None:
    """Libraries, code and processor may differ."""

    def older(manifest: dict[str, Any]) -> None:
        manifest["environment"]["versions"]["numpy"] = "1.0"
        manifest["code"] = "0"

    edited(run, older)
    found = rerun(run, jobs=1)
    assert found.same
    assert [difference.partition(":")[0] for difference in found.differences] == ["code", "numpy"]


def test_damaged_metrics_are_refused(run: Path) -> None:
    """What is compared with must be what was written."""
    content = bytearray((run / "metrics.parquet").read_bytes())
    content[100] ^= 1
    (run / "metrics.parquet").write_bytes(bytes(content))
    with pytest.raises(InputError, match="verify"):
        rerun(run)


@pytest.mark.parametrize("missing", ["config", "strategies", "data", "files", "environment", "generator", "code"])
def test_a_manifest_that_lacks_something_is_refused(run: Path, missing: str) -> None:
    """In one line, before anything is computed."""
    edited(run, lambda manifest: manifest.pop(missing))
    with pytest.raises(InputError) as caught:
        rerun(run)
    assert "\n" not in str(caught.value)


def test_a_run_from_python_says_that_it_cannot_be_repeated(tmp_path: Path) -> None:
    """No manifest holds a function."""

    def idle(bars: Any) -> pd.DataFrame:
        return bars.close * 0

    from stresslab.generators.bootstrap import StationaryBootstrap

    result = stress_test(
        idle, make_bars(400), StationaryBootstrap(), 20, 10, studies=Studies(realism_origins=0), compute=Compute(jobs=1)
    )
    with pytest.raises(InputError, match="in Python"):
        rerun(result.save(tmp_path))


def test_differences_are_counted_by_row() -> None:
    """Roundings are none; NaN equals NaN; another number, another NaN or another table are."""
    frame = pd.DataFrame({"strategy": "a", "universe": range(200), "x": np.linspace(0, 1, 200), "y": np.nan})
    assert compared(frame, frame.copy()) == (200, 0, 0.0)
    rounded = frame.assign(x=frame["x"] * (1 + TOLERANCE / 2))
    rows, beyond, largest = compared(frame, rounded)
    assert (rows, beyond) == (200, 0)
    assert largest == pytest.approx(TOLERANCE / 2, rel=1e-3)
    moved = frame.copy()
    moved.loc[3, "x"] *= 1.5
    moved.loc[4, "y"] = 1.0
    assert compared(frame, moved)[:2] == (200, 2)
    assert 2 <= FLIPPED * 200
    assert compared(frame, frame.iloc[:100])[1] == 200
