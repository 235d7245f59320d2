"""Tracking of a stored run: every number of the page again, by plain numpy from what is kept beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.data.sources.load import load_bars
from stresslab.report.wording import percent, share
from stresslab.runs.decision_settings import TrackSettings
from stresslab.runs.track_run import TrackedRun, new_bars, track_run
from tests.make.bars import make_bars
from tests.make.decided import decided_run
from tests.make.pages import Page


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A run that ends at its last bar, a file with twenty bars more, and a folder for what is kept."""
    folder = tmp_path_factory.mktemp("tracked")
    run = decided_run(folder, "--origin", "end")
    whole = make_bars(720)
    known = load_bars(str(folder / "bars.csv"))
    scale = known.values[-1, 3] / whole.values[699, 3]
    frame = whole.frame.iloc[700:].copy()
    frame[["open", "high", "low", "close"]] *= scale
    later = pd.concat([known.frame, frame])
    later.to_csv(folder / "later.csv", index_label="date")
    (folder / "kept").mkdir()
    return run, folder / "later.csv", folder / "kept"


def looked(place: tuple[Path, Path, Path], **more: Any) -> TrackedRun:
    """The run against the later bars."""
    run, later, kept = place
    return track_run(run, TrackSettings.of({"runs": [str(run)], **more}), kept, str(later))


def test_the_numbers_are_those_of_plain_numpy(place: tuple[Path, Path, Path]) -> None:
    """Bands, returns and the share of universes that are as extreme, from the kept curves and the bars."""
    _, later, kept = place
    found = looked(place).states["both_ways"]
    with np.load(kept / "reference.npz") as content:
        closes, equity = content["closes"].astype(float), content["equity-0"].astype(float)
    bars = load_bars(str(later)).frame
    path = bars["close"].to_numpy()[700:] / bars["close"].iloc[699]
    assert found.bars == 20
    assert found.price_change == pytest.approx(path[-1] - 1)
    by_name = {one.name: one for one in found.monitors}
    for name, curves, alpha in (("account", equity, 0.01), ("price", closes, 0.0075)):
        logs = np.log(curves)
        low, middle, high = np.quantile(logs, [0.025, 0.5, 0.975], axis=1)
        spread = logs.std(axis=1)
        roots = np.sqrt(np.arange(1, len(logs) + 1) / len(logs))
        above, below = (
            np.maximum(np.maximum(one, spread), 0.1 * one.max() * roots + 1e-9) for one in (high - middle, middle - low)
        )
        worst = [
            max(max((one[at] - middle[at]) / above[at], (middle[at] - one[at]) / below[at]) for at in range(len(one)))
            for one in logs.T
        ]
        critical = sorted(worst)[-max(int(alpha * (len(worst) + 1)), 1)]
        assert by_name[name].low == pytest.approx(np.expm1(middle - critical * below)[19], rel=1e-6)
        assert by_name[name].high == pytest.approx(np.expm1(middle + critical * above)[19], rel=1e-6)
    assert by_name["price"].value == pytest.approx(path[-1] - 1)
    assert by_name["account"].value == pytest.approx(found.account_return)


def test_the_account_is_that_of_a_loop(place: tuple[Path, Path, Path]) -> None:
    """Long above the mean of twenty closes and short below, filled at the next open with the run's costs."""
    _, later, _ = place
    found = looked(place).lives["both_ways"].equity
    bars = load_bars(str(later)).frame
    closes, opens = bars["close"].to_numpy(), bars["open"].to_numpy()
    means = pd.Series(closes).rolling(20).mean().to_numpy()
    cash, units, last = 1.0, 0.0, 0.0
    for at in range(700, 720):
        wanted = 2.0 * (closes[at - 1] > means[at - 1]) - 1.0
        if wanted != last:
            value = cash + units * opens[at]
            change = wanted * value / opens[at] - units
            fill = opens[at] * (1 + 0.0005 * np.sign(change))
            if change > 0:
                change = min(change, (cash + max(0.0, 0.0)) / (fill * 1.0005)) if wanted > 0 else change
            cash -= change * fill + abs(change) * fill * 0.0005
            units, last = units + change, wanted
        assert found[at - 700] == pytest.approx(cash + units * closes[at], rel=2e-4)


def test_the_page_shows_these_numbers(place: tuple[Path, Path, Path]) -> None:
    """State, returns and the share that is as extreme stand on the page; the history has a line for each look."""
    _, _, kept = place
    run = looked(place)
    page, state, history = run.save(kept)
    found = run.states["both_ways"]
    words = Page(page.read_text()).text
    assert f"{found.bars} of 30 bars since the run" in words
    assert f"the account made {percent(found.account_return, signed=True)}" in words
    assert f"{share(found.as_extreme)} of universes are at least as extreme" in words
    before = len(history.read_text().splitlines())
    assert json.loads(state.read_text())["strategies"]["both_ways"]["state"] == found.state
    looked(place).save(kept)
    assert len(history.read_text().splitlines()) == before + 1


def test_what_is_kept_gives_the_same(place: tuple[Path, Path, Path]) -> None:
    """A second look reads the curves, a first one samples them; damage makes them again."""
    _, _, kept = place
    second = looked(place).states
    (kept / "reference.npz").write_bytes(b"cut short")
    assert looked(place).states == second


def test_an_account_of_ones_own_takes_the_strategys_place(place: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Its equity is what is watched."""
    _, later, _ = place
    stamps = load_bars(str(later)).timestamps[699:]
    (tmp_path / "account.csv").write_text(
        "time,equity\n" + "".join(f"{stamp.date()},{1000 * 0.97**at}\n" for at, stamp in enumerate(stamps))
    )
    found = looked(place, equity=str(tmp_path / "account.csv")).states["both_ways"]
    assert found.account_return == pytest.approx(0.97**20 - 1)
    assert found.state == "outside"


def test_bars_that_do_not_go_on_are_refused(place: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Prices that were adjusted since are named."""
    _, later, _ = place
    bars = load_bars(str(later))
    (bars.frame * 2).to_csv(tmp_path / "other.csv", index_label="date")
    with pytest.raises(InputError, match="adjusted since"):
        new_bars(bars[:700], str(tmp_path / "other.csv"), 30)
    assert len(new_bars(bars, str(later), 30)) == 0
