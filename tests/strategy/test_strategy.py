"""Panels, the answers of strategies, loading them from files, and what is said when something is wrong."""

from __future__ import annotations

import functools
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import StrategyError
from stresslab.data.bars import FIELDS, Bars
from stresslab.strategy import METHODS, load_strategies
from tests.strategy.cases import PANEL, complaint, load

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and returns its path."""

    def write_file(text: str, name: str = "mine.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_file


def test_silence_is_allowed_on_demand() -> None:
    """Weights that are all NaN are accepted where the caller knows that the panel may be too short."""
    decisions = load(lambda bars: bars.close.rolling(500).mean()).decide(PANEL, allow_silence=True)
    assert decisions.weights is not None
    assert np.isnan(decisions.weights).all()


# --- bar by bar


def test_on_bar_sees_each_bar_once() -> None:
    """on_bar gets every bar of every universe in order, with a state that no other universe sees."""
    seen: list[tuple[Any, ...]] = []

    def on_bar(state: dict[str, Any], bar: Any, every: int = 2) -> float | None:
        state["count"] = state.get("count", 0) + 1
        seen.append(tuple(bar))
        return None if state["count"] % every else bar.close

    decisions = load(on_bar, every=3).decide(PANEL)
    third = np.arange(1, PANEL.shape[0] + 1)[:, None] % 3 == 0
    np.testing.assert_array_equal(decisions.weights, np.where(third, PANEL.close, np.nan))
    np.testing.assert_array_equal([bar[1:] for bar in seen[:80]], np.stack([PANEL.array(f)[:, 0] for f in FIELDS], 1))
    assert [bar[0] for bar in seen[-80:]] == list(PANEL.timestamps)


def test_objects_start_anew() -> None:
    """A class or an object that remembers things begins anew in each universe and at each call."""

    class Counter:
        def __init__(self, limit: int = 5) -> None:
            self.limit, self.seen = limit, 0

        def on_bar(self, state: dict[str, Any], bar: Any) -> float:
            self.seen += 1
            return float(self.seen > self.limit)

    expected = np.tile(np.arange(1, 81)[:, None] > 7, 3)
    for strategy in (load(Counter, limit="7"), load(Counter(7))):
        for _ in range(2):
            np.testing.assert_array_equal(strategy.decide(PANEL).weights, expected)


@pytest.mark.parametrize("answer", ["1", [1], {}])
def test_on_bar_answers_with_a_number(answer: Any) -> None:
    """on_bar that returns anything but a number or None is refused, with the bar."""

    def on_bar(state: dict[str, Any], bar: Any) -> Any:
        return answer

    assert f"on_bar returned {answer!r} at {PANEL.timestamps[0]}" in complaint(on_bar)


def test_a_bar_is_read_only() -> None:
    """on_bar cannot change its bar."""

    def on_bar(state: dict[str, Any], bar: Any) -> float:
        bar.close = 1.0
        return 0.0

    assert "AttributeError" in complaint(on_bar)


# --- loading


def test_name_kind_and_digest(write: Write) -> None:
    """A file's strategy is named after its stem; loading twice gives the same digest, another source another one."""
    path = write("def weights(bars):\n    return bars.close * 0\n", "trend_v2.py")
    first, second = load(path), load(Path(path))
    assert (first.name, first.kind, first.path) == ("trend_v2", "weights", path)
    assert first.digest == second.digest
    write("def weights(bars):\n    return bars.close * 1\n", "trend_v2.py")
    assert load(path).digest != first.digest
    assert load(path).decide(PANEL).weights is not None
    np.testing.assert_array_equal(load(path).decide(PANEL).weights, PANEL.close)


def test_any_name_after_the_colon(write: Write) -> None:
    """`path:name` names a function of any name, told apart by its parameters and its answer, or a class."""
    path = write(
        "def pair(bars):\n    return bars.close > 0, bars.close < 0\n"
        "def one(bars):\n    return bars.close * 0\n"
        "def step(state, bar, size=1):\n    return size\n"
        "class Trend:\n    def __init__(self, lag=3):\n        self.lag = lag\n"
        "    def weights(self, bars):\n        return (bars.close > bars.close.shift(self.lag)) * 1.0\n"
    )
    assert not load(f"{path}:pair").decide(PANEL).is_weights
    assert load(f"{path}:one").decide(PANEL).is_weights
    assert load(f"{path}:step", size=2).decide(PANEL).weights[0, 0] == 2  # type: ignore[index] # these are weights
    trend = load(f"{path}:Trend", lag=5)
    assert (trend.name, trend.kind, trend.parameters) == ("Trend", "weights", {"lag": 5})
    np.testing.assert_array_equal(trend.decide(PANEL).weights, PANEL.close > PANEL.close.shift(5))
    assert load(path).name == "mine"
    assert "no function or class 'Trent'; did you mean 'Trend'?" in complaint(f"{path}:Trent")


def test_several_in_one_file(write: Write) -> None:
    """A file with several strategies asks which one is meant."""
    path = write("def signals(bars): ...\ndef weights(bars): ...\n")
    assert f"name one of them: {path}:signals or {path}:weights" in complaint(path)


def test_names_are_told_apart() -> None:
    """Strategies of one name get a number; the order stays."""

    def rule(bars: Any) -> Any:
        return bars.close * 0

    assert [one.name for one in load_strategies([rule, rule, lambda bars: bars.close, rule], {})] == [
        "rule",
        "rule-2",
        "lambda",
        "rule-3",
    ]


def test_neighbours(write: Write) -> None:
    """Modules beside the file can be imported either way; other folders have neighbours of the same name."""
    modules, paths = set(sys.modules), list(sys.path)
    for folder, factor in (("a", 1), ("b", 2)):
        write(f"FACTOR = {factor}\n", f"{folder}/helper.py")
        for name, line in (("plain", "import helper"), ("relative", "from . import helper")):
            text = f"{line}\ndef weights(bars):\n    return bars.close * 0 + helper.FACTOR\n"
            weights = load(write(text, f"{folder}/{name}.py")).decide(PANEL).weights
            np.testing.assert_array_equal(weights, np.full(PANEL.shape, factor))
    assert sys.path == paths
    assert all(name.startswith("stresslab_strategies_") for name in set(sys.modules) - modules)


def test_a_name_that_collides(write: Write) -> None:
    """A strategy file called like an installed module leaves that module alone and is not run as a script."""
    text = "def weights(bars):\n    return bars.close * 0\nif __name__ == '__main__':\n    raise SystemExit('run')\n"
    assert load(write(text, "pandas.py")).name == "pandas"
    assert sys.modules["pandas"] is pd


def test_pickle_by_path(write: Write) -> None:
    """A file's strategy travels to a worker by path, name and parameters, and complains when the file has changed."""
    path = write("def weights(bars, lag=1):\n    return bars.close.shift(lag)\n")
    strategy = load_strategies([path, path], {"lag": 3})[1]
    packed = pickle.dumps(strategy)
    assert len(packed) < 1000
    again = pickle.loads(packed)
    assert (again.name, again.parameters, again.digest) == ("mine-2", {"lag": 3}, strategy.digest)
    np.testing.assert_array_equal(again.decide(PANEL).weights, strategy.decide(PANEL).weights)
    write("def weights(bars, lag=1):\n    return bars.close.shift(lag) * 2\n")
    with pytest.raises(StrategyError, match="has changed since the run began"):
        pickle.loads(packed)


def _module_level(bars: Any, lag: int = 1) -> Any:
    return bars.close.shift(lag)


def test_pickle_of_a_callable() -> None:
    """A function of a module travels by reference, with its name and parameters."""
    again = pickle.loads(pickle.dumps(load(_module_level, lag=2)))
    assert (again.name, again.parameters, again.path) == ("_module_level", {"lag": 2}, None)


# --- parameters


@pytest.mark.parametrize(
    ("given_value", "default", "value"),
    [
        ("10", 3, 10),
        (10.0, 3, 10),
        ("0.5", 1.0, 0.5),
        (2, 1.0, 2.0),
        ("true", False, True),
        (0, True, False),
        ("No", True, False),
        (10, "daily", "10"),
        (" weekly ", "daily", "weekly"),
        ([1, 2], (3,), [1, 2]),
        (7, None, 7),
    ],
)
def test_parameters_take_the_type_of_their_default(given_value: Any, default: Any, value: Any) -> None:
    """A parameter arrives with the type of its default, whether it was text or a value; others come as they are."""

    def rule(bars: Any, knob: Any = default, other: int = 4) -> Any:
        return bars.close * 0

    parameters = load(rule, knob=given_value).parameters
    assert parameters == {"knob": value, "other": 4}
    assert type(parameters["knob"]) is type(value)


@pytest.mark.parametrize(
    ("given_value", "default"), [("ten", 3), (2.5, 3), ("2.5", 3), (True, 3), ("high", 1.0), (2, True), (None, 3)]
)
def test_parameters_of_the_wrong_type(given_value: Any, default: Any) -> None:
    """A value that is not of the default's type is refused with an example."""

    def rule(bars: Any, knob: Any = default) -> Any:
        return bars.close * 0

    kind = type(default).__name__
    assert f"knob={given_value!r} is not of type {kind}; write for example" in complaint(rule, knob=given_value)


def test_annotated_parameters_need_a_value() -> None:
    """A parameter without a default must be given, and takes the type of its annotation."""

    def rule(bars: Any, lag: int) -> Any:
        return bars.close * lag

    assert "needs a value for 'lag'; set it" in complaint(rule)
    assert load(rule, lag="3").parameters == {"lag": 3}


def test_parameters_go_where_they_belong() -> None:
    """Each strategy takes the parameters that it has; one that nobody has is refused with the nearest name."""

    def first(bars: Any, fast: int = 1) -> Any: ...
    def second(bars: Any, fast: int = 2, slow: int = 3) -> Any: ...

    pair = load_strategies([first, second], {"fast": "5", "slow": 9})
    assert [one.parameters for one in pair] == [{"fast": 5}, {"fast": 5, "slow": 9}]
    assert "no strategy has a parameter 'fats'; did you mean 'fast'?" in complaint(second, fats=1)
    assert "known are fast, slow" in complaint(second, zzz=1)
    assert "none of them has parameters" in complaint(lambda bars: bars.close, fast=1)


def test_partial() -> None:
    """functools.partial fixes a parameter and keeps the function's name."""
    strategy = load(functools.partial(_module_level, lag=4))
    assert (strategy.name, strategy.parameters) == ("_module_level", {"lag": 4})
    np.testing.assert_array_equal(strategy.decide(PANEL).weights, PANEL.close.shift(4))


# --- what is said when something is wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no function signals(bars), weights(bars) or on_bar(state, bar)"),
        ("def signals(bars:\n", "SyntaxError: '(' was never closed, at mine.py line 1: `def signals(bars:`"),
        ("\nimport no_such_module\n", "No module named 'no_such_module', at mine.py line 2: `import no_such_module`"),
        ("raise SystemExit\n", "cannot be loaded: it raised SystemExit, at mine.py line 1: `raise SystemExit`"),
        ("x = 1\nraise ValueError('a\\nb')\n", "ValueError: a b, at mine.py line 2"),
        ("def weights(bars):\n    y = 1\n    return y / 0\n", "division by zero, at mine.py line 3: `return y / 0`"),
        (
            "def weights(bars):\n    return bars.closes\n",
            "no attribute 'closes'; did you mean 'close'?, at mine.py line 2: `return bars.closes`",
        ),
        (
            "def weights(bars):\n    return bars.close.rolling(-1).mean()\n",
            "at mine.py line 2: `return bars.close.rolling(-1).mean()`",
        ),
        ("def weights():\n    return 1\n", "weights() takes 0 positional arguments but 1 was given"),
        ("class A:\n    def weights(self, bars): ...\n    def signals(self, bars): ...\n", "keep one of them"),
    ],
)
def test_the_users_own_line(write: Write, text: str, words: str) -> None:
    """Whatever goes wrong in the user's file, loading or deciding, is one line with the user's line of code."""
    assert words in complaint(write(text))


def test_the_helpers_own_line(write: Write) -> None:
    """An error in a neighbour of the file shows the neighbour's line."""
    write("def scale(frame):\n    return frame['x']\n", "tools.py")
    path = write("from .tools import scale\n\ndef weights(bars):\n    return scale(bars.close)\n")
    assert "raised KeyError: 'x', at tools.py line 2: `return frame['x']`" in complaint(path)


def test_missing_files(write: Write, tmp_path: Path) -> None:
    """A path that is no Python file is answered with the nearest one beside it."""
    path = write("def weights(bars): ...\n", "sma_cross.py")
    assert f"sma_crss.py does not exist; did you mean {path!r}?" in complaint(str(tmp_path / "sma_crss.py"))
    assert "is not a Python file" in complaint(str(tmp_path))
    assert "give the path of a .py file" in complaint(str(tmp_path / "nowhere" / "x.py"))


@pytest.mark.parametrize("nothing", [3, None, object(), {"signals": 1}])
def test_things_that_are_no_strategy(nothing: Any) -> None:
    """An argument that is neither path nor callable nor object with a method is refused by type."""
    assert f"of type {type(nothing).__name__} is not a strategy" in complaint(nothing)


def test_no_strategy_at_all() -> None:
    """An empty list is refused, and so is a class without any of the methods."""
    with pytest.raises(StrategyError, match="no strategy was given"):
        load_strategies([], {})
    assert all(method in complaint(Bars) for method in METHODS)


def test_a_file_of_zipline_is_named(tmp_path: Path) -> None:
    """Functions of zipline are told what is nearest to them."""
    file = tmp_path / "theirs.py"
    file.write_text("def initialize(context):\n    pass\n\n\ndef handle_data(context, data):\n    pass\n")
    with pytest.raises(StrategyError, match="zipline"):
        load_strategies(str(file), {})
