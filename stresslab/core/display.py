"""How an object shows itself without knowing how: it asks the presenter that the package has set.

Bars, universes and results stand low in the house, pages and charts high. `stresslab/__init__.py` says where the
presenter is; it is imported when something is first shown.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Presenter(Protocol):
    """What can be done with an object that shows itself."""

    def text(self, thing: Any) -> str:
        """The object as text for a terminal."""

    def html(self, thing: Any) -> str:
        """The object as HTML for a notebook."""

    def plot(self, thing: Any, kind: str | None, axes: Axes | None) -> Axes:
        """The object as a chart of some kind, on the axes given or new ones."""

    def save(self, thing: Any, folder: Path) -> Path:
        """Write the object below a folder and return where."""


_load: Callable[[], Presenter] | None = None


def use(load: Callable[[], Presenter]) -> None:
    """Take the presenter from this function, which is called each time something is shown."""
    global _load
    _load = load


def presenter() -> Presenter:
    """Whoever shows things.

    Raises:
        RuntimeError: none was set, since the package itself was not imported.
    """
    if _load is None:
        raise RuntimeError("nothing says how results are shown; import stresslab first")
    return _load()


class Displayed:
    """An object that a notebook shows as HTML."""

    def _repr_html_(self) -> str:
        """This object as HTML."""
        return presenter().html(self)


class Plotted(Displayed):
    """An object that a notebook shows as HTML and that can be drawn."""

    def plot(self, kind: str | None = None, axes: Axes | None = None) -> Axes:
        """Draw this object.

        Args:
            kind: which of its charts, where it has several: "pnl", "drawdown", "equity" or "underwater" of a strategy.
            axes: where to draw; new ones by default.

        Raises:
            InputError: there is no such kind.
        """
        return presenter().plot(self, kind, axes)
