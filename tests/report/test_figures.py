"""The pictures of a stress test and the folder that they are written to."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.image
import numpy as np
import pytest

from stresslab.report import write_report
from stresslab.report.figures import file_name, write_figures, write_losses
from stresslab.result import StressResult
from tests.results import make_result


@pytest.fixture(scope="module")
def folder(single: StressResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of one strategy."""
    path = tmp_path_factory.mktemp("run")
    write_report(single, path)
    return path


def test_page_and_pictures_are_written(folder: Path) -> None:
    """The folder holds the page, and pictures that are wide and not blank."""
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    pictures = sorted(path.name for path in (folder / "figures").iterdir())
    assert pictures == ["1-follow-drawdown.png", "1-follow-equity.png", "1-follow-pnl.png", "universes.png"]
    for name in pictures:
        pixels = matplotlib.image.imread(folder / "figures" / name)  # (rows, columns, channels)
        assert pixels.shape[1] >= 1000
        assert pixels[..., :3].std() > 0.05


def test_same_result_same_bytes(folder: Path, single: StressResult, tmp_path: Path) -> None:
    """Page and pictures depend on nothing but the result, and leave matplotlib's settings alone."""
    before = dict(matplotlib.rcParams)
    write_report(single, tmp_path)
    assert dict(matplotlib.rcParams) == before
    for path in folder.rglob("*.*"):
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_an_assessment_has_pictures(assessed: StressResult, tmp_path: Path) -> None:
    """Ranks and clustering are drawn where they were assessed."""
    write_figures(assessed, tmp_path)
    pictures = sorted(path.name for path in tmp_path.glob("realism-*"))
    assert pictures == ["realism-clustering.png", "realism-return.png", "realism-volatility.png"]
    for name in pictures:
        assert matplotlib.image.imread(tmp_path / name)[..., :3].std() > 0.05


@pytest.mark.filterwarnings("error")
def test_odd_names_and_no_trades(tmp_path: Path) -> None:
    """Formulas, other scripts and path separators in a name draw without a warning and stay in the folder."""
    names = {"idle": "../$\\frac{$ 策略", "hold": "///"}
    write_figures(make_result("idle", "hold", universes=20, realised=False, rename=names), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"1-frac-pnl.png", "2-strategy-equity.png", "universes.png"}


def test_file_names() -> None:
    """Names become parts of file names without separators, of bounded length."""
    assert file_name("sma_cross") == "sma_cross"
    assert file_name("..") == "strategy"
    assert len(file_name("x" * 300)) == 40


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("steps", [1, 24, 500])
def test_losses_are_drawn(tmp_path: Path, steps: int) -> None:
    """A training of any length gives a picture, the same at every call."""
    losses = np.exp(-np.arange(steps) / 100) + 1
    for name in ("a.png", "b.png"):
        write_losses(tmp_path / name, np.arange(1, steps + 1), losses, {"held-out loss": 1.4}, "nats a bar")
    assert matplotlib.image.imread(tmp_path / "a.png")[..., :3].std() > 0.03
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
