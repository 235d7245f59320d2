"""All runs of a folder, from their files."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.report.wording import percent, share
from stresslab.runs.index import index_of
from tests.make.decided import decided_run
from tests.make.intervals import score_interval
from tests.make.pages import Page


def test_a_row_is_what_its_run_says(tmp_path: Path) -> None:
    """P(loss), median, date and state are those of the run's files; its report is linked from where the page is."""
    run = decided_run(tmp_path, "--limits", "mandate")
    kept = run.parent / "tracking" / run.name
    kept.mkdir(parents=True)
    (kept / "track.json").write_text(json.dumps({"strategies": {"both_ways": {"state": "drifting"}}}))
    found = index_of(run.parent)
    (row,) = found.rows
    returns = pd.read_parquet(run / "metrics.parquet")["total_return"]
    lost = float((returns < 0).sum() + (returns == 0).sum() / 2)
    ends = score_interval(lost, len(returns))
    assert (row.loss.value, row.loss.low, row.loss.high) == pytest.approx((lost / len(returns), *ends))
    assert row.median == pytest.approx(returns.median())
    assert (row.strategy, row.market, row.horizon, row.state) == ("both_ways", "bars", 30, "drifting")
    assert row.created == json.loads((run / "manifest.json").read_text())["created"]
    page = found.save()
    assert page == run.parent / "index.html"
    for address in (row.report, row.tracking):
        assert f'href="{address}"' in page.read_text()
    assert (page.parent / row.report).exists()
    words = Page(page.read_text()).text
    shown = " ".join([share(lost / len(returns)), f"{share(ends[0])} to {share(ends[1])}"])
    edge = json.loads((run / "result.json").read_text())["strategies"][0]["edge"]["losses"]
    sides = [share(edge[side]["probability_of_loss"]["value"]) for side in ("without", "supported")]
    middle = percent(returns.median(), signed=True)
    assert f"{shown} {' '.join(sides)} not assessed {middle} drifting" in words
    assert f"{row.created[:10]} {row.created[11:16]} 30 120 5 bootstrap {run.name}" in words
    assert "1 run, 1 strategy, the newest first" in words
    assert "drifting" in words
    assert index_of(run.parent).rows == found.rows  # its own page is no run
    (kept / "track.json").write_text(json.dumps({"strategies": {"both_ways": {"state": "inside", "bars": 0}}}))
    assert index_of(run.parent).rows[0].state == "no bars yet"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A changed result is no row, and the others stay."""
    run = decided_run(tmp_path)
    other = run.with_name("20200101-000000-other-abcdef")
    other.mkdir()
    for name in ("manifest.json", "result.json"):
        (other / name).write_text((run / name).read_text().replace("both_ways", "no_ways"))
    found = index_of(run.parent)
    assert [row.run for row in found.rows] == [run.name]
    ((name, why),) = found.unread
    assert name == other.name
    assert "damaged or changed" in why
    assert "Not read" in found.save().read_text()


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    """Nothing is written where there is nothing to list."""
    with pytest.raises(InputError, match="holds no runs"):
        index_of(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        index_of(tmp_path / "nowhere")
