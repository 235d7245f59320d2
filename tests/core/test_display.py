"""Objects show themselves by asking whoever the package named, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stresslab.core import display
from stresslab.core.display import Displayed, Plotted, presenter, use


class Recorder:
    """Notes what it was asked to show."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def text(self, thing: Any) -> str:
        """As text."""
        return f"text of {thing}"

    def html(self, thing: Any) -> str:
        """As HTML."""
        self.asked.append((thing,))
        return "<p>shown</p>"

    def plot(self, thing: Any, kind: str | None, axes: Any) -> Any:
        """As a chart."""
        self.asked.append((thing, kind, axes))
        return axes

    def save(self, thing: Any, folder: Path) -> Path:
        """To a file."""
        return folder / str(thing)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """The presenter of this test; afterwards that of the package again."""
    monkeypatch.setattr(display, "_load", None)
    made = Recorder()
    use(lambda: made)
    return made


def test_a_notebook_gets_html(recorder: Recorder) -> None:
    """Through the method that notebooks look for."""
    thing = Displayed()
    assert thing._repr_html_() == "<p>shown</p>"
    assert recorder.asked == [(thing,)]


def test_kind_and_axes_are_handed_on(recorder: Recorder) -> None:
    """By name or by position, and None for what is left out."""
    thing, axes = Plotted(), object()
    assert thing.plot("drawdown", axes) is axes
    assert thing.plot(axes=axes) is axes
    assert thing.plot() is None
    assert recorder.asked == [(thing, "drawdown", axes), (thing, None, axes), (thing, None, None)]


def test_the_presenter_is_loaded_when_something_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming it imports nothing; what shows things is loaded by the first who asks."""
    monkeypatch.setattr(display, "_load", None)
    loaded: list[Recorder] = []

    def load() -> Recorder:
        loaded.append(Recorder())
        return loaded[-1]

    use(load)
    assert loaded == []
    assert presenter() is loaded[0]


def test_without_the_package_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A programming error, which names the remedy."""
    monkeypatch.setattr(display, "_load", None)
    with pytest.raises(RuntimeError, match="import stresslab first"):
        Displayed()._repr_html_()
