"""Parameters: ranges declared once, and grids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import StrategyError
from stresslab.strategy import load_strategies
from stresslab.strategy.parameters import MAX_SETS, describe_grid, expand, grid_values

FILE = """PARAMETERS = {"fast": (5, 50), "by": ["sma", "ema"]}


def signals(bars, fast=10, slow=30, by="sma"):
    average = bars.close.rolling(fast).mean() - bars.close.rolling(slow).mean()
    return average > 0, average < 0
"""


@pytest.fixture
def cross(tmp_path: Path) -> str:
    """A file that declares ranges."""
    path = tmp_path / "cross.py"
    path.write_text(FILE)
    return str(path)


def complaint(argument: Any, params: dict[str, Any], grid: dict[str, Any] | None = None) -> str:
    """The one line in which loading ends."""
    with pytest.raises(StrategyError) as caught:
        load_strategies(argument, params, grid)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5:20:5", [5, 10, 15, 20]),
        ("5:21:5", [5, 10, 15, 20]),
        ("3:5", [3, 4, 5]),
        ("20:5:-5", [20, 15, 10, 5]),
        ("0.1:0.5:0.1", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("1:2:0.25", [1.0, 1.25, 1.5, 1.75, 2.0]),
        ("30,60,90", [30, 60, 90]),
        ("5:15:5, 40", [5, 10, 15, 40]),
        ("5,5,5", [5]),
        ("sma,'ema',true,none", ["sma", "ema", True, None]),
        ("7:7", [7]),
    ],
)
def test_values_of_a_flag(text: str, values: list[Any]) -> None:
    """Ranges hold their stop where a step meets it, floats are exact, and each value is there once with its type."""
    found = grid_values("knob", text)
    assert found == values
    assert [type(one) for one in found] == [type(one) for one in values]


@given(start=st.integers(-1000, 1000), step=st.integers(1, 50), count=st.integers(1, 40), digits=st.integers(0, 4))
@settings(max_examples=100, deadline=None)
def test_ranges_are_exact(start: int, step: int, count: int, digits: int) -> None:
    """A range of decimals has just the numbers that its text writes, without the drift of added floats."""
    texts = [f"{value / 10**digits:.{digits}f}" for value in range(start, start + step * count, step)]
    found = grid_values("knob", f"{texts[0]}:{texts[-1]}:{step / 10**digits:.{digits}f}")
    assert found == [float(text) if digits else int(text) for text in texts]


def test_values_in_python() -> None:
    """Lists, ranges and arrays are values too, numpy's numbers as Python's."""
    assert grid_values("knob", range(5, 20, 5)) == [5, 10, 15]
    found = grid_values("knob", np.array([0.5, 1.0]))
    assert found == [0.5, 1.0]
    assert all(type(one) is float for one in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5:a:1", "not a range of numbers"),
        ("1:2:3:4", "never reaches its stop"),
        ("1:10:0", "not a range of numbers"),
        ("10:1:1", "never reaches its stop"),
        ("1:1000000:1", "more than 1,000 values"),
        ("0:1e300:1", "more than 1,000 values"),
        ("0:nan:1", "not a range of numbers"),
        ("0:inf:1", "not a range of numbers"),
        ("0:1:1e-999999", "not a range of numbers|more than 1,000 values"),
    ],
)
def test_no_ranges(text: str, words: str) -> None:
    """A range that is none is refused with an example."""
    with pytest.raises(StrategyError, match=words):
        grid_values("knob", text)


@pytest.mark.parametrize("values", [5, {"a": 1}, None, [], range(2000)])
def test_no_values(values: Any) -> None:
    """In Python, values are a sequence with something in it."""
    with pytest.raises(StrategyError, match="grid knob"):
        grid_values("knob", values)


def test_a_grid_is_described_by_its_size() -> None:
    """How many values each parameter has, and how many sets that makes."""
    assert describe_grid({"fast": "5:20:5", "slow": [30, 60]}) == "fast 4 x slow 2 = 8 sets"


def test_every_set_once() -> None:
    """The product of all values, the last parameter changing fastest; too many are refused with the count."""
    assert expand({"a": [1, 2], "b": [3, 4]}) == [{"a": a, "b": b} for a in (1, 2) for b in (3, 4)]
    assert expand({}) == [{}]
    with pytest.raises(StrategyError, match=r"100 x 101 = 10,100 parameter sets, more than 1,000"):
        expand({"a": list(range(100)), "b": list(range(101))})


def test_a_grid_makes_strategies(cross: str) -> None:
    """One strategy per set, named by it; what the grid leaves alone keeps its default or what was given."""
    found = load_strategies(cross, {"by": "ema"}, {"fast": "5:10:5", "slow": [30, 60]})
    assert [one.name for one in found] == [f"cross[fast={fast},slow={slow}]" for fast in (5, 10) for slow in (30, 60)]
    assert found[2].parameters == {"fast": 10, "slow": 30, "by": "ema"}
    assert len({id(one.log) for one in found}) == 4


def test_strategies_take_the_parameters_they_have(cross: str) -> None:
    """A strategy without the grid's parameters runs once; the same set twice is told apart by a number."""

    def hold(bars: Any) -> Any:
        return bars.close * 0 + 1

    names = [one.name for one in load_strategies([cross, hold, cross], {}, {"fast": [5, 10]})]
    assert names == ["cross[fast=5]", "cross[fast=10]", "hold", "cross[fast=5]-2", "cross[fast=10]-2"]


def test_values_have_the_defaults_type() -> None:
    """A grid's values are converted as single ones are, and those that become equal are one."""

    def rule(bars: Any, share: float = 0.5) -> Any:
        return bars.close * share

    found = load_strategies(rule, {}, {"share": [1, 1.0, "1", 2]})
    assert [one.parameters["share"] for one in found] == [1.0, 2.0]


def test_wrong_grids(cross: str) -> None:
    """Unknown parameters, those that have a value, values of another type, and too many sets are refused."""
    assert "no strategy has a parameter 'fats'; did you mean 'fast'?" in complaint(cross, {}, {"fats": [1]})
    assert "fast has one value, 5, and a grid" in complaint(cross, {"fast": 5}, {"fast": [5, 6]})
    assert "fast='x' is not of type int" in complaint(cross, {}, {"fast": "x,y"})
    assert "parameter sets, more than 1,000" in complaint(cross, {}, {"fast": "5:44", "slow": "1:40"})
    many = {"fast": "5:40", "slow": "1:20"}
    assert f"more than {MAX_SETS:,} strategies" in complaint([cross, cross], {}, many)


def test_ranges_hold(cross: str) -> None:
    """A value outside what the file declares is refused with the range; the ends are within."""
    assert load_strategies(cross, {"fast": 50})[0].parameters["fast"] == 50
    assert "fast=51 is not within 5 to 50, the range that cross declares" in complaint(cross, {"fast": "51"})
    assert "by='wma' is none of ['sma', 'ema'], which cross declares" in complaint(cross, {"by": "wma"})
    assert "fast=2 is not within 5 to 50" in complaint(cross, {}, {"fast": "2:10:2"})


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("[5]", "PARAMETERS is a list"),
        ('{"fats": (1, 2)}', "names 'fats', which is not a parameter; did you mean 'fast'?"),
        ('{"fast": 5}', "is neither (from, to) nor a list"),
        ('{"fast": (50, 5)}', "is neither (from, to) nor a list"),
        ('{"fast": []}', "is neither (from, to) nor a list"),
        ('{"fast": (20, 50)}', "fast=10 is not within 20 to 50"),
    ],
)
def test_wrong_declarations(declared: str, words: str, tmp_path: Path) -> None:
    """A declaration that declares nothing, or that the default breaks, is refused."""
    path = tmp_path / "mine.py"
    path.write_text(f"PARAMETERS = {declared}\n\n\ndef weights(bars, fast=10):\n    return bars.close * fast\n")
    assert words in complaint(str(path), {})


def test_a_class_declares_its_own(tmp_path: Path) -> None:
    """A class may hold the declaration; in a file of several, each takes what is its own."""
    path = tmp_path / "mine.py"
    path.write_text(
        "class Trend:\n    PARAMETERS = {'lag': (1, 9)}\n    def __init__(self, lag=3):\n        self.lag = lag\n"
        "    def weights(self, bars):\n        return bars.close * 0\n\n\n"
        "PARAMETERS = {'size': (0.0, 1.0)}\n\n\ndef half(bars, size=0.5):\n    return bars.close * 0 + size\n"
    )
    assert "lag=10 is not within 1 to 9" in complaint(f"{path}:Trend", {"lag": 10})
    assert "size=2.0 is not within 0.0 to 1.0" in complaint(f"{path}:half", {"size": 2})


def test_a_second_series_is_refused() -> None:
    """A second argument without a default asks for a value, and says that another series is not to be had."""

    def pair(bars: Any, spy: Any) -> Any:
        return bars.close > spy.close

    text = complaint(pair, {})
    assert "needs a value for 'spy'" in text
    assert "universes continue one series and have none" in text
