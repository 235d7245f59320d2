"""A report in every format, from a result alone."""

from __future__ import annotations

import base64
import builtins
import re
import stat
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stresslab.analysis.result import StressResult
from stresslab.core.errors import InputError
from stresslab.data.sources.load import load_bars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.metrics.measures import MEASURES
from stresslab.report.charts import images
from stresslab.report.formats import html
from stresslab.report.formats.markdown import summary
from stresslab.report.formats.registry import FORMATS, document, on_paper, render_all
from stresslab.report.formats.tables import tables
from stresslab.report.sections.paper import left_out
from stresslab.report.sections.registry import SECTIONS, parts
from stresslab.runs.plan import Compute, Studies
from stresslab.runs.stress_test import stress_test
from tests.make.results import make_result

LIGHT = [name for name in FORMATS if name != "pdf"]


@pytest.fixture(scope="module")
def written(several: StressResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything but the PDF."""
    folder = tmp_path_factory.mktemp("formats")
    render_all(several, folder, LIGHT)
    return folder


def test_each_format_writes_what_it_says(several: StressResult, tmp_path: Path) -> None:
    """One format alone writes its own files and returns where they are."""
    for name in ("md", "csv", "json"):
        (path,) = render_all(several, tmp_path / name, [name])
        assert path.exists()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".csv") == [
        "result.json", "result.schema.json", "summary.md",
    ]  # fmt: skip


def test_all_formats_are_written_or_none(single: StressResult, tmp_path: Path) -> None:
    """A number that JSON has no word for is found after the summary was made; what lay there before stays."""
    (tmp_path / "summary.md").write_text("before")
    spoilt = replace(single, generator_facts={"repaired_share": float("inf")})
    with pytest.raises(ValueError, match="JSON"):
        render_all(spoilt, tmp_path, ["md", "json"])
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("summary.md", "before")]
    tmp_path.chmod(0o755)
    render_all(single, tmp_path, ["md"])
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_tables_hold_what_the_result_holds(written: Path, several: StressResult) -> None:
    """CSV and parquet are the same tables: a row per strategy, per measure of each, and per universe of each."""
    names = {one.name for one in several.strategies}
    for name, table in tables(several).items():
        parquet = pd.read_parquet(written / "tables" / f"{name}.parquet")
        csv = pd.read_csv(written / "tables" / f"{name}.csv")
        pd.testing.assert_frame_equal(parquet, table, check_dtype=False)
        assert list(csv.columns) == list(table.columns)
        assert len(csv) == len(table)
    verdicts = pd.read_csv(written / "tables" / "verdicts.csv").set_index("strategy")
    assert set(verdicts.index) == names
    for one in several.strategies:
        row = verdicts.loc[one.name]
        assert row["verdict"] == one.verdict.label
        assert row["probability_of_loss"] == pytest.approx(one.universes.probability_of_loss.value)
    assert len(pd.read_csv(written / "tables" / "measures.csv")) == len(names) * len(MEASURES)
    assert len(pd.read_csv(written / "tables" / "metrics.csv")) == len(several.metrics)


def test_studies_have_tables(studied: StressResult) -> None:
    """Errors in their parts, shocks beside the base case, and origins, one row each for every studied strategy."""
    found = tables(studied)
    asked = [one for one in studied.strategies if one.edge is not None]
    assert list(found["verdicts"]["edge"].dropna()) == [one.edge.label for one in asked]
    for one in asked:
        origins = found["origins"][found["origins"]["strategy"] == one.name]
        assert list(origins["origin"]) == [row.origin for row in one.studies.walk_forward.origins]
        shocks = found["shocks"][found["shocks"]["strategy"] == one.name]
        assert shocks["shock"].iloc[0] == "as generated"
        assert len(shocks) == 1 + len(one.studies.shocks)
        errors = found["errors"][found["errors"]["strategy"] == one.name]
        own = errors[(errors["figure"] == "P(loss)") & (errors["part"] == "monte_carlo")].iloc[0]
        loss = one.universes.probability_of_loss
        assert (own["value"], own["low"], own["high"]) == (loss.value, loss.low, loss.high)
        assert set(errors["part"]) == {"monte_carlo", "generators", "origins"}
        knobs = found["generator_sweep"][found["generator_sweep"]["strategy"] == one.name]
        assert len(knobs) == len(studied.studies.generator_sweep.settings)
        assert {"temperature", "top_p", "context", "probability_of_loss", "volatility_ratio"} <= set(knobs)
        worlds = found["alternative_generators"]
        assert len(worlds[worlds["strategy"] == one.name]) == len(one.studies.alternative_generators)
        assert len(found["costs"][found["costs"]["strategy"] == one.name]) == len(one.studies.costs)
    assert set(found["parameters"]["strategy"]) == {"trend"}
    assert list(found["parameters"]["moved_to"].dropna()) == [8, 12]
    assert set(found["origins"]["strategy"]) == {one.name for one in asked}


def test_summary_says_it_on_one_page(several: StressResult, single: StressResult) -> None:
    """Every verdict with P(loss) and reasons, the notices and the limits, in few lines."""
    for result in (several, single):
        text = summary(result)
        assert len(text.splitlines()) < 60
        for one in result.strategies:
            assert f"| {one.name} | {one.verdict.label} |" in text
            assert one.verdict.reasons[0].split("(")[0].strip() in text
        assert "Nothing here is investment advice." in text
    assert "strategies" in summary(several).split("|")[0]


def test_summary_of_hostile_names_is_text() -> None:
    """Pipes, markup and links from outside cannot change the page."""
    evil = "a|b [x](javascript:alert(1)) <img src=x> `c`"
    text = summary(make_result("follow", universes=20, rename={"follow": evil}))
    row = next(line for line in text.splitlines() if line.startswith("| a"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 10
    assert not re.search(r"(?<!\\)<img|(?<!\\)\]\(", text)


def test_a_command_that_makes_it_again() -> None:
    """The command that was recorded is shown; from Python there is none."""
    result = make_result("follow", universes=20)
    assert "The command" not in summary(result)
    text = summary(replace(result, config=result.config | {"command": "stresslab run a.py --seed 7"}))
    assert "    stresslab run a.py --seed 7\n" in text


def test_sections_without_content_are_left_out(forward: StressResult, assessed: StressResult) -> None:
    """Only what has something to say stands in the report and its contents."""
    keys = [part.section.key for part in parts(forward)]
    assert "realism" not in keys
    assert "contrasts" not in keys
    assert "realism" in [part.section.key for part in parts(assessed)]
    page = html.render(forward)
    contents = page[page.index('class="contents"') : page.index("</nav>")]
    for section in SECTIONS:
        assert (f'id="{section.key}"' in page) == (section.key in keys)
        assert (f'href="#{section.key}"' in contents) == (section.key in keys[1:])


def test_pdf_needs_weasyprint(several: StressResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it one line says how to get it, and nothing is written."""
    load = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".")[0] == "weasyprint":
            raise ImportError(name)
        return load(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r'pip install "stresslab\[pdf\]"') as caught:
        render_all(several, tmp_path / "new", ["html", "pdf"])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_letters_of_charts_on_paper_are_text(single: StressResult) -> None:
    """So that a reader can search a PDF for them; pictures as files have outlines, the same on every machine."""
    chart = next(one for part in parts(single) for one in part.charts if one.key == "strategy-1-pnl")
    drawn = base64.b64decode(on_paper(chart, "half").partition("base64,")[2]).decode()
    for label in [tick.label for tick in chart.x_ticks if not tick.minor] + [mark.label for mark in chart.marks]:
        assert f">{label}</text>" in drawn
    assert "</text>" not in images.picture(chart, "svg").decode()


def test_pdf_is_made_of_the_same_sections(single: StressResult, tmp_path: Path) -> None:
    """The PDF is a PDF, and its page holds pictures of the charts that paper shows, by name, and no script."""
    pytest.importorskip("weasyprint", exc_type=(ImportError, OSError))
    (path,) = render_all(single, tmp_path, ["pdf"])
    assert path.read_bytes().startswith(b"%PDF")
    assert path.stat().st_size > 50_000
    prepared = parts(single)
    page = html.render(single, prepared, draw=on_paper)
    shown = {chart.title for part in prepared for chart in part.charts if not left_out(chart.key)}
    drawn = [unescape(text) for text in re.findall(r'<img src="data:image/svg[^"]+" alt="([^"]+)"', page)]
    assert {title for title in shown if any(text.startswith(title) for text in drawn)} == shown
    assert len(drawn) == len(shown)
    kinds = ("equity", "falls", "followed", "rolling-sharpe", "underwater", "worst-1", "worst-2", "worst-3")
    gone = {chart.key for part in prepared for chart in part.charts if left_out(chart.key)}
    assert gone == {f"strategy-1-{kind}" for kind in kinds}
    assert "<script" not in page


@pytest.mark.slow
def test_four_strategies_have_at_most_twenty_sheets(tmp_path: Path) -> None:
    """Those of the repository, studied in every way that a run studies them by itself, and from other dates too."""
    pytest.importorskip("weasyprint", exc_type=(ImportError, OSError))
    names = ("buy_and_hold", "donchian_breakout", "rsi_reversion", "sma_cross")
    result = stress_test(
        [Path(__file__).parents[3] / "strategies" / f"{name}.py" for name in names],
        load_bars("sample:bitcoin"),
        StationaryBootstrap(),
        universes=100,
        horizon=120,
        seed=7,
        studies=Studies(walk_forward=6, alternative_generators=True, permutations=99),
        compute=Compute(jobs=1),
    )
    assert [one.name for one in result.strategies] == list(names)
    assert all(one.edge is not None for one in result.strategies)
    sheets = len(document(html.render(result, draw=on_paper)).pages)
    assert 10 <= sheets <= 20
