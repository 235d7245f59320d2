"""Results in a notebook: tables of HTML and matplotlib Axes."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import pytest
from matplotlib.axes import Axes

from stresslab.errors import InputError
from stresslab.report.notebook import KINDS
from stresslab.result import StressResult
from tests.results import make_result


@pytest.fixture(autouse=True)
def _pictures_without_a_display() -> Iterator[None]:
    """Figures are made in memory and closed."""
    from matplotlib import pyplot

    before = matplotlib.get_backend()
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(before)


def test_a_result_shows_its_verdicts(several: StressResult) -> None:
    """A row for each strategy with its label."""
    shown = several._repr_html_()
    assert shown.count("<tr>") == 1 + len(several.strategies)
    for one in several.strategies:
        assert one.name in shown
        assert one.verdict.label in shown
    assert several.strategies[0].verdict.reasons[0] in several.strategies[0]._repr_html_()


def test_names_are_escaped() -> None:
    """A name that is markup is shown as text."""
    evil = "<img src=x onerror=alert(1)>"
    result = make_result("follow", universes=20, rename={"follow": evil})
    for shown in (result._repr_html_(), result.strategies[0]._repr_html_()):
        assert "<img" not in shown
        assert "&lt;img" in shown


def test_everything_plots(result: StressResult) -> None:
    """Axes come back with something on them: new ones, or those that were given."""
    from matplotlib import pyplot

    assert isinstance(result.plot(), Axes)
    for one in result.strategies:
        for kind in KINDS:
            axes = one.plot(kind)
            assert isinstance(axes, Axes)
            assert len(axes.patches) > 0
            assert axes.get_xlabel()
            pyplot.close(axes.get_figure())
    given = matplotlib.figure.Figure().add_subplot()
    assert result.strategies[0].plot(axes=given) is given


def test_an_unknown_kind_is_refused(single: StressResult) -> None:
    """One line says what there is."""
    with pytest.raises(InputError, match=r"kind='drawdwn' cannot be plotted; did you mean 'drawdown'\?"):
        single.strategies[0].plot("drawdwn")
