"""The pages in a real browser: Debian's Chromium, or what it is called elsewhere, driven by playwright."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from stresslab.analysis.compare import compare
from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import LABELS
from stresslab.report.formats.comparison import render_page
from stresslab.report.formats.html import render
from tests.make.gridded import gridded as grid_of
from tests.make.results import make_realism, make_result

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
HOSTILE = ("<script>alert(1)</script>", "\"quotes\" and 'more' & <b>bold</b>", "x" * 300, "策略 🚀 стратегия")
CUT = """() => [...document.querySelectorAll("main *")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && box.right > document.documentElement.clientWidth + 1 && !one.closest(".scroll, svg, .plot");
}).map((one) => one.outerHTML.slice(0, 120))"""
"""Elements beyond the right edge that no scrolling reaches."""
HIDDEN = """() => [...document.querySelectorAll(".scroll")].filter(
  (one) => one.scrollWidth > one.clientWidth + 1 && !one.closest("details:not([open])")
).map((one) => one.textContent.trim().slice(0, 80))"""
"""Tables wider than their frame, those that are folded aside."""
OVERLAPS = """() => {
  const found = [];
  for (const ticks of document.querySelectorAll(".x-ticks, .y-ticks, .legend, .overview tbody")) {
    if (ticks.closest("details:not([open])")) continue;
    const boxes = [...ticks.children].map((one) => one.getBoundingClientRect()).filter((box) => box.width > 0);
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
        found.push(ticks.textContent.trim().replace(/\\s+/g, " ").slice(0, 80));
    }));
  }
  return found;
}"""
"""Labels that lie on each other, outside what is folded."""


@dataclass
class Seen:
    """A page in the browser, and what went wrong on it or left it."""

    page: Any
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, NAMES)), None)  # None: the one that playwright brought itself
    with playwright.sync_playwright() as driver:
        try:
            running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium starts: {str(error).splitlines()[0]}")
        yield running
        running.close()


def opened(browser: Any, content: str, folder: Path, width: int, **options: Any) -> Seen:
    """A page from a file, watched from the first moment on."""
    path = folder / "report.html"
    path.write_text(content, encoding="utf-8")
    seen = Seen(browser.new_page(viewport={"width": width, "height": 900}, **options))
    seen.page.on("console", lambda message: seen.problems.append(message.text))
    seen.page.on("pageerror", lambda error: seen.problems.append(str(error)))
    seen.page.on("dialog", lambda dialog: (seen.problems.append(dialog.message), dialog.dismiss()))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(path.as_uri())
    return seen


def hostile() -> StressResult:
    """A result whose strategies, symbol, file names and notices try to be more than text."""
    names = dict(zip(("hold", "follow", "churn", "favour"), HOSTILE, strict=True))
    found = make_result(*names, universes=80, rename=names, notices=[HOSTILE[0]], realism=make_realism())
    data = found.data.model_copy(update={"symbol": HOSTILE[1], "source": f"/home/{HOSTILE[0]}.csv"})
    config = found.config | {"strategies": list(HOSTILE), "data": HOSTILE[0], "param": {"a": HOSTILE[1]}}
    return replace(found, data=data, config=config)


@pytest.mark.parametrize("name", ["single", "forward", "several", "assessed", "studied", "gridded"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_works(
    browser: Any, name: str, scheme: str, width: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Nothing is said on the console or fetched, every chart is drawn and answers, nothing overlaps or sticks out."""
    seen = opened(browser, render(request.getfixturevalue(name)), tmp_path, width, color_scheme=scheme)
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    plots = page.locator(".plot")
    assert plots.count() > 5
    for plot in plots.all():
        assert plot.locator("svg path:not(.grid)").count() > 0
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box["width"] > 150
        assert box["height"] > 60
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 20)
        tip = plot.locator(".tip")
        assert tip.is_visible()
        assert re.search(r"\d", tip.inner_text())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    assert page.evaluate(OVERLAPS) == []
    if width == 1280:
        assert page.evaluate(HIDDEN) == []
    assert seen.problems == []
    assert [address for address in seen.requests if not address.startswith(("file:", "data:"))] == []
    assert len(seen.requests) == 1
    page.close()


def test_a_map_answers_by_cell(browser: Any, tmp_path: Path) -> None:
    """Under the pointer stands the set of that cell, not that of its column."""
    seen = opened(browser, render(grid_of("fast", "slow")), tmp_path, 1280)
    plot = seen.page.locator('.plot[data-chart="grid-1-loss"]')
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    for column in range(3):
        for row in range(3):
            x, y = box["x"] + box["width"] * (column + 0.4) / 3, box["y"] + box["height"] * (1 - (row + 0.4) / 3)
            seen.page.mouse.move(x, y)
            assert plot.locator(".tip b").inner_text() == f"fast={column}, slow={row}"
    assert seen.problems == []
    seen.page.close()


def test_two_hundred_strategies_fit(browser: Any, tmp_path: Path) -> None:
    """A large grid scrolls inside its table, and what follows stays near the top."""
    base = make_result("hold", "follow", "churn", universes=60, horizon=30)
    many = [replace(base.strategies[i % 3], name=f"s[fast={i},slow=100]", parameters={"fast": i}) for i in range(200)]
    found = replace(base, strategies=many, config=base.config | {"grid": {"fast": list(range(200))}})
    seen = opened(browser, render(found), tmp_path, 1280)
    assert seen.page.locator(".contents").evaluate("one => one.getBoundingClientRect().top") < 1000
    assert seen.page.evaluate(HIDDEN) == []
    assert seen.page.locator("article.strategy").count() < 6
    assert seen.problems == []
    seen.page.emulate_media(media="print")
    rows = seen.page.locator(".crowd").evaluate("one => one.scrollHeight - one.clientHeight")
    assert rows <= 1
    shown = sum(row.is_visible() for row in seen.page.locator("table.overview tbody tr").all())
    assert 15 <= shown <= 20
    assert seen.page.locator(".paper").is_visible()
    seen.page.close()


def test_contents_lead_to_their_sections(browser: Any, several: StressResult, tmp_path: Path) -> None:
    """Every link of the contents, and of each strategy, brings its target to the top of the window."""
    seen = opened(browser, render(several), tmp_path, 1280, reduced_motion="reduce")
    links = seen.page.locator(".contents a, .overview a").all()
    assert len(links) >= len(several.strategies) + 7
    for link in links:
        link.click()
        target = seen.page.locator(f'[id="{link.get_attribute("href").removeprefix("#")}"]')
        top = target.evaluate("one => one.getBoundingClientRect().top")
        below = seen.page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
        assert -1 <= top <= 60 or (below <= 1 and 0 <= top < 900)
    assert seen.problems == []
    seen.page.close()


def test_the_overview_sorts(browser: Any, several: StressResult, tmp_path: Path) -> None:
    """A click sorts by number, a second one the other way, and what is undefined stays at the end."""
    seen = opened(browser, render(several), tmp_path, 1280)
    table = seen.page.locator("table.overview")
    headings = [cell.inner_text().strip() for cell in table.locator("thead th").all()]
    losses = {one.name: one.universes.probability_of_loss.value for one in several.strategies}

    def order() -> list[str]:
        return [cell.inner_text() for cell in table.locator("tbody th").all()]

    button = table.locator("thead button", has_text="P(loss)").first
    button.click()
    assert [losses[name] for name in order()] == sorted(losses.values())
    assert table.locator("thead th").nth(headings.index("P(loss)")).get_attribute("aria-sort") == "ascending"
    button.click()
    assert [losses[name] for name in order()] == sorted(losses.values(), reverse=True)
    table.locator("thead button", has_text="Strategy").click()
    assert order() == sorted(losses)
    verdicts = table.locator("thead button", has_text="Verdict")
    verdicts.focus()
    seen.page.keyboard.press("Enter")
    labels = [cell.inner_text().split()[-1] for cell in table.locator("tbody .badge").all()]
    assert labels == sorted(labels, key=list(LABELS).index)
    assert seen.problems == []
    seen.page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_hostile_names_are_text(browser: Any, width: int, tmp_path: Path) -> None:
    """Markup, quotes, 300 signs and other scripts appear as they are written, run nothing and burst nothing."""
    found = hostile()
    seen = opened(browser, render(found), tmp_path, width)
    words = seen.page.locator("main").inner_text()
    for name in HOSTILE:
        assert name in seen.page.locator("main").text_content()
    assert HOSTILE[0] in words
    assert seen.page.locator("main script:not(.hover), main b.bold").count() == 0
    assert seen.page.locator("h1").inner_text().startswith(HOSTILE[1])
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.page.evaluate(CUT) == []
    assert seen.problems == []
    seen.page.close()


@pytest.fixture(scope="module")
def gridded() -> StressResult:
    """Nine sets of two parameters."""
    return grid_of("fast", "slow")


@pytest.mark.parametrize("count", [3, 30])
def test_few_and_many_strategies(browser: Any, count: int, tmp_path: Path) -> None:
    """With 3 and with 30 strategies nothing overlaps, and the page opens quickly enough to answer at once."""
    base = make_result("hold", "follow", "churn", universes=60, horizon=30)
    strategies = [replace(base.strategies[i % 3], name=f"strategy {i}") for i in range(count)]
    seen = opened(browser, render(replace(base, strategies=strategies)), tmp_path, 1280)
    assert seen.page.locator("article.strategy").count() == count
    assert seen.page.evaluate(OVERLAPS) == []
    assert seen.page.evaluate(HIDDEN) == []
    assert seen.problems == []
    seen.page.close()


def test_eight_strategies_have_a_screen_each(browser: Any, studied: StressResult, tmp_path: Path) -> None:
    """Each with its evidence folded below it; folded, the page is a sixth of what it is unfolded, and less."""
    strategies = [replace(studied.strategies[i % 2], name=f"strategy {i}") for i in range(8)]
    seen = opened(browser, render(replace(studied, strategies=strategies)), tmp_path, 1280)
    height = "document.documentElement.scrollHeight"
    folded = seen.page.evaluate(height)
    assert folded < 18_000
    articles = seen.page.locator("article.strategy").all()
    assert len(articles) == 8
    for article in articles:
        assert article.evaluate("one => one.getBoundingClientRect().height") < 1100
        assert article.locator("details[open]").count() == 0
        assert article.locator("details").count() > 10
    seen.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert seen.page.evaluate(height) > 6 * folded
    seen.page.close()


@pytest.mark.parametrize("name", ["several", "studied"])
def test_print_cuts_no_table(browser: Any, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """On paper nothing is wider than the page, and what only a screen can use is gone."""
    seen = opened(browser, render(request.getfixturevalue(name)), tmp_path, 704)  # A4 less its margins
    seen.page.emulate_media(media="print")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 704
    assert seen.page.evaluate(HIDDEN) == []
    assert seen.page.evaluate(CUT) == []
    assert not seen.page.locator(".contents").is_visible()
    pages = seen.page.pdf(format="A4", print_background=True)
    assert pages.startswith(b"%PDF")
    assert pages.count(b"/Type /Page\n") >= 5
    seen.page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_comparison_works(browser: Any, width: int, tmp_path: Path) -> None:
    """Two runs beside each other: drawn, sortable, silent, and no wider than the window."""
    one = make_result("follow", "hold", universes=80)
    other = replace(one, config=one.config | {"fees": 0.002})
    seen = opened(browser, render_page(compare([one, other], ["a", "b"])), tmp_path, width)
    assert seen.page.locator(".plot").count() == 2
    seen.page.locator("table.overview thead button", has_text="P(loss)").click()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.page.evaluate(OVERLAPS) == []
    assert seen.problems == []
    assert len(seen.requests) == 1
    seen.page.close()
