"""A run's folder: whole or not there, read back as what was written, and refused when it was changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import stresslab as sl
from stresslab.analysis.result import StressResult
from stresslab.core.errors import InputError
from stresslab.report.formats.html import render
from stresslab.runs import folder as runs
from stresslab.runs.folder import check_writable, load_run, run_id
from stresslab.runs.plan import Compute, Studies
from stresslab.runs.stress_test import stress_test
from stresslab.runs.verify import PAGES, seal_of, verify
from tests.make.bars import make_bars
from tests.make.results import make_result

TABLES = (
    "metrics.parquet",
    "bars.parquet",
    "paths.parquet",
    "equity.parquet",
    "bar_records.parquet",
    "track_record.parquet",
)


def above_mean(bars: Any, window: int = 20) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Long while the close is above its mean."""
    above = bars.close > bars.close.rolling(window).mean()
    return above, ~above


def idle(bars: Any, limit: float = float("inf")) -> pd.DataFrame:
    """Never in the market."""
    return bars.close * 0


@pytest.fixture(scope="module")
def result() -> StressResult:
    """A stress test of two strategies, with realism."""
    return stress_test(
        [above_mean, idle],
        make_bars(400),
        sl.StationaryBootstrap(block=10),
        40,
        20,
        studies=Studies(realism_origins=2),
        compute=Compute(jobs=1),
    )


@pytest.fixture(scope="module")
def saved(result: StressResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; not to be changed."""
    return result.save(tmp_path_factory.mktemp("runs") / "reports")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> StressResult:
    """A result whose report takes no time to write."""
    monkeypatch.setattr("stresslab.report.write_report", lambda result, folder: None)
    return make_result("hold", universes=20, horizon=10)


def copied(folder: Path, to: Path) -> Path:
    """The data files of a run, to be changed."""
    to.mkdir()
    for name in ("result.json", "manifest.json", *TABLES):
        (to / name).write_bytes((folder / name).read_bytes())
    return to


def refused(folder: Path, words: str) -> None:
    """Loading is refused in one line that names the folder."""
    with pytest.raises(InputError, match=words) as caught:
        load_run(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


# -------------------------------------------------------------------------------------------------- written and read


def test_the_folder_holds_what_the_design_says(saved: Path) -> None:
    """Manifest, result, tables, page and pictures, and nothing else."""
    names = sorted(str(path.relative_to(saved)) for path in saved.rglob("*") if path.is_file())
    figures = [name for name in names if name.startswith("figures/")]
    assert sorted([*TABLES, "manifest.json", "report.html", "result.json", "summary.md"]) == [
        n for n in names if n not in figures
    ]
    assert figures
    assert all(name.endswith(".png") for name in figures)
    assert sorted(path.name for path in saved.parent.iterdir()) == [saved.name, "ledger.jsonl"]


def test_the_manifest_holds_what_decided_the_run(saved: Path, result: StressResult) -> None:
    """Settings, data, generator, versions, timings, and the hash of every other file."""
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest["format_version"] == 4
    assert manifest["run"] == saved.name
    assert manifest["config"] == result.config
    assert manifest["data"]["digest"] == make_bars(400).digest
    assert manifest["generator"] == result.generator
    assert {"python", "platform", "versions", "commit"} <= set(manifest["environment"])
    assert set(manifest["timings"]) == set(result.timings)
    assert datetime.fromisoformat(manifest["created"]).tzinfo is not None
    others = [path for path in saved.rglob("*") if path.is_file() and path.name != "manifest.json"]
    assert set(manifest["files"]) == {str(path.relative_to(saved)) for path in others}
    for path in others:
        assert manifest["files"][str(path.relative_to(saved))] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_result_json_is_the_result(saved: Path, result: StressResult) -> None:
    """The file is `to_dict()`, and `metrics.parquet` is `metrics`."""
    assert json.loads((saved / "result.json").read_text()) == result.to_dict()
    pd.testing.assert_frame_equal(pd.read_parquet(saved / "metrics.parquet"), result.metrics)


def test_a_run_is_read_back_as_it_was(saved: Path, result: StressResult) -> None:
    """Facts, frames and paths are equal."""
    loaded = load_run(saved)
    assert loaded.to_dict() == result.to_dict()
    pd.testing.assert_frame_equal(loaded.metrics, result.metrics)
    pd.testing.assert_frame_equal(loaded.fan, result.fan, check_freq=False, check_names=False)
    assert (loaded.sample_paths == result.sample_paths).all()
    assert loaded.bars.digest == result.bars.digest
    assert loaded.origin == result.origin
    for ours, theirs in zip(loaded.strategies, result.strategies, strict=True):
        assert ours.verdict == theirs.verdict
        assert ours.backtest == pytest.approx(theirs.backtest, nan_ok=True, rel=0, abs=0)
        assert ours.realised == pytest.approx(theirs.realised, nan_ok=True, rel=0, abs=0)
        pd.testing.assert_frame_equal(ours.equity_fan, theirs.equity_fan, check_names=False)
        pd.testing.assert_series_equal(ours.realised_equity, theirs.realised_equity, check_names=False)
        pd.testing.assert_frame_equal(ours.replays, theirs.replays)


def test_a_run_without_an_outcome_is_read_back_too(quick: StressResult, tmp_path: Path) -> None:
    """What there was nothing of is still nothing."""
    made = make_result("hold", universes=20, horizon=10, realised=False)
    loaded = load_run(made.save(tmp_path))
    assert loaded.future is None
    assert loaded.strategies[0].realised is None
    assert loaded.strategies[0].realised_equity is None
    assert loaded.to_dict() == made.to_dict()


def test_it_renders_as_it_did(saved: Path, result: StressResult) -> None:
    """Text and page of a stored run are those of the run itself."""
    loaded = load_run(saved)
    assert str(loaded) == str(result)
    assert render(loaded) == (saved / "report.html").read_text(encoding="utf-8")
    assert render(replace(loaded, stamp=None)) == render(result)


def test_the_same_test_writes_the_same_tables(result: StressResult, saved: Path, tmp_path: Path) -> None:
    """Saved again, everything has the same bytes but the manifest, and the pages, which show its seal."""
    again = result.save(tmp_path)
    for path in saved.rglob("*"):
        if path.is_file() and path.name not in ("manifest.json", *PAGES):
            assert (again / path.relative_to(saved)).read_bytes() == path.read_bytes(), path.name


# ------------------------------------------------------------------------------------------------------ names, places


def test_the_name_tells_when_what_and_which_settings(quick: StressResult) -> None:
    """Time, symbol and a digest of what decided the run; other settings give another name, a symbol no path."""
    now = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    name = run_id(quick, now)
    assert name.startswith("20240506-070809-walk-")
    assert run_id(replace(quick, config=quick.config | {"seed": 99}), now) != name
    odd = replace(quick, data=quick.data.model_copy(update={"symbol": "../../BTC/USD:x" + "y" * 100}))
    assert run_id(odd, now).startswith("20240506-070809-btc-usd-xy")
    assert "/" not in run_id(odd, now)
    assert run_id(replace(quick, data=quick.data.model_copy(update={"symbol": "№"})), now).startswith(
        "20240506-070809-bars-"
    )


def test_runs_of_one_second_do_not_collide(
    quick: StressResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved at the same moment, even by threads at once, each run has a folder of its own."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2024, 5, 6, tzinfo=tz)

    monkeypatch.setattr(runs, "datetime", Stopped)
    found: list[Path] = []
    workers = [threading.Thread(target=lambda: found.append(quick.save(tmp_path))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(found)) == 4
    name = run_id(quick, datetime(2024, 5, 6, tzinfo=UTC))
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}-2", f"{name}-3", f"{name}-4"]
    for path in found:
        assert load_run(path).to_dict() == quick.to_dict()


def test_another_run_that_comes_first_is_left_alone(
    quick: StressResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that appears between the look and the rename keeps its content; this run takes the next name."""
    rename, raced = os.rename, []

    def late(source: Path, target: Path) -> None:
        if not raced:
            raced.append(target)
            Path(target).mkdir()
            (Path(target) / "result.json").write_text("theirs")
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    ours = quick.save(tmp_path)
    assert ours.name == f"{raced[0].name}-2"
    assert (raced[0] / "result.json").read_text() == "theirs"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError("the disk is gone")])
@pytest.mark.parametrize("where", ["rename", "report", "table"])
def test_a_failed_write_leaves_nothing(
    quick: StressResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: OSError
) -> None:
    """When writing fails anywhere, one line says why and no partial folder is left."""

    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    if where == "rename":
        monkeypatch.setattr(os, "rename", fail)
    elif where == "report":
        monkeypatch.setattr("stresslab.report.write_report", fail)
    else:
        monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(InputError, match=rf"{error.strerror or error} while writing the run") as caught:
        quick.save(tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_nothing(
    quick: StressResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the report is written leaves no partial folder."""

    def interrupt(result: StressResult, folder: Path) -> None:
        (folder / "report.html").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr("stresslab.report.write_report", interrupt)
    with pytest.raises(KeyboardInterrupt):
        quick.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_cannot_be_written_is_refused(quick: StressResult, tmp_path: Path, place: str) -> None:
    """One line names the folder."""
    (tmp_path / "file").touch()
    for attempt in (check_writable, quick.save):
        with pytest.raises(InputError, match="cannot be written") as caught:
            attempt(tmp_path / place)
        assert str(tmp_path / place) in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_checking_a_place_leaves_nothing_in_it(tmp_path: Path) -> None:
    """The folder is made where it was missing, and is empty."""
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


# ------------------------------------------------------------------------------------------- folders that are no runs


@pytest.mark.parametrize("name", ["result.json", "manifest.json", *TABLES])
def test_a_missing_file_is_named(saved: Path, tmp_path: Path, name: str) -> None:
    """A folder that lacks one of its files is no run."""
    folder = copied(saved, tmp_path / "run")
    (folder / name).unlink()
    refused(folder, f"it has no {name}")


@pytest.mark.parametrize("name", ["result.json", "manifest.json", *TABLES])
@pytest.mark.parametrize("damage", [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: b"\xff\x00" * 20])
def test_a_damaged_file_is_refused(saved: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    """Truncated, emptied or overwritten: one line, whichever file it is."""
    folder = copied(saved, tmp_path / "run")
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    refused(folder, "run it again")


@pytest.mark.parametrize("version", [0, 1, "2", None, [2], "x" * 1000])
def test_another_format_is_refused(saved: Path, tmp_path: Path, version: Any) -> None:
    """A folder of another version says which it has and which can be read."""
    folder = copied(saved, tmp_path / "run")
    content = json.loads((folder / "result.json").read_text()) | {"format_version": version}
    (folder / "result.json").write_text(json.dumps(content))
    refused(folder, "has format_version .*, this stresslab reads 4; run it again")


def test_the_seal_stands_on_the_pages_and_in_the_ledger(saved: Path, tmp_path: Path) -> None:
    """Whoever changes a file together with its hash in the manifest changes the seal, which others hold."""
    manifest = json.loads((saved / "manifest.json").read_text())
    seal = manifest["seal"]
    assert seal == seal_of(manifest)
    source = manifest["strategies"]["idle"]
    for page in ("report.html", "summary.md"):
        text = (saved / page).read_text().replace("\\", "")
        assert f"seal of the manifest {seal}" in text
        assert manifest["run"] in text
        assert manifest["created"] in text
        assert source["sha256"] is None or source["sha256"][:12] in text
    lines = [json.loads(line) for line in (saved.parent / "ledger.jsonl").read_text().splitlines()]
    assert seal in [line["seal"] for line in lines if line["run"] == saved.name]
    folder = copied(saved, tmp_path / "run")
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace('"count": 40', '"count": 41'))
    manifest["files"]["result.json"] = hashlib.sha256((folder / "result.json").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "manifest.json" in verify(folder).changed


def test_a_changed_figure_is_noticed(saved: Path, tmp_path: Path) -> None:
    """A verdict that was edited by hand is not shown as a run's."""
    folder = copied(saved, tmp_path / "run")
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace('"label": "', '"label": "robust or ', 1))
    refused(folder, r"result\.json is not what the run wrote: it was damaged or changed")


@pytest.mark.parametrize("path", ["run", "run.horizon", "run.data.symbol", "strategies.0.verdict", "realism"])
@pytest.mark.parametrize("sealed", [True, False])
def test_a_fact_that_is_missing_is_named(saved: Path, tmp_path: Path, path: str, sealed: bool) -> None:
    """Also where the manifest was changed along with the file, as by another program."""
    folder = copied(saved, tmp_path / "run")
    content = json.loads((folder / "result.json").read_text())
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner: Any = content
    for part in parents:
        inner = inner[part]
    del inner[last]
    (folder / "result.json").write_text(json.dumps(content))
    if sealed:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["result.json"] = hashlib.sha256((folder / "result.json").read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, f"is incomplete .*{path}'.*; run it again" if sealed else "is not what the run wrote")


@pytest.mark.parametrize("text", ["[]", "3", "null", '"run"', "{}", "[" * 100_000, '{"files": 3}', '{"files": {}}'])
@pytest.mark.parametrize("name", ["result.json", "manifest.json"])
def test_other_json_is_refused(saved: Path, tmp_path: Path, name: str, text: str) -> None:
    """JSON that is something else, or nested beyond reading, is one line."""
    folder = copied(saved, tmp_path / "run")
    (folder / name).write_text(text)
    refused(folder, "run it again")


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere, and a file, are no runs."""
    refused(tmp_path / "nowhere", r"is not a run: it has no result\.json; name a folder such as reports/<run id>")
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "file is not a run but a file; name a folder such as reports/<run id>")


def test_runs_outlive_a_measure_that_is_added() -> None:
    """The stored sample is read, found whole, shown and compared where a measure was thought of later."""
    code = """
from dataclasses import replace
from types import MappingProxyType
import stresslab.metrics.measures as measures
new = replace(measures.MEASURES["max_drawdown"], name="new", label="A new one", added=True)
measures.MEASURES = MappingProxyType({**measures.MEASURES, "new": new})
from stresslab.report.formats.html import render
from stresslab.runs.folder import load_run
from stresslab.runs.verify import verify
result = load_run("reports/sample")
assert verify("reports/sample").whole, verify("reports/sample")
assert "A new one" in str(result)
assert "A new one" in render(result)
assert result.metrics["new"].isna().all()
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
