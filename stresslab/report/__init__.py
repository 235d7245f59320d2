"""How a stress test is shown: a page for the browser, pictures as files, and text for the terminal.

The facts come from a `StressResult`; nothing is computed here that is not in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stresslab.analysis.result import StressResult

__all__ = ["write_report"]


def write_report(result: StressResult, folder: Path) -> None:
    """Write the page, the pictures and the summary of a stress test.

    Args:
        result: what was found.
        folder: gets `report.html`, `summary.md` and `figures/*.png`; the same result gives the same bytes.
    """
    from stresslab.report.formats.registry import render_all

    render_all(result, folder, ("html", "png", "md"))
