"""Runs beside each other: paired where they share their universes, and told why where not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stresslab.analysis.compare import compare, why_not_paired
from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import Model
from stresslab.core.errors import InputError
from stresslab.report.formats.comparison import GROWING, UNLIKE, headings, render_text
from tests.make.results import make_result


@pytest.fixture(scope="module")
def first() -> StressResult:
    """A run of two strategies."""
    return make_result("follow", "hold", universes=120)


def test_the_same_universes_are_paired(first: StressResult) -> None:
    """Costs may differ: strategies of one name are compared universe by universe, with the plain mean difference."""
    dearer = [replace(one, metrics=one.metrics - 0.01) for one in first.strategies]
    other = replace(first, config=first.config | {"fees": 0.01}, strategies=dearer)
    found = compare([first, other])
    assert found.unpaired == {}
    assert [(pair.first.name, pair.second.name) for pair in found.pairs] == [
        ("A: follow", "B: follow"), ("A: hold", "B: hold"),
    ]  # fmt: skip
    for pair in found.pairs:
        mean = pair.difference.mean
        assert (mean.value, mean.low, mean.high) == pytest.approx((-0.01,) * 3)
        assert pair.difference.better.value == 0
        assert pair.gaps == pytest.approx(-0.01)
        ours = pair.first.strategy.metrics["total_return"]
        assert pair.worse.value == pytest.approx(float(((ours >= 0) & (ours < 0.01)).mean()))
        assert pair.spared.value == 0
    assert found.differing == {"fees": {"A": 0.0005, "B": 0.01}}


def test_every_difference_is_listed(first: StressResult) -> None:
    """Code of the strategies and of what they import, libraries, stresslab itself, the machine."""
    one, *others = first.strategies
    ours = replace(one, source={"path": "a.py", "sha256": "1", "modules": {"a.py": "1", "b.py": "2"}})
    theirs = replace(one, source={"path": "a.py", "sha256": "1", "modules": {"a.py": "1", "b.py": "3"}})
    versions = {"numpy": "2.0", "stresslab": "0.1.0"}
    then = replace(first, strategies=[ours, *others], environment={"versions": versions, "python": "3.11", "code": "x"})
    now = replace(
        first,
        strategies=[theirs, *others],
        environment={"versions": versions | {"numpy": "2.1"}, "python": "3.12", "code": "y"},
    )
    assert compare([then, now]).differing == {
        f"{one.name}: b.py": {"A": "2", "B": "3"},
        "version of numpy": {"A": "2.0", "B": "2.1"},
        "stresslab's code": {"A": "x", "B": "y"},
        "python": {"A": "3.11", "B": "3.12"},
    }


def test_the_sign_is_second_less_first(first: StressResult) -> None:
    """Whichever of two is better, the difference and its interval are of the second less the first."""
    better = [replace(one, metrics=one.metrics + 0.01) for one in first.strategies]
    pair = compare([first, replace(first, strategies=better)]).pairs[0]
    assert pair.difference.mean.value == pytest.approx(0.01)
    assert pair.difference.better.value == 1
    assert pair.difference.better.low > 0.9


def test_without_a_common_name_each_meets_each(first: StressResult) -> None:
    """Strategies of other names are compared all with all."""
    renamed = replace(first, strategies=[replace(one, name=f"new {one.name}") for one in first.strategies])
    assert len(compare([first, renamed]).pairs) == 4


def changed(field: Any, value: Any) -> Any:
    """A field of a result with some of its entries changed, or another value in its place."""
    if isinstance(field, Model):
        return field.model_copy(update=value)
    return field | value if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"config": {"seed": 5}}, "seed 0 against 5"),
        ({"horizon": 30}, "horizon 60 against 30"),
        ({"universes_count": 121}, "universes 120 against 121"),
        ({"data": {"digest": "0" * 64}}, "bars "),
        ({"generator": {"temperature": 0.9}}, "generator's temperature 1.0 against 0.9"),
        ({"generator": {"hashes": {"model": "x"}}}, "generator's hashes None against {'model': 'x'}"),
    ],
)
def test_other_universes_are_not_paired(first: StressResult, changes: dict[str, Any], why: str) -> None:
    """Whatever decides universes is named where it differs, and such runs stand side by side only."""
    other = replace(first, **{name: changed(getattr(first, name), value) for name, value in changes.items()})
    assert why in why_not_paired(first, other)
    found = compare([first, other])
    assert found.pairs == []
    assert why in found.unpaired["B"]
    assert f"B is not paired with A, but stands beside it: {why}" in " ".join(render_text(found).split())


def test_universes_that_differ_all_the_same_are_not_paired(first: StressResult) -> None:
    """Settings may agree and universes not, as after a change of the code: the closes tell."""
    assert "their universes differ" in why_not_paired(first, replace(first, fan=first.fan * 1.0001))


def test_other_horizons_show_annual_figures_alone(first: StressResult) -> None:
    """What grows with the bars is left out, and said to be."""
    found = compare([first, make_result("follow", universes=120, horizon=30)])
    assert not found.same_horizon
    assert UNLIKE in " ".join(render_text(found).split())
    assert not set(GROWING) & set(headings(found))
    assert set(GROWING) <= set(headings(compare([first, first])))
    assert "Median return" not in render_text(found)


def test_ids_not_rows_are_paired(first: StressResult) -> None:
    """Rows in another order are still the same universes."""
    shuffled = [
        replace(one, metrics=one.metrics.sample(frac=1, random_state=np.random.RandomState(1)))
        for one in first.strategies
    ]
    for pair in compare([first, replace(first, strategies=shuffled)]).pairs:
        assert pair.gaps == pytest.approx(0)
        assert pair.worse.value == pair.spared.value == 0


@pytest.mark.parametrize("count", [0, 1, 27])
def test_too_few_and_too_many_are_refused(first: StressResult, count: int) -> None:
    """Two at least, and no more than there are letters."""
    with pytest.raises(InputError, match="name 2 to 26 folders"):
        compare([first] * count)
