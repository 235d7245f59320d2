"""One universe of a stored run again, by its number alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.cli import main
from stresslab.data import load_bars
from stresslab.generators.kronos.generator import Kronos
from stresslab.runs.replay import replay
from tests.make.bars import make_bars
from tests.make.runs import SETTINGS, stored_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two sets of parameters and stops; not to be changed."""
    flags = ("--generator", "bootstrap", "--grid", "window=10,20", "--stop-loss", "0.03", "--jobs", "2")
    return stored_run(tmp_path_factory.mktemp("replay"), *flags)


def test_any_universe_has_the_measures_that_were_stored(run: Path) -> None:
    """The first, one in the middle and the last; of all strategies, or of one."""
    stored = pd.read_parquet(run / "metrics.parquet")
    for number in (0, 33, 69):
        found = replay(run, number)
        assert found.same
        assert found.differences == ()
        own = stored[stored["universe"] == number].reset_index(drop=True)
        pd.testing.assert_frame_equal(found.measures, own)
        for row in own.itertuples():
            account = found.accounts[row.strategy]
            assert account["equity"].iloc[-1] / found.terms.init_cash - 1 == pytest.approx(row.total_return, abs=1e-12)
            held = account["held"].iloc[-1] / found.terms.init_cash - 1
            assert row.total_return - held == pytest.approx(row.excess_return, abs=1e-12)
    one = replay(run, 5, ["above[window=20]"])
    assert list(one.accounts) == ["above[window=20]"]
    assert one.same


@pytest.mark.slow
def test_kronos_draws_the_same_universe_alone(tmp_path: Path) -> None:
    """Bars equal those that the generator gives for all."""
    folder = stored_run(tmp_path, "--generator", "kronos", "--context", "40")
    found = replay(folder, 41)
    assert found.same
    history = load_bars(tmp_path / "bars.csv")[:388]
    whole = Kronos(context=40).sample(history, 12, 70, 5)
    np.testing.assert_array_equal(found.universe.values[0], whole.values[41])


def test_changed_bars_do_not_matter(tmp_path: Path) -> None:
    """The run kept those that it was given."""
    folder = stored_run(tmp_path, "--generator", "bootstrap")
    make_bars(401).frame.to_csv(tmp_path / "bars.csv", index_label="date")
    assert replay(folder, 3).same


def test_a_tear_sheet_of_what_moved(run: Path, tmp_path: Path) -> None:
    """Beside buy and hold; of an account that stands still there is none, and a line says so."""
    pytest.importorskip("quantstats")
    found = replay(run, 33)
    found.accounts["above[window=20]"]["equity"] = found.terms.init_cash
    written, missing = found.save(tmp_path, tear_sheets=True)
    (page,) = (path for path in written if path.suffix == ".html")
    assert "above[window=10] in universe 33" in page.read_text()
    assert missing == ["no tear sheet of above[window=20]: its account never moves"]


def test_a_tear_sheet_knows_the_frequency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hourly bars are annualised by the hours of their year; too few of them make no sheet, and a line says so."""
    quantstats = pytest.importorskip("quantstats")
    make_bars(400, freq="1h").frame.to_csv(tmp_path / "bars.csv", index_label="date")
    strategy = tmp_path / "half.py"
    strategy.write_text("def weights(bars):\n    return bars.close * 0 + 0.5\n")
    words = ["run", strategy, "--data", tmp_path / "bars.csv", "--out", tmp_path / "runs", "--generator", "bootstrap"]
    assert main([str(word) for word in [*words, *SETTINGS]]) == 0
    (run,) = (tmp_path / "runs").glob("2*/")
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(quantstats.reports, "html", lambda *series, **more: asked.append(more["periods_per_year"]))
        replay(run, 3).save(tmp_path / "out", tear_sheets=True)
    found = replay(run, 3)
    assert asked == [round(found.universe.history.periods_per_year)]
    assert asked[0] > 5000

    def singular(*series: object, **more: object) -> None:
        raise np.linalg.LinAlgError("singular matrix" + " of many words" * 20)

    monkeypatch.setattr(quantstats.reports, "html", singular)
    written, missing = found.save(tmp_path / "out", tear_sheets=True)
    assert len(written) == 3
    assert missing[0].startswith("no tear sheet of half: quantstats makes none of 12 bars in 1 day (singular matrix of")
    assert missing[0].endswith("…)")
