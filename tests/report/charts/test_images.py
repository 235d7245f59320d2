"""Charts as files, and the folder of a report."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import matplotlib.image
import pytest
from matplotlib.text import Text

from stresslab.analysis.result import StressResult
from stresslab.report import write_report
from stresslab.report.charts.chart import Chart, Shape
from stresslab.report.charts.images import SIZE, begun, drawn, file_name, outline, picture, write_figures
from stresslab.report.formats.registry import SIZES
from stresslab.report.sections.registry import parts
from stresslab.report.wording import columns, shortened, wrapped
from tests.make.results import make_result


def charts_of(result: StressResult) -> list[Chart]:
    """Every chart of a report."""
    return [chart for part in parts(result) for chart in part.charts]


@pytest.fixture(scope="module")
def folder(single: StressResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of one strategy."""
    path = tmp_path_factory.mktemp("run")
    write_report(single, path)
    return path


def test_page_summary_and_pictures_are_written(folder: Path) -> None:
    """The folder holds the page, the summary, and pictures that are wide and not blank."""
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (folder / "summary.md").read_text(encoding="utf-8").startswith("# WALK in 200 universes")
    pictures = sorted(path.name for path in (folder / "figures").iterdir())
    kinds = (
        "drawdown", "equity", "falls", "followed", "pnl", "rolling-sharpe", "track", "underwater",
        "worst-1", "worst-2", "worst-3",
    )  # fmt: skip
    assert pictures == [*(f"1-follow-{kind}.png" for kind in kinds), "universes.png"]
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


def test_every_chart_has_a_picture(result: StressResult) -> None:
    """What the page draws can be drawn as PNG and SVG, whatever styles it has; the SVG is the same every time."""
    drawn = charts_of(result)
    assert len({chart.key for chart in drawn}) == len(drawn)
    for chart in drawn:
        svg = picture(chart, "svg")
        assert svg == picture(chart, "svg")
        assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_a_style_without_a_look_is_noticed() -> None:
    """A new style of a shape cannot be forgotten in the pictures."""
    chart = Chart("new", "New", "A sentence.", [], [], "", "", [Shape("unheard-of", "M0 0L10 10")])
    with pytest.raises(KeyError, match="no picture knows the style 'unheard-of'"):
        picture(chart, "png")


def test_paths_keep_their_corners() -> None:
    """Lines, bars and closed areas of the page become the same outlines."""
    bar = outline("M10 1000V250.5H30V1000Z")
    assert bar.vertices.tolist() == [[10, 1000], [10, 250.5], [30, 250.5], [30, 1000], [10, 1000]]
    assert [int(code) for code in bar.codes] == [1, 2, 2, 2, 79]
    two = outline("M0 -5L1 2.5L3 4M7 7V9")
    assert two.vertices.tolist() == [[0, -5], [1, 2.5], [3, 4], [7, 7], [7, 9]]
    assert [int(code) for code in two.codes] == [1, 2, 2, 1, 2]


@pytest.mark.parametrize("size", sorted(SIZES))
@pytest.mark.parametrize("name", ["single", "assessed", "studied"])
@pytest.mark.slow
def test_no_text_leaves_its_picture(size: str, name: str, request: pytest.FixtureRequest) -> None:
    """At every size on paper each label, mark and legend lies within the picture."""
    for chart in charts_of(request.getfixturevalue(name)):
        figure = drawn(chart, "", SIZES[size])
        figure.canvas.draw()
        width, height = figure.get_size_inches() * figure.dpi
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text().strip():
                box = text.get_window_extent()
                assert box.x0 > -2, (chart.key, text.get_text())
                assert box.x1 < width + 2, (chart.key, text.get_text())
                assert box.y0 > -2, (chart.key, text.get_text())
                assert box.y1 < height + 2, (chart.key, text.get_text())


@pytest.mark.slow
def test_an_assessment_has_pictures(assessed: StressResult, tmp_path: Path) -> None:
    """Ranks and clustering are drawn where they were assessed."""
    write_figures(charts_of(assessed), ["follow"], tmp_path, ["png", "svg"])
    pictures = sorted(path.name for path in tmp_path.glob("realism-*.png"))
    assert pictures == ["realism-clustering.png", "realism-ranks.png"]
    for name in pictures:
        assert matplotlib.image.imread(tmp_path / name)[..., :3].std() > 0.05
        assert (tmp_path / name).with_suffix(".svg").stat().st_size > 1000


@pytest.mark.filterwarnings("error")
def test_odd_names_and_no_trades(tmp_path: Path) -> None:
    """Formulas, other scripts and path separators in a name draw without a warning and stay in the folder."""
    names = {"idle": "../$\\frac{$ 策略 🚀", "hold": "///"}
    found = make_result("idle", "hold", universes=20, realised=False, rename=names)
    write_figures(charts_of(found), [one.name for one in found.strategies], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"1-frac-pnl.png", "2-strategy-equity.png", "universes.png"}


def test_titles_after_a_name(single: StressResult) -> None:
    """A word begins small, a symbol stays; a title of wide signs is cut within the picture."""
    assert begun("Deepest drawdown") == "deepest drawdown"
    assert begun("P(loss) from other dates") == "P(loss) from other dates"
    for name in ("W" * 300, "i" * 300, "策略" * 100):
        figure = drawn(charts_of(single)[0], name, SIZE)
        heading = figure.texts[0]
        assert heading.get_window_extent().x1 < figure.bbox.width
        assert len(heading.get_text()) > 25


def test_file_names() -> None:
    """Names become parts of file names without separators, of bounded length."""
    assert file_name("sma_cross") == "sma_cross"
    assert file_name("..") == "strategy"
    assert len(file_name("x" * 300)) == 40


def test_wide_signs_take_two_columns() -> None:
    """A heading fits its line in any script, and nothing of a sentence is lost when it is broken."""
    assert columns("策略 a") == 6
    for text in ("x" * 300, "策略" * 100, "short", "🚀" * 50):
        cut = shortened(text, 84)
        assert columns(cut) <= 84
        assert cut == text or cut.endswith("…")
        lines = wrapped(f"before {text} after", 40)
        assert all(columns(line) <= 40 for line in lines)
        assert "".join("".join(lines).split()) == f"before{text}after"
