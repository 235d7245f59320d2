"""What `display` asks for is what report and folder make."""

from __future__ import annotations

from pathlib import Path

from stresslab.analysis.result import StressResult
from stresslab.core.display import presenter
from stresslab.report.formats import text
from stresslab.runs import presenter as module
from stresslab.runs.folder import load_run
from tests.make.results import make_result


def result() -> StressResult:
    """One strategy in a few universes."""
    return make_result("follow", universes=30, horizon=20)


def test_the_package_names_it() -> None:
    """Whatever is shown is shown by this module."""
    assert presenter() is module


def test_a_result_is_printed_shown_and_drawn() -> None:
    """The terminal's text, HTML with its verdict, and a chart on the axes that were given."""
    from matplotlib.figure import Figure

    shown = result()
    assert module.text(shown) == str(shown) == text.render(shown)
    assert shown.strategies[0].verdict.label in module.html(shown).lower()
    axes = Figure().subplots()
    assert module.plot(shown, None, axes) is axes
    assert axes.lines or axes.patches or axes.collections


def test_a_result_is_saved_below_the_folder(tmp_path: Path) -> None:
    """In a folder of its own, from which it can be read back."""
    shown = result()
    saved = module.save(shown, tmp_path)
    assert saved.parent == tmp_path
    assert load_run(saved).to_dict() == shown.to_dict()
