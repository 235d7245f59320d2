"""One run says the same in every place: the same words, and the same figures rounded the same way."""

from __future__ import annotations

import contextlib
import html
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from stresslab.cli import main
from stresslab.core.text import percent
from stresslab.report.formats.html import render
from stresslab.report.formats.registry import document, on_paper
from stresslab.runs.folder import load_run
from tests.make.bars import make_bars
from tests.make.decided import CODE

SETTINGS = (
    "--generator", "bootstrap", "--universes", "130", "--horizon", "30", "--seed", "5", "--realism-origins", "12",
    "--warmup", "60", "--permutations", "99", "--jobs", "1",
)  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What a run found, as people read it."""

    label: str
    edge: str
    loss: str
    interval: str
    without: str
    planted: str
    realism: str
    horizon: str
    universes: str
    seed: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that differ in their seed, the bars that followed, the strategy, and what every command prints."""
    folder = tmp_path_factory.mktemp("story")
    bars = make_bars(700).frame
    bars.to_csv(folder / "later.csv", index_label="date")
    bars[:-20].to_csv(folder / "bars.csv", index_label="date")
    (folder / "both_ways.py").write_text(CODE)
    return folder


@pytest.fixture(scope="module")
def places(place: Path) -> dict[str, str]:
    """The texts of one run, by where they are read."""
    words = ["run", place / "both_ways.py", "--data", place / "bars.csv", "--out", place / "runs", *SETTINGS]
    texts = {"run": printed(*words, "--origin", "end")}
    (run,) = (place / "runs").glob("2*/")
    (place / "other").mkdir()
    printed(*words[:4], "--out", place / "other", *SETTINGS, "--seed", "6", "--origin", "end")
    (other,) = (place / "other").glob("2*/")
    texts |= {
        "show": printed("show", run),
        "compare": printed("compare", run, other, "--out", place / "compared"),
        "track": printed("track", run, "--data", place / "later.csv"),
    }
    printed("index", place / "runs")
    result = load_run(run)
    texts |= {
        "page": read(run / "report.html"),
        "summary": re.sub(r"\\", "", (run / "summary.md").read_text(encoding="utf-8")),
        "comparison": read(place / "compared" / "comparison.html"),
        "tracking": read(next((place / "runs" / "tracking").glob("*/track.html"))),
        "index": read(place / "runs" / "index.html"),
        "notebook": plain(result._repr_html_()),
    }
    return {name: " ".join(text.split()) for name, text in texts.items()}


def printed(*words: object) -> str:
    """What a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([str(word) for word in words]) in (0, 4)
    return out.getvalue()


def read(path: Path) -> str:
    """The text of a page."""
    return plain(path.read_text(encoding="utf-8"))


def plain(page: str) -> str:
    """The text of HTML, without scripts, styles and marks."""
    without = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", without))


@pytest.fixture(scope="module")
def facts(places: dict[str, str], place: Path) -> Facts:
    """What `result.json` holds, in words."""
    (run,) = (place / "runs").glob("2*/")
    found = json.loads((run / "result.json").read_text())
    (one,) = found["strategies"]
    loss = one["universes"]["probability_of_loss"]
    sides = one["edge"]["losses"]
    return Facts(
        one["verdict"]["label"],
        one["edge"]["label"],
        percent(loss["value"]),
        f"{percent(loss['low'])} to {percent(loss['high'])}",
        percent(sides["without"]["probability_of_loss"]["value"]),
        percent(sides["supported"]["probability_of_loss"]["value"]),
        found["realism"]["label"],
        str(found["run"]["horizon"]),
        str(found["run"]["universes"]),
        str(found["run"]["config"]["seed"]),
    )


PLACES = ("run", "show", "page", "summary", "notebook", "compare", "comparison", "track", "tracking", "index")
FIGURES = ("loss", "without", "planted")


@pytest.mark.parametrize("where", PLACES)
def test_labels_are_the_same(places: dict[str, str], facts: Facts, where: str) -> None:
    """Verdict, edge, and whether the universes are trusted; no place has another label."""
    text = places[where].lower()
    assert re.search(rf"\b{facts.label}\b", text)
    assert re.search(rf"\bedge\b.{{0,1500}}\b{facts.edge}\b", text)
    assert facts.realism in text


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("which", FIGURES)
def test_probabilities_are_the_same(places: dict[str, str], facts: Facts, where: str, which: str) -> None:
    """P(loss) as generated, without an edge and with the strategy's, rounded as in every other place."""
    assert re.search(rf"(?<![\d.]){re.escape(getattr(facts, which))}", places[where]), getattr(facts, which)


@pytest.mark.parametrize("where", PLACES)
def test_size_and_seed_are_the_same(places: dict[str, str], facts: Facts, where: str) -> None:
    """Bars, universes and seed stand in every place."""
    for number in (facts.horizon, facts.universes, facts.seed):
        assert re.search(rf"(?<![\d.,]){number}(?![\d.,]*\d)", places[where]), number


def test_pages_of_the_run_have_the_interval(places: dict[str, str], facts: Facts) -> None:
    """Where P(loss) is a headline, its interval stands beside it."""
    for where in ("run", "show", "page", "summary", "notebook", "compare", "comparison", "index"):
        assert facts.interval in places[where], where


def test_the_pdf_says_the_same(facts: Facts, place: Path) -> None:
    """What is set on its sheets, read from them."""
    pytest.importorskip("weasyprint")
    (run,) = (place / "runs").glob("2*/")
    sheets = document(render(load_run(run), draw=on_paper)).pages
    boxes = [box for sheet in sheets for box in sheet._page_box.descendants()]
    text = " ".join(" ".join(box.text for box in boxes if getattr(box, "text", None)).split())
    for words in (facts.label, facts.edge, facts.loss, facts.interval, facts.without, facts.planted, facts.realism):
        assert words in text, words
    for number in (facts.horizon, facts.universes, facts.seed):
        assert re.search(rf"(?<![\d.,]){number}(?![\d.,]*\d)", text), number
