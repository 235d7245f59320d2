"""Results in a notebook: tables of HTML and matplotlib Axes."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import pytest
from matplotlib.axes import Axes

from stresslab.analysis.compare import compare
from stresslab.analysis.result import StressResult
from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.realism import assess_realism
from stresslab.report.formats.notebook import KINDS
from tests.make.bars import make_bars
from tests.make.results import make_result
from tests.realism.cases import Walk


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


@pytest.mark.parametrize("count", [2, 30, 400])
def test_bars_show_and_draw_themselves(count: int) -> None:
    """A line of the closes; a table with the ends of the series and what was noticed."""
    bars = make_bars(500)[:count]
    axes = bars.plot()
    assert isinstance(axes, Axes)
    assert len(axes.patches) == 1
    assert bars.symbol in axes.get_xlabel()
    shown = bars._repr_html_()
    assert str(bars.timestamps[0]) in shown
    assert f"{count:,} bars" in shown
    assert shown.count("<tr") <= 20


def test_bars_escape_what_they_are_called() -> None:
    """Symbol, source and notices are text."""
    made = make_bars(30)
    evil = Bars(made.timestamps, made.values, "<b>x</b>", "<i>y</i>", ("<img src=x>",))
    shown = evil._repr_html_()
    assert "<b>x" not in shown
    assert "<img" not in shown
    assert "<i>y" not in shown


@pytest.mark.parametrize("count", [1, 50])
def test_universes_show_and_draw_themselves(count: int) -> None:
    """A fan over the tail of the history, on axes of one's own, too; a table of what they are."""
    found = StationaryBootstrap().sample(make_bars(300), 20, count, 1)
    given = matplotlib.figure.Figure().add_subplot()
    assert found.plot(axes=given) is given
    assert len(given.patches) > 5
    shown = found._repr_html_()
    assert f"{count} universe" in shown
    assert "300 real bars" in shown
    real = Universes.from_bars(make_bars(320)[300:], make_bars(300))
    assert isinstance(real.plot(), Axes)


def test_realism_and_comparisons_show_themselves() -> None:
    """The label with every check; every strategy of every run."""
    found = assess_realism(make_bars(700), Walk(), 20, jobs=1)
    shown = found._repr_html_()
    assert f"realism: {found.label}" in shown
    assert shown.count("<tr>") >= len(found.checks)
    one = make_result("follow", "hold", universes=40)
    table = compare([one, one], ["a", "b"])._repr_html_()
    assert [f"{letter}: {name}" in table for letter in "AB" for name in ("follow", "hold")] == [True] * 4
