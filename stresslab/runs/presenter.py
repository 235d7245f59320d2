"""How results show and save themselves: `report` makes text, HTML and charts, `folder` the folder.

`stresslab.core.display` asks this module; `stresslab/__init__.py` names it there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def text(thing: Any) -> str:
    """A stress test as text for a terminal."""
    from stresslab.report.formats.text import render

    return render(thing)


def html(thing: Any) -> str:
    """The object as HTML for a notebook."""
    from stresslab.report.formats.notebook import html as rendered

    return rendered(thing)


def plot(thing: Any, kind: str | None, axes: Axes | None) -> Axes:
    """The object as a chart."""
    from stresslab.report.charts.images import plot as drawn
    from stresslab.report.formats.notebook import chart

    return drawn(chart(thing, kind), axes)


def save(thing: Any, folder: Path) -> Path:
    """Write a run's folder below `folder`."""
    from stresslab.runs.folder import save_run

    return save_run(thing, folder)
