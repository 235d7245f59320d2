"""What a run was made of, from its manifest: refused where it cannot be the same, named where it may differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.runs.plan import Compute, Studies
from stresslab.runs.rerun import rerun
from stresslab.runs.restore import check_stopped, finished
from stresslab.runs.stress_test import stress_test
from tests.make.bars import make_bars
from tests.make.runs import edited


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


def test_all_that_a_run_was_made_of_is_restored(original: Path) -> None:
    """Settings, strategies of the run's own folder, bars, generator and measures, with no difference."""
    found = finished(original, jobs=3)
    assert found.settings.jobs == 3
    assert (found.settings.seed, found.settings.universes, found.settings.param) == (5, 70, {"window": 15})
    assert found.settings.strategies == (str(original / "inputs" / "strategies" / "1" / "above.py"),)
    assert found.bars.digest == json.loads((original / "manifest.json").read_text())["data"]["digest"]
    assert found.generator.name == "bootstrap"
    pd.testing.assert_frame_equal(found.metrics, pd.read_parquet(original / "metrics.parquet"))
    assert found.differences == ()


def test_a_folder_without_a_plan_is_no_run_that_was_stopped(tmp_path: Path) -> None:
    """The line says which folder to name; with a plan it passes."""
    with pytest.raises(InputError, match="holds no run that was stopped; name the folder"):
        check_stopped(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    check_stopped(tmp_path)
