"""The page of all runs in a real browser: it sorts, filters, links and fits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stresslab.report.formats.index_page import render_index
from tests.make.indexed import rows

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as driver:
        try:
            running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium starts: {str(error).splitlines()[0]}")
        yield running
        running.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_it_sorts_filters_and_fits(browser: Any, width: int, tmp_path: Path) -> None:
    """Nothing is fetched or said on the console; headings sort, fields filter, all fits the window."""
    path = tmp_path / "index.html"
    path.write_text(render_index("reports", rows(), 12, []), encoding="utf-8")
    page, problems, requests = browser.new_page(viewport={"width": width, "height": 900}), [], []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    shown = page.locator("#runs-table tbody tr:visible")
    assert shown.count() == 12
    page.get_by_role("button", name="P(loss)").click()
    assert shown.first.locator("th").inner_text() == "strategy_0"
    page.get_by_role("button", name="P(loss)").click()
    assert shown.first.locator("th").inner_text() == "strategy_11"
    page.get_by_label("market").select_option("nasdaq")
    assert shown.count() == 4
    assert page.locator(".filters output").inner_text() == "4 of 12"
    page.get_by_label("tracked").select_option("outside")
    assert shown.count() == 0
    page.get_by_label("tracked").select_option("")
    page.get_by_label("Search").fill("strategy_10")
    assert [row.locator("th").inner_text() for row in shown.all()] == ["strategy_10"]
    assert shown.first.locator("a").first.get_attribute("href") == "run-10/report.html"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems == []
    assert len(requests) == 1
    page.close()
