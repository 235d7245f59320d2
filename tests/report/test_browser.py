"""The page in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stresslab.report.html import render
from stresslab.result import StressResult

pytestmark = pytest.mark.browser

PROBE = """<script>
for (const plot of document.querySelectorAll(".plot")) {
  const box = plot.getBoundingClientRect();
  plot.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + 0.7 * box.width, clientY: box.top + 9 }));
}
const wide = document.documentElement.scrollWidth;
const tips = [...document.querySelectorAll(".tip")].filter((tip) => !tip.hidden && tip.textContent).length;
document.querySelector("table.sortable thead button")?.click();
parent.postMessage(`${innerWidth} ${wide} ${tips} ${document.querySelectorAll(".plot").length}`, "*");
</script></body>"""
FRAME = """<!DOCTYPE html><script>onmessage = (event) => { document.body.dataset.probe = event.data; };</script>
<iframe src="report.html" style="border:0;width:%dpx;height:900px"></iframe>"""
"""The page stands in a frame, since the browser's own window cannot be as narrow as a phone."""


@pytest.mark.parametrize("name", ["single", "forward", "several", "assessed"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_works_in_chromium(name: str, width: int, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The scripts run without an error, every chart answers the pointer, and nothing is wider than a phone."""
    found: StressResult = request.getfixturevalue(name)
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium")
    (tmp_path / "report.html").write_text(render(found).replace("</body>", PROBE), encoding="utf-8")
    page = tmp_path / "frame.html"
    page.write_text(FRAME % width, encoding="utf-8")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,900", "--virtual-time-budget=3000",
        "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "CONSOLE" not in ran.stderr
    probe = re.findall(r'data-probe="(\d+) (\d+) (\d+) (\d+)"', ran.stdout)
    inner, wide, tips, plots = (int(number) for number in probe[0])
    assert inner == width
    assert wide <= width
    assert tips == plots
